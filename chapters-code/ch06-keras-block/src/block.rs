//! The block of the notes, and the same with what they leave out.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::layer::{Call, KerasTensor};
use crate::layers::{
    Activation, Dense, Input, LayerNormalization, Reshape, TokenAndPositionEmbedding,
};
use crate::{lookup, ops};

/// The sizes of a block. The default is the notes': 6,518,784 parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockOptions {
    /// How many ids there are.
    pub vocabulary_size: usize,
    /// The longest sequence.
    pub sequence_length: usize,
    /// The width of a token's vector.
    pub embedding_dim: usize,
    /// How many tokens come in, at most `sequence_length`.
    pub tokens: usize,
}

impl Default for BlockOptions {
    fn default() -> Self {
        Self {
            vocabulary_size: 20,
            sequence_length: 10,
            embedding_dim: 768,
            tokens: 10,
        }
    }
}

/// All that the block computes, by the notes' names. Shapes are those of the default.
#[derive(Clone, Debug)]
pub struct Block {
    /// The ids, `(None, 10)`.
    pub ids: KerasTensor,
    /// The tokens' vectors, `(None, 10, 768)`.
    pub x: KerasTensor,
    /// Queries, `(None, 10, 768)`.
    pub q: KerasTensor,
    /// Keys, `(None, 10, 768)`.
    pub k: KerasTensor,
    /// Values, `(None, 10, 768)`.
    pub v: KerasTensor,
    /// Q Kᵀ / √768, `(None, 10, 10)`.
    pub scores: KerasTensor,
    /// Their softmax, `(None, 10, 10)`.
    pub weights: KerasTensor,
    /// The weights times the values, `(None, 10, 768)`.
    pub z: KerasTensor,
    /// The wide layer, `(None, 10, 3072)`.
    pub ff_1: KerasTensor,
    /// Back to `(None, 10, 768)`.
    pub ff_2: KerasTensor,
    /// Normalized, `(None, 10, 768)`.
    pub output: KerasTensor,
}

/// The notes' block, line by line.
pub fn block(options: &BlockOptions) -> Result<Block> {
    let BlockOptions { vocabulary_size, sequence_length, embedding_dim, tokens } =
        *options;
    let ids = Input::new([tokens]).name("ids").symbol()?;
    let x =
        TokenAndPositionEmbedding::new(vocabulary_size, sequence_length, embedding_dim)
            .on(&ids)?;
    let q = Dense::new(embedding_dim).name("query").on(&x)?;
    let k = Dense::new(embedding_dim).name("key").on(&x)?;
    let v = Dense::new(embedding_dim).name("value").on(&x)?;
    let k_t = ops::transpose(&k, [0, 2, 1])?;
    let scores = ops::matmul(&q, &k_t)? / (embedding_dim as f64).sqrt();
    let weights = ops::softmax(&scores)?;
    let z = ops::matmul(&weights, &v)?;
    let ff_1 = Dense::new(4 * embedding_dim).activation(Activation::Relu).on(&z)?;
    let ff_2 = Dense::new(embedding_dim).on(&ff_1)?;
    let output = LayerNormalization::new().on(&ff_2)?;
    Ok(Block { ids, x, q, k, v, scores, weights, z, ff_1, ff_2, output })
}

/// A network for the lookup task: one block or several, then a score for each token of
/// the vocabulary, read from what became of the first token.
#[derive(Clone, Debug)]
pub struct LookupNetwork {
    /// The ids, `(None, 10)`.
    pub ids: KerasTensor,
    /// Each block's attention, `(None, 10, 10)`, or `(None, heads, 10, 10)`.
    pub weights: Vec<KerasTensor>,
    /// A number for each id, `(None, 20)`.
    pub logits: KerasTensor,
}

/// What a [`LookupNetwork`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupOptions {
    /// The width of a token's vector.
    pub width: usize,
    /// How many heads share it; the notes have one.
    pub heads: usize,
    /// Whether what goes into attention, and into the feed-forward network, is added to
    /// what comes out; in the notes it isn't.
    pub residual: bool,
    /// Blocks on top of each other; the notes have one.
    pub blocks: usize,
}

impl Default for LookupOptions {
    fn default() -> Self {
        Self { width: 64, heads: 1, residual: false, blocks: 1 }
    }
}

// ANCHOR: lookup_network
/// The network of these options, of which the heads have to divide the width.
pub fn lookup_network(options: &LookupOptions) -> Result<LookupNetwork> {
    let ids = Input::new([lookup::LENGTH]).name("ids").symbol()?;
    let (vocabulary, length) = (lookup::VOCABULARY, lookup::LENGTH);
    let mut x =
        TokenAndPositionEmbedding::new(vocabulary, length, options.width).on(&ids)?;
    let mut weights = Vec::new();
    for _ in 0..options.blocks {
        let attention = attention(&x, options)?;
        weights.push(attention.1);
        x = feed_forward(&x, &attention.0, options)?;
    }
    let logits = Dense::new(vocabulary).name("logits").on(&ops::get_item(&x, 0)?)?;
    Ok(LookupNetwork { ids, weights, logits })
}
// ANCHOR_END: lookup_network

// ANCHOR: attention
/// What the tokens find, and the weights with which they looked.
fn attention(
    x: &KerasTensor,
    options: &LookupOptions,
) -> Result<(KerasTensor, KerasTensor)> {
    let LookupOptions { width, heads, .. } = *options;
    let q = split_heads(&Dense::new(width).on(x)?, options)?;
    let k = split_heads(&Dense::new(width).on(x)?, options)?;
    let v = split_heads(&Dense::new(width).on(x)?, options)?;
    let last_two: &[usize] = if heads == 1 { &[0, 2, 1] } else { &[0, 1, 3, 2] };
    let k_t = ops::transpose(&k, last_two.iter().copied())?;
    let scores = ops::matmul(&q, &k_t)? / ((width / heads) as f64).sqrt();
    let weights = ops::softmax(&scores)?;
    let z = ops::matmul(&weights, &v)?;
    Ok((merge_heads(&z, options)?, weights))
}
// ANCHOR_END: attention

// ANCHOR: feed_forward
/// The network after attention, and the norm: the notes', or with what goes in added to
/// what comes out.
fn feed_forward(
    x: &KerasTensor,
    z: &KerasTensor,
    options: &LookupOptions,
) -> Result<KerasTensor> {
    let h = if options.residual { (x + z)? } else { z.clone() };
    let wide = Dense::new(4 * options.width).activation(Activation::Relu).on(&h)?;
    let y = Dense::new(options.width).on(&wide)?;
    let y = if options.residual { (&h + &y)? } else { y };
    LayerNormalization::new().on(&y)
}
// ANCHOR_END: feed_forward

// ANCHOR: heads
/// `(None, 10, width) -> (None, heads, 10, width / heads)`: each head gets a part of
/// the columns.
fn split_heads(x: &KerasTensor, options: &LookupOptions) -> Result<KerasTensor> {
    let LookupOptions { width, heads, .. } = *options;
    if heads == 1 {
        return Ok(x.clone());
    }
    // (None, 10, width) -> (None, 10, heads, d_k)
    let d_k = width / heads.max(1);
    let pieces = Reshape::new([lookup::LENGTH, heads, d_k]).on(x)?;
    ops::transpose(&pieces, [0, 2, 1, 3])
}

/// The way back: the heads' columns side by side.
fn merge_heads(z: &KerasTensor, options: &LookupOptions) -> Result<KerasTensor> {
    if options.heads == 1 {
        return Ok(z.clone());
    }
    let pieces = ops::transpose(z, [0, 2, 1, 3])?;
    // (None, 10, heads, d_k) -> (None, 10, width)
    Reshape::new([lookup::LENGTH, options.width]).on(&pieces)
}
// ANCHOR_END: heads
