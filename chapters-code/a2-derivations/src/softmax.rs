//! The softmax's backward pass; its forward pass is chapter 1's.

use ndarray::{Array2, Axis};

use crate::error::{Result, check_shape};

// ANCHOR: softmax_backward
/// dX = Y ∘ (dY − ⟨dY, Y⟩), row by row, from dY and from Y, the softmax's output. Shape
/// unchanged.
///
/// # Errors
///
/// [`DerivationError::Shape`](crate::DerivationError::Shape) if the two shapes differ.
pub fn softmax_backward(dy: &Array2<f64>, y: &Array2<f64>) -> Result<Array2<f64>> {
    check_shape("dY", dy.shape(), y.shape())?;
    let mean = (dy * y).sum_axis(Axis(1)).insert_axis(Axis(1)); // [n, m] -> [n, 1]
    Ok(y * &(dy - &mean))
}
// ANCHOR_END: softmax_backward
