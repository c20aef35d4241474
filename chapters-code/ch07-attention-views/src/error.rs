//! What can be wrong with what is given to a view.

use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with what is given to a view.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "a field is what its message says of it")]
pub enum ViewError {
    /// No layers, no heads or no tokens.
    #[error("there is nothing to show: the {what} has no {missing}")]
    Empty {
        /// Whose numbers: `attention`, `queries` or `keys`.
        what: &'static str,
        /// `layers`, `heads`, `rows` or `columns`.
        missing: &'static str,
    },
    /// Layers or heads of different shapes.
    #[error(
        "layer {layer} of the {what} has shape {found} where layer 0 has {expected}: \
         all layers of a model have the same heads and tokens"
    )]
    Ragged {
        /// Whose numbers: `attention`, `queries` or `keys`.
        what: &'static str,
        layer: usize,
        /// Its heads, rows and columns.
        found: String,
        /// Those of layer 0.
        expected: String,
    },
    /// A batch of several texts, or something that isn't a layer's attention.
    #[error(
        "layer {layer} of the {what} has shape {found} where [1, heads, n, m] was \
         expected: a view shows one text, so give one row of the batch"
    )]
    Batch { what: &'static str, layer: usize, found: String },
    /// As many tokens as positions, it should be.
    #[error(
        "the attention has {positions} {axis} and there are {tokens} {side} tokens: \
         give the tokens that the model read, [CLS] and [SEP] among them"
    )]
    Tokens {
        /// `rows` or `columns`.
        axis: &'static str,
        /// How many the attention has.
        positions: usize,
        /// `looking` or `looked-at`.
        side: &'static str,
        /// How many tokens there are.
        tokens: usize,
    },
    /// A weight that is no number.
    #[error(
        "the {what} of layer {layer}, head {head} is {value} at row {row}, column \
         {column}: a view shows finite numbers"
    )]
    NotFinite {
        what: &'static str,
        layer: usize,
        head: usize,
        row: usize,
        column: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// A layer or a head that isn't there.
    #[error(
        "{kind} {index} does not exist: the attention has {count} {kind}s, from 0 to {}",
        count.saturating_sub(1)
    )]
    Index {
        /// `layer` or `head`.
        kind: &'static str,
        index: usize,
        count: usize,
    },
    /// A list of layers or heads with nothing in it.
    #[error(
        "{list} is an empty list: name at least one, or leave the call out to have all"
    )]
    NoneChosen {
        /// `heads`, `include_layers` or `include_heads`.
        list: &'static str,
    },
    /// The first layer shown is one of those left out.
    #[error("layer {layer} is not in include_layers: {included:?}")]
    NotIncluded { layer: usize, included: Vec<usize> },
    /// Sentence B must begin after the first token, and before the last ends.
    #[error(
        "sentence B can't begin at token {start}: there are {tokens} tokens, so it begins \
         somewhere from 1 to {}",
        tokens.saturating_sub(1)
    )]
    SentenceB {
        start: usize,
        /// How many tokens there are.
        tokens: usize,
    },
    /// Encoder and decoder that can't share a menu.
    #[error(
        "the {first} attention has {first_count} {what} and the {second} attention has \
         {second_count}: {remedy}"
    )]
    Differ {
        /// `layers` or `heads`.
        what: &'static str,
        /// `encoder`, `decoder` or `cross`.
        first: &'static str,
        /// How many it has.
        first_count: usize,
        second: &'static str,
        /// How many that has.
        second_count: usize,
        remedy: &'static str,
    },
    /// An encoder-decoder view of nothing.
    #[error("give at least one of the encoder, decoder and cross attentions")]
    NoAttention,
    /// Queries or keys that don't fit the attention.
    #[error(
        "the {what} have shape {found} where the attention asks for {expected}: \
         [layers, heads, n, d_k]"
    )]
    Vectors {
        /// `queries` or `keys`.
        what: &'static str,
        found: String,
        expected: String,
    },
    /// A file that can't be written.
    #[error("cannot write {}", path.display())]
    Save { path: PathBuf, source: std::io::Error },
    /// A model or a text that earlier chapters' code refuses.
    #[cfg(feature = "bert")]
    #[error(transparent)]
    Model(#[from] bert_attention::AttentionsError),
}

/// A result with this crate's error.
pub type Result<T, E = ViewError> = std::result::Result<T, E>;
