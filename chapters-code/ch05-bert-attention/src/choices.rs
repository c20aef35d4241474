//! What each word of a sentence looks at most, in every head, and how often that is the
//! word asked for: what all claims of this chapter about words, and their controls, are
//! counted with.

use hub::Truncate;
use ndarray::{Array2, Array3, ArrayRef1, Axis, s};
use sentiment::Pretrained;
use sentiment::statistics::wilson;
use serde::{Deserialize, Serialize};

use crate::attentions::{Attentions, Result};

// ANCHOR: choices
/// What each token of a sentence looks at most, in every head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The `n` pieces, `[CLS]` first, `[SEP]` last.
    pub tokens: Vec<String>,
    /// The place that gets most from each token, of all places but the token's own and
    /// the special ones: `[layers, heads, n]`.
    pub places: Array3<usize>,
}

/// The place of the greatest weight of the row of the token at `i`, `[n]`, without `i`
/// itself and the first and last place, which are special. Of equals, the first; if
/// there is no other word, `i`.
fn choice(row: &ArrayRef1<f32>, i: usize) -> usize {
    let others = (1..row.len().saturating_sub(1)).filter(|&j| j != i);
    others.reduce(|a, b| if row[b] > row[a] { b } else { a }).unwrap_or(i)
}
// ANCHOR_END: choices

impl Choices {
    /// What a model's heads choose in a sentence.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if it is empty or
    /// too long.
    pub fn of(model: &Pretrained, sentence: &str) -> Result<Self> {
        Ok(Attentions::of(model, sentence, None, Truncate::Error)?.into())
    }

    /// The same for several sentences.
    ///
    /// # Errors
    ///
    /// As [`Choices::of`], if it is so with one of them.
    pub fn of_all(model: &Pretrained, sentences: &[&str]) -> Result<Vec<Self>> {
        let all = Attentions::of_all(model, sentences)?;
        Ok(all.into_iter().map(Self::from).collect())
    }

    /// Where a word stands: `None` if it doesn't stand there exactly once, as one piece.
    pub fn find(&self, word: &str) -> Option<usize> {
        let mut places = (0..).zip(&self.tokens).filter(|(_, token)| *token == word);
        let place = places.next().map(|(place, _)| place);
        place.filter(|_| places.next().is_none())
    }

    /// The places of all words and signs: without the special tokens.
    pub fn words(&self) -> std::ops::Range<usize> {
        1..self.tokens.len().saturating_sub(1).max(1)
    }

    /// How likely a blind choice among the other words is to be the one asked for.
    pub fn blind(&self) -> f64 {
        1.0 / (self.words().len() as f64 - 1.0)
    }

    /// Whether each head's choice, from the token at `query`, is the one at `key`:
    /// `[layers, heads]`. All false if there is no such place.
    pub fn hits(&self, query: usize, key: usize) -> Array2<bool> {
        let (layers, heads, n) = self.places.dim();
        if query >= n {
            return Array2::default((layers, heads));
        }
        self.places.index_axis(Axis(2), query).mapv(|place| place == key)
    }

    /// In how many heads the token at `query` chooses each token: `[n]`.
    pub fn counts(&self, query: usize) -> Vec<usize> {
        let n = self.tokens.len();
        let count = |key| self.hits(query, key).iter().filter(|&&hit| hit).count();
        (0..n).map(count).collect()
    }
}

impl From<Attentions> for Choices {
    fn from(read: Attentions) -> Self {
        let layers = &read.attentions; // [1, heads, n, n] each
        let heads = layers.first().map_or(0, |layer| layer.dim().1);
        let shape = (layers.len(), heads, read.tokens.len());
        let places = Array3::from_shape_fn(shape, |(layer, head, i)| {
            choice(&layers[layer].slice(s![0, head, i, ..]), i)
        });
        Self { tokens: read.tokens, places }
    }
}

/// How often each head's choice was the one asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// How many times a token looked.
    pub looks: usize,
    /// How many of these it chose right: `hits[layer][head]`.
    pub hits: Vec<Vec<usize>>,
}

impl Tally {
    /// Counts one look, right or wrong in each head: `[layers, heads]`.
    pub fn add(&mut self, hits: &Array2<bool>) {
        self.looks += 1;
        self.hits.resize(hits.nrows(), vec![0; hits.ncols()]);
        for (counts, hits) in self.hits.iter_mut().zip(hits.rows()) {
            for (count, &hit) in counts.iter_mut().zip(hits) {
                *count += usize::from(hit);
            }
        }
    }

    /// The shares of right choices, from 0 to 1, `[layers, heads]`: NaN if none looked.
    pub fn map(&self) -> Array2<f64> {
        let shape = (self.hits.len(), self.hits.first().map_or(0, Vec::len));
        Array2::from_shape_fn(shape, |(layer, head)| {
            self.hits[layer][head] as f64 / self.looks as f64
        })
    }

    /// One head's share, and where it may truly be: Wilson's interval. `None` if there is
    /// no such head.
    pub fn share(&self, (layer, head): (usize, usize)) -> Option<(f64, (f64, f64))> {
        let hits = *self.hits.get(layer)?.get(head)?;
        Some((hits as f64 / self.looks as f64, wilson(hits, self.looks)))
    }

    /// The share and its interval, in words: `0.81 [0.65, 0.91]`; empty if there is no
    /// such head.
    pub fn label(&self, head: (usize, usize)) -> String {
        let label = |(share, (low, high))| format!("{share:.2} [{low:.2}, {high:.2}]");
        self.share(head).map(label).unwrap_or_default()
    }
}

impl Tally {
    /// The looks of both together; `other` has to be of the same model.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.looks += other.looks;
        self.hits.resize(other.hits.len().max(self.hits.len()), Vec::new());
        for (counts, more) in self.hits.iter_mut().zip(&other.hits) {
            counts.resize(more.len().max(counts.len()), 0);
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn the_choice_is_among_the_other_words() {
        let row = array![0.9, 0.1, 0.8, 0.3, 0.9]; // special and itself don't count
        assert_eq!(choice(&row, 2), 3);
        assert_eq!(choice(&row, 1), 2);
        assert_eq!(choice(&row, 0), 2);
        let level = Array1::from_elem(5, 0.2);
        assert_eq!(choice(&level, 2), 1);
        assert_eq!(choice(&level, 1), 2);
        assert_eq!(choice(&array![0.1, 0.2, 0.7], 1), 1);
    }

    fn choices() -> Choices {
        let tokens = ["[CLS]", "a", "b", "a", "[SEP]"].map(String::from).to_vec();
        let places = array![[[1, 2, 1, 2, 1], [2, 3, 3, 1, 3]]]; // [1, 2, 5]
        Choices { tokens, places }
    }

    #[test]
    fn choices_are_counted() {
        let found = choices();
        assert_eq!(
            (found.find("b"), found.find("a"), found.find("c")),
            (Some(2), None, None)
        );
        assert_eq!(found.words().collect::<Vec<_>>(), [1, 2, 3]);
        assert!((found.blind() - 0.5).abs() < 1e-12);
        assert_eq!(found.hits(1, 2), array![[true, false]]);
        assert_eq!(found.hits(9, 2), array![[false, false]]);
        assert_eq!(found.counts(0), [0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_tally_adds_up() {
        let (found, mut tally) = (choices(), Tally::default());
        assert!(tally.map().is_empty());
        tally.add(&found.hits(1, 2));
        tally.add(&found.hits(3, 2));
        tally.add(&found.hits(2, 3));
        assert_eq!((tally.looks, &tally.hits), (3, &vec![vec![2, 1]]));
        assert_eq!(tally.map(), array![[2.0 / 3.0, 1.0 / 3.0]]);
        let (share, (low, high)) = tally.share((0, 0)).unwrap();
        assert!(low < share && share < high);
        assert!(tally.share((0, 2)).is_none() && tally.share((1, 0)).is_none());
        assert_eq!(tally.label((0, 0)), "0.67 [0.21, 0.94]");
        assert_eq!(tally.label((7, 0)), "");
        let both = Tally::default().with(&tally).with(&tally);
        assert_eq!((both.looks, &both.hits), (6, &vec![vec![4, 2]]));
    }
}
