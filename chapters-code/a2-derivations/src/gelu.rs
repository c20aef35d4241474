//! GELU(x) = x Φ(x).

use std::f64::consts::{PI, SQRT_2};

use ndarray::Array2;

use crate::error::{Result, check_shape};

// ANCHOR: gelu
/// Φ: the share of a normal distribution that is below `x`.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * (1.0 + libm::erf(x / SQRT_2))
}

/// φ, the slope of Φ: the height of the bell at `x`.
pub fn normal_density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// x Φ(x), number by number. Shape unchanged.
pub fn gelu(x: &Array2<f64>) -> Array2<f64> {
    x.mapv(|x| x * normal_cdf(x))
}

/// dY ∘ (Φ(X) + X φ(X)). Shape unchanged.
///
/// # Errors
///
/// [`DerivationError::Shape`](crate::DerivationError::Shape) if the two shapes differ.
pub fn gelu_backward(dy: &Array2<f64>, x: &Array2<f64>) -> Result<Array2<f64>> {
    check_shape("dY", dy.shape(), x.shape())?;
    Ok(dy * &x.mapv(|x| normal_cdf(x) + x * normal_density(x)))
}
// ANCHOR_END: gelu
