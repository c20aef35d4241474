//! A page's Markdown, cut into the blocks that its four lives are made of.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use crate::include::Include;
use crate::markdown::{self, Fault};
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
/// left open, a directive or a crate's code inside a list or a quote, words in raw HTML, a
/// table's row that a `|` cuts, two cells of the same name.
pub fn parse(workspace: &Workspace, page: &Path, text: &str) -> Result<Vec<Located>> {
    let at = |line: usize| format!("{}:{line}", page.display());
    let blocks = cut(workspace, page, text).map_err(|fault| {
        let line = markdown::line_of(text, fault.byte);
        fault.error.context(at(line))
    })?;
    check_ids(&blocks, &at)?;
    check_pairs(&blocks, &at)?;
    check_captions(&blocks, &at)?;
    Ok(blocks)
}

/// Cuts Markdown into blocks, whatever these are to each other.
pub(crate) fn cut(
    workspace: &Workspace,
    page: &Path,
    text: &str,
) -> Result<Vec<Located>, Fault> {
    markdown::check(text)?;
    let mut cutter = Cutter { workspace, page, text, blocks: Vec::new(), prose: 0 };
    let mut depth = 0;
    let mut in_paragraph = false; // one that is in no list, quote or table
    let mut spans: Vec<Range<usize>> = Vec::new(); // its code, as its directives see it
    let mut code: Option<Code> = None;
    for (event, range) in markdown::events(text) {
        match event {
            Event::Start(tag) => {
                match tag {
                    Tag::CodeBlock(kind) => code = Some(Code::new(&kind, range, depth)),
                    tag if depth == 0 => {
                        in_paragraph = matches!(tag, Tag::Paragraph);
                        spans.clear();
                    }
                    _ => {}
                }
                depth += 1;
            }
            Event::End(end) => {
                depth -= 1;
                if let Some(code) = code.take() {
                    cutter.code(&code)?;
                } else if depth == 0 && matches!(end, TagEnd::Paragraph) {
                    cutter.directives(&range, &spans)?;
                }
            }
            Event::Text(part) => match &mut code {
                Some(code) => code.body.push_str(&part),
                None => cutter.no_directive_within(&range, in_paragraph)?,
            },
            Event::Code(_) | Event::InlineHtml(_) => spans.push(range),
            _ => {}
        }
    }
    cutter.flush(text.len());
    Ok(cutter.blocks)
}

/// A block of code on its way through the parser.
struct Code {
    /// What stands behind the opening fence; none for an indented block.
    info: Option<String>,
    range: Range<usize>,
    /// Whether it stands in a list or a quote.
    nested: bool,
    body: String,
}

impl Code {
    fn new(kind: &CodeBlockKind, range: Range<usize>, depth: usize) -> Self {
        let info = match kind {
            CodeBlockKind::Fenced(info) => Some(info.to_string()),
            CodeBlockKind::Indented => None,
        };
        Self { info, range, nested: depth > 0, body: String::new() }
    }

    fn has_directive(&self) -> bool {
        self.body.lines().any(|line| line.trim_start().starts_with(DIRECTIVE))
    }
}

/// How every directive begins.
const DIRECTIVE: &str = "{{#";

/// Takes the blocks out of a page; what lies between them is prose.
struct Cutter<'a> {
    workspace: &'a Workspace,
    page: &'a Path,
    text: &'a str,
    blocks: Vec<Located>,
    /// Where the prose begins that is no block yet.
    prose: usize,
}

impl Cutter<'_> {
    fn code(&mut self, code: &Code) -> Result<(), Fault> {
        let block = self.block_of(code);
        let block = block.map_err(|error| Fault { byte: code.range.start, error })?;
        if let Some(block) = block {
            let end = self.line_end(code.range.end);
            self.push(self.line_start(code.range.start), end, block);
        }
        Ok(())
    }

    /// What a block of code is; none if it is part of the prose around it.
    fn block_of(&self, code: &Code) -> Result<Option<Block>> {
        let Some(info) = &code.info else {
            ensure!(
                !code.has_directive(),
                "a directive in indented code: includes stand between fences, the others at \
                 the page's margin"
            );
            return Ok(None);
        };
        ensure!(
            markdown::is_closed(&self.text[code.range.clone()]),
            "the code block that starts here is never closed"
        );
        if code.nested {
            let language = words(info).next().unwrap_or_default();
            ensure!(
                !is_rust(language) && language != "math" && !code.has_directive(),
                "Rust, formulas and includes are no part of a list or a quote: put this block \
                 at the page's margin"
            );
            return Ok(None);
        }
        let body: Vec<&str> = code.body.lines().collect();
        fenced(self.workspace, self.page, info, &body).map(Some)
    }

    /// Takes the directives out of a paragraph, each of which begins a line.
    fn directives(
        &mut self,
        paragraph: &Range<usize>,
        code: &[Range<usize>],
    ) -> Result<(), Fault> {
        let in_code = |byte: usize| code.iter().any(|span| span.contains(&byte));
        let mut start = self.line_start(paragraph.start);
        while start < paragraph.end {
            let end = self.line_end(start + 1);
            let line = &self.text[start..end];
            let byte = start + line.len() - line.trim_start().len();
            if !self.text[byte..].starts_with(DIRECTIVE) || in_code(byte) {
                start = end;
                continue;
            }
            let mut end = end;
            loop {
                let text = self.text[byte..end].trim_end();
                if text.ends_with("}}") && !in_code(byte + text.len() - 1) {
                    break;
                }
                if end >= paragraph.end {
                    let error = anyhow!("this directive has no }}}}");
                    return Err(Fault { byte, error });
                }
                end = self.line_end(end + 1);
            }
            let block = directive(&self.text[byte..end]);
            let block = block.map_err(|error| Fault { byte, error })?;
            self.push(start, end, block);
            start = end;
        }
        Ok(())
    }

    /// A directive that does not begin a line of a paragraph would be published as it is.
    fn no_directive_within(
        &self,
        text: &Range<usize>,
        in_paragraph: bool,
    ) -> Result<(), Fault> {
        let Some(found) = self.text[text.clone()].find(DIRECTIVE) else {
            return Ok(());
        };
        let byte = text.start + found;
        let before = &self.text[self.line_start(byte)..byte];
        if in_paragraph && before.trim().is_empty() {
            return Ok(());
        }
        let error = anyhow!(
            "a directive begins a line at the page's margin, after a blank line: here it \
             would be published as it is (to show one, write it in a code span)"
        );
        Err(Fault { byte, error })
    }

    fn line_start(&self, byte: usize) -> usize {
        self.text[..byte].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The end of the line that ends at or after a byte, its newline included.
    fn line_end(&self, byte: usize) -> usize {
        let rest = byte.saturating_sub(1).min(self.text.len());
        let newline = self.text.as_bytes()[rest..].iter().position(|&b| b == b'\n');
        newline.map_or(self.text.len(), |newline| rest + newline + 1)
    }

    fn push(&mut self, start: usize, end: usize, block: Block) {
        self.flush(start);
        let line = markdown::line_of(self.text, start);
        self.blocks.push(Located { line, block });
        self.prose = end;
    }

    /// What lies between the last block and `end` becomes a block of prose.
    fn flush(&mut self, end: usize) {
        let prose = &self.text[self.prose.min(end)..end];
        let lines: Vec<&str> = prose.lines().collect();
        let blank = lines.iter().take_while(|line| line.trim().is_empty()).count();
        let text = lines[blank..].join("\n").trim_end_matches('\n').to_owned();
        if !text.trim().is_empty() {
            let line = markdown::line_of(self.text, self.prose) + blank;
            self.blocks.push(Located { line, block: Block::Markdown(text) });
        }
    }
}

/// The words of a fence's info: the language, then its marks.
fn words(info: &str) -> impl Iterator<Item = &str> {
    info.split([',', ' ', '\t']).filter(|word| !word.is_empty())
}

fn is_rust(language: &str) -> bool {
    ["rust", "rs"].iter().any(|name| language.eq_ignore_ascii_case(name))
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

/// What may stand after the language of a code block.
const MARKS: [&str; 4] = ["cell", "drawing", "error", "varies"];

/// What a fenced block is: a formula, a cell, or code to show.
fn fenced(
    workspace: &Workspace,
    page: &Path,
    info: &str,
    body: &[&str],
) -> Result<Block> {
    if info == "math" {
        return Ok(Block::Math(body.join("\n")));
    }
    let mut words = words(info);
    let language = words.next().unwrap_or_default();
    let marks: Vec<&str> = words.collect();
    if let Some(mark) = marks.iter().find(|mark| !MARKS.contains(*mark)) {
        let known = MARKS.join(", ");
        bail!("no such mark on a code block: {mark:?} (there are {known})");
    }
    let marked = |mark: &str| marks.contains(&mark);
    let includes: Vec<Include> =
        body.iter().filter_map(|line| Include::parse(line)).collect();
    let other = |line: &&&str| {
        line.trim_start().starts_with(DIRECTIVE) && Include::parse(line).is_none()
    };
    if let Some(line) = body.iter().find(other) {
        bail!(
            "{:?} in a code block: {{{{#include path:anchor}}}} is all it takes",
            line.trim()
        );
    }
    let typed = body
        .iter()
        .any(|line| Include::parse(line).is_none() && !line.trim().is_empty());
    if is_rust(language) && typed {
        bail!(
            "Rust typed in a page: put the code in a crate between ANCHOR comments and write \
             {{{{#include path:anchor}}}} here, so that it is compiled and tested"
        );
    }
    let code = expand(workspace, page, body)?;
    let file = one_file(page, &includes)?;
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
fn one_file(page: &Path, includes: &[Include]) -> Result<Option<PathBuf>> {
    let mut files = includes.iter().map(|include| include.file(page));
    let first = files.next();
    if let Some(other) = files.find(|file| Some(file) != first.as_ref()) {
        bail!("code of a second file, {}: give it a block of its own", other.display());
    }
    Ok(first)
}

/// The lines of a block, its includes expanded; a blank line stands between two
/// includes.
fn expand(workspace: &Workspace, page: &Path, body: &[&str]) -> Result<String> {
    let mut parts = Vec::new();
    for line in body {
        parts.push(match Include::parse(line) {
            Some(include) => include.expand(workspace, page)?,
            None => (*line).to_owned(),
        });
    }
    Ok(parts.join("\n"))
}

/// A directive other than an include, up to its `}}`.
fn directive(text: &str) -> Result<Block> {
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let text = text.trim();
    match text {
        "{{#enddetails}}" => return Ok(Block::EndDetails),
        "{{#tip}}" => return Ok(Block::Tip),
        "{{#endtip}}" => return Ok(Block::EndTip),
        _ => {}
    }
    let inner = text.strip_suffix("}}").unwrap_or(text);
    let make = match inner.split_once(' ') {
        Some(("{{#caption", words)) => (Block::Caption as fn(String) -> Block, words),
        Some(("{{#details", words)) => (Block::Details as fn(String) -> Block, words),
        _ => bail!(
            "no such directive: {text} (there are {{{{#caption …}}}}, {{{{#details …}}}}, \
             {{{{#enddetails}}}}, {{{{#tip}}}}, {{{{#endtip}}}}, and {{{{#include …}}}} in a \
             code block)"
        ),
    };
    let (make, words) = make;
    Ok(make(words.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook::{self, Outputs};
    use crate::render;
    use crate::workspace::Language;

    fn workspace() -> Workspace {
        Workspace::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
    }

    fn parse_text(text: &str) -> Result<Vec<Located>> {
        parse(&workspace(), Path::new("src/page.md"), text)
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

    /// Markdown decides what is code, a list, a table or HTML: no line by itself.
    #[test]
    fn what_stands_where_it_does_not_belong_is_refused_with_its_line() {
        let anchor = "../chapters-code/ch01-self-attention/src/lib.rs";
        let lines = format!("a\n\n```rust,cell\n{{{{#include {anchor}:1:10}}}}\n```\n");
        let line = format!("```rust\n{{{{#include {anchor}:7}}}}\n```\n");
        for (text, error) in [
            (
                "- a\n\n  ```rust\n  let b = 1;\n  ```\n",
                "3: Rust, formulas and includes are",
            ),
            ("> ```rust\n> let b = 1;\n> ```\n", "1: Rust, formulas and includes are"),
            (
                "1. a\n\n   ~~~text\n   {{#include a.rs:b}}\n   ~~~\n",
                "3: Rust, formulas",
            ),
            ("- a\n\n  ```math\n  b\n  ```\n", "3: Rust, formulas and includes are"),
            ("a\n\n~~~rust\nlet b = 1;\n~~~\n", "3: Rust typed in a page"),
            ("```rs\nlet b = 1;\n```\n", "1: Rust typed in a page"),
            ("``` rust ignore\nlet b = 1;\n```\n", "1: no such mark on a code block"),
            ("````rust\n```\n````\n", "1: Rust typed in a page"),
            ("~~~text\nb\n```\n", "1: the code block that starts here is never closed"),
            ("    {{#include a.rs:b}}\n", "1: a directive in indented code"),
            ("> {{#tip}}\n", "1: a directive begins a line at the page's margin"),
            ("- a\n  {{#tip}}\n", "2: a directive begins a line at the page's margin"),
            ("a {{#tip}} b\n", "1: a directive begins a line at the page's margin"),
            ("# {{#tip}}\n", "1: a directive begins a line at the page's margin"),
            (
                "```text\n{{#rustdoc_include a.rs}}\n```\n",
                "1: \"{{#rustdoc_include a.rs}}\" in a",
            ),
            (
                &lines,
                "3: lines 1:10 of ../chapters-code/ch01-self-attention/src/lib.rs",
            ),
            (&line, "1: lines 7 of ../chapters-code/ch01-self-attention/src/lib.rs"),
            (
                "a\n\n<p>Texto</p>\n",
                "3: words in raw HTML, which no translation reaches: \"Texto\"",
            ),
            (
                "<div>\n<img src=\"a.svg\" alt=\"Um mapa\">\n</div>\n",
                "1: words in raw HTML",
            ),
            (
                "- a\n\n  <details><summary>b</summary></details>\n",
                "3: words in raw HTML",
            ),
            (
                "| a | b |\n|---|---|\n| $`P(A|B)`$ | c |\n",
                "3: a | ends the cell of a table",
            ),
            ("| a | b |\n|---|---|\n|`c|d`|\n", "3: a | ends the cell of a table"),
            (
                "| a | $`P(A|B)`$ |\n|---|---|\n",
                "2: no table: its head has another number",
            ),
            ("| a | b |\n|---|---|\n| c | d | e |\n", "3: a row with more cells"),
        ] {
            let found = format!("{:#}", parse_text(text).unwrap_err());
            assert!(
                found.starts_with(&format!("src/page.md:{error}")),
                "{text}{found}"
            );
        }
    }

    #[test]
    fn what_is_code_to_markdown_is_code_to_the_tool() {
        let code = |language: &str, code: &str| {
            let (language, code) = (language.into(), code.into());
            Block::Code(Listing { language, code, file: None })
        };
        let prose = |text: &str| Block::Markdown(text.into());
        for (text, blocks) in [
            (
                "````text\n```\na\n```\n````\n\nb",
                vec![code("text", "```\na\n```"), prose("b")],
            ),
            ("  ~~~ text\n  a\n  ~~~\nb", vec![code("text", "a"), prose("b")]),
            ("`a\n{{#tip}}`", vec![prose("`a\n{{#tip}}`")]),
            ("{{#caption `a }}\n}}`, b}}", vec![Block::Caption("`a }} }}`, b".into())]),
            (
                "- a\n\n  ```text\n  b\n  ```",
                vec![prose("- a\n\n  ```text\n  b\n  ```")],
            ),
            ("<!-- a -->\n\n<hr>\n\nb", vec![prose("<!-- a -->\n\n<hr>\n\nb")]),
            ("| a\\|b | \\` |\n|---|---|", vec![prose("| a\\|b | \\` |\n|---|---|")]),
        ] {
            let found = cut(&workspace(), Path::new("src/page.md"), text)
                .map_err(|fault| fault.error)
                .unwrap();
            let found: Vec<Block> = found.into_iter().map(|l| l.block).collect();
            assert_eq!(found, blocks, "{text}");
        }
    }

    #[test]
    fn an_include_between_tildes_is_one() {
        let file = "chapters-code/ch01-self-attention/src/lib.rs";
        let page =
            format!("- a\n\n~~~~ rust\n{{{{#include ../{file}:softmax}}}}\n~~~~\n");
        let blocks = parse_text(&page).unwrap();
        let Block::Code(listing) = &blocks[1].block else { panic!("{blocks:?}") };
        assert_eq!((blocks[1].line, listing.language.as_str()), (3, "rust"));
        assert_eq!(listing.file.as_deref(), Some(Path::new(file)));
        assert!(listing.code.contains("pub fn softmax"), "{}", listing.code);
    }

    /// What follows a block of code that shows a fence stays prose, in each of the page's
    /// lives.
    #[test]
    fn code_that_shows_a_fence_ends_where_it_ends() {
        let workspace = workspace();
        let text = "````text\n```rust\na\n```\n````\n\nDepois *disto*.\n";
        let blocks = parse_text(text).unwrap();
        let page = render::page(
            &workspace,
            Language::Portuguese,
            "p",
            &blocks,
            &Outputs::new(),
        );
        let chapter = workspace.select(&["ch01".into()]).unwrap().remove(0);
        let notebook = notebook::build(
            &workspace,
            &chapter,
            Language::Portuguese,
            &blocks,
            &Outputs::new(),
        );
        let cell =
            serde_json::to_value(notebook.unwrap()).unwrap()["cells"][0]["source"]
                .clone();
        let cell: String =
            serde_json::from_value::<Vec<String>>(cell).unwrap().concat();
        for life in [page.unwrap(), cell] {
            let emphasis = markdown::events(&life)
                .any(|(event, _)| matches!(event, Event::Start(Tag::Emphasis)));
            assert!(emphasis, "{life}");
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
