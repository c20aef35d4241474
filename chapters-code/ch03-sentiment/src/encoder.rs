//! The encoder: every token looks at every token, layer after layer.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use models::{Activation, Architecture, Config};

use crate::{Dropout, FeedForward, LayerNorm, MultiHeadAttention, Noise, Result};

/// What a checkpoint calls the eight parts of an encoder layer. It is all that tells
/// BERT's layer from DistilBERT's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerNames {
    /// Makes the queries.
    pub query: &'static str,
    /// Makes the keys.
    pub key: &'static str,
    /// Makes the values.
    pub value: &'static str,
    /// Mixes what the heads found.
    pub attention_output: &'static str,
    /// The norm after attention.
    pub attention_norm: &'static str,
    /// The first layer of the feed-forward network.
    pub inner: &'static str,
    /// Its second layer.
    pub outer: &'static str,
    /// The norm after it.
    pub feed_forward_norm: &'static str,
}

impl LayerNames {
    /// transformers' `BertLayer`.
    pub const BERT: Self = Self {
        query: "attention.self.query",
        key: "attention.self.key",
        value: "attention.self.value",
        attention_output: "attention.output.dense",
        attention_norm: "attention.output.LayerNorm",
        inner: "intermediate.dense",
        outer: "output.dense",
        feed_forward_norm: "output.LayerNorm",
    };

    /// transformers' `TransformerBlock` of DistilBERT.
    pub const DISTILBERT: Self = Self {
        query: "attention.q_lin",
        key: "attention.k_lin",
        value: "attention.v_lin",
        attention_output: "attention.out_lin",
        attention_norm: "sa_layer_norm",
        inner: "ffn.lin1",
        outer: "ffn.lin2",
        feed_forward_norm: "output_layer_norm",
    };
}

/// What a layer is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerOptions {
    /// Width of a token's vector: `hidden_size`.
    pub d_model: usize,
    /// How many heads share it: `num_attention_heads`.
    pub heads: usize,
    /// Width inside the feed-forward network: `intermediate_size`.
    pub d_ff: usize,
    /// The nonlinearity inside the feed-forward network.
    pub activation: Activation,
    /// The norms' ε: `layer_norm_eps`.
    pub epsilon: f64,
    /// On the attention weights: `attention_probs_dropout_prob`.
    pub attention_dropout: f64,
    /// After attention: BERT's `hidden_dropout_prob`; DistilBERT has none.
    pub attention_output_dropout: f64,
    /// After the feed-forward network: `hidden_dropout_prob`.
    pub feed_forward_dropout: f64,
}

impl From<&Config> for LayerOptions {
    fn from(config: &Config) -> Self {
        let after_attention = match config.architecture {
            Architecture::Bert => config.hidden_dropout,
            Architecture::DistilBert => 0.0,
        };
        Self {
            d_model: config.hidden_size,
            heads: config.num_attention_heads,
            d_ff: config.intermediate_size,
            activation: config.activation,
            epsilon: config.layer_norm_eps,
            attention_dropout: config.attention_dropout,
            attention_output_dropout: after_attention,
            feed_forward_dropout: config.hidden_dropout,
        }
    }
}

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
