//! The encoder: every word looks at every word.

use ndarray::{Array2, Array3};
use self_attention::check_finite;
use self_attention::numpy::NumpyRandom;

use crate::attention::MultiHeadAttention;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::norm::{LayerNorm, NormOrder, residual};
use crate::options::LayerOptions;
use crate::record::{AttentionKind, AttentionRecord};

// ANCHOR: encoder_layer
/// Self-attention and a feed-forward network, each with a residual and a norm:
/// PyTorch's `nn.TransformerEncoderLayer`, without dropout.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderLayer {
    /// PyTorch's `self_attn`.
    pub attention: MultiHeadAttention,
    /// PyTorch's `norm1`.
    pub attention_norm: LayerNorm,
    /// PyTorch's `linear1` and `linear2`.
    pub feed_forward: FeedForward,
    /// PyTorch's `norm2`.
    pub feed_forward_norm: LayerNorm,
    /// Where the norms go.
    pub order: NormOrder,
}

/// What [`EncoderLayer::forward`] computes.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderLayerOutput {
    /// The words' new vectors, `[n, d_model]`.
    pub output: Array2<f64>,
    /// How much each word looked at each word, `[heads, n, n]`.
    pub weights: Array3<f64>,
}

impl EncoderLayer {
    /// One layer: `x` is `[n, d_model]`, the mask `[n, n]`.
    pub fn forward(
        &self,
        x: &Array2<f64>,
        mask: Option<&Array2<f64>>,
    ) -> Result<EncoderLayerOutput> {
        let mut weights = Array3::zeros((0, 0, 0));
        let attended = residual(self.order, &self.attention_norm, x, |x| {
            let attention = self.attention.forward(x, x, x, mask)?;
            weights = attention.weights; // [heads, n, n]
            Ok(attention.output) // [n, d_model]
        })?;
        let output = residual(self.order, &self.feed_forward_norm, &attended, |x| {
            self.feed_forward.forward(x) // [n, d_model]
        })?;
        Ok(EncoderLayerOutput { output, weights })
    }
}
// ANCHOR_END: encoder_layer

impl EncoderLayer {
    /// A layer with random weights, as [`crate::Linear::random`] draws them.
    ///
    /// # Errors
    ///
    /// [`TransformerError::Heads`](crate::TransformerError::Heads) if the heads don't
    /// divide `d_model`.
    pub fn random(random: &mut NumpyRandom, options: LayerOptions) -> Result<Self> {
        let LayerOptions { d_model, heads, d_ff, activation, order } = options;
        Ok(Self {
            attention: MultiHeadAttention::random(random, d_model, heads)?,
            attention_norm: LayerNorm::new(d_model),
            feed_forward: FeedForward::random(random, d_model, d_ff, activation),
            feed_forward_norm: LayerNorm::new(d_model),
            order,
        })
    }
}

// ANCHOR: encoder
/// A stack of layers: PyTorch's `nn.TransformerEncoder`.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoder {
    /// From the first to the last.
    pub layers: Vec<EncoderLayer>,
    /// After the last layer. Pre-norm needs it; in post-norm, the layer ends in one.
    pub norm: Option<LayerNorm>,
}

/// What a stack computes, with every attention on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct StackOutput {
    /// The words' last vectors, `[n, d_model]`.
    pub output: Array2<f64>,
    /// The attentions of each layer, in order.
    pub attentions: Vec<AttentionRecord>,
}

impl Encoder {
    /// All layers in order: `x` is `[n, d_model]`, the mask `[n, n]`.
    pub fn forward(
        &self,
        x: &Array2<f64>,
        mask: Option<&Array2<f64>>,
    ) -> Result<StackOutput> {
        check_finite("X", x)?;
        let mut output = x.clone(); // [n, d_model]
        let mut attentions = Vec::new();
        for (layer, block) in self.layers.iter().enumerate() {
            let step = block.forward(&output, mask)?;
            let (kind, weights) = (AttentionKind::EncoderSelf, step.weights);
            attentions.push(AttentionRecord { kind, layer, weights });
            output = step.output;
        }
        if let Some(norm) = &self.norm {
            output = norm.forward(&output)?;
        }
        Ok(StackOutput { output, attentions })
    }
}
// ANCHOR_END: encoder
