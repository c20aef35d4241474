//! Which sections hold which words.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::sections::Section;
use super::stems::{Stems, words};
use crate::workspace::Language;

/// What a word counts in a heading, in a sentence, in code.
const IN_TITLE: u32 = 12;
const IN_PROSE: u32 = 3;
const IN_CODE: u32 = 1;

/// Longer words are data.
const LONGEST_WORD: usize = 40;

/// The index of an edition.
#[derive(Serialize)]
pub struct Index {
    pages: Vec<Page>,
    sections: Vec<Place>,
    /// By stem, what its words count in each section: `[section, weight, section, weight, …]`.
    stems: Vec<Vec<usize>>,
    /// Each word of the edition, in lower case, and its place in `stems`.
    words: BTreeMap<String, usize>,
    #[serde(skip)]
    language: Stems,
    #[serde(skip)]
    known: BTreeMap<String, usize>,
}

/// A page: its address in the edition, and the piece with its texts.
#[derive(Serialize)]
struct Page {
    url: String,
    texts: String,
}

/// A section: its page, its place there, its title, and how much it says.
#[derive(Serialize)]
struct Place {
    page: usize,
    anchor: String,
    title: String,
    length: u32,
}

impl Index {
    pub fn new(language: Language) -> Self {
        Self {
            pages: Vec::new(),
            sections: Vec::new(),
            stems: Vec::new(),
            words: BTreeMap::new(),
            language: Stems::of(language),
            known: BTreeMap::new(),
        }
    }

    /// Adds the sections of a page, whose texts are in the piece named `texts`.
    pub fn add(&mut self, page: &Path, texts: &str, sections: &[Section]) {
        let names: Vec<_> = page.iter().map(|name| name.to_string_lossy()).collect();
        self.pages.push(Page { url: names.join("/"), texts: texts.to_owned() });
        for section in sections {
            let weights = weigh(section);
            self.sections.push(Place {
                page: self.pages.len() - 1,
                anchor: section.anchor.clone(),
                title: section.title.clone(),
                length: weights.values().sum(),
            });
            self.count(&weights);
        }
    }

    /// Enters the words of the last section.
    fn count(&mut self, weights: &BTreeMap<String, u32>) {
        let section = self.sections.len() - 1;
        let mut stems: BTreeMap<usize, u32> = BTreeMap::new();
        for (word, weight) in weights {
            *stems.entry(self.stem(word)).or_default() += weight;
        }
        for (stem, weight) in stems {
            self.stems[stem].extend([section, weight as usize]);
        }
    }

    /// The place of a word's stem in `stems`.
    fn stem(&mut self, word: &str) -> usize {
        if let Some(stem) = self.words.get(word) {
            return *stem;
        }
        let next = self.stems.len();
        let stem = *self.known.entry(self.language.stem(word)).or_insert(next);
        if stem == next {
            self.stems.push(Vec::new());
        }
        self.words.insert(word.to_owned(), stem);
        stem
    }
}

/// What each word of a section counts. Numbers in code are no words.
fn weigh(section: &Section) -> BTreeMap<String, u32> {
    let mut weights = BTreeMap::new();
    let mut weigh = |word: String, weight| {
        if word.chars().count() <= LONGEST_WORD {
            *weights.entry(word).or_default() += weight;
        }
    };
    words(&section.title).for_each(|word| weigh(word, IN_TITLE));
    words(&section.prose).for_each(|word| weigh(word, IN_PROSE));
    words(&section.code)
        .filter(|word| word.chars().any(char::is_alphabetic))
        .for_each(|word| weigh(word, IN_CODE));
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(title: &str, prose: &str, code: &str) -> Section {
        let [title, prose, code] = [title, prose, code].map(str::to_owned);
        Section { anchor: "a".to_owned(), title, prose, code }
    }

    fn index() -> Index {
        let mut index = Index::new(Language::Portuguese);
        let first = [
            section("O pé da página", "Os pés, e a pessoa com PE.", ""),
            section("Camadas", "Uma camada; o péssimo.", "let pe = 768; // camada"),
        ];
        index.add(Path::new("a.html"), "a-0", &first);
        index.add(
            Path::new("b/c.html"),
            "c-0",
            &[section("Atenções", "A atenção.", "")],
        );
        index
    }

    /// The sections with a word of the same stem, and what it counts there.
    fn places(index: &Index, word: &str) -> Vec<(usize, usize)> {
        let stem = index.words.get(word).map(|stem| &index.stems[*stem]);
        let pairs = stem.into_iter().flat_map(|stem| stem.chunks(2));
        pairs.map(|pair| (pair[0], pair[1])).collect()
    }

    #[test]
    fn a_word_leads_to_the_sections_that_hold_its_stem_and_to_no_other() {
        let index = index();
        for (word, expected) in [
            ("pé", vec![(0, 15)]),
            ("pés", vec![(0, 15)]),
            ("pe", vec![(0, 3), (1, 1)]),
            ("péssimo", vec![(1, 3)]),
            ("camada", vec![(1, 16)]),
            ("camadas", vec![(1, 16)]),
            ("atenção", vec![(2, 15)]),
            ("atenções", vec![(2, 15)]),
            ("let", vec![(1, 1)]),
            ("768", vec![]),     // a number in code
            ("atencao", vec![]), // the script takes accents off
        ] {
            assert_eq!(places(&index, word), expected, "{word}");
        }
    }

    #[test]
    fn a_section_is_found_on_its_page() {
        let index = index();
        let pages: Vec<usize> = index.sections.iter().map(|place| place.page).collect();
        assert_eq!(pages, [0, 0, 1]);
        assert_eq!(index.pages[1].url, "b/c.html");
        assert_eq!(index.pages[1].texts, "c-0");
    }
}
