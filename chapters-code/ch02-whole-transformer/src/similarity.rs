//! How alike two results, or the words of a sentence, are.

use ndarray::{Array2, ArrayRef, Axis, Dimension};
use self_attention::check_finite;

use crate::error::Result;

/// The largest distance between two numbers in the same place of `a` and `b`, of any
/// shape. Infinite if the shapes differ; NaN if a number is.
pub fn largest_difference<D: Dimension>(
    a: &ArrayRef<f64, D>,
    b: &ArrayRef<f64, D>,
) -> f64 {
    if a.shape() != b.shape() {
        return f64::INFINITY;
    }
    let distances = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    distances.fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
}

/// The mean cosine of the angle between two different words of `x`, `[n, d_model]`: 1
/// if all point the same way. A single word is like itself: 1.
///
/// # Errors
///
/// [`TransformerError`](crate::TransformerError) if `x` is empty or not finite.
pub fn mean_cosine(x: &Array2<f64>) -> Result<f64> {
    check_finite("X", x)?;
    let n = x.nrows() as f64;
    if x.nrows() == 1 {
        return Ok(1.0);
    }
    let lengths = x.pow2().sum_axis(Axis(1)).sqrt(); // [n, d_model] -> [n]
    let unit = x / &lengths.mapv(|l| l.max(f64::MIN_POSITIVE)).insert_axis(Axis(1));
    let cosines = unit.dot(&unit.t()); // [n, d_model] · [d_model, n] -> [n, n]
    Ok((cosines.sum() - cosines.diag().sum()) / (n * (n - 1.0)))
}
