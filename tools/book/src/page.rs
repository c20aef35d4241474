//! A page's Markdown, cut into the blocks that its four lives are made of.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use crate::figure;
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
    /// A displayed formula.
    Math(Formula),
    /// What the figure above says, with its number.
    Caption(Caption),
    /// What the figure above shows, for a screen reader.
    Alt(String),
    /// A folded part begins; its title.
    Details(String),
    /// The folded part ends.
    EndDetails,
    /// A box of advice begins.
    Tip,
    /// The box ends.
    EndTip,
    /// A question before its answer begins; its words.
    Question(String),
    /// A possible answer begins, folded.
    Choice(Choice),
    /// What explains the answer ends.
    EndChoice,
    /// The question ends.
    EndQuestion,
    /// The list of the works that the book cites.
    References,
    /// The table of how long each chapter takes.
    Times,
    /// What only a published book says begins: one whose repository has an address.
    Published,
    /// What only a published book says ends.
    EndPublished,
    /// A figure that comes alive in the reader's browser.
    Live(Live),
}

impl Block {
    /// The Markdown that a reader reads or hears, if the block has any; no code.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Alt(text) | Self::Details(text) => Some(text),
            Self::Choice(choice) => Some(&choice.text),
            Self::Live(live) => Some(&live.label),
            _ => self.prose(),
        }
    }

    /// The Markdown that is a notebook's, too: all words but those of folds' titles, which
    /// are HTML there, and those for screen readers.
    #[must_use]
    pub fn prose(&self) -> Option<&str> {
        match self {
            Self::Markdown(text) | Self::Question(text) => Some(text),
            Self::Caption(caption) => Some(&caption.text),
            _ => None,
        }
    }
}

/// A formula on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Formula {
    /// Its LaTeX.
    pub tex: String,
    /// Its number in the book (`1.2`, in an appendix `A2.1`), if the page gives it a name.
    pub number: String,
    /// What links call it: `eq-` and the name.
    pub anchor: String,
}

impl Formula {
    /// Its LaTeX, with the number at the right.
    #[must_use]
    pub fn numbered(&self) -> String {
        let tex = self.tex.trim();
        if self.number.is_empty() {
            return tex.to_owned();
        }
        format!("{tex} \\tag{{{}}}", self.number)
    }
}

/// What stands under a figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caption {
    /// What the figure says.
    pub text: String,
    /// Its number in the book: `5.3`, in an appendix `A1.2`.
    pub number: String,
    /// What links call it: `fig-` and the cell's id or the drawing's file stem.
    pub anchor: String,
}

/// What a reader may ask for in place of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The element, a script of `chapters-code/live/web`.
    pub element: String,
    /// The figure whose place it takes: the id of its cell.
    pub figure: String,
    /// What the button says.
    pub label: String,
}

/// A possible answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it says.
    pub text: String,
    /// Whether it is the right one.
    pub right: bool,
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
/// table's row that a `|` cuts, two cells of the same name, a question without its one right
/// answer, a figure without its caption or its words for screen readers.
pub fn parse(workspace: &Workspace, page: &Path, text: &str) -> Result<Vec<Located>> {
    let at = |line: usize| format!("{}:{line}", page.display());
    let mut blocks = cut(workspace, page, text).map_err(|fault| {
        let line = markdown::line_of(text, fault.byte);
        fault.error.context(at(line))
    })?;
    check_ids(&blocks, &at)?;
    check_pairs(&blocks, &at)?;
    check_questions(&blocks, &at)?;
    check_captions(&blocks, &at)?;
    number(page, &mut blocks, &at)?;
    Ok(blocks)
}

/// Cuts Markdown into blocks, whatever these are to each other.
pub(crate) fn cut(
    workspace: &Workspace,
    page: &Path,
    text: &str,
) -> Result<Vec<Located>, Fault> {
    markdown::check(text)?;
    let mut cutter = Cutter {
        workspace,
        page,
        text,
        blocks: Vec::new(),
        prose: 0,
        in_choice: false,
    };
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
    /// Whether what comes explains a choice.
    in_choice: bool,
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
        if matches!(block, Block::Choice(_) | Block::EndQuestion) {
            if std::mem::take(&mut self.in_choice) {
                self.blocks.push(Located { line, block: Block::EndChoice });
            }
            self.in_choice = matches!(block, Block::Choice(_));
        }
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

/// The name of the fold or box that a block opens.
fn opened(block: &Block) -> Option<&'static str> {
    match block {
        Block::Details(_) => Some("details"),
        Block::Tip => Some("tip"),
        Block::Question(_) => Some("question"),
        Block::Published => Some("published"),
        _ => None,
    }
}

/// The name of the fold or box that a block closes.
fn closed(block: &Block) -> Option<&'static str> {
    match block {
        Block::EndDetails => Some("details"),
        Block::EndTip => Some("tip"),
        Block::EndQuestion => Some("question"),
        Block::EndPublished => Some("published"),
        _ => None,
    }
}

/// Every fold and box ends, before another begins.
fn check_pairs(blocks: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    let mut open: Option<(&Located, &str)> = None;
    for located in blocks {
        let fits = match (opened(&located.block), closed(&located.block)) {
            (Some(name), _) => open.replace((located, name)).is_none(),
            (_, Some(name)) => open.take().is_some_and(|(_, open)| open == name),
            _ => true,
        };
        ensure!(fits, "{}: this does not fit what is open above it", at(located.line));
    }
    if let Some((located, name)) = open {
        bail!("{}: {{{{#end{name}}}}} is missing", at(located.line));
    }
    Ok(())
}

/// Choices stand in questions, and every question has what it needs. Questions are closed,
/// as [`check_pairs`] has seen.
fn check_questions(blocks: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    let ends = |located: &Located| matches!(located.block, Block::EndQuestion);
    for part in blocks.split_inclusive(ends) {
        let begins = |located: &Located| matches!(located.block, Block::Question(_));
        let start = part.iter().position(begins).unwrap_or(part.len());
        let (before, question) = part.split_at(start);
        if let Some(stray) = choices(before).next() {
            bail!("{}: a choice outside a question", at(before[stray].line));
        }
        if !question.is_empty() {
            check_question(question, at)?;
        }
    }
    Ok(())
}

/// Where choices are among blocks.
fn choices(blocks: &[Located]) -> impl Iterator<Item = usize> {
    let places = blocks.iter().enumerate();
    places.filter_map(|(i, located)| {
        matches!(located.block, Block::Choice(_)).then_some(i)
    })
}

/// A question has two to four choices, one of them right, each explained, and no cells.
fn check_question(question: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    let line = question[0].line;
    if let Some((line, cell)) = cells(question).next() {
        bail!(
            "{}: the cell {:?} inside a question: it stands before or after",
            at(line),
            cell.id
        );
    }
    let count = choices(question).count();
    ensure!(
        (2..=4).contains(&count),
        "{}: a question with {count} choices: it takes two to four",
        at(line)
    );
    let right = |i: &usize| matches!(&question[*i].block, Block::Choice(choice) if choice.right);
    let count = choices(question).filter(right).count();
    ensure!(
        count == 1,
        "{}: a question with {count} right choices: one is written {{{{#right …}}}}",
        at(line)
    );
    for choice in choices(question) {
        ensure!(
            question[choice + 1].block != Block::EndChoice,
            "{}: nothing explains this choice",
            at(question[choice].line)
        );
    }
    Ok(())
}

/// A caption belongs to the cell or drawing right above it; a cell's has the words for screen
/// readers below it, a drawing's has them in the drawing's own brackets.
fn check_captions(blocks: &[Located], at: &dyn Fn(usize) -> String) -> Result<()> {
    let is_cell = |block: &Block| matches!(block, Block::Cell(_));
    for (i, located) in blocks.iter().enumerate() {
        let line = at(located.line);
        let mut above = blocks[..i].iter().rev().map(|above| &above.block);
        match (&located.block, above.next()) {
            (Block::Caption(_), Some(owner)) if figure_name(owner).is_some() => {
                let below = blocks.get(i + 1).map(|below| &below.block);
                ensure!(
                    matches!(below, Some(Block::Alt(_))) || !is_cell(owner),
                    "{line}: write {{{{#alt …}}}} below this caption: what the figure shows, for \
                     a screen reader"
                );
            }
            (Block::Caption(_), _) => {
                bail!("{line}: a caption without a cell or a drawing right above it");
            }
            (Block::Alt(_), caption) => ensure!(
                matches!(caption, Some(Block::Caption(_)))
                    && above.next().is_some_and(is_cell),
                "{line}: {{{{#alt …}}}} stands below the {{{{#caption …}}}} of a cell"
            ),
            _ => {}
        }
    }
    Ok(())
}

/// Gives each caption its figure's number and anchor, and each formula that has a name its number.
/// A caption is below a figure, as [`check_captions`] has seen.
fn number(
    page: &Path,
    blocks: &mut [Located],
    at: &dyn Fn(usize) -> String,
) -> Result<()> {
    let chapter = chapter_number(page);
    let [mut figures, mut formulas] = ["figure", "formula"].map(Names::of);
    for i in 0..blocks.len() {
        let (above, rest) = blocks.split_at_mut(i);
        let Located { line, block } = &mut rest[0];
        let place = || at(*line);
        match block {
            Block::Caption(caption) => {
                let name = above.last().and_then(|above| figure_name(&above.block));
                let name = name.unwrap_or_default();
                caption.anchor = format!("fig-{name}");
                caption.number = format!("{chapter}{}", figures.add(name, place)?);
            }
            Block::Math(formula) if !formula.anchor.is_empty() => {
                let count = formulas.add(formula.anchor.clone(), place)?;
                formula.number = format!("{chapter}{count}");
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a page calls its figures, or its formulas, in their order.
struct Names {
    kind: &'static str,
    taken: Vec<String>,
}

impl Names {
    fn of(kind: &'static str) -> Self {
        Self { kind, taken: Vec::new() }
    }

    /// How many there are with this one.
    fn add(&mut self, name: String, place: impl Fn() -> String) -> Result<usize> {
        let Self { kind, taken } = self;
        ensure!(
            !taken.contains(&name),
            "{}: {name:?} is already a {kind} of this page",
            place()
        );
        taken.push(name);
        Ok(taken.len())
    }
}

/// What stands before a figure's or a formula's number on a page: `5.` in `ch05-bert-attention.md`, `A1.`
/// in an appendix.
#[must_use]
pub fn chapter_number(page: &Path) -> String {
    let stem = page.file_stem().unwrap_or_default().to_string_lossy();
    let short = stem.split('-').next().unwrap_or_default();
    let letters = short.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &short[letters.len()..];
    match (letters, digits.trim_start_matches('0')) {
        (_, "") => String::new(),
        ("ch", number) => format!("{number}."),
        (letters, number) => format!("{}{number}.", letters.to_uppercase()),
    }
}

/// What a figure is called after: the cell that draws it, or the file of the drawing that ends
/// a piece of prose.
fn figure_name(block: &Block) -> Option<String> {
    match block {
        Block::Cell(cell) => Some(cell.id.clone()),
        Block::Markdown(text) => Some(figure::last_drawing(text)?.file_stem()),
        _ => None,
    }
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
    if words(info).next() == Some("math") {
        let tex = body.join("\n");
        ensure!(
            !tex.contains("{,}"),
            "a decimal comma in a displayed formula, which is the same in both editions: give \
             the number to the sentence beside it"
        );
        let name = words(info).nth(1);
        let anchor = name.map(|name| format!("eq-{name}")).unwrap_or_default();
        return Ok(Block::Math(Formula { tex, anchor, ..Formula::default() }));
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
    let inner = text.strip_suffix("}}").unwrap_or(text);
    let (name, words) = inner.split_once(' ').unwrap_or((inner, ""));
    let words = words.trim().to_owned();
    Ok(match (name, words.is_empty()) {
        ("{{#caption", false) => {
            Block::Caption(Caption { text: words, ..Caption::default() })
        }
        ("{{#alt", false) => Block::Alt(words),
        ("{{#details", false) => Block::Details(words),
        ("{{#enddetails", true) => Block::EndDetails,
        ("{{#tip", true) => Block::Tip,
        ("{{#endtip", true) => Block::EndTip,
        ("{{#question", false) => Block::Question(words),
        ("{{#choice", false) => Block::Choice(Choice { text: words, right: false }),
        ("{{#right", false) => Block::Choice(Choice { text: words, right: true }),
        ("{{#endquestion", true) => Block::EndQuestion,
        ("{{#references", true) => Block::References,
        ("{{#times", true) => Block::Times,
        ("{{#published", true) => Block::Published,
        ("{{#endpublished", true) => Block::EndPublished,
        ("{{#live", false) => live(&words)?,
        _ => bail!(
            "no such directive: {text} (there are {{{{#caption …}}}}, {{{{#alt …}}}}, \
             {{{{#details …}}}}, {{{{#enddetails}}}}, {{{{#tip}}}}, {{{{#endtip}}}}, \
             {{{{#question …}}}}, {{{{#choice …}}}}, {{{{#right …}}}}, {{{{#endquestion}}}}, \
             {{{{#references}}}}, {{{{#times}}}}, {{{{#published}}}}, {{{{#endpublished}}}}, \
             {{{{#live ELEMENT FIGURE …}}}}, and {{{{#include …}}}} in a code block)"
        ),
    })
}

/// `{{#live ELEMENT FIGURE what the button says}}`.
fn live(words: &str) -> Result<Block> {
    let mut words = words.splitn(3, ' ').map(str::to_owned);
    let (Some(element), Some(figure), Some(label)) =
        (words.next(), words.next(), words.next())
    else {
        bail!(
            "a live figure has an element, the figure whose place it takes, and a label"
        );
    };
    Ok(Block::Live(Live { element, figure, label }))
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
                Block::Math(Formula { tex: "a^2".into(), ..Formula::default() }),
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

    /// A cell of chapter 1.
    const CELL: &str = "```rust,cell\n{{#include ../chapters-code/ch01-self-attention/src/lib.rs:softmax}}\n```\n\n";

    #[test]
    fn a_formula_with_a_name_has_a_number() {
        let text = "```math\na\n```\n\n```math b\nb\n```\n\n```math c\nc\n```\n";
        let blocks = parse(&workspace(), Path::new("src/a2-b.md"), text).unwrap();
        let formulas = blocks.iter().filter_map(|located| match &located.block {
            Block::Math(formula) => Some((formula.anchor.as_str(), formula.numbered())),
            _ => None,
        });
        let expected =
            [("", "a"), ("eq-b", "b \\tag{A2.1}"), ("eq-c", "c \\tag{A2.2}")];
        assert_eq!(
            formulas.collect::<Vec<_>>(),
            expected.map(|(anchor, tex)| (anchor, tex.to_owned()))
        );
        let error = parse_text(&text.replace("math c", "math b")).unwrap_err();
        let twice = "src/page.md:9: \"eq-b\" is already a formula of this page";
        assert_eq!(format!("{error:#}"), twice);
    }

    #[test]
    fn a_figure_has_its_number_and_its_anchor() {
        let text = format!(
            "a\n\n![b](img/ch01-flow.svg)\n\n{{{{#caption c}}}}\n\n{CELL}{{{{#caption d}}}}\n\n{{{{#alt e}}}}\n"
        );
        for (page, numbers) in [
            ("src/ch05-a.md", ["5.1", "5.2"]),
            ("src/ch12-a.md", ["12.1", "12.2"]),
            ("src/a1-cost.md", ["A1.1", "A1.2"]),
            ("src/preface.md", ["1", "2"]),
        ] {
            let blocks = parse(&workspace(), Path::new(page), &text).unwrap();
            let captions = blocks.iter().filter_map(|located| match &located.block {
                Block::Caption(Caption { number, anchor, .. }) => {
                    Some((number.as_str(), anchor.as_str()))
                }
                _ => None,
            });
            let [first, second] = numbers;
            let expected = [(first, "fig-ch01-flow"), (second, "fig-softmax")];
            assert_eq!(captions.collect::<Vec<_>>(), expected, "{page}");
        }
    }

    #[test]
    fn a_question_s_choices_are_cut_apart() {
        let text = "{{#question A?}}\n\n{{#choice `b`}}\n\nc\n\n{{#right d}}\n\ne\n\n{{#endquestion}}\n\nf";
        let blocks = parse_text(text).unwrap();
        let blocks: Vec<(usize, &Block)> =
            blocks.iter().map(|located| (located.line, &located.block)).collect();
        let choice =
            |text: &str, right| Block::Choice(Choice { text: text.into(), right });
        let prose = |text: &str| Block::Markdown(text.into());
        let expected = [
            (1, &Block::Question("A?".into())),
            (3, &choice("`b`", false)),
            (5, &prose("c")),
            (7, &Block::EndChoice),
            (7, &choice("d", true)),
            (9, &prose("e")),
            (11, &Block::EndChoice),
            (11, &Block::EndQuestion),
            (13, &prose("f")),
        ];
        assert_eq!(blocks, expected);
        let words: Vec<&str> =
            blocks.iter().filter_map(|(_, block)| block.words()).collect();
        assert_eq!(words, ["A?", "`b`", "c", "d", "e", "f"]);
    }

    #[test]
    fn figures_and_questions_lack_nothing() {
        let question = |choices: &[&str]| {
            let choices: Vec<String> = choices
                .iter()
                .map(|choice| format!("{{{{#{choice}}}}}\n\nc\n\n"))
                .collect();
            format!(
                "{{{{#question A?}}}}\n\n{}{{{{#endquestion}}}}\n",
                choices.concat()
            )
        };
        let caption = "{{#caption d}}\n\n";
        let drawing = "![b](img/ch01-flow.svg)\n\n{{#caption c}}\n\n";
        for (text, error) in [
            (format!("{CELL}{caption}a"), "5: write {{#alt …}} below this caption"),
            (format!("{CELL}{{{{#alt a}}}}"), "5: {{#alt …}} stands below"),
            (format!("{drawing}{{{{#alt a}}}}"), "5: {{#alt …}} stands below"),
            (format!("a {drawing}"), "3: a caption without a cell or a drawing"),
            (drawing.repeat(2), "7: \"ch01-flow\" is already a figure"),
            ("{{#caption }}\n".into(), "1: no such directive"),
            ("```math\n1{,}5\n```\n".into(), "1: a decimal comma in a displayed formula"),
            ("{{#endquestion a}}\n".into(), "1: no such directive"),
            (question(&["right a"]), "1: a question with 1 choices"),
            (question(&["right a"; 5]), "1: a question with 5 choices"),
            (question(&["choice a"; 2]), "1: a question with 0 right choices"),
            (question(&["right a"; 2]), "1: a question with 2 right choices"),
            ("{{#choice a}}\n\nb\n".into(), "1: a choice outside a question"),
            (question(&["choice a", "right b"]) + "\n{{#right c}}", "13: a choice outside"),
            (
                "{{#question A?}}\n\n{{#right a}}\n\n{{#choice b}}\n\nc\n\n{{#endquestion}}".into(),
                "3: nothing explains this choice",
            ),
            ("{{#question a}}\n\nb".into(), "1: {{#endquestion}} is missing"),
            (
                "{{#question a}}\n\n{{#tip}}\n\n{{#endtip}}".into(),
                "3: this does not fit what is open above it",
            ),
            (
                format!("{{{{#question a}}}}\n\n{CELL}{{{{#endquestion}}}}"),
                "3: the cell \"softmax\" inside a question",
            ),
        ] {
            let found = format!("{:#}", parse_text(&text).unwrap_err());
            assert!(found.starts_with(&format!("src/page.md:{error}")), "{text}{found}");
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
            ("{{#alt `a }}\n}}`, b}}", vec![Block::Alt("`a }} }}`, b".into())]),
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
