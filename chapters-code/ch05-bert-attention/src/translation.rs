//! Heads that translate: in a pair of sentences, from a noun to its translation.

use hub::{Tokenizer, Truncate};
use ndarray::{Array4, ArrayRef1, s};
use sentiment::{Batch, ForwardOptions, PackedEncoder, Result};
use serde::{Deserialize, Serialize};

/// A pair of sentences in which a noun and its translation stand, each once and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NounPair {
    /// The two sentences, as one row.
    pub batch: Batch,
    /// Where the English noun stands.
    pub english: usize,
    /// Where the Portuguese noun stands.
    pub portuguese: usize,
    /// Where the second sentence begins.
    pub second: usize,
    /// Which noun, as a place in the list.
    pub noun: usize,
}

/// Looks for nouns with known translations in `(English, Portuguese)` pairs; each pair
/// that has some is given in both orders, once for each noun.
///
/// # Errors
///
/// [`sentiment::EncoderError::Models`] if a text is empty or too long.
pub fn find_nouns(
    tokenizer: &Tokenizer,
    pairs: &[(&str, &str)],
    nouns: &[(&str, &str)],
) -> Result<Vec<NounPair>> {
    let mut found = Vec::new();
    for &(english, portuguese) in pairs {
        for english_first in [true, false] {
            let (a, b) = if english_first {
                (english, portuguese)
            } else {
                (portuguese, english)
            };
            let encoded = tokenizer.encode(a, Some(b), Truncate::Error)?;
            let Some(second) = encoded.sentence_b_start else { continue };
            let (first, rest) = encoded.tokens.split_at(second);
            let once = |tokens: &[String], noun: &str| {
                let mut places = (0..).zip(tokens).filter(|(_, token)| *token == noun);
                let place: Option<usize> = places.next().map(|(place, _)| place);
                place.filter(|_| places.next().is_none())
            };
            for (noun, (en, pt)) in nouns.iter().enumerate() {
                let (in_first, in_rest) =
                    if english_first { (en, pt) } else { (pt, en) };
                let (Some(i), Some(j)) = (once(first, in_first), once(rest, in_rest))
                else {
                    continue;
                };
                let j = j + second;
                let (english, portuguese) = if english_first { (i, j) } else { (j, i) };
                let batch = Batch::from_encoded(std::slice::from_ref(&encoded))?;
                found.push(NounPair { batch, english, portuguese, second, noun });
            }
        }
    }
    Ok(found)
}

// ANCHOR: translation_head
/// Top-1 accuracy of a head: how often a noun's translation gets the most.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TranslationAccuracy {
    /// Among the words of the other sentence.
    pub across: f64,
    /// Among all tokens.
    pub overall: f64,
    /// The mean attention weight of the translation.
    pub weight: f64,
}

/// A head, as a translator.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TranslationHead {
    /// The layer, from 0.
    pub layer: usize,
    /// The head, from 0.
    pub head: usize,
    /// From the English noun to the Portuguese.
    pub to_portuguese: TranslationAccuracy,
    /// From the Portuguese noun to the English.
    pub to_english: TranslationAccuracy,
}

impl TranslationHead {
    /// In the direction in which it is better, among all tokens.
    pub fn best(&self) -> f64 {
        self.to_portuguese.overall.max(self.to_english.overall)
    }
}
// ANCHOR_END: translation_head

// ANCHOR: translation_accuracy
impl TranslationAccuracy {
    /// Adds one query, `from`, with its weights, `[n]`, whose key should be `to`.
    fn add(&mut self, row: &ArrayRef1<f32>, from: usize, to: usize, second: usize) {
        // The other sentence's words: the last token of each sentence is its [SEP],
        // the first of all is [CLS].
        let words = if from < second { second..row.len() - 1 } else { 1..second - 1 };
        let best = |places: std::ops::Range<usize>| {
            places.max_by(|&a, &b| row[a].total_cmp(&row[b]))
        };
        self.across += f64::from(u8::from(best(words) == Some(to)));
        self.overall += f64::from(u8::from(best(0..row.len()) == Some(to)));
        self.weight += f64::from(row[to]);
    }

    fn divide(&mut self, count: usize) {
        for sum in [&mut self.across, &mut self.overall, &mut self.weight] {
            *sum /= count.max(1) as f64;
        }
    }
}
// ANCHOR_END: translation_accuracy

/// Every head as a translator, the best first.
pub fn translation_heads(
    encoder: &PackedEncoder,
    pairs: &[NounPair],
) -> Result<Vec<TranslationHead>> {
    let mut found: Vec<TranslationHead> = Vec::new();
    // The nouns of one pair of sentences follow each other: they are read once.
    for pairs in pairs.chunk_by(|a, b| a.batch == b.batch) {
        let outputs = encoder.forward(&pairs[0].batch, ForwardOptions::ATTENTIONS)?;
        let layers = outputs.attention_arrays()?;
        for pair in pairs {
            add_pair(&mut found, &layers, pair);
        }
    }
    for head in &mut found {
        head.to_portuguese.divide(pairs.len());
        head.to_english.divide(pairs.len());
    }
    found.sort_by(|a, b| b.best().total_cmp(&a.best()));
    Ok(found)
}

/// Adds what each head does with one noun: `layers` are `[1, heads, n, n]` each.
fn add_pair(found: &mut Vec<TranslationHead>, layers: &[Array4<f32>], pair: &NounPair) {
    let mut index = 0;
    for (layer, weights) in layers.iter().enumerate() {
        for head in 0..weights.dim().1 {
            let row = |i: usize| weights.slice(s![0, head, i, ..]); // [n]
            if found.len() == index {
                found.push(TranslationHead { layer, head, ..Default::default() });
            }
            let (en, pt, second) = (pair.english, pair.portuguese, pair.second);
            found[index].to_portuguese.add(&row(en), en, pt, second);
            found[index].to_english.add(&row(pt), pt, en, second);
            index += 1;
        }
    }
}
