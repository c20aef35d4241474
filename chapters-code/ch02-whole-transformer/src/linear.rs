//! A linear layer, as PyTorch keeps it.

use ndarray::{Array1, Array2};
use self_attention::{check_finite, matmul, numpy::NumpyRandom};

use crate::error::{Result, TransformerError};

// ANCHOR: linear
/// `y = x Wᵀ + b`, PyTorch's `nn.Linear`.
///
/// PyTorch keeps the matrix as `[outputs, inputs]`, the transpose of chapter 1's, and
/// so does this struct: a PyTorch weight goes in as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// One row per output, `[outputs, inputs]`.
    pub weight: Array2<f64>,
    /// Added to every row, `[outputs]`.
    pub bias: Array1<f64>,
}

impl Linear {
    /// `[n, inputs] -> [n, outputs]`. The names of `x` and of `Wᵀ` are for errors.
    ///
    /// # Errors
    ///
    /// [`TransformerError`] if `x` is empty or not finite, or if a shape doesn't fit.
    pub fn forward(
        &self,
        (name, x): (&'static str, &Array2<f64>),
        transposed: &'static str,
    ) -> Result<Array2<f64>> {
        check_finite(name, x)?;
        // [n, inputs] · [inputs, outputs] -> [n, outputs]
        let product = matmul((name, x), (transposed, &self.weight.t().to_owned()))?;
        check_width(("bias", &self.bias), (transposed, &product))?;
        Ok(product + &self.bias) // [n, outputs] + [outputs]
    }
}
// ANCHOR_END: linear

impl Linear {
    /// Random weights in `±√(6 / (inputs + outputs))` (Glorot and Bengio 2010,
    /// PyTorch's `init.xavier_uniform_`), and no bias. Weight `[outputs, inputs]`.
    pub fn random(random: &mut NumpyRandom, inputs: usize, outputs: usize) -> Self {
        let limit = (6.0 / (inputs + outputs) as f64).sqrt();
        let weight = (random.rand(outputs, inputs) * 2.0 - 1.0) * limit;
        Self { weight, bias: Array1::zeros(outputs) }
    }
}

/// Checks that a vector has one number for each column of a matrix, `[n, columns]`.
///
/// # Errors
///
/// [`TransformerError::Width`] otherwise, naming both.
pub fn check_width(
    (vector, values): (&'static str, &Array1<f64>),
    (matrix, x): (&'static str, &Array2<f64>),
) -> Result<()> {
    let (found, expected) = (values.len(), x.ncols());
    if found == expected {
        return Ok(());
    }
    Err(TransformerError::Width { vector, found, matrix, expected })
}
