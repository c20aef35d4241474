//! Markdown as mdBook's own parser reads it: what is code, what is text, where each part
//! stands.

use std::ops::Range;

use anyhow::{Result, ensure};
use mdbook_markdown::pulldown_cmark::{
    CowStr, Event, HeadingLevel, Parser, Tag, TagEnd,
};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use scraper::{Html, Node};

/// The parser of a text, with the options that mdBook gets from `book.toml`.
pub fn parser(text: &str) -> Parser<'_> {
    let mut options = MarkdownOptions::default();
    options.smart_punctuation = false;
    new_cmark_parser(text, &options)
}

/// What the parser finds, each with its bytes.
pub fn events(text: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    parser(text).into_offset_iter()
}

/// The 1-based line of a byte.
#[must_use]
pub fn line_of(text: &str, byte: usize) -> usize {
    text[..byte].matches('\n').count() + 1
}

/// Whether a backslash makes the character at a byte a plain one.
#[must_use]
pub fn is_escaped(text: &str, byte: usize) -> bool {
    let before = &text[..byte];
    (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
}

/// A text with some of its parts written anew. Parts don't overlap.
#[must_use]
pub fn splice(text: &str, mut parts: Vec<(Range<usize>, String)>) -> String {
    parts.sort_by_key(|(range, _)| range.start);
    let mut spliced = String::with_capacity(text.len());
    let mut end = 0;
    for (range, new) in parts {
        spliced.push_str(&text[end..range.start]);
        spliced.push_str(&new);
        end = range.end;
    }
    spliced + &text[end..]
}

/// Code as a block of Markdown, between fences longer than any run of backticks in it.
#[must_use]
pub fn code_block(language: &str, code: &str) -> String {
    let runs = code.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{code}\n{fence}")
}

/// Whether a fenced block, as it stands in the source, ends with its closing fence.
#[must_use]
pub fn is_closed(block: &str) -> bool {
    let mut lines = block.trim_end().lines().map(|line| {
        line.trim_end().trim_start_matches([' ', '\t', '>']) // of lists and quotes
    });
    let opening = lines.next().unwrap_or_default();
    let mark = opening.chars().next().unwrap_or('`');
    let length = opening.len() - opening.trim_start_matches(mark).len();
    let closing = lines.next_back().unwrap_or_default();
    closing.len() >= length && closing.chars().all(|c| c == mark)
}

/// Prose between two borders of blocks: a paragraph, a heading, a list item, a table's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage<'a> {
    /// Where it begins.
    pub byte: usize,
    /// Its source.
    pub text: &'a str,
    /// For the heading of a section: the id that it declares, if any.
    pub section: Option<Option<String>>,
}

/// The prose of a text, in order; no code blocks, no raw HTML.
#[must_use]
pub fn passages(text: &str) -> Vec<Passage<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let mut code = false;
    let mut section = None;
    for (event, range) in events(text) {
        let border = match &event {
            Event::Start(tag) => is_border(tag.to_end()),
            Event::End(tag) => is_border(*tag),
            _ => false,
        };
        if !border && !code && !matches!(event, Event::Html(_) | Event::Rule) {
            let start = open.as_ref().map_or(range.start, |open| open.start);
            open = Some(start..range.end.max(start));
        } else if let Some(open) = open.take() {
            let (byte, text) = (open.start, &text[open]);
            found.push(Passage { byte, text, section: section.take() });
        }
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Start(Tag::Heading { level, id, .. })
                if level > HeadingLevel::H1 =>
            {
                section = Some(id.map(CowStr::into_string));
            }
            Event::End(TagEnd::Heading(_)) => section = None,
            _ => {}
        }
    }
    found
}

/// Whether what a tag holds is no part of the prose around it.
fn is_border(tag: TagEnd) -> bool {
    use TagEnd::{Emphasis, Image, Link, Strikethrough, Strong, TableCell};
    !matches!(tag, Emphasis | Image | Link | Strikethrough | Strong | TableCell)
}

/// What an author meant otherwise than Markdown takes it: the byte and what to do about
/// it.
pub struct Fault {
    /// Where it stands.
    pub byte: usize,
    /// What is wrong, and the remedy.
    pub error: anyhow::Error,
}

/// The rows of tables that Markdown cuts otherwise than meant, and words in raw HTML.
///
/// # Errors
///
/// The first of them.
pub fn check(text: &str) -> Result<(), Fault> {
    let mut html: Option<String> = None;
    let mut cell_end: Option<usize> = None; // inside a row: the end of its last cell
    let mut in_cell = false;
    for (event, range) in events(text) {
        let found = match &event {
            Event::Start(Tag::HtmlBlock) => {
                html = Some(String::new());
                Ok(())
            }
            Event::Html(part) => {
                html.as_mut().into_iter().for_each(|html| html.push_str(part));
                Ok(())
            }
            Event::End(TagEnd::HtmlBlock) => {
                without_words(&html.take().unwrap_or_default())
            }
            Event::Start(Tag::TableCell) => {
                in_cell = true;
                Ok(())
            }
            Event::End(TagEnd::TableCell) => {
                (in_cell, cell_end) = (false, Some(range.end));
                Ok(())
            }
            Event::Text(_) if in_cell => whole_code(text, &range),
            Event::Text(line) => no_border(line),
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                let rest = cell_end.take().map_or("", |end| &text[end..range.end]);
                nothing_after(rest)
            }
            _ => Ok(()),
        };
        found.map_err(|error| Fault { byte: range.start, error })?;
    }
    Ok(())
}

/// A backtick that opens nothing, in a cell: a `|` has cut its code in two.
fn whole_code(text: &str, range: &Range<usize>) -> Result<()> {
    let escaped = text[..range.start].ends_with('\\');
    ensure!(
        escaped || !text[range.clone()].contains('`'),
        "a | ends the cell of a table, in code and formulas, too: write \\| there"
    );
    Ok(())
}

/// The line under a table's head, if it is none for want of columns.
fn no_border(line: &str) -> Result<()> {
    let border = line.contains('|') && line.contains("--");
    ensure!(
        !border || line.contains(|c| !"|-: ".contains(c)),
        "no table: its head has another number of cells than this line (a | inside a cell is \
         written \\|)"
    );
    Ok(())
}

/// What a row has beyond the columns of its table's head, Markdown drops.
fn nothing_after(rest: &str) -> Result<()> {
    let rest = rest.trim().trim_matches('|').trim();
    ensure!(
        rest.is_empty(),
        "a row with more cells than its table's head: {rest:?} would be lost (a | inside a \
         cell is written \\|)"
    );
    Ok(())
}

/// Attributes whose values are read or heard.
const SPOKEN: [&str; 5] = ["alt", "aria-label", "placeholder", "title", "value"];

/// Raw HTML may have no words: no translation would reach them.
fn without_words(html: &str) -> Result<()> {
    let fragment = Html::parse_fragment(html);
    let words = fragment.tree.values().find_map(|node| match node {
        Node::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        Node::Element(element) => SPOKEN
            .into_iter()
            .find_map(|name| element.attr(name))
            .filter(|v| !v.is_empty()),
        _ => None,
    });
    ensure!(
        words.is_none(),
        "words in raw HTML, which no translation reaches: {:?}: write them as Markdown",
        words.unwrap_or_default()
    );
    Ok(())
}

/// A heading in a piece of Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// How deep it is.
    pub level: HeadingLevel,
    /// Its words, as they are written.
    pub title: String,
    /// Where what it is the heading of begins.
    pub end: usize,
}

/// The headings in a piece of Markdown, in order.
#[must_use]
pub fn headings(text: &str) -> Vec<Heading> {
    let mut found = Vec::new();
    let mut words = 0..0;
    for (event, range) in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => words = range.end..range.start,
            Event::End(TagEnd::Heading(level)) => {
                let title = text[words.clone()].trim().to_owned();
                found.push(Heading { level, title, end: range.end });
                words = 0..0;
            }
            _ if words != (0..0) => {
                words = words.start.min(range.start)..words.end.max(range.end);
            }
            _ => {}
        }
    }
    found
}
