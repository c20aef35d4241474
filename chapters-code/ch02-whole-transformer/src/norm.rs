//! Layer normalization, and where it goes.

use ndarray::{Array1, Array2, Axis};
use self_attention::check_finite;

use crate::error::{Result, TransformerError};
use crate::linear::check_width;

// ANCHOR: layer_norm
/// Layer normalization (Ba et al. 2016), PyTorch's `nn.LayerNorm`: each row to mean 0
/// and variance 1, then scaled and shifted column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// Multiplies each column, `[d_model]`.
    pub weight: Array1<f64>,
    /// Added to each column, `[d_model]`.
    pub bias: Array1<f64>,
    /// Added to the variance, so that a constant row isn't divided by 0.
    pub epsilon: f64,
}

impl LayerNorm {
    /// As PyTorch starts it: scale 1, shift 0, ε = 1e-5.
    pub fn new(d_model: usize) -> Self {
        let (weight, bias) = (Array1::ones(d_model), Array1::zeros(d_model));
        Self { weight, bias, epsilon: 1e-5 }
    }

    /// `(x − mean) / √(variance + ε) · weight + bias`, row by row. Shape unchanged,
    /// `[n, d_model]`. The variance is the biased one: divided by `d_model`, not by
    /// `d_model − 1`.
    ///
    /// # Errors
    ///
    /// [`TransformerError`] if `x` is empty or not finite, or
    /// has another width.
    pub fn forward(&self, x: &Array2<f64>) -> Result<Array2<f64>> {
        check_finite("X", x)?;
        check_width(("the norm's weight", &self.weight), ("X", x))?;
        check_width(("the norm's bias", &self.bias), ("X", x))?;
        let d_model = x.ncols() as f64;
        let mean = x.sum_axis(Axis(1)) / d_model; // [n, d_model] -> [n]
        let centered = x - &mean.insert_axis(Axis(1)); // [n, d_model] − [n, 1]
        let variance = centered.pow2().sum_axis(Axis(1)) / d_model; // [n]
        let deviation = (variance + self.epsilon).sqrt();
        let normal = centered / deviation.insert_axis(Axis(1)); // [n, d_model] / [n, 1]
        Ok(normal * &self.weight + &self.bias) // · [d_model] + [d_model]
    }
}
// ANCHOR_END: layer_norm

// ANCHOR: norm_order
/// Where a layer normalizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormOrder {
    /// After the sum, `norm(x + f(x))`: the Transformer of 2017.
    Post,
    /// Before the function, `x + f(norm(x))`: what trains well when deep (Xiong et al.
    /// 2020). PyTorch's `norm_first=True`.
    Pre,
}
// ANCHOR_END: norm_order

// ANCHOR: residual
/// A residual connection around `f`, with its norm. `[n, d_model] -> [n, d_model]`.
///
/// # Errors
///
/// Those of the norm and of `f`; [`TransformerError::Residual`] if `f` changes the
/// shape.
pub fn residual(
    order: NormOrder,
    norm: &LayerNorm,
    x: &Array2<f64>,
    f: impl FnOnce(&Array2<f64>) -> Result<Array2<f64>>,
) -> Result<Array2<f64>> {
    match order {
        NormOrder::Post => norm.forward(&sum(x, &f(x)?)?),
        NormOrder::Pre => sum(x, &f(&norm.forward(x)?)?),
    }
}

/// `x + y`, of equal shapes, `[n, d_model]`: ndarray would stretch a single row.
fn sum(x: &Array2<f64>, y: &Array2<f64>) -> Result<Array2<f64>> {
    if x.dim() == y.dim() {
        return Ok(x + y);
    }
    let (found, expected) = ([y.nrows(), y.ncols()], [x.nrows(), x.ncols()]);
    Err(TransformerError::Residual { found, expected })
}
// ANCHOR_END: residual
