//! What each word of a text does: how much `[CLS]` looks at it, and what changes when
//! it is left out.

use std::ops::Range;

use candle_core::{Device, IndexOp, Tensor};
use hub::{Encoded, Truncate};

use crate::batch::Batch;
use crate::encoder::ForwardOptions;
use crate::error::{EncoderError, Result};
use crate::pipeline::SentimentPipeline;

/// A word of a text, and the tokens that it was cut into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its letters, the pieces joined again.
    pub text: String,
    /// Its tokens, from the first to before the last.
    pub tokens: Range<usize>,
}

/// The words of an encoded text, in order, without `[CLS]`, `[SEP]` and padding. A
/// piece with `##` belongs to the word before it; a punctuation mark is a word.
pub fn words_of(encoded: &Encoded) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for (i, token) in encoded.tokens.iter().enumerate() {
        if encoded.special_tokens_mask[i] == 1 {
            continue;
        }
        match (token.strip_prefix("##"), words.last_mut()) {
            (Some(piece), Some(word)) => {
                word.text.push_str(piece);
                word.tokens.end = i + 1;
            }
            _ => words.push(Word { text: token.clone(), tokens: i..i + 1 }),
        }
    }
    words
}

// ANCHOR: attention_to_words
/// How much `[CLS]` looks at each word in one layer: from that layer's weights,
/// `[1, heads, n, n]`, the row of `[CLS]`, summed over the tokens of each word. One
/// list per head, one number per word; a head's numbers and what it gives to `[CLS]`
/// and `[SEP]` add up to 1.
///
/// # Errors
///
/// [`EncoderError`] if `weights` has another shape.
pub fn attention_to_words(weights: &Tensor, words: &[Word]) -> Result<Vec<Vec<f32>>> {
    let rows = weights.i((0, .., 0))?.to_vec2::<f32>()?; // [heads, n]
    let to_word = |row: &[f32], word: &Word| row[word.tokens.clone()].iter().sum();
    let to_words = |row: Vec<f32>| words.iter().map(|w| to_word(&row, w)).collect();
    Ok(rows.into_iter().map(to_words).collect())
}

/// The mean over the lists, number by number.
pub fn mean_of_heads(heads: &[Vec<f32>]) -> Vec<f32> {
    let words = heads.first().map_or(0, Vec::len);
    let mean = |i: usize| heads.iter().map(|head| head[i]).sum::<f32>();
    (0..words).map(|i| mean(i) / heads.len() as f32).collect()
}
// ANCHOR_END: attention_to_words

// ANCHOR: leave_one_out
/// What a text's answer becomes without one of its words.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The word that was left out.
    pub word: String,
    /// The score, without the word, of the label that the whole text gets.
    pub score: f32,
    /// By how much that label's margin fell: above 0, the word spoke for the label;
    /// below 0, against it.
    pub change: f32,
}

/// Asks the model again and again, each time without one of the words.
///
/// # Errors
///
/// As [`SentimentPipeline::classify`]; also for a text of a single word, of which
/// nothing would be left.
pub fn leave_one_out(pipeline: &SentimentPipeline, text: &str) -> Result<Vec<LeftOut>> {
    let encoded = pipeline.model.tokenizer.encode(text, None, Truncate::Error)?;
    let words = words_of(&encoded);
    if words.len() < 2 {
        return Err(EncoderError::OneWord { text: text.to_owned() });
    }
    let whole = pipeline.logits_of(std::slice::from_ref(&encoded.ids))?; // [1, labels]
    let label = largest(&whole[0]);
    let shorter: Vec<Vec<u32>> =
        words.iter().map(|word| without(&encoded.ids, &word.tokens)).collect();
    let answers = pipeline.logits_of(&shorter)?; // [words, labels]
    let scores = scores_of(pipeline, &answers, label)?;
    let all = words.into_iter().zip(answers).zip(scores);
    let left_out = all.map(|((Word { text: word, .. }, logits), score)| LeftOut {
        word,
        score,
        change: margin(&whole[0], label) - margin(&logits, label),
    });
    Ok(left_out.collect())
}

/// The ids without those of some tokens.
pub fn without(ids: &[u32], tokens: &Range<usize>) -> Vec<u32> {
    [&ids[..tokens.start], &ids[tokens.end..]].concat()
}

/// A label's logit minus the largest of the others', if any. With two labels it is
/// `ln(score / (1 − score))`: it goes on growing where the score is stuck below 1.
pub fn margin(logits: &[f32], label: usize) -> f32 {
    let others = logits.iter().enumerate().filter(|&(other, _)| other != label);
    logits[label] - others.map(|(_, &logit)| logit).reduce(f32::max).unwrap_or(0.0)
}
// ANCHOR_END: leave_one_out

/// The pipeline's score of a label, for each text's logits.
fn scores_of(
    pipeline: &SentimentPipeline,
    logits: &[Vec<f32>],
    label: usize,
) -> Result<Vec<f32>> {
    let labels = logits.first().map_or(0, Vec::len);
    let logits =
        Tensor::from_vec(logits.concat(), (logits.len(), labels), &Device::Cpu)?;
    Ok(pipeline.scores(&logits)?.i((.., label))?.to_vec1()?)
}

/// The place of the largest number; of equals, the first.
pub fn largest(numbers: &[f32]) -> usize {
    let larger = |best, i| if numbers[i] > numbers[best] { i } else { best };
    (0..numbers.len()).fold(0, larger)
}

/// How much every token looks at every token in the last layer, `[batch, heads, n, n]`.
///
/// # Errors
///
/// Those of [`PackedEncoder::forward`](crate::PackedEncoder::forward);
/// [`EncoderError::NoLayers`] if there is no layer.
pub fn last_attention(pipeline: &SentimentPipeline, batch: &Batch) -> Result<Tensor> {
    let found = pipeline.model.encoder.forward(batch, ForwardOptions::ATTENTIONS)?;
    let layers = found.attentions.unwrap_or_default();
    layers.into_iter().next_back().ok_or(EncoderError::NoLayers)
}
