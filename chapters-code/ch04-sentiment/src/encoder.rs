//! The encoder: every token looks at every token, layer after layer.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use ndarray::Array4;

use crate::attention::MultiHeadAttention;
use crate::dropout::{Dropout, Noise};
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::layer_options::{LayerNames, LayerOptions};
use crate::norm::LayerNorm;
use crate::vectors::array4;

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
    /// One layer: `x` is `[batch, n, d_model]`, the additive mask `[batch, 1, 1, n]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if a shape doesn't fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        noise: Option<&Noise>,
    ) -> Result<EncoderLayerOutput> {
        let attention = self.attention.forward(x, mask, noise)?;
        let seen = self.attention_dropout.forward(&attention.output, noise)?;
        let attended = self.attention_norm.forward(&(x + seen)?)?;
        let thought = self.feed_forward.forward(&attended)?;
        let thought = self.feed_forward_dropout.forward(&thought, noise)?;
        let output = self.feed_forward_norm.forward(&(attended + thought)?)?;
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
            attention: MultiHeadAttention::load(vb, names, options)?,
            attention_norm: norm(names.attention_norm)?,
            feed_forward: FeedForward::load(vb, names, options)?,
            feed_forward_norm: norm(names.feed_forward_norm)?,
            attention_dropout: Dropout::new(options.attention_output_dropout)?,
            feed_forward_dropout: Dropout::new(options.feed_forward_dropout)?,
        })
    }
}

/// How to run a model: what to keep on the way, and whether it is being trained.
///
/// `Run::default()` keeps nothing but the last vectors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run<'a> {
    /// Keep the attentions of every layer.
    pub output_attentions: bool,
    /// Keep the vectors before the first layer and after each.
    pub output_hidden_states: bool,
    /// Training's dropout; `None` is inference, without any.
    pub dropout: Option<&'a Noise>,
}

impl Run<'_> {
    /// Keeps the attentions, as transformers' `output_attentions=True`.
    pub const ATTENTIONS: Run<'static> =
        Run { output_attentions: true, output_hidden_states: false, dropout: None };
}

/// What an encoder computes, with transformers' names.
#[derive(Debug, Clone)]
pub struct EncoderOutput {
    /// The tokens' last vectors, `[batch, n, d_model]`.
    pub last_hidden_state: Tensor,
    /// If asked for: the vectors before the first layer and after each, `layers + 1` of
    /// `[batch, n, d_model]`.
    pub hidden_states: Option<Vec<Tensor>>,
    /// If asked for: how much each token looked at each token, one
    /// `[batch, heads, n, n]` a layer.
    pub attentions: Option<Vec<Tensor>>,
}

impl EncoderOutput {
    /// The attentions as arrays, one `[batch, heads, n, n]` a layer; no array if they
    /// weren't asked for.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if they aren't f32.
    pub fn attention_arrays(self) -> Result<Vec<Array4<f32>>> {
        self.attentions.into_iter().flatten().map(|layer| array4(&layer)).collect()
    }
}

/// A stack of layers: transformers' `BertEncoder`, and `Transformer` of DistilBERT.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// From the first to the last.
    pub layers: Vec<EncoderLayer>,
}

impl Encoder {
    /// All layers in order: `x` is `[batch, n, d_model]`, the additive mask
    /// `[batch, 1, 1, n]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if a shape doesn't fit.
    pub fn forward(
        &self,
        x: Tensor,
        mask: Option<&Tensor>,
        run: Run,
    ) -> Result<EncoderOutput> {
        let mut attentions = run.output_attentions.then(Vec::new);
        let mut hidden_states = run.output_hidden_states.then(|| vec![x.clone()]);
        let mut x = x; // [batch, n, d_model]
        for layer in &self.layers {
            let EncoderLayerOutput { output, weights } =
                layer.forward(&x, mask, run.dropout)?;
            if let Some(kept) = &mut attentions {
                kept.push(weights);
            }
            if let Some(kept) = &mut hidden_states {
                kept.push(output.clone());
            }
            x = output;
        }
        Ok(EncoderOutput { last_hidden_state: x, hidden_states, attentions })
    }
}

impl Encoder {
    /// `layers` layers, at `vb` with the names `0`, `1`, and so on.
    ///
    /// # Errors
    ///
    /// Those of [`EncoderLayer::load`].
    pub fn load(
        vb: &VarBuilder,
        layers: usize,
        names: &LayerNames,
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let layer = |i| EncoderLayer::load(&vb.pp(i), names, options);
        let layers: candle_core::Result<_> = (0..layers).map(layer).collect();
        Ok(Self { layers: layers? })
    }
}
