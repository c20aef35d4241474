//! One layer of an encoder: every token looks at every token.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use crate::attention::MultiHeadAttention;
use crate::dropout::{Dropout, DropoutRng};
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::layer_options::{LayerNames, LayerOptions};
use crate::norm::LayerNorm;

// ANCHOR: encoder_layer
/// Self-attention and a feed-forward network, each with a residual and a norm after it,
/// `norm(x + f(x))`: chapter 2's post-norm layer.
#[derive(Debug, Clone)]
pub struct EncoderLayer {
    /// Every token looks at every token.
    pub attention: MultiHeadAttention,
    /// After the first residual.
    pub attention_norm: LayerNorm,
    /// Each token on its own.
    pub feed_forward: FeedForward,
    /// After the second residual.
    pub feed_forward_norm: LayerNorm,
    /// Sets some of what attention adds to 0, while training.
    pub attention_dropout: Dropout,
    /// Sets some of what the feed-forward network adds to 0, while training.
    pub feed_forward_dropout: Dropout,
}

/// What [`EncoderLayer::forward`] computes.
#[derive(Debug, Clone)]
pub struct EncoderLayerOutput {
    /// The tokens' new vectors, `[batch, n, d_model]`.
    pub output: Tensor,
    /// How much each token looked at each token, `[batch, heads, n, n]`.
    pub weights: Tensor,
}

impl EncoderLayer {
    /// One layer: `x` is `[batch, n, d_model]`; the additive mask broadcasts to
    /// `[batch, heads, n, n]`.
    ///
    /// # Errors
    ///
    /// [`TrainingError`](crate::TrainingError) if a shape doesn't fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        rng: Option<&DropoutRng>,
    ) -> Result<EncoderLayerOutput> {
        let attention = self.attention.forward(x, mask, rng)?;
        let attended = self.attention_dropout.forward(&attention.output, rng)?;
        let x = self.attention_norm.forward(&(x + attended)?)?;
        let ffn_output = self.feed_forward.forward(&x)?;
        let ffn_output = self.feed_forward_dropout.forward(&ffn_output, rng)?;
        let output = self.feed_forward_norm.forward(&(x + ffn_output)?)?;
        Ok(EncoderLayerOutput { output, weights: attention.weights })
    }
}
// ANCHOR_END: encoder_layer

impl EncoderLayer {
    /// The layer at `vb`, whose parts have these names.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`, or a tensor is missing or has another shape.
    pub fn load(
        vb: &VarBuilder,
        names: &LayerNames,
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let norm =
            |name| LayerNorm::load(&vb.pp(name), options.d_model, options.epsilon);
        Ok(Self {
            attention: MultiHeadAttention::load(vb, names.attention(), options)?,
            attention_norm: norm(names.attention_norm)?,
            feed_forward: FeedForward::load(vb, names.feed_forward(), options)?,
            feed_forward_norm: norm(names.feed_forward_norm)?,
            attention_dropout: Dropout::new(options.attention_output_dropout)?,
            feed_forward_dropout: Dropout::new(options.feed_forward_dropout)?,
        })
    }
}
