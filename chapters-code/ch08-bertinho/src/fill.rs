//! What a model puts in the place of `[MASK]`.

pub use bert_attention::MaskedModel;
use hub::Truncate;
use sentiment::Batch;

use crate::error::{PretrainingError, Result};
use crate::wordpiece::MASK;

/// A piece for a hidden place.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The piece.
    pub piece: String,
    /// Its probability among all pieces.
    pub probability: f64,
}

/// The likeliest pieces for the first `[MASK]` of a text, which may have another one
/// beside it, most likely first: transformers' `fill-mask` pipeline.
///
/// # Errors
///
/// [`TrainingError::Setting`](training::TrainingError::Setting) if there is no `[MASK]`; if a text is empty or too long.
pub fn fill(
    masked: &MaskedModel,
    text: &str,
    beside: Option<&str>,
    count: usize,
) -> Result<Vec<Guess>> {
    let tokenizer = &masked.model.tokenizer;
    let encoded = tokenizer.encode(text, beside, Truncate::Error)?;
    let Some(place) = encoded.ids.iter().position(|&id| id == MASK) else {
        return Err(PretrainingError::setting("text", text, "one with a [MASK]"));
    };
    let probabilities = masked.guess(&Batch::from_encoded(&[encoded])?, place)?; // 1 row
    let mut best: Vec<(u32, f32)> = (0..).zip(probabilities.concat()).collect();
    best.sort_by(|a, b| b.1.total_cmp(&a.1));
    let guess = |(id, probability)| Guess {
        piece: tokenizer.id_to_token(id).unwrap_or_default(),
        probability: f64::from(probability),
    };
    Ok(best.into_iter().take(count).map(guess).collect())
}
