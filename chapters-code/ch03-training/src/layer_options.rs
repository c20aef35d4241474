//! What a layer is made of, and what a checkpoint calls its parts.

use whole_transformer::Activation;

use crate::linear::WeightInit;

/// What a checkpoint calls the eight parts of an encoder layer.
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
    pub linear1: &'static str,
    /// Its second layer.
    pub linear2: &'static str,
    /// The norm after it.
    pub feed_forward_norm: &'static str,
}

impl LayerNames {
    /// This chapter's.
    pub const OURS: Self = Self {
        query: "attention.query",
        key: "attention.key",
        value: "attention.value",
        attention_output: "attention.output",
        attention_norm: "attention_norm",
        linear1: "feed_forward.linear1",
        linear2: "feed_forward.linear2",
        feed_forward_norm: "feed_forward_norm",
    };

    /// All eight, in order.
    pub fn all(&self) -> [&'static str; 8] {
        let [query, key, value, output] = self.attention();
        let [linear1, linear2] = self.feed_forward();
        let norms = [self.attention_norm, self.feed_forward_norm];
        [query, key, value, output, norms[0], linear1, linear2, norms[1]]
    }

    /// Those of the attention: queries, keys, values, output.
    pub fn attention(&self) -> [&'static str; 4] {
        [self.query, self.key, self.value, self.attention_output]
    }

    /// Those of the feed-forward network's two layers.
    pub fn feed_forward(&self) -> [&'static str; 2] {
        [self.linear1, self.linear2]
    }
}

/// What a layer is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerOptions {
    /// Width of a token's vector.
    pub d_model: usize,
    /// How many heads share it.
    pub heads: usize,
    /// Width inside the feed-forward network.
    pub d_ff: usize,
    /// The nonlinearity inside the feed-forward network.
    pub activation: Activation,
    /// The norms' ε.
    pub epsilon: f64,
    /// Dropout's probability on the attention weights.
    pub attention_dropout: f64,
    /// After attention.
    pub attention_output_dropout: f64,
    /// After the feed-forward network.
    pub feed_forward_dropout: f64,
    /// How new matrices start.
    pub init: WeightInit,
}
