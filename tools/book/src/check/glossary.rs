//! The glossary and what the pages say, as the checks of terms read them.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use mdbook_markdown::pulldown_cmark::{Event, Tag};
use regex::{Captures, Regex};

use crate::markdown::{self, Passage};
use crate::page::{self, Located};
use crate::workspace::{Workspace, forward};

/// The glossary's file in `src/`.
pub(crate) const GLOSSARY: &str = "glossary.md";

/// A place in the book: the page's number in the summary, the section's on the page (0 is
/// what stands above the first one).
pub(super) type Place = (usize, usize);

/// What a page says in prose.
pub(super) struct Page {
    /// Its file in `src/`.
    pub(super) file: String,
    pub(super) sections: Vec<Section>,
}

pub(super) struct Section {
    /// What links call it: the part after `#`, empty for a page's opening.
    pub(super) id: String,
    pub(super) sentences: Vec<Sentence>,
}

pub(super) struct Sentence {
    /// 1-based line of the page.
    pub(super) line: usize,
    /// As it is written.
    pub(super) raw: String,
    /// Without code, formulas and the addresses of links.
    pub(super) words: String,
    /// The same in lower case.
    pub(super) lower: String,
}

/// An entry of the glossary.
pub(super) struct Term {
    /// 1-based line of the glossary.
    pub(super) line: usize,
    /// As the entry has it.
    pub(super) name: String,
    /// How it is written in prose.
    pub(super) forms: Vec<String>,
    /// The section that explains it, as a link has it.
    pub(super) target: String,
    pub(super) place: Place,
}

/// The glossary and the book's other pages.
///
/// # Errors
///
/// If one can't be read.
pub(super) fn read(workspace: &Workspace) -> Result<(String, Vec<Page>)> {
    let src = Path::new("src");
    let mut pages = Vec::new();
    for path in workspace.pages()? {
        let file = forward(path.strip_prefix(src).unwrap_or(&path));
        if file != GLOSSARY {
            let blocks = page::parse(workspace, &path, &workspace.read(&path)?)?;
            pages.push(Page::new(&file, &blocks));
        }
    }
    Ok((workspace.read(&src.join(GLOSSARY))?, pages))
}

/// The list items of the glossary, each on one line, with the line where it starts.
pub(crate) fn entries(glossary: &str) -> Vec<(usize, String)> {
    let items = markdown::events(glossary)
        .filter(|(event, _)| matches!(event, Event::Start(Tag::Item)));
    items
        .map(|(_, range)| {
            let words: Vec<&str> = glossary[range.clone()].split_whitespace().collect();
            (markdown::line_of(glossary, range.start), words.join(" "))
        })
        .collect()
}

static ENTRY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^- \*\*\[(.+?)\]\(([^)#]+\.md(?:#[^)]+)?)\)\*\*"));
static LIST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"<!-- (forms|only|except|forms-en|only-en|except-en|not|not-en): (.*?) -->",
    )
});
/// What a page shows but does not say: comments and the texts of pictures.
static ASIDE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s)<!--.*?-->|!\[.*?\]\([^)]*\)"));
static CODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\$?`[^`]*`\$?|\]\([^)]*\)|<https?:[^>]*>"));
static SENTENCE_END: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"[.!?…][”"»)*]*\s+"#));
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// The words of a list in an entry: `<!-- forms: queries -->`.
pub(crate) fn listed(entry: &str, list: &str) -> Vec<String> {
    let lists = LIST.captures_iter(entry).filter(|found| &found[1] == list);
    lists.flat_map(|found| words_of(&found[2])).collect()
}

/// What commas part, on one line each.
pub(super) fn words_of(list: &str) -> Vec<String> {
    let words = list.split(',').map(|word| word.split_whitespace());
    words.map(|word| word.collect::<Vec<_>>().join(" ")).collect()
}

impl Term {
    /// Reads an entry; or says what is wrong with it.
    pub(super) fn new(
        line: usize,
        entry: &str,
        pages: &[Page],
    ) -> Result<Self, String> {
        let Some(parts) = ENTRY.captures(entry) else {
            return Err("an entry is - **[term](page.md#section)**: …".to_owned());
        };
        let name = parts[1].to_owned();
        let mut forms = listed(entry, "only");
        if forms.is_empty() {
            forms.push(name.clone());
        }
        forms.extend(listed(entry, "forms"));
        let target = parts[2].to_owned();
        let (file, id) = target.split_once('#').unwrap_or((&target, ""));
        let place = pages.iter().enumerate().find_map(|(p, page)| {
            let section = page.sections.iter().position(|section| section.id == id)?;
            (page.file == file).then_some((p, section))
        });
        match place {
            Some(place) => Ok(Self { line, name, forms, target, place }),
            None => Err(format!("no page in SUMMARY.md has the section {target}")),
        }
    }
}

/// All that the pages say, in order.
pub(super) fn sentences(pages: &[Page]) -> impl Iterator<Item = (Place, &Sentence)> {
    pages.iter().enumerate().flat_map(|(p, page)| {
        page.sections.iter().enumerate().flat_map(move |(s, section)| {
            section.sentences.iter().map(move |sentence| ((p, s), sentence))
        })
    })
}

impl Sentence {
    pub(super) fn new(line: usize, text: &str) -> Self {
        let raw = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = CODE.replace_all(&raw, " ").into_owned();
        Self { line, lower: words.to_lowercase(), words, raw }
    }

    /// Whether a form of a term stands here as a word, other than inside a longer term.
    pub(super) fn has(&self, form: &str, longer: &[&str]) -> bool {
        if form.contains('`') {
            return self.raw.contains(form);
        }
        let as_written = form.chars().any(char::is_uppercase);
        let text = if as_written { &self.words } else { &self.lower };
        if !text.contains(form) {
            return false;
        }
        let apart = |text: String, longer: &&str| text.replace(longer, "");
        let text = longer.iter().fold(text.clone(), apart);
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        text.match_indices(form).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + form.len()..].chars().next();
            !before.is_some_and(in_word) && !after.is_some_and(in_word)
        })
    }
}

impl Page {
    pub(super) fn new(file: &str, blocks: &[Located]) -> Self {
        let opening = Section { id: String::new(), sentences: Vec::new() };
        let mut page = Self { file: file.to_owned(), sections: vec![opening] };
        for located in blocks {
            let Some(text) = located.block.words() else { continue };
            let text = ASIDE.replace_all(text, |aside: &Captures| {
                "\n".repeat(aside[0].matches('\n').count())
            });
            for passage in markdown::passages(&text) {
                let line = located.line + markdown::line_of(&text, passage.byte) - 1;
                page.push(line, &passage);
            }
        }
        page
    }

    fn push(&mut self, line: usize, passage: &Passage) {
        let paragraph = passage.text;
        if let Some(declared) = &passage.section {
            let id = declared.clone().unwrap_or_else(|| id(paragraph));
            self.sections.push(Section { id, sentences: Vec::new() });
        }
        let section = self.sections.last_mut().expect("a page has an opening");
        let mut start = 0;
        let ends = SENTENCE_END.find_iter(paragraph).map(|end| end.end());
        for end in ends.chain([paragraph.len()]) {
            let line = line + paragraph[..start].matches('\n').count();
            section.sentences.push(Sentence::new(line, &paragraph[start..end]));
            start = end;
        }
    }
}

/// The id that mdBook gives to a heading.
fn id(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || ['_', '-', ' '].contains(c);
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}
