//! How much of a text stands word for word in another: what a model recites.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// How many words in a row are looked up.
pub const RUNS: RangeInclusive<usize> = 3..=8;

/// Between two sentences; no word's number, so no run crosses it.
const BOUNDARY: u32 = 0;
/// A word that stands nowhere.
const UNKNOWN: u32 = u32::MAX;

/// Sentences, in which the longest run of words that a text shares with them is found by halving:
/// all places where a word begins, sorted by the words from there on (a suffix array, Manber and
/// Myers 1990). Words are what spaces part, with their capitals and punctuation.
#[derive(Debug)]
pub struct Memory {
    numbers: HashMap<String, u32>,
    /// The sentences' words, a [`BOUNDARY`] behind each sentence.
    words: Vec<u32>,
    /// Places in `words`, sorted.
    places: Vec<usize>,
    sentences: HashSet<Vec<u32>>,
}

/// How much of some texts stands word for word in others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recital {
    /// How many texts.
    pub texts: usize,
    /// Their words.
    pub words: usize,
    /// The share of the texts that are, whole, one of the sentences.
    pub whole: f64,
    /// The words of such a text, on average.
    pub whole_words: f64,
    /// The words of the longest run that a text shares with a sentence, on average.
    pub longest_mean: f64,
    /// The longest of these.
    pub longest: String,
    /// For n words in a row, the share of those in the texts that stand in a sentence.
    pub found: BTreeMap<usize, f64>,
}

impl Memory {
    /// The memory of these sentences.
    pub fn new<'a>(sentences: impl IntoIterator<Item = &'a str>) -> Self {
        let mut memory = Self {
            numbers: HashMap::new(),
            words: Vec::new(),
            places: Vec::new(),
            sentences: HashSet::new(),
        };
        for sentence in sentences {
            let numbers: Vec<u32> =
                sentence.split_whitespace().map(|word| memory.number(word)).collect();
            memory.words.extend(&numbers);
            memory.words.push(BOUNDARY);
            memory.sentences.insert(numbers);
        }
        let Self { words, places, .. } = &mut memory;
        *places = (0..words.len()).filter(|&place| words[place] != BOUNDARY).collect();
        places.sort_unstable_by(|&a, &b| words[a..].cmp(&words[b..]));
        memory
    }

    /// A word's number, a new one for a new word, from 1.
    fn number(&mut self, word: &str) -> u32 {
        let next = u32::try_from(self.numbers.len() + 1).unwrap_or(UNKNOWN);
        if let Some(&number) = self.numbers.get(word) {
            return number;
        }
        self.numbers.insert(word.to_owned(), next);
        next
    }

    fn numbers(&self, text: &str) -> Vec<u32> {
        let number = |word| self.numbers.get(word).copied().unwrap_or(UNKNOWN);
        text.split_whitespace().map(number).collect()
    }

    /// For each word of a text, how many words from it on stand in one sentence, in a row.
    pub fn runs(&self, text: &str) -> Vec<usize> {
        let text = self.numbers(text);
        (0..text.len()).map(|at| self.run(&text[at..])).collect()
    }

    /// How many of the first words stand in a sentence. What shares most words with `text` stands
    /// in the sorted places just before or just behind it.
    fn run(&self, text: &[u32]) -> usize {
        let behind = self.places.partition_point(|&place| self.words[place..] < *text);
        let neighbors = &self.places[behind.saturating_sub(1)..];
        let shared = |&place: &usize| {
            let pairs = self.words[place..].iter().zip(text);
            pairs.take_while(|(a, b)| a == b).count()
        };
        neighbors.iter().take(2).map(shared).max().unwrap_or(0)
    }

    /// What of the texts stands in the sentences; texts without a word are left out.
    pub fn recital<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Recital {
        let mut counts = Counts::default();
        for text in texts {
            let words: Vec<&str> = text.split_whitespace().collect();
            let runs = self.runs(text);
            let Some(first) = (0..runs.len()).rev().max_by_key(|&at| runs[at]) else {
                continue;
            };
            let whole = self.sentences.contains(&self.numbers(text));
            counts.add(&runs, whole, &words[first..first + runs[first]]);
        }
        counts.shares()
    }
}

/// What is summed up over the texts.
#[derive(Default)]
struct Counts {
    texts: usize,
    words: usize,
    whole: usize,
    whole_words: usize,
    longest_words: usize,
    longest: Vec<String>,
    /// For n words in a row: found, all.
    found: BTreeMap<usize, (usize, usize)>,
}

impl Counts {
    /// One text: its runs, whether it is a sentence, its longest run.
    fn add(&mut self, runs: &[usize], whole: bool, longest: &[&str]) {
        self.texts += 1;
        self.words += runs.len();
        if whole {
            self.whole += 1;
            self.whole_words += runs.len();
        }
        self.longest_words += longest.len();
        if longest.len() > self.longest.len() {
            self.longest = longest.iter().map(|&word| word.to_owned()).collect();
        }
        for n in RUNS {
            let places = (runs.len() + 1).saturating_sub(n);
            let (found, all) = self.found.entry(n).or_default();
            *found += runs[..places].iter().filter(|&&run| run >= n).count();
            *all += places;
        }
    }

    fn shares(&self) -> Recital {
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        let found = self.found.iter().map(|(&n, &(part, all))| (n, share(part, all)));
        Recital {
            texts: self.texts,
            words: self.words,
            whole: share(self.whole, self.texts),
            whole_words: share(self.whole_words, self.whole),
            longest_mean: share(self.longest_words, self.texts),
            longest: self.longest.join(" "),
            found: found.collect(),
        }
    }
}
