//! The decoder: each word looks at the words before it, and at the encoder's output.

use ndarray::{Array2, Array3};
use self_attention::check_finite;
use self_attention::numpy::NumpyRandom;

use crate::attention::MultiHeadAttention;
use crate::encoder::StackOutput;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::norm::{LayerNorm, NormOrder, residual};
use crate::options::LayerOptions;
use crate::record::{AttentionKind, AttentionRecord};

// ANCHOR: decoder_masks
/// The masks of a decoder, for `n` target words and `m` source words.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecoderMasks<'a> {
    /// For self-attention, `[n, n]`: normally [`crate::mask::causal`]. PyTorch's
    /// `tgt_mask`.
    pub target: Option<&'a Array2<f64>>,
    /// For cross-attention, `[n, m]`: hides the source's padding. PyTorch's
    /// `memory_mask`.
    pub memory: Option<&'a Array2<f64>>,
}
// ANCHOR_END: decoder_masks

// ANCHOR: decoder_layer
/// Self-attention, cross-attention and a feed-forward network, each with a residual and
/// a norm: PyTorch's `nn.TransformerDecoderLayer`, without dropout.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderLayer {
    /// PyTorch's `self_attn`.
    pub attention: MultiHeadAttention,
    /// PyTorch's `norm1`.
    pub attention_norm: LayerNorm,
    /// PyTorch's `multihead_attn`: queries from the target, keys and values from the
    /// memory.
    pub cross_attention: MultiHeadAttention,
    /// PyTorch's `norm2`.
    pub cross_attention_norm: LayerNorm,
    /// PyTorch's `linear1` and `linear2`.
    pub feed_forward: FeedForward,
    /// PyTorch's `norm3`.
    pub feed_forward_norm: LayerNorm,
    /// Where the norms go.
    pub order: NormOrder,
}
// ANCHOR_END: decoder_layer

/// What [`DecoderLayer::forward`] computes.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderLayerOutput {
    /// The target words' new vectors, `[n, d_model]`.
    pub output: Array2<f64>,
    /// How much each target word looked at each target word, `[heads, n, n]`.
    pub weights: Array3<f64>,
    /// How much each target word looked at each source word, `[heads, n, m]`.
    pub cross_weights: Array3<f64>,
}

// ANCHOR: decoder_step
impl DecoderLayer {
    /// One layer: `x` is `[n, d_model]`; the memory, the encoder's output,
    /// `[m, d_model]`.
    pub fn forward(
        &self,
        x: &Array2<f64>,
        memory: &Array2<f64>,
        masks: DecoderMasks,
    ) -> Result<DecoderLayerOutput> {
        let mut weights = Array3::zeros((0, 0, 0));
        let mut cross_weights = Array3::zeros((0, 0, 0));
        let attended = residual(self.order, &self.attention_norm, x, |x| {
            let attention = self.attention.forward(x, x, x, masks.target)?;
            weights = attention.weights; // [heads, n, n]
            Ok(attention.output) // [n, d_model]
        })?;
        let crossed =
            residual(self.order, &self.cross_attention_norm, &attended, |x| {
                let attention =
                    self.cross_attention.forward(x, memory, memory, masks.memory)?;
                cross_weights = attention.weights; // [heads, n, m]
                Ok(attention.output) // [n, d_model]
            })?;
        let output = residual(self.order, &self.feed_forward_norm, &crossed, |x| {
            self.feed_forward.forward(x) // [n, d_model]
        })?;
        Ok(DecoderLayerOutput { output, weights, cross_weights })
    }
}
// ANCHOR_END: decoder_step

impl DecoderLayer {
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
            cross_attention: MultiHeadAttention::random(random, d_model, heads)?,
            cross_attention_norm: LayerNorm::new(d_model),
            feed_forward: FeedForward::random(random, d_model, d_ff, activation),
            feed_forward_norm: LayerNorm::new(d_model),
            order,
        })
    }
}

/// A stack of layers: PyTorch's `nn.TransformerDecoder`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoder {
    /// From the first to the last.
    pub layers: Vec<DecoderLayer>,
    /// After the last layer. Pre-norm needs it; in post-norm, the layer ends in one.
    pub norm: Option<LayerNorm>,
}

impl Decoder {
    /// All layers in order: `x` is `[n, d_model]`, the memory `[m, d_model]`. Each
    /// layer leaves two attentions: its own and the cross one.
    pub fn forward(
        &self,
        x: &Array2<f64>,
        memory: &Array2<f64>,
        masks: DecoderMasks,
    ) -> Result<StackOutput> {
        check_finite("X", x)?;
        check_finite("memory", memory)?;
        let mut output = x.clone(); // [n, d_model]
        let mut attentions = Vec::new();
        for (layer, block) in self.layers.iter().enumerate() {
            let step = block.forward(&output, memory, masks)?;
            for (kind, weights) in [
                (AttentionKind::DecoderSelf, step.weights),
                (AttentionKind::Cross, step.cross_weights),
            ] {
                attentions.push(AttentionRecord { kind, layer, weights });
            }
            output = step.output;
        }
        if let Some(norm) = &self.norm {
            output = norm.forward(&output)?;
        }
        Ok(StackOutput { output, attentions })
    }
}
