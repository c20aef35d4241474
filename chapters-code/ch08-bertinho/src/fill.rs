//! What a model puts in the place of `[MASK]`.

pub use bert_attention::{Guess, MaskedModel};
use hub::Truncate;
use sentiment::Batch;

use crate::error::{PretrainingError, Result};
use crate::wordpiece::MASK;

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
    let guess = masked.guess(&Batch::from_encoded(&[encoded])?, place)?.concat(); // 1 row
    Ok(masked.likeliest(&guess, count))
}
