//! Looking at the model's vectors.

use candle_core::{Error, Tensor};
use ndarray::Array4;

use crate::error::{EncoderError, Result};

// ANCHOR: cosine
/// The cosine of the angle between two vectors, `[d_model]` each: 1 if they point the
/// same way, 0 if they have nothing in common, −1 if they are opposite.
///
/// # Errors
///
/// [`EncoderError::Lengths`] if their lengths differ.
pub fn cosine(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(EncoderError::Lengths { a: a.len(), b: b.len() });
    }
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
    };
    Ok(dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt()))
}
// ANCHOR_END: cosine

/// The first numbers of a vector, `[d_model]`, with four decimals each.
///
/// # Errors
///
/// [`EncoderError`] if `vector` has another shape.
pub fn beginning(vector: &Tensor, count: usize) -> Result<String> {
    let numbers = vector.to_vec1::<f32>()?;
    let shown = numbers.iter().take(count).map(|x| format!("{x:8.4}"));
    Ok(shown.collect::<Vec<_>>().join(" "))
}

/// The largest absolute difference between two tensors of one shape.
///
/// # Errors
///
/// [`EncoderError`] if their shapes differ.
pub fn largest_difference(a: &Tensor, b: &Tensor) -> Result<f32> {
    Ok((a - b)?.abs()?.max_all()?.to_scalar()?)
}

/// A tensor of four axes, `[batch, heads, n, n]` or `[batch, heads, n, d_k]`, as an array,
/// which gives out rows without arithmetic.
///
/// # Errors
///
/// [`EncoderError`] if it has fewer axes or more, or isn't f32.
pub fn array4(tensor: &Tensor) -> Result<Array4<f32>> {
    let (shape, values) = (tensor.dims4()?, tensor.flatten_all()?.to_vec1()?);
    Ok(Array4::from_shape_vec(shape, values).map_err(Error::wrap)?)
}
