//! Heads that translate: in a pair of sentences, from a noun to its translation.

use hub::{Encoded, Tokenizer, Truncate};
use ndarray::{Array4, ArrayRef1, s};
use sentiment::{Batch, ForwardOptions, PackedEncoder, Pretrained, Result};
use serde::{Deserialize, Serialize};

use crate::attentions::{AttentionsError, BATCH, check};
use crate::nouns::NOUNS;

/// A pair of sentences in which a noun and its translation stand, each once and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NounPair {
    /// The two sentences.
    pub text: Encoded,
    /// Where the English noun stands.
    pub english: usize,
    /// Where the Portuguese noun stands.
    pub portuguese: usize,
    /// Where the second sentence begins.
    pub second: usize,
    /// Which noun, as a place in the list.
    pub noun: usize,
}

impl NounPair {
    /// How often a blind choice is the Portuguese noun: among the words and signs of its
    /// sentence, and among all tokens.
    pub fn blind_from_english(&self) -> [f64; 2] {
        self.blind(self.english < self.second)
    }

    /// How often a blind choice is the English noun, likewise.
    pub fn blind_from_portuguese(&self) -> [f64; 2] {
        self.blind(self.portuguese < self.second)
    }

    /// A blind choice from a noun that stands in the first sentence, or in the second.
    fn blind(&self, first: bool) -> [f64; 2] {
        let n = self.text.len();
        // Of the first sentence, [CLS] and [SEP] are no words; of the second, [SEP].
        let words = if first { n - self.second - 1 } else { self.second - 2 };
        [words, n].map(|count| 1.0 / count as f64)
    }
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
                let text = encoded.clone();
                found.push(NounPair { text, english, portuguese, second, noun });
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
    for texts in by_text(pairs).chunks(BATCH) {
        let outputs = encoder.forward(&batch(texts)?, ForwardOptions::ATTENTIONS)?;
        let layers = outputs.attention_arrays()?;
        for (row, pair) in rows(texts) {
            add_pair(&mut found, &layers, row, pair);
        }
    }
    for head in &mut found {
        head.to_portuguese.divide(pairs.len());
        head.to_english.divide(pairs.len());
    }
    found.sort_by(|a, b| b.best().total_cmp(&a.best()));
    Ok(found)
}

/// The nouns of each text, which follow each other: a text is read once.
fn by_text(pairs: &[NounPair]) -> Vec<&[NounPair]> {
    pairs.chunk_by(|a, b| a.text == b.text).collect()
}

/// The texts as a batch, a row each.
fn batch(texts: &[&[NounPair]]) -> Result<Batch> {
    let texts: Vec<_> = texts.iter().map(|nouns| nouns[0].text.clone()).collect();
    Batch::from_encoded(&texts)
}

/// Every noun, with the row of its text.
fn rows<'a>(texts: &[&'a [NounPair]]) -> impl Iterator<Item = (usize, &'a NounPair)> {
    let rows = texts.iter().copied().enumerate();
    rows.flat_map(|(row, nouns)| nouns.iter().map(move |noun| (row, noun)))
}

/// Adds what each head does with one noun: `layers` are `[batch, heads, n, n]` each, the
/// noun's text is a row of the batch.
fn add_pair(
    found: &mut Vec<TranslationHead>,
    layers: &[Array4<f32>],
    row: usize,
    pair: &NounPair,
) {
    let n = pair.text.len();
    let mut index = 0;
    for (layer, weights) in layers.iter().enumerate() {
        for head in 0..weights.dim().1 {
            let row = |i: usize| weights.slice(s![row, head, i, ..n]); // [n]
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

/// A noun that looks, in one head: where it stands, where its translation does, and
/// whether that is the word of the other sentence that gets most from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NounLook {
    /// The place of the noun in its own sentence, from 0.
    pub place: usize,
    /// The place of its translation in the other sentence, from 0.
    pub translation: usize,
    /// How many words and signs stand behind the noun in its sentence.
    pub behind: usize,
    /// Whether the noun's own sentence is the first one.
    pub first: bool,
    /// Whether the translation gets the most.
    pub hit: bool,
}

/// What one head does from each noun to its translation, both ways: two looks a pair.
///
/// # Errors
///
/// [`AttentionsError::Index`] if there is no such head.
pub fn noun_looks(
    encoder: &PackedEncoder,
    pairs: &[NounPair],
    (layer, head): (usize, usize),
) -> Result<Vec<NounLook>, AttentionsError> {
    let mut found = Vec::new();
    for texts in by_text(pairs).chunks(BATCH) {
        let weights = encoder.attentions_of(&batch(texts)?, layer)?;
        let weights = weights.ok_or(AttentionsError::Index {
            kind: "layer",
            index: layer,
            count: encoder.layers(),
        })?; // [batch, heads, n, n]
        check("head", head, weights.dim().1)?;
        for (row, pair) in rows(texts) {
            let n = pair.text.len();
            for (from, to) in
                [(pair.english, pair.portuguese), (pair.portuguese, pair.english)]
            {
                let row = weights.slice(s![row, head, from, ..n]); // [n]
                found.push(noun_look(&row, from, to, pair.second));
            }
        }
    }
    Ok(found)
}

/// One look, from the row of weights of the noun at `from`, `[n]`.
fn noun_look(row: &ArrayRef1<f32>, from: usize, to: usize, second: usize) -> NounLook {
    let sentences = [1..second - 1, second..row.len() - 1]; // without special tokens
    let first = from < second;
    let (own, other) = if first { (0, 1) } else { (1, 0) };
    let best = sentences[other].clone().max_by(|&a, &b| row[a].total_cmp(&row[b]));
    NounLook {
        place: from - sentences[own].start,
        translation: to - sentences[other].start,
        behind: sentences[own].end - 1 - from,
        first,
        hit: best == Some(to),
    }
}

/// How one head translates the last word of a sentence, and the others: with a
/// period behind it, or with none in both sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SentenceEnd {
    /// The number of last words that chose their translation.
    pub last: usize,
    /// The number of last words that looked.
    pub lasts: usize,
    /// The number of words elsewhere that chose their translation.
    pub elsewhere: usize,
    /// The number of words elsewhere that looked.
    pub others: usize,
}

/// What a head does at the end of the sentences of `(English, Portuguese)` pairs, in the
/// order given by `english_first`, with their periods or without.
///
/// # Errors
///
/// [`AttentionsError::Index`] if there is no such head; [`AttentionsError::Encoder`] if
/// a text is empty or too long.
pub fn sentence_end(
    model: &Pretrained,
    pairs: &[(&str, &str)],
    head: (usize, usize),
    english_first: bool,
    period: bool,
) -> Result<SentenceEnd, AttentionsError> {
    let bare =
        |text| if period { text } else { str::trim_end_matches(text, ['.', '?']) };
    let pairs: Vec<_> = pairs.iter().map(|&(a, b)| (bare(a), bare(b))).collect();
    let mut nouns = find_nouns(&model.tokenizer, &pairs, &NOUNS)?;
    nouns.retain(|pair| (pair.english < pair.second) == english_first);
    let mut found = SentenceEnd::default();
    for look in noun_looks(&model.encoder, &nouns, head)? {
        let hit = usize::from(look.hit);
        if look.behind == usize::from(period) {
            (found.last, found.lasts) = (found.last + hit, found.lasts + 1);
        } else {
            (found.elsewhere, found.others) = (found.elsewhere + hit, found.others + 1);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_look_counts_places_in_its_own_sentence() {
        // [CLS] the cat . [SEP] o gato . [SEP]: the second sentence begins at 5.
        let row = array![0.9, 0.0, 0.0, 0.0, 0.5, 0.1, 0.4, 0.2, 0.8];
        let found = noun_look(&row, 2, 6, 5);
        let place =
            NounLook { place: 1, translation: 1, behind: 1, first: true, hit: true };
        assert_eq!(found, place);
        let row = array![0.9, 0.3, 0.1, 0.2, 0.5, 0.6, 0.0, 0.2, 0.8];
        let found = noun_look(&row, 6, 2, 5);
        assert_eq!(found, NounLook { first: false, hit: false, ..place });
        // Without periods the noun is the last.
        let row = array![0.9, 0.3, 0.1, 0.5, 0.1, 0.6, 0.8];
        assert_eq!(noun_look(&row, 2, 5, 4).behind, 0);
    }
}
