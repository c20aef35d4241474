//! Attention block by block, without ever holding the `[n, m]` matrix of weights.
//!
//! The softmax needs the maximum and the sum of a whole row, but both can be kept
//! running: when a block brings a larger maximum, what was summed so far is scaled down
//! to it (Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"; the
//! idea inside FlashAttention, Dao et al. 2022).

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Slice, s};
use self_attention::AttentionError;
use whole_transformer::{TransformerError, check_inputs};

use crate::error::{CostError, Result};

// ANCHOR: running_softmax
/// The maximum and the sum of the exponentials of the part of a row seen so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningSoftmax {
    /// The largest score so far; −∞ at the start.
    pub maximum: f64,
    /// The sum of `exp(score − maximum)` so far.
    pub sum: f64,
}

impl RunningSoftmax {
    /// Before the first block.
    pub const EMPTY: Self = Self { maximum: f64::NEG_INFINITY, sum: 0.0 };

    /// Takes in one more block of the row's scores, `[b]`, and leaves in their place
    /// `exp(score − maximum)`. Returns what to multiply everything made before by: 1 if
    /// the maximum is still the same.
    pub fn absorb(&mut self, mut scores: ArrayViewMut1<f64>) -> f64 {
        let maximum = scores.fold(self.maximum, |a, &b| a.max(b));
        if maximum == f64::NEG_INFINITY {
            scores.fill(0.0); // nothing but −∞ so far
            return 1.0;
        }
        let correction = (self.maximum - maximum).exp(); // 0 after −∞
        scores.mapv_inplace(|score| (score - maximum).exp());
        self.sum = self.sum * correction + scores.sum();
        self.maximum = maximum;
        correction
    }

    /// What divides the row at the end: the sum, or 1 for a row of nothing but −∞,
    /// which so stays 0.
    pub fn divisor(&self) -> f64 {
        if self.sum == 0.0 { 1.0 } else { self.sum }
    }
}
// ANCHOR_END: running_softmax

// ANCHOR: online_softmax
/// [`self_attention::softmax`], each row read in blocks of `block` scores. Shape
/// unchanged, `[n, m]`.
///
/// # Errors
///
/// [`CostError::BlockSize`] if `block` is 0.
pub fn online_softmax(scores: &Array2<f64>, block: usize) -> Result<Array2<f64>> {
    check_block(block)?;
    let mut weights = scores.clone();
    for mut row in weights.rows_mut() {
        let mut running = RunningSoftmax::EMPTY;
        for start in (0..row.len()).step_by(block) {
            let end = start.saturating_add(block).min(row.len());
            let correction = running.absorb(row.slice_mut(s![start..end]));
            row.slice_mut(s![..start]).map_inplace(|weight| *weight *= correction);
        }
        row /= running.divisor();
    }
    Ok(weights)
}

fn check_block(block: usize) -> Result<()> {
    if block == 0 { Err(CostError::BlockSize) } else { Ok(()) }
}
// ANCHOR_END: online_softmax

// ANCHOR: blockwise_attention
/// [`scaled_dot_product`](whole_transformer::scaled_dot_product) without its weights,
/// `block` queries and `block` keys at a time: Q `[n, d_k]`, K `[m, d_k]`, V `[m, d_v]`
/// `-> [n, d_v]`. Besides inputs and output it holds one square of `block · block`
/// scores, and what the product of matrices needs to work.
///
/// The mask is a function, since a matrix of them would take `n · m` numbers: what to
/// add to the score of `(query, key)`. A row of nothing but −∞ gives 0.
///
/// # Errors
///
/// [`CostError::BlockSize`] if `block` is 0; those of
/// [`whole_transformer::scaled_dot_product`].
pub fn blockwise_attention(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
    mask: impl Fn(usize, usize) -> f64,
    block: usize,
) -> Result<Array2<f64>> {
    check_block(block)?;
    check_inputs(q, k, v)?;
    let mut output = Array2::zeros((q.nrows(), v.ncols())); // [n, d_v]
    let blocks = output.axis_chunks_iter_mut(Axis(0), block);
    for (i, mut rows) in blocks.enumerate() {
        let first_query = i * block;
        let queries = rows_from(q, first_query, block); // [b, d_k]
        let mut running = vec![RunningSoftmax::EMPTY; rows.nrows()];
        for first_key in (0..k.nrows()).step_by(block) {
            let keys = rows_from(k, first_key, block); // [c, d_k]
            let values = rows_from(v, first_key, block); // [c, d_v]
            // [b, d_k] · [d_k, c] -> [b, c]
            let mut scores = queries.dot(&keys.t()) / (q.ncols() as f64).sqrt();
            add_mask(&mut scores, [first_query, first_key], &mask)?;
            absorb_block(&mut running, scores, &values, rows.view_mut());
        }
        for (mut row, running) in rows.rows_mut().into_iter().zip(&running) {
            row /= running.divisor();
        }
    }
    Ok(output)
}
// ANCHOR_END: blockwise_attention

// ANCHOR: absorb_block
/// Takes one block of scores, `[b, c]`, with their values, `[c, d_v]`, into the running
/// output, `[b, d_v]`.
fn absorb_block(
    running: &mut [RunningSoftmax],
    mut scores: Array2<f64>,
    values: &ArrayView2<f64>,
    mut output: ArrayViewMut2<f64>,
) {
    let rows = scores.rows_mut().into_iter().zip(output.rows_mut());
    for (running, (scores, mut output)) in running.iter_mut().zip(rows) {
        output *= running.absorb(scores);
    }
    // output += [b, c] · [c, d_v]
    general_mat_mul(1.0, &scores, values, 1.0, &mut output);
}
// ANCHOR_END: absorb_block

/// Adds the mask to a block of scores, `[b, c]`, whose first one is that of the query
/// and the key `first`.
fn add_mask(
    scores: &mut Array2<f64>,
    first: [usize; 2],
    mask: impl Fn(usize, usize) -> f64,
) -> Result<()> {
    for ((i, j), score) in scores.indexed_iter_mut() {
        let (row, column) = (first[0] + i, first[1] + j);
        if !score.is_finite() {
            let (matrix, value) = ("scores", *score);
            return Err(AttentionError::NotFinite { matrix, row, column, value }.into());
        }
        let value = mask(row, column);
        if value.is_nan() || value == f64::INFINITY {
            return Err(TransformerError::MaskValue { row, column, value }.into());
        }
        *score += value;
    }
    Ok(())
}

/// At most `block` rows from `first` on: `[n, d] -> [b, d]`.
fn rows_from(x: &Array2<f64>, first: usize, block: usize) -> ArrayView2<'_, f64> {
    let end = first.saturating_add(block).min(x.nrows());
    x.slice_axis(Axis(0), Slice::from(first..end))
}
