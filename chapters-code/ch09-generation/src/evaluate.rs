//! How well a model guesses text that it hasn't read, in a unit that doesn't depend on its tokens.

use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use crate::cache::Cache;
use crate::error::Result;
use crate::filter::log_probabilities;
use crate::gpt::{Gpt, left_padded};
use crate::texts::{END_ID, alone, encode};

/// What a model makes of sentences of a language.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guesses {
    /// How many sentences.
    pub sentences: usize,
    /// Their bytes, and one for each one's end.
    pub bytes: usize,
    /// The tokens guessed, each one's end among them.
    pub tokens: usize,
    /// −log₂ of the probability of all, by the bytes.
    pub bits_per_byte: f64,
}

/// Guesses each sentence behind its language's `mark`, to its end; those longer than the model's
/// positions are left out.
///
/// # Errors
///
/// If the tokenizer and the model don't fit together.
pub fn evaluate(
    model: &Gpt,
    tokenizer: &Tokenizer,
    mark: &str,
    sentences: &[&str],
) -> Result<Guesses> {
    let texts: Vec<String> = sentences.iter().map(|text| alone(mark, text)).collect();
    let mut found = Guesses { sentences: 0, bytes: 0, tokens: 0, bits_per_byte: 0.0 };
    let mut nats = 0.0;
    for (mut ids, sentence) in encode(tokenizer, &texts)?.into_iter().zip(sentences) {
        if ids.len() > model.limit() {
            continue;
        }
        let batch = left_padded(std::slice::from_ref(&ids), END_ID)?;
        let output = model.forward(&batch, &mut Cache::new())?;
        let logits = model.predict(&output.last_hidden_state)?.squeeze(0)?; // [n, vocabulary]
        let logits: Vec<Vec<f32>> = logits.to_vec2()?;
        ids.push(END_ID);
        // The mark, token 1, is given: its own guesses are of the sentence.
        for (logits, &next) in logits[1..].iter().zip(&ids[2..]) {
            nats -= log_probabilities(logits)[next as usize];
        }
        found.sentences += 1;
        found.bytes += sentence.len() + 1;
        found.tokens += ids.len() - 2;
    }
    found.bits_per_byte = nats / std::f64::consts::LN_2 / found.bytes.max(1) as f64;
    Ok(found)
}
