//! Gradients by finite differences: slow, and true without any derivation.

use ndarray::{Array, Array2, Dimension, IntoDimension};
use whole_transformer::largest_difference;

use crate::error::{Result, check_shape};

// ANCHOR: finite_differences
/// The slope of `f` along each number of `x`, `(f(x + h) − f(x − h)) / 2h`, moving one
/// number at a time. Shape unchanged.
pub fn finite_differences<D: Dimension>(
    f: impl Fn(&Array<f64, D>) -> Result<f64>,
    x: &Array<f64, D>,
    h: f64,
) -> Result<Array<f64, D>> {
    let mut gradient = Array::zeros(x.raw_dim());
    for (place, slope) in gradient.indexed_iter_mut() {
        let place = place.into_dimension();
        let loss_at = |step: f64| {
            let mut moved = x.clone();
            moved[place.clone()] += step;
            f(&moved)
        };
        *slope = (loss_at(h)? - loss_at(-h)?) / (2.0 * h);
    }
    Ok(gradient)
}
// ANCHOR_END: finite_differences

// ANCHOR: gradient_error
/// The largest distance between two numbers in the same place, as a share of the
/// largest number expected: 1e-9 says that nine digits agree. Infinite if the shapes
/// differ; NaN if a number is.
pub fn relative_difference<D: Dimension>(
    found: &Array<f64, D>,
    expected: &Array<f64, D>,
) -> f64 {
    let largest = expected.fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    largest_difference(found, expected) / largest
}

/// How far `dx`, found by a backward function, is from finite differences. The loss is
/// Σ Y ∘ dY with Y = `f(x)`, because its gradient in Y is dY, whatever `dy` holds.
///
/// # Errors
///
/// Those of `f`; [`DerivationError::Shape`](crate::DerivationError::Shape) if `dy` doesn't
/// have the shape of what `f` gives.
pub fn gradient_error<D: Dimension>(
    f: impl Fn(&Array<f64, D>) -> Result<Array2<f64>>,
    x: &Array<f64, D>,
    dy: &Array2<f64>,
    dx: &Array<f64, D>,
) -> Result<f64> {
    let loss = |x: &Array<f64, D>| {
        let y = f(x)?;
        check_shape("dY", dy.shape(), y.shape())?;
        Ok((y * dy).sum())
    };
    let slopes = finite_differences(loss, x, 1e-5)?;
    Ok(relative_difference(dx, &slopes))
}
// ANCHOR_END: gradient_error

// ANCHOR: verdict
/// An error and whether it is only rounding: below 1e-7.
pub fn verdict(error: f64) -> String {
    let word = if error < 1e-7 { "right" } else { "WRONG" };
    format!("{error:<7.1e}  {word}")
}
// ANCHOR_END: verdict
