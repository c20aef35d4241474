//! The same questions to any GPT.

use candle_core::{Device, Tensor};

use crate::cache::Cache;
use crate::error::{GenerationError, Result};
use crate::gpt::{Gpt, left_padded};

/// Where a GPT's heads look in texts of one length: `[batch, heads, n, n]` for each layer, for
/// [`scores`](super::scores::scores).
///
/// # Errors
///
/// As [`Gpt::forward`], and if a text is longer than another.
pub fn gpt_attentions(model: &Gpt, texts: &[Vec<u32>]) -> Result<Vec<Tensor>> {
    same_length(texts)?;
    Ok(model.forward(&left_padded(texts, 0)?, &mut Cache::new())?.attentions)
}

/// The same with the first token hidden from all others, which keep their positions.
///
/// # Errors
///
/// As [`gpt_attentions`].
pub fn gpt_attentions_without_first(
    model: &Gpt,
    texts: &[Vec<u32>],
) -> Result<Vec<Tensor>> {
    let n = same_length(texts)?;
    model.check(&left_padded(texts, 0)?, &Cache::new())?;
    let ids = Tensor::new(texts.concat(), &Device::Cpu)?; // [batch · n]
    // [batch · n, d_model] -> [batch, n, d_model]
    let words = model.words.index_select(&ids, 0)?.reshape((texts.len(), n, ()))?;
    let mut x = words.broadcast_add(&model.positions.narrow(0, 0, n)?)?;
    let hidden = |query: usize, key| key > query || (key == 0 && query > 0);
    let row = |q| (0..n).map(move |key| if hidden(q, key) { f32::MIN } else { 0.0 });
    let mask: Vec<f32> = (0..n).flat_map(row).collect();
    let mask = Tensor::from_vec(mask, (1, 1, n, n), &Device::Cpu)?;
    let (mut attentions, mut cache) = (Vec::new(), Cache::new());
    for (i, layer) in model.layers.iter().enumerate() {
        let next = layer.forward(&x, Some(&mask), &mut cache, i)?;
        attentions.push(next.weights);
        x = next.output;
    }
    Ok(attentions)
}

fn same_length(texts: &[Vec<u32>]) -> Result<usize> {
    let n = texts.first().map_or(0, Vec::len);
    match texts.iter().find(|text| text.len() != n) {
        Some(other) => {
            let expected = format!("{n}, as the first one's");
            Err(GenerationError::setting("length", other.len(), expected))
        }
        None => Ok(n),
    }
}
