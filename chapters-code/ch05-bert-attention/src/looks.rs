//! Does a head look from one word to another? Counted over many sentences.

use std::cmp::Ordering;

use models::{Tokenizer, Truncate};
use ndarray::{Array2, ArrayRef1, s};
use sentiment::{Batch, ForwardOptions, Pretrained};
use serde::{Deserialize, Serialize};

use crate::attentions::Result;
use crate::sentences::Subject;

/// A word, and the one that it is hoped to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Their sentence, as one row.
    pub batch: Batch,
    /// The place of the word that looks.
    pub from: usize,
    /// The place of the other.
    pub to: usize,
}

impl Look {
    /// Whether the row of `from`, `[n]`, gives most to `to`, of all tokens but the
    /// first and the last, which are special, and `from` itself. Of equals, the first.
    fn is_first_choice(&self, row: &ArrayRef1<f32>) -> bool {
        let others = (1..row.len() - 1).filter(|&j| j != self.from);
        let first = |a: usize, b: usize| match row[a].total_cmp(&row[b]) {
            Ordering::Less => b,
            _ => a,
        };
        others.reduce(first) == Some(self.to)
    }
}

impl Look {
    /// `from` and `to` in a sentence. `None` if one of them doesn't stand there exactly
    /// once, as one piece.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if the sentence is
    /// empty or too long.
    pub fn find(
        tokenizer: &Tokenizer,
        sentence: &str,
        from: &str,
        to: &str,
    ) -> Result<Option<Self>> {
        let encoded = tokenizer.encode(sentence, None, Truncate::Error)?;
        let once = |word: &str| {
            let mut places = (0..encoded.len()).filter(|&i| encoded.tokens[i] == word);
            let place: Option<usize> = places.next();
            place.filter(|_| places.next().is_none())
        };
        let (Some(from), Some(to)) = (once(from), once(to)) else { return Ok(None) };
        let batch = Batch::from_encoded(std::slice::from_ref(&encoded))?; // 1 row
        Ok(Some(Self { batch, from, to }))
    }
}

/// How often each head's first choice among the other words is the one hoped for, from 0
/// to 1. `[layers, heads]`, all NaN if there is no look.
///
/// # Errors
///
/// Those of [`PackedEncoder::forward`](sentiment::PackedEncoder::forward).
pub fn first_choices(model: &Pretrained, looks: &[Look]) -> Result<Array2<f64>> {
    let (layers, heads) =
        (model.config.num_hidden_layers, model.config.num_attention_heads);
    let mut found = Array2::zeros((layers, heads));
    for look in looks {
        let outputs = model.encoder.forward(&look.batch, ForwardOptions::ATTENTIONS)?;
        for (layer, weights) in outputs.attention_arrays()?.iter().enumerate() {
            for head in 0..heads {
                let row = weights.slice(s![0, head, look.from, ..]); // [n]
                if look.is_first_choice(&row) {
                    found[[layer, head]] += 1.0;
                }
            }
        }
    }
    Ok(found / looks.len() as f64)
}

/// How often each head's first choice for a subject is its verb, when the two stand side
/// by side and when they stand apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verbs {
    /// How many subjects there are.
    pub subjects: usize,
    /// For subjects whose verb stands beside them.
    pub near: Choices,
    /// For subjects whose verb stands further away.
    pub far: Choices,
}

/// How often a choice is the one hoped for, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// `heads[layer][head]`.
    pub heads: Vec<Vec<f64>>,
    /// How often a head that chooses blindly would be right.
    pub blind: f64,
    /// How often the luckiest of as many blind heads would be right.
    pub luckiest: f64,
}

impl Choices {
    /// Those of every head, `[layers, heads]`.
    pub fn map(&self) -> Array2<f64> {
        let shape = (self.heads.len(), self.heads.first().map_or(0, Vec::len));
        Array2::from_shape_fn(shape, |(l, h)| self.heads[l][h])
    }
}

impl Verbs {
    /// Whether a model's heads look from subjects to their verbs. Subjects whose words
    /// the model cuts in pieces are left out.
    ///
    /// # Errors
    ///
    /// Those of [`Look::find`] and [`first_choices`].
    pub fn of(model: &Pretrained, subjects: &[Subject]) -> Result<Self> {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for one in subjects {
            let look =
                |sentence| Look::find(&model.tokenizer, sentence, one.noun, one.verb);
            if let (Some(a), Some(b)) = (look(one.near)?, look(one.far)?) {
                near.push(a);
                far.push(b);
            }
        }
        let choices = |looks: &[Look]| -> Result<Choices> {
            let hits = first_choices(model, looks)?;
            Ok(Choices {
                blind: chance(looks),
                luckiest: best_by_chance(looks, hits.len()),
                heads: hits.rows().into_iter().map(|row| row.to_vec()).collect(),
            })
        };
        let subjects = near.len();
        Ok(Self { subjects, near: choices(&near)?, far: choices(&far)? })
    }
}

/// How often a word chosen blindly among the others would be the one hoped for.
pub fn chance(looks: &[Look]) -> f64 {
    let one = |look: &Look| 1.0 / (look.batch.n() - 3) as f64; // without [CLS], [SEP], itself
    looks.iter().map(one).sum::<f64>() / looks.len() as f64
}

/// The share that the best of so many blind heads reaches as often as not: with enough
/// heads, one of them looks clever by luck.
pub fn best_by_chance(looks: &[Look], heads: usize) -> f64 {
    // How many looks a blind head gets right, as probabilities: [looks + 1]
    let mut right = vec![1.0];
    for look in looks {
        let p = chance(std::slice::from_ref(look));
        let mut next = vec![0.0; right.len() + 1];
        for (k, probability) in right.iter().enumerate() {
            next[k] += probability * (1.0 - p);
            next[k + 1] += probability * p;
        }
        right = next;
    }
    let (mut count, mut below) = (0, right[0]); // P(a head gets at most `count` right)
    while below.powf(heads as f64) < 0.5 && count + 1 < right.len() {
        count += 1;
        below += right[count];
    }
    count as f64 / looks.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn the_first_choice_is_among_the_other_words() {
        let batch = Batch::new(&[vec![2, 5, 6, 7, 3]], None, None).unwrap();
        let look = |to| Look { batch: batch.clone(), from: 2, to };
        let row = array![0.9, 0.1, 0.8, 0.3, 0.9]; // special and itself don't count
        assert!(look(3).is_first_choice(&row));
        assert!(!look(1).is_first_choice(&row));
        let level = Array1::from_elem(5, 0.2);
        assert!(look(1).is_first_choice(&level));
        assert!((chance(&[look(1), look(3)]) - 0.5).abs() < 1e-12);
    }
}
