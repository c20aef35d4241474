//! A page's Markdown, cut into the blocks that its four lives are made of.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::include::Include;
use crate::workspace::Workspace;

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Prose, as Markdown.
    Markdown(String),
    /// A notebook cell.
    Cell(Cell),
    /// Code that is shown and not executed.
    Code(Listing),
    /// A displayed formula (LaTeX).
    Math(String),
    /// What the figure above shows, for the eye and for a screen reader.
    Caption(String),
    /// A folded part begins; its title.
    Details(String),
    /// The folded part ends.
    EndDetails,
    /// A box of advice begins.
    Tip,
    /// The box ends.
    EndTip,
}

/// A block with the line of the page where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// 1-based line of the page.
    pub line: usize,
    /// The block.
    pub block: Block,
}

/// Code that a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What it is written in, as the fence says.
    pub language: String,
    /// The code, includes expanded.
    pub code: String,
    /// The file that it is included from, relative to the root; none for what is typed in
    /// the page.
    pub file: Option<PathBuf>,
}

/// A notebook cell: code that the kernel runs and whose output the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Stable name, from the anchor that it includes.
    pub id: String,
    /// The code, includes expanded.
    pub code: String,
    /// The file that it is included from, relative to the root.
    pub file: PathBuf,
    /// Whether the code only draws a figure, and so is folded on the page
    /// (```` ```rust,cell,drawing ````).
    pub draws: bool,
    /// Whether the cell is there to show an error (```` ```rust,cell,error ````).
    pub fails: bool,
    /// Whether what it prints depends on how the processor rounds, as a training's loss
    /// does (```` ```rust,cell,varies ````).
    pub varies: bool,
}

/// Cuts a page into blocks, with the code that it includes.
///
/// # Errors
///
/// With file and line: an anchor that does not exist, Rust typed in the page, a fence
/// left open, two cells of the same name.
pub fn parse(workspace: &Workspace, page: &Path, text: &str) -> Result<Vec<Located>> {
    let at = |line: usize| format!("{}:{line}", page.display());
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks: Vec<Located> = Vec::new();
    let mut prose = Prose::default();
    let mut next = 0;
    while next < lines.len() {
        let (line, start) = (lines[next], next + 1);
        if let Some(fence) = Fence::open(line) {
            let body: Vec<&str> = lines[next + 1..]
                .iter()
                .copied()
                .take_while(|line| !fence.closes(line))
                .collect();
            ensure!(
                next + 1 + body.len() < lines.len(),
                "{}: the code block that starts here is never closed",
                at(start)
            );
            next += body.len() + 2;
            let block =
                fenced(workspace, &fence.info, &body).with_context(|| at(start))?;
            prose.flush(&mut blocks);
            blocks.push(Located { line: start, block });
        } else if line.trim_start().starts_with("{{#") {
            let (block, used) = directive(&lines[next..]).with_context(|| at(start))?;
            prose.flush(&mut blocks);
            blocks.push(Located { line: start, block });
            next += used;
        } else {
            prose.push(start, line);
            next += 1;
        }
    }
    prose.flush(&mut blocks);
    check_ids(&blocks, &at)?;
    check_pairs(&blocks, &at)?;
    check_captions(&blocks, &at)?;
    Ok(blocks)
}

/// Every fold and box ends, before another begins.
fn check_pairs(blocks: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    let mut open: Option<(&Located, &str)> = None;
    for located in blocks {
        let closes = match (&located.block, &open) {
            (Block::Details(_) | Block::Tip, None) => {
                let details = matches!(located.block, Block::Details(_));
                open = Some((located, if details { "details" } else { "tip" }));
                continue;
            }
            (Block::EndDetails, open) => {
                open.is_some_and(|(_, name)| name == "details")
            }
            (Block::EndTip, open) => open.is_some_and(|(_, name)| name == "tip"),
            (Block::Details(_) | Block::Tip, Some(_)) => false,
            _ => continue,
        };
        ensure!(
            closes,
            "{}: this does not fit what is open above it",
            at(located.line)
        );
        open = None;
    }
    if let Some((located, name)) = open {
        bail!("{}: {{{{#end{name}}}}} is missing", at(located.line));
    }
    Ok(())
}

/// A caption belongs to the cell right above it.
fn check_captions(blocks: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    for (i, located) in blocks.iter().enumerate() {
        let captioned = i > 0 && matches!(blocks[i - 1].block, Block::Cell(_));
        ensure!(
            captioned || !matches!(located.block, Block::Caption(_)),
            "{}: a caption without a cell right above it",
            at(located.line)
        );
    }
    Ok(())
}

fn check_ids(blocks: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    let cells: Vec<(usize, &Cell)> = cells(blocks).collect();
    for (i, (line, cell)) in cells.iter().enumerate() {
        if let Some((first, _)) =
            cells[..i].iter().find(|(_, other)| other.id == cell.id)
        {
            bail!("{}: cell {:?} is already at line {first}", at(*line), cell.id);
        }
    }
    Ok(())
}

/// The cells among blocks, with their lines.
pub fn cells(blocks: &[Located]) -> impl Iterator<Item = (usize, &Cell)> {
    blocks.iter().filter_map(|located| match &located.block {
        Block::Cell(cell) => Some((located.line, cell)),
        _ => None,
    })
}

/// Lines of prose on their way to become a block.
#[derive(Default)]
struct Prose {
    first: usize,
    lines: Vec<String>,
}

impl Prose {
    fn push(&mut self, number: usize, line: &str) {
        if self.lines.is_empty() {
            if line.trim().is_empty() {
                return;
            }
            self.first = number;
        }
        self.lines.push(line.to_owned());
    }

    fn flush(&mut self, blocks: &mut Vec<Located>) {
        let text = std::mem::take(&mut self.lines).join("\n");
        if !text.trim().is_empty() {
            blocks.push(Located {
                line: self.first,
                block: Block::Markdown(text.trim_matches('\n').to_owned()),
            });
        }
    }
}

/// An opening code fence.
struct Fence {
    marker: String,
    info: String,
}

impl Fence {
    fn open(line: &str) -> Option<Self> {
        let length = line.len() - line.trim_start_matches('`').len();
        let info = line[length..].trim();
        (length >= 3 && !info.contains('`'))
            .then(|| Self { marker: line[..length].to_owned(), info: info.to_owned() })
    }

    fn closes(&self, line: &str) -> bool {
        let line = line.trim_end();
        line.starts_with(&self.marker) && line.trim_start_matches('`').is_empty()
    }
}

/// What may stand after the language of a code block.
const MARKS: [&str; 4] = ["cell", "drawing", "error", "varies"];

/// What a fenced block is: a formula, a cell, or code to show.
fn fenced(workspace: &Workspace, info: &str, body: &[&str]) -> Result<Block> {
    if info == "math" {
        return Ok(Block::Math(body.join("\n")));
    }
    let mut words = info.split(',');
    let language = words.next().unwrap_or_default();
    let marks: Vec<&str> = words.collect();
    if let Some(mark) = marks.iter().find(|mark| !MARKS.contains(*mark)) {
        let known = MARKS.join(", ");
        bail!("no such mark on a code block: {mark:?} (there are {known})");
    }
    let marked = |mark: &str| marks.contains(&mark);
    let includes: Vec<Include> =
        body.iter().filter_map(|line| Include::parse(line)).collect();
    let typed = body
        .iter()
        .any(|line| Include::parse(line).is_none() && !line.trim().is_empty());
    if language == "rust" && typed {
        bail!(
            "Rust typed in a page: put the code in a crate between ANCHOR comments and write \
             {{{{#include path:anchor}}}} here, so that it is compiled and tested"
        );
    }
    let code = expand(workspace, body)?;
    let file = one_file(&includes)?;
    if !marked("cell") {
        ensure!(marks.is_empty(), "only a cell can be marked {}", marks.join(", "));
        let language = language.to_owned();
        return Ok(Block::Code(Listing { language, code, file }));
    }
    let file = file.context("an empty cell: write {{#include path:anchor}} in it")?;
    let anchor = includes.first().and_then(|include| include.anchor.clone());
    let id = anchor.unwrap_or_default();
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ensure!(
        !id.is_empty() && id.len() <= 48 && id.chars().all(valid),
        "{id:?} can't name a cell: use an anchor of 1 to 48 letters, digits, - and _"
    );
    let [draws, fails, varies] = ["drawing", "error", "varies"].map(marked);
    Ok(Block::Cell(Cell { id, code, file, draws, fails, varies }))
}

/// The file that a block's code comes from, whose name its listing carries.
fn one_file(includes: &[Include]) -> Result<Option<PathBuf>> {
    let mut files = includes.iter().map(Include::file);
    let first = files.next();
    if let Some(other) = files.find(|file| Some(file) != first.as_ref()) {
        bail!("code of a second file, {}: give it a block of its own", other.display());
    }
    Ok(first)
}

/// The lines of a block, its includes expanded; a blank line stands between two
/// includes.
fn expand(workspace: &Workspace, body: &[&str]) -> Result<String> {
    let mut parts = Vec::new();
    for line in body {
        parts.push(match Include::parse(line) {
            Some(include) => include.expand(workspace)?,
            None => (*line).to_owned(),
        });
    }
    Ok(parts.join("\n"))
}

/// A directive other than an include, and how many lines it takes.
fn directive(lines: &[&str]) -> Result<(Block, usize)> {
    let first = lines[0].trim();
    match first {
        "{{#enddetails}}" => return Ok((Block::EndDetails, 1)),
        "{{#tip}}" => return Ok((Block::Tip, 1)),
        "{{#endtip}}" => return Ok((Block::EndTip, 1)),
        _ => {}
    }
    let make = match first.split_once(' ') {
        Some(("{{#caption", _)) => Block::Caption,
        Some(("{{#details", _)) => Block::Details,
        _ => bail!(
            "no such directive: {first} (there are {{{{#caption …}}}}, {{{{#details …}}}}, \
             {{{{#enddetails}}}}, {{{{#tip}}}}, {{{{#endtip}}}}, and {{{{#include …}}}} in a \
             code block)"
        ),
    };
    let ends = |line: &&str| line.trim_end().ends_with("}}");
    let paragraph = lines.iter().take_while(|line| !line.trim().is_empty());
    let length =
        paragraph.clone().position(ends).context("this directive has no }}")?;
    let text = lines[..=length].join(" ");
    let text = text.trim().trim_end_matches('}');
    let (_, text) = text.split_once(' ').unwrap_or_default();
    Ok((make(text.trim().to_owned()), length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Vec<Located>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        parse(&Workspace::at(&root)?, Path::new("src/page.md"), text)
    }

    #[test]
    fn prose_formulas_and_folds_are_told_apart() {
        let text = "# T\n\n```math\na^2\n```\n\n{{#details A\nhint}}\n\nx\n\n{{#enddetails}}\n{{#tip}}\n\n{{#endtip}}\n";
        let kinds: Vec<Block> =
            parse_text(text).unwrap().into_iter().map(|l| l.block).collect();
        assert_eq!(
            kinds,
            [
                Block::Markdown("# T".into()),
                Block::Math("a^2".into()),
                Block::Details("A hint".into()),
                Block::Markdown("x".into()),
                Block::EndDetails,
                Block::Tip,
                Block::EndTip,
            ]
        );
    }

    #[test]
    fn rust_typed_in_a_page_is_refused_with_file_and_line() {
        let error = parse_text("a\n\n```rust,cell\nlet a = 1;\n```\n").unwrap_err();
        let text = format!("{error:#}");
        assert!(text.starts_with("src/page.md:3: Rust typed in a page"), "{text}");
    }

    #[test]
    fn code_knows_its_file() {
        let include = |file: &str, anchor: &str| {
            format!(
                "{{{{#include ../chapters-code/ch01-self-attention/{file}:{anchor}}}}}"
            )
        };
        let softmax = include("src/lib.rs", "softmax");
        let drawing = include("examples/walkthrough.rs", "heatmap");
        let text = format!(
            "```rust\n{softmax}\n```\n\n```rust,cell,drawing\n{drawing}\n```\n\n```console\nls\n```\n"
        );
        let blocks = parse_text(&text).unwrap();
        let [Block::Code(softmax), Block::Cell(heatmap), Block::Code(typed)] =
            [&blocks[0], &blocks[1], &blocks[2]].map(|located| &located.block)
        else {
            panic!("{blocks:#?}");
        };
        let file =
            |path: &str| Path::new("chapters-code/ch01-self-attention").join(path);
        assert_eq!(softmax.file, Some(file("src/lib.rs")));
        assert_eq!(heatmap.file, file("examples/walkthrough.rs"));
        assert!(heatmap.draws && !heatmap.fails && !heatmap.varies);
        assert_eq!((&typed.file, typed.code.as_str()), (&None, "ls"));
        let two = format!(
            "```rust\n{}\n{}\n```\n",
            include("src/lib.rs", "softmax"),
            include("src/numpy.rs", "numpy")
        );
        let error = format!("{:#}", parse_text(&two).unwrap_err());
        assert!(error.contains("a second file, chapters-code/"), "{error}");
    }

    #[test]
    fn a_missing_anchor_is_an_error_with_file_and_line() {
        let page = "```rust,cell\n{{#include ../chapters-code/ch01-self-attention/src/lib.rs:nope}}\n```\n";
        let text = format!("{:#}", parse_text(page).unwrap_err());
        assert!(text.starts_with("src/page.md:1: "), "{text}");
        assert!(text.contains("nope") && text.contains("softmax"), "{text}");
    }

    #[test]
    fn directives_that_do_not_fit_are_errors_with_file_and_line() {
        for (text, error) in [
            ("a\n\n{{#captio x}}\n", "src/page.md:3: no such directive: {{#captio x}}"),
            ("{{#details x\n\ny\n", "src/page.md:1: this directive has no }}"),
            ("a\n{{#details x}}\n\ny\n", "src/page.md:2: {{#enddetails}} is missing"),
            ("{{#endtip}}\n", "src/page.md:1: this does not fit what is open above it"),
            ("{{#tip}}\n{{#enddetails}}", "src/page.md:2: this does not fit"),
            ("{{#caption x}}\n", "src/page.md:1: a caption without a cell"),
            (
                "a\n```text,cel\n```\n",
                "src/page.md:2: no such mark on a code block: \"cel\"",
            ),
            (
                "```text,drawing\n```\n",
                "src/page.md:1: only a cell can be marked drawing",
            ),
            ("```rust,cell\n```\n", "src/page.md:1: an empty cell"),
        ] {
            let found = format!("{:#}", parse_text(text).unwrap_err());
            assert!(found.starts_with(error), "{found}");
        }
    }

    #[test]
    fn an_open_fence_and_a_repeated_cell_are_errors() {
        let text = format!("{:#}", parse_text("a\n```text\nb\n").unwrap_err());
        assert_eq!(
            text,
            "src/page.md:2: the code block that starts here is never closed"
        );
        let cell = "```rust,cell\n{{#include ../chapters-code/ch01-self-attention/src/lib.rs:softmax}}\n```\n";
        let text = format!("{:#}", parse_text(&format!("{cell}\n{cell}")).unwrap_err());
        assert_eq!(text, "src/page.md:5: cell \"softmax\" is already at line 1");
    }
}
