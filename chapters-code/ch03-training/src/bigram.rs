//! Which letter follows which: a model that is one table of weights.

use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;

use crate::error::{Result, TrainingError};
use crate::loss::{cross_entropy, cross_entropy_gradient};
use crate::random::{Purpose, generator};

/// A dot, which begins and ends each word, and a to z.
pub const SYMBOLS: usize = 27;

/// The chapter's words: everyday Portuguese, without accents.
pub fn words() -> Vec<&'static str> {
    include_str!("../data/words.txt").lines().collect()
}

/// A letter and the one that follows it, as numbers below [`SYMBOLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterPair {
    before: usize,
    after: usize,
}

/// The pairs of all words, dots included: `oi` has ., o and o, i and i, .
///
/// # Errors
///
/// [`TrainingError::Setting`] if a word has other letters than a to z.
pub fn letter_pairs(words: &[&str]) -> Result<Vec<LetterPair>> {
    let mut pairs = Vec::new();
    for word in words {
        let mut before = 0;
        for letter in word.chars().map(number).chain([Ok(0)]) {
            let after = letter?;
            pairs.push(LetterPair { before, after });
            before = after;
        }
    }
    Ok(pairs)
}

fn number(letter: char) -> Result<usize> {
    if letter.is_ascii_lowercase() {
        return Ok(letter as usize - 'a' as usize + 1);
    }
    Err(TrainingError::setting("a letter", letter, "from a to z"))
}

/// A symbol's letter, or the dot.
fn symbol(number: usize) -> char {
    ('a'..='z').nth(number.wrapping_sub(1)).unwrap_or('.')
}

// ANCHOR: bigram
/// A logit for each pair of letters: a row for the one before, a column for the one
/// after.
#[derive(Debug, Clone, PartialEq)]
pub struct Bigram {
    table: Array2<f64>, // [27, 27]
}

impl Bigram {
    /// Nothing learned: all letters are as likely.
    pub fn new() -> Self {
        Self { table: Array2::zeros((SYMBOLS, SYMBOLS)) }
    }

    /// One step on a batch, with this learning rate; returns the loss before it, in
    /// nats a letter.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if there is no pair.
    pub fn step(&mut self, batch: &[LetterPair], rate: f64) -> Result<f64> {
        let (logits, after) = self.logits(batch); // answer: [batch, 27]
        let loss = cross_entropy(&logits, &after)?; // measure
        let gradient = cross_entropy_gradient(&logits, &after)?; // differentiate
        for (pair, gradient) in batch.iter().zip(gradient.rows()) {
            // correct: only the row of the letter before took part
            self.table.row_mut(pair.before).scaled_add(-rate, &gradient);
        }
        Ok(loss)
    }

    /// A row of logits for each pair, `[batch, 27]`, and the letters that came after.
    fn logits(&self, batch: &[LetterPair]) -> (Array2<f64>, Vec<usize>) {
        let before: Vec<usize> = batch.iter().map(|pair| pair.before).collect();
        let after = batch.iter().map(|pair| pair.after).collect();
        (self.table.select(Axis(0), &before), after)
    }
}
// ANCHOR_END: bigram

impl Default for Bigram {
    fn default() -> Self {
        Self::new()
    }
}

// ANCHOR: epoch
impl Bigram {
    /// One epoch: all pairs once, `batch` at a time, in an order drawn anew for each
    /// `epoch`.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if `batch` is 0.
    pub fn epoch(
        &mut self,
        pairs: &[LetterPair],
        batch: usize,
        rate: f64,
        epoch: u64,
    ) -> Result<()> {
        if batch == 0 {
            return Err(TrainingError::setting("batch", batch, "at least 1"));
        }
        let mut pairs = pairs.to_vec();
        pairs.shuffle(&mut generator(42, Purpose::Shuffle, epoch));
        for batch in pairs.chunks(batch) {
            self.step(batch, rate)?;
        }
        Ok(())
    }
}
// ANCHOR_END: epoch

impl Bigram {
    /// The mean loss on these pairs, in nats a letter; nothing is learned.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if there is no pair.
    pub fn loss(&self, pairs: &[LetterPair]) -> Result<f64> {
        let (logits, after) = self.logits(pairs);
        cross_entropy(&logits, &after)
    }

    /// The logarithm of how often each letter followed each, and of `extra` (0 or more)
    /// times besides. With 0, the loss of these pairs can't be brought below this
    /// model's, and a pair that never came has logit −∞.
    pub fn counted(pairs: &[LetterPair], extra: f64) -> Self {
        let mut counts = Array2::<f64>::from_elem((SYMBOLS, SYMBOLS), extra.max(0.0));
        for pair in pairs {
            counts[[pair.before, pair.after]] += 1.0;
        }
        for mut row in counts.rows_mut() {
            if row.sum() == 0.0 {
                row.fill(1.0); // never seen: any letter
            }
        }
        Self { table: counts.ln() }
    }

    /// The same for every letter before: how often each letter came at all.
    pub fn frequencies(pairs: &[LetterPair]) -> Self {
        let mut counts = Array2::<f64>::zeros((SYMBOLS, SYMBOLS));
        for pair in pairs {
            counts.column_mut(pair.after).mapv_inplace(|count| count + 1.0);
        }
        Self { table: counts.ln() }
    }

    /// The letters most likely to follow `letter`, likeliest first, each with its
    /// probability; `.` is a word's beginning or end.
    pub fn likeliest(&self, letter: char, count: usize) -> Vec<(char, f64)> {
        let row = number(letter).unwrap_or(0);
        let p = self_attention::softmax(&self.table.select(Axis(0), &[row])); // [1, 27]
        let mut found: Vec<_> =
            p.iter().enumerate().map(|(i, &p)| (symbol(i), p)).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found.truncate(count);
        found
    }
}
