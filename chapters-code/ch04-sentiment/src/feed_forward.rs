//! The position-wise feed-forward network.

use candle_core::Tensor;
use candle_nn::{Linear, Module, VarBuilder};
use models::Activation;

use crate::error::Result;
use crate::layer_options::{LayerNames, LayerOptions};
use crate::linear::linear;

/// What bends the line between the two linear layers, at each number: `max(0, x)`;
/// `x · Φ(x)`, with `erf`; or its approximation with `tanh`. Shape unchanged.
///
/// # Errors
///
/// None that a well-formed tensor can cause.
pub fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => x.relu()?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::GeluTanh => x.gelu()?,
    })
}

/// Two linear layers with a bend between (Vaswani et al. 2017, section 3.3): each token
/// on its own, all with the same weights.
#[derive(Debug, Clone)]
pub struct FeedForward {
    /// `d_model -> d_ff`.
    pub inner: Linear,
    /// `d_ff -> d_model`.
    pub outer: Linear,
    /// Between the two.
    pub activation: Activation,
}

impl FeedForward {
    /// `[batch, n, d_model] -> [batch, n, d_ff] -> [batch, n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if `x` has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.inner.forward(x)?; // [batch, n, d_ff]
        let bent = activate(self.activation, &hidden)?;
        Ok(self.outer.forward(&bent)?) // [batch, n, d_model]
    }
}

impl FeedForward {
    /// The feed-forward network of the layer at `vb`.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or has another shape.
    pub fn load(
        vb: &VarBuilder,
        names: &LayerNames,
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let LayerOptions { d_model, d_ff, activation, .. } = *options;
        let inner = linear(&vb.pp(names.inner), d_model, d_ff)?;
        let outer = linear(&vb.pp(names.outer), d_ff, d_model)?;
        Ok(Self { inner, outer, activation })
    }
}
