//! LayerNorm, and the three ways that come back through it.

use ndarray::{Array1, Array2, Axis};

use crate::error::{Result, check_shape};

// ANCHOR: layer_norm
/// The mean of each row, `[n, d] -> [n, 1]`.
pub fn row_means(x: &Array2<f64>) -> Array2<f64> {
    (x.sum_axis(Axis(1)) / x.ncols() as f64).insert_axis(Axis(1))
}

/// x̂ = (x − μ) r, `[n, d]`, and r = 1/√(σ² + ε), `[n, 1]`, row by row.
pub fn normalize(x: &Array2<f64>, epsilon: f64) -> (Array2<f64>, Array2<f64>) {
    let centered = x - &row_means(x); // [n, d] − [n, 1]
    let variance = row_means(&centered.pow2()); // [n, 1]
    let r = (variance + epsilon).sqrt().recip();
    (centered * &r, r)
}

/// Y = x̂ ∘ γ + β, `[n, d]`, of X `[n, d]`, γ and β `[d]`.
///
/// # Errors
///
/// [`DerivationError::Shape`](crate::DerivationError::Shape) if they don't fit.
pub fn layer_norm(
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
    epsilon: f64,
) -> Result<Array2<f64>> {
    check_shape("γ", gamma.shape(), &[x.ncols()])?;
    check_shape("β", beta.shape(), &[x.ncols()])?;
    let (normal, _) = normalize(x, epsilon);
    Ok(normal * gamma + beta)
}
// ANCHOR_END: layer_norm

// ANCHOR: layer_norm_paths
/// What comes back to X directly, through the mean and through the variance, each
/// `[n, d]`; dX is their sum.
///
/// # Errors
///
/// [`DerivationError::Shape`](crate::DerivationError::Shape) if dY doesn't have X's shape
/// or γ not its width.
pub fn layer_norm_paths(
    dy: &Array2<f64>,
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    epsilon: f64,
) -> Result<[Array2<f64>; 3]> {
    check_shape("dY", dy.shape(), x.shape())?;
    check_shape("γ", gamma.shape(), &[x.ncols()])?;
    let (normal, r) = normalize(x, epsilon); // [n, d], [n, 1]
    let g = dy * gamma; // ∂L/∂x̂
    // The same for a whole row: [n, 1] -> [n, d]
    let through_mean = Array2::<f64>::zeros(x.dim()) - &(row_means(&g) * &r);
    let through_variance = &normal * &(-row_means(&(&g * &normal)) * &r);
    Ok([g * &r, through_mean, through_variance])
}
// ANCHOR_END: layer_norm_paths

// ANCHOR: layer_norm_backward
/// dX, `[n, d]`, dγ and dβ, `[d]`.
pub fn layer_norm_backward(
    dy: &Array2<f64>,
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    epsilon: f64,
) -> Result<(Array2<f64>, Array1<f64>, Array1<f64>)> {
    let [direct, mean, variance] = layer_norm_paths(dy, x, gamma, epsilon)?;
    let (normal, _) = normalize(x, epsilon);
    let dgamma = (dy * &normal).sum_axis(Axis(0)); // [n, d] -> [d]
    let dbeta = dy.sum_axis(Axis(0)); // [n, d] -> [d]
    Ok((direct + mean + variance, dgamma, dbeta))
}
// ANCHOR_END: layer_norm_backward
