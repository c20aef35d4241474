//! One layer of a decoder: every token looks at those before it, and at a memory.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use crate::attention::MultiHeadAttention;
use crate::dropout::{Dropout, DropoutRng};
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::layer_options::{LayerNames, LayerOptions};
use crate::norm::LayerNorm;

/// Self-attention, cross-attention and a feed-forward network, each with a residual and
/// a norm after it: chapter 2's post-norm layer.
#[derive(Debug, Clone)]
pub struct DecoderLayer {
    /// Every token looks at the tokens before it.
    pub attention: MultiHeadAttention,
    /// After the first residual.
    pub attention_norm: LayerNorm,
    /// Every token looks at the memory, what the encoder read.
    pub cross_attention: MultiHeadAttention,
    /// After the second residual.
    pub cross_attention_norm: LayerNorm,
    /// Each token on its own.
    pub feed_forward: FeedForward,
    /// After the third residual.
    pub feed_forward_norm: LayerNorm,
    /// Sets some of what each of the three adds to 0, while training.
    pub dropouts: [Dropout; 3],
}

/// What [`DecoderLayer::forward`] computes.
#[derive(Debug, Clone)]
pub struct DecoderLayerOutput {
    /// The tokens' new vectors, `[batch, n, d_model]`.
    pub output: Tensor,
    /// How much each token looked at each token, `[batch, heads, n, n]`.
    pub weights: Tensor,
    /// How much each token looked at each token of the memory, `[batch, heads, n, m]`.
    pub cross_weights: Tensor,
}

// ANCHOR: decoder_forward
impl DecoderLayer {
    /// One layer: `x` is `[batch, n, d_model]`, the memory `[batch, m, d_model]`, the
    /// causal mask `[n, n]`.
    ///
    /// # Errors
    ///
    /// [`TrainingError`](crate::TrainingError) if a shape doesn't fit.
    pub fn forward(
        &self,
        x: &Tensor,
        memory: &Tensor,
        causal: &Tensor,
        rng: Option<&DropoutRng>,
    ) -> Result<DecoderLayerOutput> {
        let [first, second, third] = self.dropouts;
        let attention = self.attention.attend(x, x, Some(causal), rng)?;
        let attended = first.forward(&attention.output, rng)?;
        let x = self.attention_norm.forward(&(x + attended)?)?;
        let cross = self.cross_attention.attend(&x, memory, None, rng)?;
        let crossed = second.forward(&cross.output, rng)?;
        let x = self.cross_attention_norm.forward(&(x + crossed)?)?;
        let ffn_output = third.forward(&self.feed_forward.forward(&x)?, rng)?;
        let output = self.feed_forward_norm.forward(&(x + ffn_output)?)?;
        let (weights, cross_weights) = (attention.weights, cross.weights);
        Ok(DecoderLayerOutput { output, weights, cross_weights })
    }
}
// ANCHOR_END: decoder_forward

impl DecoderLayer {
    /// The layer at `vb`: an encoder layer's parts under these names; the
    /// cross-attention under `cross_attention` and its norm under
    /// `cross_attention_norm`.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`, or a tensor is missing or has another shape.
    pub fn load(
        vb: &VarBuilder,
        names: &LayerNames,
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let LayerOptions { d_model, epsilon, .. } = *options;
        let norm = |name| LayerNorm::load(&vb.pp(name), d_model, epsilon);
        let cross = vb.pp("cross_attention");
        let parts = ["query", "key", "value", "output"];
        let after_attention = Dropout::new(options.attention_output_dropout)?;
        let after_feed_forward = Dropout::new(options.feed_forward_dropout)?;
        Ok(Self {
            attention: MultiHeadAttention::load(vb, names.attention(), options)?,
            attention_norm: norm(names.attention_norm)?,
            cross_attention: MultiHeadAttention::load(&cross, parts, options)?,
            cross_attention_norm: norm("cross_attention_norm")?,
            feed_forward: FeedForward::load(vb, names.feed_forward(), options)?,
            feed_forward_norm: norm(names.feed_forward_norm)?,
            dropouts: [after_attention, after_attention, after_feed_forward],
        })
    }
}
