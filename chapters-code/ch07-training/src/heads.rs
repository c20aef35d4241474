//! What each head looks at, measured over many sentences; heads that translate.
//!
//! Nothing here knows of training: it asks an encoder for its attentions.

use models::{Tokenizer, Truncate};
use sentiment::{Batch, FastEncoder, Result, Run};
use serde::{Deserialize, Serialize};

// ANCHOR: head_profile
/// How a head looks, the mean over all ordinary tokens that look. (`[CLS]`, `[SEP]` and
/// padding are looked at, but don't count as looking.)
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct HeadProfile {
    /// Share of attention to `[CLS]`.
    pub cls: f64,
    /// Share to all `[SEP]`.
    pub sep: f64,
    /// Share to the token itself.
    pub itself: f64,
    /// Share to the token before, which may be `[CLS]`.
    pub previous: f64,
    /// Share to the token after, which may be `[SEP]`.
    pub next: f64,
    /// In bits: 0 looks at one token only, log₂ n at all alike.
    pub entropy: f64,
    /// How many tokens away it looks.
    pub distance: f64,
}

impl HeadProfile {
    /// Adds the row of weights of the token at `i`, `[n]`.
    fn add(&mut self, row: &[f32], i: usize, ids: &[u32], special: SpecialIds) {
        for (j, (&weight, &id)) in row.iter().zip(ids).enumerate() {
            let weight = f64::from(weight);
            let count = |sum: &mut f64, counts: bool| {
                if counts {
                    *sum += weight;
                }
            };
            count(&mut self.cls, id == special.cls);
            count(&mut self.sep, id == special.sep);
            count(&mut self.itself, j == i);
            count(&mut self.previous, j + 1 == i);
            count(&mut self.next, j == i + 1);
            if weight > 0.0 {
                self.entropy -= weight * weight.log2();
            }
            self.distance += weight * j.abs_diff(i) as f64;
        }
    }
}
// ANCHOR_END: head_profile

impl HeadProfile {
    fn divide(&mut self, count: usize) {
        let Self { cls, sep, itself, previous, next, entropy, distance } = self;
        for sum in [cls, sep, itself, previous, next, entropy, distance] {
            *sum /= count.max(1) as f64;
        }
    }
}

/// The numbers of the special tokens that sequences are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// `[CLS]`.
    pub cls: u32,
    /// `[SEP]`.
    pub sep: u32,
}

/// The profile of each head of each layer over batches of sentences:
/// `profiles[layer][head]`.
///
/// # Errors
///
/// Those of [`FastEncoder::forward`].
pub fn profile(
    encoder: &FastEncoder,
    batches: &[Batch],
    special: SpecialIds,
) -> Result<Vec<Vec<HeadProfile>>> {
    let mut profiles: Vec<Vec<HeadProfile>> = Vec::new();
    let mut count = 0;
    for batch in batches {
        let n = batch.n();
        // (row, i) of all tokens that look.
        let looking: Vec<(usize, usize)> = (0..batch.rows() * n)
            .filter(|&at| {
                let id = batch.ids()[at];
                batch.attention_mask()[at] == 1
                    && ![special.cls, special.sep].contains(&id)
            })
            .map(|at| (at / n, at % n))
            .collect();
        count += looking.len();
        let layers = encoder.forward(batch, Run::ATTENTIONS)?.attentions;
        for (layer, weights) in layers.unwrap_or_default().iter().enumerate() {
            let heads = weights.dim(1)?;
            // [rows · heads · n · n]
            let weights: Vec<f32> = weights.flatten_all()?.to_vec1()?;
            if profiles.len() <= layer {
                profiles.push(vec![HeadProfile::default(); heads]);
            }
            for (head, profile) in profiles[layer].iter_mut().enumerate() {
                for &(row, i) in &looking {
                    let at = ((row * heads + head) * n + i) * n;
                    let ids = &batch.ids()[row * n..(row + 1) * n];
                    profile.add(&weights[at..at + n], i, ids, special);
                }
            }
        }
    }
    profiles.iter_mut().flatten().for_each(|profile| profile.divide(count));
    Ok(profiles)
}

// ANCHOR: noun_pair
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
// ANCHOR_END: noun_pair

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
/// How often a head's first choice is a noun's translation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FirstChoice {
    /// Among the words of the other sentence.
    pub across: f64,
    /// Among all tokens.
    pub overall: f64,
    /// The mean share of its attention.
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
    pub to_portuguese: FirstChoice,
    /// From the Portuguese noun to the English.
    pub to_english: FirstChoice,
}

impl TranslationHead {
    /// In the direction in which it is better, among all tokens.
    pub fn best(&self) -> f64 {
        self.to_portuguese.overall.max(self.to_english.overall)
    }
}

impl FirstChoice {
    /// Adds one look: the weights of `from`, `[n]`; whether it was `to` that it saw.
    fn add(&mut self, row: &[f32], from: usize, to: usize, second: usize) {
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
// ANCHOR_END: translation_head

/// Every head as a translator, the best first.
///
/// # Errors
///
/// Those of [`FastEncoder::forward`].
pub fn translation_heads(
    encoder: &FastEncoder,
    pairs: &[NounPair],
) -> Result<Vec<TranslationHead>> {
    let mut found: Vec<TranslationHead> = Vec::new();
    for pair in pairs {
        let n = pair.batch.n();
        let layers = encoder.forward(&pair.batch, Run::ATTENTIONS)?.attentions;
        let mut index = 0;
        for (layer, weights) in layers.unwrap_or_default().iter().enumerate() {
            let heads = weights.dim(1)?;
            // [heads · n · n]
            let weights: Vec<f32> = weights.flatten_all()?.to_vec1()?;
            for head in 0..heads {
                let row =
                    |i: usize| &weights[(head * n + i) * n..(head * n + i + 1) * n];
                if found.len() == index {
                    found.push(TranslationHead { layer, head, ..Default::default() });
                }
                let (en, pt, second) = (pair.english, pair.portuguese, pair.second);
                found[index].to_portuguese.add(row(en), en, pt, second);
                found[index].to_english.add(row(pt), pt, en, second);
                index += 1;
            }
        }
    }
    for head in &mut found {
        head.to_portuguese.divide(pairs.len());
        head.to_english.divide(pairs.len());
    }
    found.sort_by(|a, b| b.best().total_cmp(&a.best()));
    Ok(found)
}
