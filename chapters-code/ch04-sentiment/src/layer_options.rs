//! What an encoder layer is made of, and what checkpoints call its parts.

use models::{Activation, Architecture, Config};

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
