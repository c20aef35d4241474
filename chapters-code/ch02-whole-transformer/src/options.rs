//! What a Transformer and its layers are made of.

use crate::feed_forward::Activation;
use crate::norm::NormOrder;

/// What a layer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerOptions {
    /// Width of a word's vector.
    pub d_model: usize,
    /// How many heads share it.
    pub heads: usize,
    /// Width inside the feed-forward network.
    pub d_ff: usize,
    /// The nonlinearity inside the feed-forward network.
    pub activation: Activation,
    /// Where the norms go.
    pub order: NormOrder,
}

/// What a Transformer is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many tokens the source language has.
    pub source_vocabulary: usize,
    /// How many tokens the target language has.
    pub target_vocabulary: usize,
    /// How many layers the encoder has, and the decoder.
    pub layers: usize,
    /// What every layer is made of.
    pub layer: LayerOptions,
    /// The source token that fills short sentences, and that nobody may look at.
    pub padding: Option<usize>,
}
