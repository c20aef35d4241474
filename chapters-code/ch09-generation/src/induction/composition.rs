//! Through what an induction head depends on a previous-token head: K-composition.

use candle_core::{Device, Tensor};
use sentiment::Head;
use serde::{Deserialize, Serialize};

use crate::error::{GenerationError, Result};
use crate::induction::model::{AttentionOnly, Change, Instead};
use crate::induction::scores::{places, share};
use crate::induction::sequences::Repeated;
use crate::induction::train::tokens;

/// The weights of a head that always looks `back` tokens back, or at the first: `[1, n, n]`.
///
/// # Errors
///
/// None that a length can cause.
pub fn looking_back(n: usize, back: usize) -> Result<Tensor> {
    let look = |query: usize, key| key == query.saturating_sub(back);
    let row = |query| (0..n).map(move |key| if look(query, key) { 1_f32 } else { 0.0 });
    let weights: Vec<f32> = (0..n).flat_map(row).collect();
    Ok(Tensor::from_vec(weights, (1, n, n), &Device::Cpu)?)
}

/// How much of its attention a head gives to the places around its token's earlier copies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    /// As it is: to the copies themselves, to one token behind each, to two, to three.
    pub whole: [f64; 4],
    /// If the stream with the changed head reaches its queries only.
    pub queries: [f64; 4],
    /// If it reaches its keys only.
    pub keys: [f64; 4],
}

/// Has the head `previous` look `back` tokens back in place of one, and sees where `induction`, of
/// a later layer, then looks; the change reaches either its queries or its keys.
///
/// # Errors
///
/// If there is no such head, the second isn't of a later layer than the first, or the model can't
/// read the sequences.
pub fn composition(
    model: &AttentionOnly,
    sequences: &[Repeated],
    [previous, induction]: [Head; 2],
    back: usize,
) -> Result<Composition> {
    model.check_heads([previous, induction])?;
    if induction.layer <= previous.layer {
        let expected = format!("of a later layer than {previous}");
        return Err(GenerationError::setting("head", induction, expected));
    }
    let tokens = tokens(sequences);
    let n = tokens.first().map_or(0, Vec::len);
    let instead = Instead::Look(looking_back(n, back)?);
    let stream = |changes: &[Change]| {
        Ok::<_, GenerationError>(
            model.forward(&tokens, changes)?.streams[induction.layer].clone(),
        )
    };
    let whole = stream(&[])?; // [batch, n, d_model]
    let changed = stream(&[Change { head: previous, instead }])?;
    let layer = &model.layers[induction.layer];
    let around = |queries, keys| {
        around_copies(&layer.look(queries, keys)?, induction.head, sequences)
    };
    Ok(Composition {
        whole: around(&whole, &whole)?,
        queries: around(&changed, &whole)?,
        keys: around(&whole, &changed)?,
    })
}

/// What one head of `weights`, `[batch, heads, n, n]`, gives to its token's earlier copies, and to
/// one, two and three tokens behind each.
fn around_copies(
    weights: &Tensor,
    head: usize,
    sequences: &[Repeated],
) -> Result<[f64; 4]> {
    let mut found = [0.0; 4];
    for (behind, found) in found.iter_mut().enumerate() {
        let places = places(sequences, |sequence, query, key| {
            let from = query.saturating_sub(key) + behind; // from the copy to its token
            let earlier = key >= sequence.start + behind;
            query >= sequence.repeats_from()
                && earlier
                && from > 0
                && from.is_multiple_of(sequence.period)
        })?;
        *found = share(weights, &places)?[head];
    }
    Ok(found)
}
