//! Does a head look from one word to another? Counted over many sentences.

use std::cmp::Ordering;

use hub::{Tokenizer, Truncate};
use ndarray::{Array2, ArrayRef1, s};
use sentiment::{Batch, ForwardOptions, Pretrained};
use serde::{Deserialize, Serialize};

use crate::attentions::Result;
use crate::sentences::Subject;

/// A word, whose token is the query, and the one that it is hoped to look at, the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryKeyPair {
    /// Their sentence, as one row.
    pub batch: Batch,
    /// The place of the query.
    pub query: usize,
    /// The place of the key.
    pub key: usize,
}

impl QueryKeyPair {
    /// Whether the query's row, `[n]`, gives most to the key, of all tokens but the
    /// first and the last, which are special, and the query itself. Of equals, the
    /// first.
    fn is_top1(&self, row: &ArrayRef1<f32>) -> bool {
        let others = (1..row.len() - 1).filter(|&j| j != self.query);
        let first = |a: usize, b: usize| match row[a].total_cmp(&row[b]) {
            Ordering::Less => b,
            _ => a,
        };
        others.reduce(first) == Some(self.key)
    }
}

impl QueryKeyPair {
    /// A query and a key in a sentence. `None` if one of them doesn't stand there
    /// exactly once, as one piece.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if the sentence is
    /// empty or too long.
    pub fn find(
        tokenizer: &Tokenizer,
        sentence: &str,
        query: &str,
        key: &str,
    ) -> Result<Option<Self>> {
        let encoded = tokenizer.encode(sentence, None, Truncate::Error)?;
        let once = |word: &str| {
            let mut places = (0..encoded.len()).filter(|&i| encoded.tokens[i] == word);
            let place: Option<usize> = places.next();
            place.filter(|_| places.next().is_none())
        };
        let (Some(query), Some(key)) = (once(query), once(key)) else {
            return Ok(None);
        };
        let batch = Batch::from_encoded(std::slice::from_ref(&encoded))?; // 1 row
        Ok(Some(Self { batch, query, key }))
    }
}

/// Each head's top-1 accuracy: how often, of the other words, the key gets the most,
/// from 0 to 1. `[layers, heads]`, all NaN if there is no pair.
pub fn top1_accuracy(
    model: &Pretrained,
    pairs: &[QueryKeyPair],
) -> Result<Array2<f64>> {
    let (layers, heads) =
        (model.config.num_hidden_layers, model.config.num_attention_heads);
    let mut found = Array2::zeros((layers, heads));
    for pair in pairs {
        let outputs = model.encoder.forward(&pair.batch, ForwardOptions::ATTENTIONS)?;
        for (layer, weights) in outputs.attention_arrays()?.iter().enumerate() {
            for head in 0..heads {
                let row = weights.slice(s![0, head, pair.query, ..]); // [n]
                if pair.is_top1(&row) {
                    found[[layer, head]] += 1.0;
                }
            }
        }
    }
    Ok(found / pairs.len() as f64)
}

/// How often each head gives most of a subject's attention to its verb, when the two
/// stand side by side and when they stand apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verbs {
    /// How many subjects there are.
    pub subjects: usize,
    /// For subjects whose verb stands beside them.
    pub near: Top1Accuracy,
    /// For subjects whose verb stands further away.
    pub far: Top1Accuracy,
}

/// How often the key hoped for gets the most, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Top1Accuracy {
    /// `heads[layer][head]`.
    pub heads: Vec<Vec<f64>>,
    /// How often a head that chooses blindly would be right.
    pub blind: f64,
    /// How often the luckiest of as many blind heads would be right.
    pub luckiest: f64,
}

impl Top1Accuracy {
    /// Those of every head, `[layers, heads]`.
    pub fn map(&self) -> Array2<f64> {
        let shape = (self.heads.len(), self.heads.first().map_or(0, Vec::len));
        Array2::from_shape_fn(shape, |(l, h)| self.heads[l][h])
    }
}

impl Verbs {
    /// Whether a model's heads look from subjects to their verbs. Subjects whose words
    /// the model cuts in pieces are left out.
    pub fn of(model: &Pretrained, subjects: &[Subject]) -> Result<Self> {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for one in subjects {
            let pair = |sentence| {
                QueryKeyPair::find(&model.tokenizer, sentence, one.noun, one.verb)
            };
            if let (Some(a), Some(b)) = (pair(one.near)?, pair(one.far)?) {
                near.push(a);
                far.push(b);
            }
        }
        let accuracy = |pairs: &[QueryKeyPair]| -> Result<Top1Accuracy> {
            let heads = top1_accuracy(model, pairs)?;
            Ok(Top1Accuracy {
                blind: chance(pairs),
                luckiest: best_by_chance(pairs, heads.len()),
                heads: heads.rows().into_iter().map(|row| row.to_vec()).collect(),
            })
        };
        let subjects = near.len();
        Ok(Self { subjects, near: accuracy(&near)?, far: accuracy(&far)? })
    }
}

/// How often a word chosen blindly among the others would be the one hoped for.
pub fn chance(pairs: &[QueryKeyPair]) -> f64 {
    // without [CLS], [SEP] and the query itself
    let one = |pair: &QueryKeyPair| 1.0 / (pair.batch.n() - 3) as f64;
    pairs.iter().map(one).sum::<f64>() / pairs.len() as f64
}

/// The accuracy that the best of so many blind heads reaches as often as not: with
/// enough heads, one of them looks clever by luck.
pub fn best_by_chance(pairs: &[QueryKeyPair], heads: usize) -> f64 {
    // How many pairs a blind head gets right, as probabilities: [pairs + 1]
    let mut right = vec![1.0];
    for pair in pairs {
        let p = chance(std::slice::from_ref(pair));
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
    count as f64 / pairs.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn the_top_key_is_among_the_other_words() {
        let batch = Batch::new(&[vec![2, 5, 6, 7, 3]], None, None).unwrap();
        let pair = |key| QueryKeyPair { batch: batch.clone(), query: 2, key };
        let row = array![0.9, 0.1, 0.8, 0.3, 0.9]; // special and itself don't count
        assert!(pair(3).is_top1(&row));
        assert!(!pair(1).is_top1(&row));
        let level = Array1::from_elem(5, 0.2);
        assert!(pair(1).is_top1(&level));
        assert!((chance(&[pair(1), pair(3)]) - 0.5).abs() < 1e-12);
    }
}
