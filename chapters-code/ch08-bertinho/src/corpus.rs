//! The text to learn from, and the part of it that is kept from training.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{PretrainingError, Result};
use crate::fixes::{Fixes, Neighbors, fix_cao, fix_contractions};

/// Every line of a corpus whose number, from 1, is a multiple of this is held out.
pub const HOLD_OUT_EVERY: usize = 100;
/// The last one of this many parts of the reviews is held out.
pub const HOLD_OUT_REVIEWS: usize = 5;

/// What is learned from, and what is asked at the end: never the same sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split<T> {
    /// To learn from.
    pub train: Vec<T>,
    /// To be asked; no text of it is in any training part.
    pub held_out: Vec<T>,
}

/// A sentence in two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// In English.
    pub english: String,
    /// In Portuguese.
    pub portuguese: String,
}

/// A positive or a negative sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// What it says.
    pub text: String,
    /// Whether it is positive.
    pub positive: bool,
}

/// A folder of corpora.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    /// `en.txt`: one sentence a line.
    pub english: Split<String>,
    /// `pt.txt`: one sentence a line.
    pub portuguese: Split<String>,
    /// `tatoeba.en-pt.tsv`: English, tab, Portuguese.
    pub pairs: Split<Pair>,
    /// `sentiment.tsv`: a header, then 1 or 0, tab, sentence.
    pub reviews: Split<Review>,
    /// What was done to them.
    pub report: CorpusReport,
}

/// How many sentences there are and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CorpusReport {
    /// In `en.txt`.
    pub english: usize,
    /// In `pt.txt`.
    pub portuguese: usize,
    /// In `tatoeba.en-pt.tsv`.
    pub pairs: usize,
    /// In `sentiment.tsv`.
    pub reviews: usize,
    /// Words of the pairs' Portuguese that were changed.
    #[serde(rename = "mended")]
    pub fixes: Fixes,
    /// Sentences and pairs left out of training because a held-out part has the same
    /// text, such as a held-out review.
    pub left_out: usize,
}

impl Corpus {
    /// Reads a folder with `en.txt`, `pt.txt`, `tatoeba.en-pt.tsv` and `sentiment.tsv`,
    /// all UTF-8, fixes the pairs' Portuguese, and keeps the held-out part apart.
    ///
    /// # Errors
    ///
    /// [`PretrainingError::NoFile`] if a file isn't there; [`PretrainingError::Line`] for an
    /// empty line, a line with other columns, or a label other than 0 and 1.
    pub fn read(folder: &Path) -> Result<Self> {
        let english = read_lines(folder, "en.txt")?;
        let portuguese = read_lines(folder, "pt.txt")?;
        let mut pairs = read_pairs(folder, "tatoeba.en-pt.tsv")?;
        let reviews = read_reviews(folder, "sentiment.tsv")?;
        let mut report = CorpusReport {
            english: english.len(),
            portuguese: portuguese.len(),
            pairs: pairs.len(),
            reviews: reviews.len(),
            ..CorpusReport::default()
        };
        report.fixes = fix(&mut pairs, &portuguese);
        let mut corpus = Self {
            english: hold_out_lines(english),
            portuguese: hold_out_lines(portuguese),
            pairs: hold_out_lines(pairs),
            reviews: hold_out_last(reviews),
            report,
        };
        corpus.leave_out_what_is_held_out();
        Ok(corpus)
    }

    // ANCHOR: leave_out
    /// Takes from the training parts every sentence that a held-out part has too: the
    /// reviews are in `en.txt` again, and two English sentences may have one
    /// translation.
    fn leave_out_what_is_held_out(&mut self) {
        let held_out: HashSet<String> = self.held_out_texts().map(folded).collect();
        let free = |text: &str| !held_out.contains(&folded(text));
        let before = self.training_len();
        self.english.train.retain(|text| free(text));
        self.portuguese.train.retain(|text| free(text));
        self.pairs.train.retain(|pair| free(&pair.english) && free(&pair.portuguese));
        self.report.left_out = before - self.training_len();
    }
    // ANCHOR_END: leave_out

    /// Every text that is held out.
    pub fn held_out_texts(&self) -> impl Iterator<Item = &str> {
        let lines = self.english.held_out.iter().chain(&self.portuguese.held_out);
        let reviews = self.reviews.held_out.iter().map(|review| review.text.as_str());
        let pairs = self.pairs.held_out.iter();
        lines
            .map(String::as_str)
            .chain(pairs.flat_map(|pair| [pair.english.as_str(), &pair.portuguese]))
            .chain(reviews)
    }

    /// Every text that is pre-trained on; a pair is two.
    pub fn training_texts(&self) -> impl Iterator<Item = &str> + Clone {
        let lines = self.english.train.iter().chain(&self.portuguese.train);
        let pairs = self.pairs.train.iter();
        lines
            .map(String::as_str)
            .chain(pairs.flat_map(|pair| [pair.english.as_str(), &pair.portuguese]))
    }

    fn training_len(&self) -> usize {
        self.english.train.len() + self.portuguese.train.len() + self.pairs.train.len()
    }
}

/// What makes two texts the same: not the capitals, nor the spaces.
fn folded(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

fn fix(pairs: &mut [Pair], portuguese: &[String]) -> Fixes {
    let neighbors = Neighbors::count(portuguese.iter().map(String::as_str));
    let mut fixes = Fixes::default();
    for Pair { english, portuguese } in pairs {
        let (text, cao) = fix_cao(portuguese);
        let (text, contractions) = fix_contractions(&text, english, &neighbors);
        *portuguese = text;
        fixes.cao += cao;
        fixes.contractions += contractions;
    }
    fixes
}

/// Every line whose number is a multiple of [`HOLD_OUT_EVERY`] is held out.
fn hold_out_lines<T>(lines: Vec<T>) -> Split<T> {
    let mut split = Split { train: Vec::new(), held_out: Vec::new() };
    for (number, line) in (1..).zip(lines) {
        let held_out = number % HOLD_OUT_EVERY == 0;
        if held_out { &mut split.held_out } else { &mut split.train }.push(line);
    }
    split
}

/// The last part is held out.
fn hold_out_last<T>(mut lines: Vec<T>) -> Split<T> {
    let held_out = lines.split_off(lines.len() - lines.len() / HOLD_OUT_REVIEWS);
    Split { train: lines, held_out }
}

/// The lines of a file, none empty, with their numbers.
struct Lines {
    path: PathBuf,
    text: String,
}

impl Lines {
    fn read(folder: &Path, file: &'static str) -> Result<Self> {
        let path = folder.join(file);
        if !path.is_file() {
            return Err(PretrainingError::NoFile {
                folder: folder.to_path_buf(),
                file,
            });
        }
        let bytes = fs::read(&path).map_err(PretrainingError::io("read", &path))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.split(|&byte| byte == b'\n').count();
            let reason = "it is in another encoding: save it as UTF-8".to_owned();
            PretrainingError::Line { path: path.clone(), line, reason }
        })?;
        // What editors on Windows put first is no part of the first sentence.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        Ok(Self { path, text })
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    fn wrong(&self, line: usize, reason: impl Into<String>) -> PretrainingError {
        PretrainingError::Line { path: self.path.clone(), line, reason: reason.into() }
    }

    /// A text that isn't empty.
    fn text(&self, line: usize, text: &str, what: &str) -> Result<String> {
        if text.trim().is_empty() {
            return Err(self.wrong(line, format!("{what} is empty")));
        }
        Ok(text.trim().to_owned())
    }

    /// The two columns of a line.
    fn columns<'a>(&self, line: usize, text: &'a str) -> Result<(&'a str, &'a str)> {
        match text.split('\t').collect::<Vec<_>>()[..] {
            [a, b] => Ok((a, b)),
            ref found => {
                let reason =
                    format!("{} columns, expected 2, a tab apart", found.len());
                Err(self.wrong(line, reason))
            }
        }
    }
}

fn read_lines(folder: &Path, file: &'static str) -> Result<Vec<String>> {
    let lines = Lines::read(folder, file)?;
    let line = |(number, text)| lines.text(number, text, "the line");
    lines.numbered().map(line).collect()
}

fn read_pairs(folder: &Path, file: &'static str) -> Result<Vec<Pair>> {
    let lines = Lines::read(folder, file)?;
    let pair = |(number, text)| {
        let (english, portuguese) = lines.columns(number, text)?;
        Ok(Pair {
            english: lines.text(number, english, "the English column")?,
            portuguese: lines.text(number, portuguese, "the Portuguese column")?,
        })
    };
    lines.numbered().map(pair).collect()
}

fn read_reviews(folder: &Path, file: &'static str) -> Result<Vec<Review>> {
    let lines = Lines::read(folder, file)?;
    match lines.numbered().next() {
        Some((_, "label\tsentence")) => {}
        _ => return Err(lines.wrong(1, "expected the header label, tab, sentence")),
    }
    let review = |(number, text)| {
        let (label, sentence) = lines.columns(number, text)?;
        let positive = match label {
            "0" => false,
            "1" => true,
            other => {
                let reason = format!("label {other:?}, expected 0 or 1");
                return Err(lines.wrong(number, reason));
            }
        };
        Ok(Review { text: lines.text(number, sentence, "the sentence")?, positive })
    };
    lines.numbered().skip(1).map(review).collect()
}
