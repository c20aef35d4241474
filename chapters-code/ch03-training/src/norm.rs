//! Layer normalization, written so that gradients flow through it.

use candle_core::{D, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::error::Result;

// ANCHOR: layer_norm
/// Layer normalization (Ba et al. 2016), PyTorch's `nn.LayerNorm`: each token's vector
/// to mean 0 and variance 1, then scaled and shifted column by column.
///
/// `candle_nn::LayerNorm` is faster, but on contiguous tensors it has no backward: a
/// model trained with it stops learning below its last norm, with no message.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// Multiplies each column, `[d_model]`.
    pub weight: Tensor,
    /// Added to each column, `[d_model]`.
    pub bias: Tensor,
    /// Added to the variance, so that a constant row isn't divided by 0.
    pub epsilon: f64,
}

impl LayerNorm {
    /// `(x − mean) / √(variance + ε) · weight + bias`, token by token. Shape unchanged,
    /// `[…, d_model]`.
    ///
    /// # Errors
    ///
    /// [`TrainingError`](crate::TrainingError) if `x` has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mean = x.mean_keepdim(D::Minus1)?; // [batch, n, 1]
        let centered = x.broadcast_sub(&mean)?; // [batch, n, d_model]
        let variance = centered.sqr()?.mean_keepdim(D::Minus1)?; // [batch, n, 1]
        let deviation = (variance + self.epsilon)?.sqrt()?;
        let normal = centered.broadcast_div(&deviation)?; // [batch, n, d_model]
        // · [d_model] + [d_model]
        Ok(normal.broadcast_mul(&self.weight)?.broadcast_add(&self.bias)?)
    }
}
// ANCHOR_END: layer_norm

impl LayerNorm {
    /// The norm whose `weight` and `bias` are at `vb`; new ones are 1 and 0.
    ///
    /// # Errors
    ///
    /// If they are missing or of another shape.
    pub fn load(
        vb: &VarBuilder,
        d_model: usize,
        epsilon: f64,
    ) -> candle_core::Result<Self> {
        let weight = vb.get_with_hints(d_model, "weight", Init::Const(1.0))?;
        let bias = vb.get_with_hints(d_model, "bias", Init::Const(0.0))?;
        Ok(Self { weight, bias, epsilon })
    }
}
