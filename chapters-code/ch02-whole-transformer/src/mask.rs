//! Masks: who may look at whom.
//!
//! A mask is added to the scores before the softmax, as PyTorch's `attn_mask` of
//! floats: 0 leaves a score as it is, −∞ hides a key from a query. One row per query,
//! one column per key, `[n, m]`.
//!
//! A row of nothing but −∞ is a query that may look nowhere. Its weights are all 0, and
//! so is what it attends to, in every function of this chapter; PyTorch's
//! `MultiheadAttention`, when it returns its weights, gives NaN there.

use ndarray::{Array2, Axis};

use crate::error::{Result, TransformerError};

// ANCHOR: causal
/// Hides what comes later: query `i` sees keys `0 ..= i`. Shape `[n, n]`.
///
/// PyTorch's `nn.Transformer.generate_square_subsequent_mask(n)`.
pub fn causal(n: usize) -> Array2<f64> {
    let mask = |(query, key)| if key <= query { 0.0 } else { f64::NEG_INFINITY };
    Array2::from_shape_fn((n, n), mask)
}
// ANCHOR_END: causal

// ANCHOR: key_padding
/// Hides padding from every query: `padding` says of each of `m` keys whether it is
/// padding. Shape `[n, m]`.
///
/// PyTorch's `key_padding_mask`, where `True` hides a key too.
pub fn key_padding(n: usize, padding: &[bool]) -> Array2<f64> {
    Array2::from_shape_fn((n, padding.len()), |(_, key)| {
        if padding[key] { f64::NEG_INFINITY } else { 0.0 }
    })
}
// ANCHOR_END: key_padding

/// Hides what either mask hides: their sum. `[n, m] + [n, m] -> [n, m]`.
///
/// # Errors
///
/// [`TransformerError::MaskShape`] if the shapes differ.
pub fn combine(a: &Array2<f64>, b: &Array2<f64>) -> Result<Array2<f64>> {
    check(b, a.dim())?;
    Ok(a + b)
}

/// Which queries may look nowhere: rows of nothing but −∞. `[n, m] -> [n]`.
pub fn fully_masked(mask: &Array2<f64>) -> Vec<bool> {
    let hidden = |&value: &f64| value == f64::NEG_INFINITY;
    mask.axis_iter(Axis(0)).map(|row| row.iter().all(hidden)).collect()
}

/// Checks that a mask has one row per query and one column per key, and no NaN or +∞.
///
/// # Errors
///
/// [`TransformerError::MaskShape`] and [`TransformerError::MaskValue`].
pub fn check(mask: &Array2<f64>, (n, m): (usize, usize)) -> Result<()> {
    if mask.dim() != (n, m) {
        let found = [mask.nrows(), mask.ncols()];
        return Err(TransformerError::MaskShape { found, expected: [n, m] });
    }
    let wrong = |value: f64| value.is_nan() || value == f64::INFINITY;
    match mask.indexed_iter().find(|&(_, &value)| wrong(value)) {
        None => Ok(()),
        Some(((row, column), &value)) => {
            Err(TransformerError::MaskValue { row, column, value })
        }
    }
}
