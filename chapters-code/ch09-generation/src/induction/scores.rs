//! What a head looks at, as shares of its attention.

use candle_core::{D, DType, Device, IndexOp, Tensor};
use sentiment::Head;
use serde::{Deserialize, Serialize};

use crate::error::{GenerationError, Result};
use crate::induction::model::AttentionOnly;
use crate::induction::sequences::Repeated;

/// How much of its attention a head gives, from 0 to 1, to four kinds of places.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadScores {
    /// To the token before, the mean over the tokens of the first copy, which are those that are
    /// looked for later.
    pub previous: f64,
    /// Prefix matching (Olsson et al. 2022): to what came after the present token the other times,
    /// the mean over the tokens from the second copy on.
    pub prefix: f64,
    /// To the present token the other times (a duplicate-token head, Wang et al. 2023), over the
    /// same tokens.
    pub same: f64,
    /// To the first token, the mean over all others: the attention sink (Xiao et al. 2024).
    pub first: f64,
}

/// How much of its attention each head gives to `places`: `[batch, heads, n, n]` and 1 or 0 in
/// `[batch, 1, n, n]`, the mean over the queries that have a place.
///
/// # Errors
///
/// If the shapes don't fit, or no query has a place.
pub fn share(weights: &Tensor, places: &Tensor) -> Result<Vec<f64>> {
    let given = weights.broadcast_mul(places)?.sum(D::Minus1)?; // [batch, heads, n]
    let given = given.to_dtype(DType::F64)?.sum((0, 2))?.to_vec1::<f64>()?; // [heads]
    let asking = places.max(D::Minus1)?.sum_all()?.to_scalar::<f32>()?;
    if asking == 0.0 {
        return Err(GenerationError::setting("places", 0, "at least 1 to look at"));
    }
    Ok(given.iter().map(|given| given / f64::from(asking)).collect())
}

// ANCHOR: places
/// For each token of the first copy the one before it.
pub fn previous_places(sequences: &[Repeated]) -> Result<Tensor> {
    places(sequences, |sequence, query, key| {
        let copy = sequence.start..sequence.repeats_from();
        copy.contains(&query) && key + 1 == query
    })
}

/// For each token from the second copy on, what came after it the other times.
pub fn prefix_places(sequences: &[Repeated]) -> Result<Tensor> {
    places(sequences, |sequence, query, key| {
        let tokens = &sequence.tokens;
        query >= sequence.repeats_from() && key > 0 && tokens[key - 1] == tokens[query]
    })
}

/// For each token from the second copy on, itself the other times.
pub fn same_places(sequences: &[Repeated]) -> Result<Tensor> {
    places(sequences, |sequence, query, key| {
        let tokens = &sequence.tokens;
        query >= sequence.repeats_from() && key < query && tokens[key] == tokens[query]
    })
}

/// For each token but the first, the first.
pub fn first_places(sequences: &[Repeated]) -> Result<Tensor> {
    places(sequences, |_, query, key| query > 0 && key == 0)
}

/// 1 where a query may and should look, 0 elsewhere: `[batch, 1, n, n]`.
pub fn places(
    sequences: &[Repeated],
    should: impl Fn(&Repeated, usize, usize) -> bool,
) -> Result<Tensor> {
    let n = sequences.first().map_or(0, |sequence| sequence.tokens.len());
    let mut values = Vec::with_capacity(sequences.len() * n * n);
    for sequence in sequences {
        for query in 0..n {
            let here = |key| key <= query && should(sequence, query, key);
            values.extend((0..n).map(|key| if here(key) { 1_f32 } else { 0.0 }));
        }
    }
    Ok(Tensor::from_vec(values, (sequences.len(), 1, n, n), &Device::Cpu)?)
}
// ANCHOR_END: places

/// The scores of each layer's heads, from where they looked, `[batch, heads, n, n]` a layer.
///
/// With the attentions to a text that repeats nothing, as long as `sequences`, it is a control:
/// how much is given to the same places if there is nothing to find there.
///
/// # Errors
///
/// If the attentions are those of other batches.
pub fn scores(
    attentions: &[Tensor],
    sequences: &[Repeated],
) -> Result<Vec<Vec<HeadScores>>> {
    let places = [
        previous_places(sequences)?,
        prefix_places(sequences)?,
        same_places(sequences)?,
        first_places(sequences)?,
    ];
    let of_layer = |weights: &Tensor| {
        let shares = places.iter().map(|places| share(weights, places));
        let shares = shares.collect::<Result<Vec<_>>>()?; // [kinds][heads]
        let of_head = |head: usize| HeadScores {
            previous: shares[0][head],
            prefix: shares[1][head],
            same: shares[2][head],
            first: shares[3][head],
        };
        Ok((0..shares[0].len()).map(of_head).collect())
    };
    attentions.iter().map(of_layer).collect()
}

/// What a head scores that looks at all tokens so far alike.
///
/// # Errors
///
/// If there is no sequence.
pub fn uniform_scores(sequences: &[Repeated]) -> Result<HeadScores> {
    let all = places(sequences, |_, _, _| true)?; // [batch, 1, n, n]
    let even = all.broadcast_div(&all.sum_keepdim(D::Minus1)?)?;
    Ok(scores(&[even], sequences)?[0][0])
}

/// Whether what a head finds makes it likelier: the share of tokens that the head, looking at
/// them, raises above all others, by its value and output matrices alone (the OV circuit).
///
/// # Errors
///
/// If there is no such head.
pub fn copying(model: &AttentionOnly, head: Head) -> Result<f64> {
    model.check_heads([head])?;
    let layer = &model.layers[head.layer];
    let d_k = layer.value.dim(0)? / layer.heads;
    let rows = head.head * d_k..(head.head + 1) * d_k;
    let value = layer.value.i(rows.clone())?; // [d_k, d_model]
    let output = layer.output.i((.., rows))?; // [d_model, d_k]
    // [vocabulary, d_model] · [d_model, d_k] · [d_k, d_model] -> [vocabulary, d_model]
    let added = model.words.matmul(&value.t()?)?.matmul(&output.t()?)?;
    let logits = added.matmul(&model.decoder.t()?)?; // [vocabulary, vocabulary]
    let likeliest: Vec<u32> = logits.argmax(D::Minus1)?.to_vec1()?;
    let copied = (0..).zip(&likeliest).filter(|(token, found)| token == *found);
    Ok(copied.count() as f64 / likeliest.len() as f64)
}
