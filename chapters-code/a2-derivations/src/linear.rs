//! Y = X Wᵀ + b.

use ndarray::{Array1, Array2, Axis};
use self_attention::matmul;

use crate::error::{Result, check_shape};

// ANCHOR: linear
/// Y = X Wᵀ + b, `[n, outputs]`, of X `[n, inputs]`, W `[outputs, inputs]` and b
/// `[outputs]`.
///
/// # Errors
///
/// [`DerivationError`](crate::DerivationError) if the shapes don't fit.
pub fn linear(
    x: &Array2<f64>,
    w: &Array2<f64>,
    b: &Array1<f64>,
) -> Result<Array2<f64>> {
    check_shape("b", b.shape(), &[w.nrows()])?;
    // [n, inputs] · [inputs, outputs] -> [n, outputs]
    Ok(matmul(("X", x), ("Wᵀ", &w.t().to_owned()))? + b)
}

/// dX, dW and db, of the shapes of X, W and b, from dY, `[n, outputs]`.
///
/// # Errors
///
/// [`DerivationError`](crate::DerivationError) if the shapes don't fit.
pub fn linear_backward(
    dy: &Array2<f64>,
    x: &Array2<f64>,
    w: &Array2<f64>,
) -> Result<(Array2<f64>, Array2<f64>, Array1<f64>)> {
    // [n, outputs] · [outputs, inputs] -> [n, inputs]
    let dx = matmul(("dY", dy), ("W", w))?;
    // [outputs, n] · [n, inputs] -> [outputs, inputs]
    let dw = matmul(("dYᵀ", &dy.t().to_owned()), ("X", x))?;
    let db = dy.sum_axis(Axis(0)); // [n, outputs] -> [outputs]
    Ok((dx, dw, db))
}
// ANCHOR_END: linear
