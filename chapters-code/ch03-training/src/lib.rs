//! Chapter 3: training, from one weight to a Transformer that reverses words.
//!
//! First by hand: one weight and one example ([`one_weight`]), the loss of a choice
//! ([`loss`]), a table of weights and many examples ([`bigram`]). Then chapter 2's layers
//! in candle, which differentiates them, over batches: [`attention`] with a memory,
//! [`feed_forward`], [`norm`], [`dropout`], [`encoder`] and [`decoder`] layers. The later
//! chapters load trained weights into them. [`reverse`] trains an encoder-decoder that can
//! be watched whole.
//!
//! Shapes: `batch` sequences of `n` tokens, `m` in the memory, `d_model` numbers per
//! token, `heads` heads of `d_k = d_model / heads` each, `d_ff` numbers inside the
//! feed-forward network. Tensors are f32 on the CPU unless the weights are given
//! otherwise, and gradients flow through all of it.
//!
//! ```
//! use training::reverse::{ReverserOptions, ReverserTraining};
//!
//! let mut training = ReverserTraining::new(ReverserOptions::default())?;
//! let loss = training.step()?; // nats a letter
//! assert!((loss - 28_f64.ln()).abs() < 1.0); // chance, at first
//! # Ok::<(), training::TrainingError>(())
//! ```

pub mod attention;
pub mod bigram;
pub mod decoder;
pub mod dropout;
pub mod encoder;
mod error;
pub mod feed_forward;
pub mod layer_options;
pub mod linear;
pub mod loss;
pub mod metrics;
pub mod norm;
pub mod one_weight;
pub mod parameters;
pub mod random;
pub mod reverse;

pub use attention::{
    MultiHeadAttention, MultiHeadOutput, merge_heads, softmax, split_heads,
};
pub use decoder::{DecoderLayer, DecoderLayerOutput};
pub use dropout::{Dropout, DropoutRng};
pub use encoder::{EncoderLayer, EncoderLayerOutput};
pub use error::{Result, TrainingError};
pub use feed_forward::{FeedForward, activate};
pub use layer_options::{LayerNames, LayerOptions};
pub use linear::WeightInit;
pub use norm::LayerNorm;
pub use whole_transformer::Activation;

/// What the notebook's cells need of the libraries below: they name this crate alone,
/// which is compiled before they run.
pub use candle_core::{DType, Device, Tensor, Var};
pub use gradients::{AdamW, AdamWOptions, Parameters};
