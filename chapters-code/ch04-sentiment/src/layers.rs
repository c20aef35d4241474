//! What checkpoints call the parts of a layer, and what their config makes it of.

use hub::{Architecture, Config};
use training::{Activation, LayerNames, LayerOptions, WeightInit};

// ANCHOR: names
/// transformers' `BertLayer`.
pub const BERT: LayerNames = LayerNames {
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    linear1: "intermediate.dense",
    linear2: "output.dense",
    feed_forward_norm: "output.LayerNorm",
};

/// transformers' `TransformerBlock` of DistilBERT.
pub const DISTILBERT: LayerNames = LayerNames {
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    linear1: "ffn.lin1",
    linear2: "ffn.lin2",
    feed_forward_norm: "output_layer_norm",
};
// ANCHOR_END: names

/// What the layers of a model of this config are made of.
pub fn layer_options(config: &Config) -> LayerOptions {
    let after_attention = match config.architecture {
        Architecture::Bert => config.hidden_dropout,
        Architecture::DistilBert => 0.0, // it has none there
    };
    LayerOptions {
        d_model: config.hidden_size,
        heads: config.num_attention_heads,
        d_ff: config.intermediate_size,
        activation: activation(config.activation),
        epsilon: config.layer_norm_eps,
        attention_dropout: config.attention_dropout,
        attention_output_dropout: after_attention,
        feed_forward_dropout: config.hidden_dropout,
        init: WeightInit::BERT,
    }
}

/// The function that a config names.
pub fn activation(name: hub::Activation) -> Activation {
    match name {
        hub::Activation::Relu => Activation::Relu,
        hub::Activation::Gelu => Activation::Gelu,
        hub::Activation::GeluTanh => Activation::GeluTanh,
    }
}
