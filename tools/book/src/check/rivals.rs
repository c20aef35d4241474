//! One term for one thing: words that stand where the glossary has a term.
//!
//! An entry of `src/glossary.md` (see [`super::terms`]) may list the words that no page uses for
//! its term, and those that no translation does:
//!
//! ```text
//! - **[loss](ch03-training.md#um-peso)**: how wrong a model is.
//!   <!-- not: perda, perdas -->
//!   <!-- not-en: cost function -->
//! ```
//!
//! For what has no entry, `<!-- say: sem internet; not: sem rede -->` stands between the entries.
//! In the section that explains the term, a word may stand: there it is introduced ("a *loss*, em
//! português perda"). Code, formulas and the glossary itself are free.

use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;

use super::glossary::{
    self, GLOSSARY, Page, Place, Term, entries, listed, pattern, sentences, words_of,
};
use crate::markdown;
use crate::workspace::Workspace;

/// A word that stands for a thing that has its term.
pub(super) struct Rival {
    term: String,
    pub(super) word: String,
    /// 1-based line of the glossary.
    line: usize,
    /// Where the term is explained, and the word may stand.
    home: Option<Place>,
}

impl Rival {
    /// What is wrong where it stands.
    pub(super) fn problem(&self) -> String {
        let Self { term, word, line, .. } = self;
        format!("{word:?}, where the book says {term:?} (src/{GLOSSARY}:{line})")
    }
}

/// Words on the pages of which the glossary says that another stands for the thing.
///
/// # Errors
///
/// If a page or the glossary can't be read.
pub fn used(workspace: &Workspace) -> Result<Vec<String>> {
    let (glossary, pages) = glossary::read(workspace)?;
    Ok(faults(&glossary, &pages))
}

fn faults(glossary: &str, pages: &[Page]) -> Vec<String> {
    let rivals = rivals(glossary, "not", pages);
    let mut findings = Vec::new();
    for (place, sentence) in sentences(pages) {
        let away = rivals.iter().filter(|rival| rival.home != Some(place));
        let found = away.filter(|rival| sentence.has(&rival.word, &[]));
        findings.extend(found.map(|rival| {
            let file = &pages[place.0].file;
            format!("src/{file}:{}: {}", sentence.line, rival.problem())
        }));
    }
    findings
}

static SAID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s)<!-- say: (.*?); (not|not-en): (.*?) -->"));

/// The words that a list of the glossary (`not`, `not-en`) has, each with its term.
pub(super) fn rivals(glossary: &str, list: &str, pages: &[Page]) -> Vec<Rival> {
    let rival = |term: &str, word, line, home| Rival {
        term: term.to_owned(),
        word,
        line,
        home,
    };
    let mut rivals = Vec::new();
    for (line, entry) in entries(glossary) {
        let Ok(Term { name, place, .. }) = Term::new(line, &entry, pages) else {
            continue; // said by the check of terms
        };
        let words = listed(&entry, list).into_iter();
        rivals.extend(words.map(|word| rival(&name, word, line, Some(place))));
    }
    for said in SAID.captures_iter(glossary).filter(|said| &said[2] == list) {
        let line =
            markdown::line_of(glossary, said.get(0).map_or(0, |all| all.start()));
        let words = words_of(&said[3]).into_iter();
        rivals.extend(words.map(|word| rival(&said[1], word, line, None)));
    }
    rivals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Block, Located};

    fn page(file: &str, text: &str) -> Page {
        let alt = Block::Alt("O mapa das perdas.".to_owned());
        let blocks = [Block::Markdown(text.to_owned()), alt];
        let blocks = blocks.into_iter().zip([1, 20]);
        let blocks: Vec<Located> =
            blocks.map(|(block, line)| Located { line, block }).collect();
        Page::new(file, &blocks)
    }

    #[test]
    fn a_thing_has_one_term() {
        let first =
            "# Um\n\nA loss, em português perda. Não há\nperdas. Sem\nrede, `perda`.";
        let second = "# Dois\n\nA [Perda](a.md). Sem internet.\n\n## A\n\nSó `perda`.";
        let pages = [page("ch01-a.md", first), page("ch02-b.md", second)];
        let glossary = "- **[loss](ch01-a.md)**: a\n  <!-- forms: losses -->\n  \
                        <!-- not: perda,\n  perdas -->\n  <!-- not-en: cost -->\n\n\
                        <!-- say: sem internet; not: sem rede -->\n";
        let expected = [
            ("ch01-a.md:4", "sem rede", "sem internet", 7),
            ("ch02-b.md:3", "perda", "loss", 1),
            ("ch02-b.md:20", "perdas", "loss", 1),
        ];
        let expected = expected.map(|(at, word, term, line)| {
            format!("src/{at}: {word:?}, where the book says {term:?} (src/glossary.md:{line})")
        });
        assert_eq!(faults(glossary, &pages), expected);
        let english = rivals(glossary, "not-en", &pages);
        let english: Vec<&str> =
            english.iter().map(|rival| rival.word.as_str()).collect();
        assert_eq!(english, ["cost"]);
    }
}
