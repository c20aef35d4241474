//! The position-wise feed-forward network.

use candle_core::Tensor;
use candle_nn::{Linear, Module, VarBuilder};
use whole_transformer::Activation;

use crate::error::Result;
use crate::layer_options::LayerOptions;
use crate::linear::linear;

// ANCHOR: feed_forward
/// The nonlinearity between the two linear layers, at each number. Shape unchanged.
pub fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => x.relu()?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::GeluTanh => x.gelu()?,
    })
}

/// Two linear layers with a nonlinearity between (Vaswani et al. 2017, section 3.3):
/// each token on its own, all with the same weights.
#[derive(Debug, Clone)]
pub struct FeedForward {
    /// `d_model -> d_ff`.
    pub linear1: Linear,
    /// `d_ff -> d_model`.
    pub linear2: Linear,
    /// Between the two.
    pub activation: Activation,
}

impl FeedForward {
    /// `[batch, n, d_model] -> [batch, n, d_ff] -> [batch, n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`TrainingError`](crate::TrainingError) if `x` has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.linear1.forward(x)?; // [batch, n, d_ff]
        let activated = activate(self.activation, &hidden)?;
        Ok(self.linear2.forward(&activated)?) // [batch, n, d_model]
    }
}
// ANCHOR_END: feed_forward

impl FeedForward {
    /// The feed-forward network at `vb`, whose two layers have these names.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or has another shape.
    pub fn load(
        vb: &VarBuilder,
        names: [&str; 2],
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let LayerOptions { d_model, d_ff, activation, init, .. } = *options;
        let linear1 = linear(&vb.pp(names[0]), d_model, d_ff, init)?;
        let linear2 = linear(&vb.pp(names[1]), d_ff, d_model, init)?;
        Ok(Self { linear1, linear2, activation })
    }
}
