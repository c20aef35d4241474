//! Dropout, with its mask in sight.

use ndarray::Array2;
use self_attention::numpy::NumpyRandom;

use crate::error::{DerivationError, Result, check_shape};

// ANCHOR: dropout
/// What each number is multiplied by: 0 with this probability, and otherwise 1 / (1 −
/// probability), so that the mean stays. Shape `[rows, columns]`.
///
/// # Errors
///
/// [`DerivationError::Probability`] if it isn't at least 0 and below 1.
pub fn dropout_mask(
    random: &mut NumpyRandom,
    (rows, columns): (usize, usize),
    probability: f64,
) -> Result<Array2<f64>> {
    if !(0.0..1.0).contains(&probability) {
        return Err(DerivationError::Probability(probability));
    }
    let keep = 1.0 / (1.0 - probability);
    let draw = random.rand(rows, columns);
    Ok(draw.mapv(|draw| if draw < probability { 0.0 } else { keep }))
}

/// Y = X ∘ M. Shape unchanged.
///
/// # Errors
///
/// [`DerivationError::Shape`] if the mask doesn't have X's shape.
pub fn dropout(x: &Array2<f64>, mask: &Array2<f64>) -> Result<Array2<f64>> {
    check_shape("M", mask.shape(), x.shape())?;
    Ok(x * mask)
}

/// dX = dY ∘ M, with the mask of the forward pass. Shape unchanged.
pub fn dropout_backward(dy: &Array2<f64>, mask: &Array2<f64>) -> Result<Array2<f64>> {
    dropout(dy, mask)
}
// ANCHOR_END: dropout
