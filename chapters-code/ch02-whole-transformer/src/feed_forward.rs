//! The position-wise feed-forward network.

use std::f64::consts::{PI, SQRT_2};

use ndarray::Array2;
use self_attention::numpy::NumpyRandom;

use crate::error::Result;
use crate::linear::Linear;

// ANCHOR: activations
/// `max(0, x)`: PyTorch's `nn.ReLU`.
pub fn relu(x: f64) -> f64 {
    x.max(0.0)
}

/// `x · Φ(x)`, Φ being the normal distribution's cumulative function: PyTorch's
/// `nn.GELU`, the exact one, with `erf` and not the approximation with `tanh`.
pub fn gelu(x: f64) -> f64 {
    x * 0.5 * (1.0 + libm::erf(x / SQRT_2))
}
// ANCHOR_END: activations

/// [`gelu`] without `erf` (Hendrycks and Gimpel 2016): PyTorch's
/// `nn.GELU(approximate="tanh")`, GPT-2's.
pub fn gelu_tanh(x: f64) -> f64 {
    let inner = (2.0 / PI).sqrt() * (x + 0.044_715 * x.powi(3));
    x * 0.5 * (1.0 + inner.tanh())
}

// ANCHOR: feed_forward
/// The nonlinearity between the two linear layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// [`relu`], as in 2017.
    Relu,
    /// [`gelu`], the exact one: as in Hugging Face's BERT.
    Gelu,
    /// [`gelu_tanh`], its approximation, as in GPT and GPT-2.
    GeluTanh,
}

impl Activation {
    /// The function at one number.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Relu => relu(x),
            Self::Gelu => gelu(x),
            Self::GeluTanh => gelu_tanh(x),
        }
    }
}

/// Two linear layers with a nonlinearity between (Vaswani et al. 2017, section 3.3):
/// each word on its own, all with the same weights.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedForward {
    /// `d_model -> d_ff`: PyTorch's `linear1`.
    pub linear1: Linear,
    /// `d_ff -> d_model`: PyTorch's `linear2`.
    pub linear2: Linear,
    /// Between the two.
    pub activation: Activation,
}

impl FeedForward {
    /// `[n, d_model] -> [n, d_ff] -> [n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`TransformerError`](crate::TransformerError) if `x` is empty or not finite, or
    /// if a shape doesn't fit.
    pub fn forward(&self, x: &Array2<f64>) -> Result<Array2<f64>> {
        let hidden = self.linear1.forward(("X", x), "W_linear1ᵀ")?; // [n, d_ff]
        let activated = hidden.mapv(|value| self.activation.apply(value));
        self.linear2.forward(("hidden", &activated), "W_linear2ᵀ") // [n, d_model]
    }
}
// ANCHOR_END: feed_forward

impl FeedForward {
    /// Weights drawn by [`Linear::random`]: linear1 `[d_ff, d_model]`, linear2
    /// `[d_model, d_ff]`.
    pub fn random(
        random: &mut NumpyRandom,
        d_model: usize,
        d_ff: usize,
        activation: Activation,
    ) -> Self {
        let linear1 = Linear::random(random, d_model, d_ff);
        let linear2 = Linear::random(random, d_ff, d_model);
        Self { linear1, linear2, activation }
    }
}
