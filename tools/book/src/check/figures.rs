//! The numbers of figures and formulas in the prose: each is a link to what has it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};
use regex::Regex;

use crate::i18n;
use crate::markdown;
use crate::page::{Block, Caption, Formula, Located};
use crate::workspace::{Chapter, Language, Workspace};

/// The numbers of figures and formulas, by what links from anywhere call them: `ch05-a.md#fig-map`.
type Numbers = HashMap<String, String>;

/// Links to figures and formulas under another number, and their numbers that are no links, which
/// nothing would hold to them.
///
/// # Errors
///
/// If a page can't be read.
pub fn misnumbered(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for language in Language::ALL {
        let mut pages = Vec::new();
        for page in workspace.pages()? {
            let blocks = i18n::blocks(workspace, &Chapter::of(&page), language)?;
            pages.push((page, blocks));
        }
        let numbers: Numbers =
            pages.iter().flat_map(|(page, blocks)| numbered(page, blocks)).collect();
        for (page, blocks) in &pages {
            for (line, problem) in faults_of(page, blocks, &numbers) {
                let find = |text: &str| {
                    let mut faults =
                        faults(&file_name(page), text, &numbers).into_iter();
                    faults.find(|fault| fault.1 == problem).map(|(byte, _)| byte)
                };
                let at = i18n::place(workspace, page, line, language, &find);
                findings.push(format!("{at}: {problem}"));
            }
        }
    }
    Ok(findings)
}

fn file_name(page: &Path) -> String {
    page.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The figures of a page, and the formulas that have a number.
fn numbered(page: &Path, blocks: &[Located]) -> impl Iterator<Item = (String, String)> {
    let file = file_name(page);
    let of = blocks.iter().filter_map(|located| match &located.block {
        Block::Caption(Caption { anchor, number, .. })
        | Block::Math(Formula { anchor, number, .. }) => Some((anchor, number)),
        _ => None,
    });
    let of = of.filter(|(_, number)| !number.is_empty());
    of.map(move |(anchor, number)| (format!("{file}#{anchor}"), number.clone()))
}

/// What is wrong with a page's numbers of figures and formulas, with their lines.
fn faults_of(
    page: &Path,
    blocks: &[Located],
    numbers: &Numbers,
) -> Vec<(usize, String)> {
    let file = file_name(page);
    let mut found = Vec::new();
    for located in blocks {
        let text = located.block.words().unwrap_or_default();
        found.extend(faults(&file, text, numbers).into_iter().map(
            |(byte, problem)| {
                (located.line + markdown::line_of(text, byte) - 1, problem)
            },
        ));
    }
    found
}

/// Words that are all of one link, or of none.
#[derive(Default)]
pub(super) struct Part {
    /// Where the link leads.
    pub(super) target: Option<String>,
    pub(super) words: String,
    /// For each piece of the words, where it begins in them and in the source.
    starts: Vec<(usize, usize)>,
}

impl Part {
    fn push(&mut self, words: &str, byte: usize) {
        self.starts.push((self.words.len(), byte));
        self.words.push_str(words);
    }

    /// Where in the source a byte of the words is, or the piece that has it.
    pub(super) fn source_of(&self, byte: usize) -> usize {
        let until = self.starts.partition_point(|(start, _)| *start <= byte);
        self.starts[..until].last().map_or(0, |(start, source)| source + byte - start)
    }
}

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[A-Z]?\d+\.\d+\b").expect("a valid pattern"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:(figur(?:as?|es?))|f[oó]rmulas?)\s+[A-Z]?\d+\.\d+\b")
        .expect("a valid pattern")
});

/// What is wrong with numbers of figures and formulas in a text of a page's file, with their bytes.
fn faults(file: &str, text: &str, numbers: &Numbers) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for part in parts(text) {
        let target = part.target.as_deref().unwrap_or_default();
        let here = if target.starts_with('#') { file } else { "" };
        let target = format!("{here}{target}");
        let fault = if let Some(number) = numbers.get(&target) {
            let mut said = NUMBER.find_iter(&part.words);
            said.find(|said| said.as_str() != number).map(|said| {
                (said, format!("{target} is number {number}, not {}", said.as_str()))
            })
        } else {
            NAMED.captures(&part.words).and_then(|named| {
                let (kind, id) = match named.get(1) {
                    Some(_) => ("figure", "fig-CELL"),
                    None => ("formula", "eq-NAME"),
                };
                let said = named.get(0)?;
                let words = said.as_str();
                let problem = format!("links to no {kind}: write [{words}](#{id})");
                Some((said, format!("{words:?} {problem}")))
            })
        };
        found.extend(
            fault.map(|(said, problem)| (part.source_of(said.start()), problem)),
        );
    }
    found
}

/// A text, cut where links and blocks begin and end.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut open = Part::default();
    let mut parts = Vec::new();
    for (event, range) in markdown::events(text) {
        let target = match event {
            Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
            Event::End(TagEnd::Emphasis | TagEnd::Strong) => continue,
            Event::End(_) => None,
            Event::Text(words) => {
                open.push(&words, range.start);
                continue;
            }
            Event::SoftBreak => {
                open.push(" ", range.start);
                continue;
            }
            _ => continue,
        };
        let next = Part { target, ..Part::default() };
        parts.push(std::mem::replace(&mut open, next));
    }
    parts.push(open);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_s_number_is_a_link_to_it() {
        let numbers = [
            ("ch05-a.md#fig-x", "5.3"),
            ("a1-b.md#fig-y", "A1.12"),
            ("ch05-a.md#eq-z", "5.1"),
        ];
        let numbers =
            numbers.map(|(target, number)| (target.to_owned(), number.to_owned()));
        let numbers = Numbers::from(numbers);
        let wrong = |text: &str| faults("ch05-a.md", text, &numbers);
        for text in [
            "a [figura\n5.3](#fig-x), [Figure *A1.12*](a1-b.md#fig-y), [o mapa](#fig-x)",
            "figuras [5.3](#fig-x) e [A1.12](a1-b.md#fig-y), 5.4, figura 2 do artigo",
            "a [fórmula 5.1](#eq-z), the [Formula 5.1](ch05-a.md#eq-z)",
            "`figura 5.9`, [capítulo 5.1](ch05-a.md)",
        ] {
            assert_eq!(wrong(text), [], "{text}");
        }
        for (text, byte, problem) in [
            ("a [figura 5.4](#fig-x)", 10, "ch05-a.md#fig-x is number 5.3, not 5.4"),
            ("[A1.1](a1-b.md#fig-y)", 1, "a1-b.md#fig-y is number A1.12, not A1.1"),
            ("a\n\nna Figura\n5.3", 6, "\"Figura 5.3\" links to no figure"),
            ("[figure 5.3](#a)", 1, "\"figure 5.3\" links to no figure"),
            ("[formula 5.2](#eq-z)", 9, "ch05-a.md#eq-z is number 5.1, not 5.2"),
            ("a fórmula 5.1", 2, "\"fórmula 5.1\" links to no formula: write"),
        ] {
            let found = wrong(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].0 == byte && found[0].1.starts_with(problem), "{found:?}");
        }
    }
}
