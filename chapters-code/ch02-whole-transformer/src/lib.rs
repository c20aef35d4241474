//! Chapter 2: the whole Transformer, part by part.
//!
//! What "Attention Is All You Need" (Vaswani et al. 2017) adds to chapter 1's
//! self-attention: several heads, masks, positions, feed-forward networks, residuals
//! and norms, an encoder, a decoder, and the loop that writes a sentence. Small enough
//! to read, and equal to PyTorch in f64 to 1e-10.
//!
//! Every sequence is an `Array2<f64>` with one row per token. Shapes: `n` queries
//! (target tokens), `m` keys (source tokens), `d_model` numbers per token, `heads`
//! heads of `d_k = d_model / heads` each, `d_ff` numbers inside the feed-forward
//! network. There is no batch axis: one sentence at a time.
//!
//! ```
//! use self_attention::numpy::NumpyRandom;
//! use whole_transformer::{MultiHeadAttention, mask};
//!
//! let mut random = NumpyRandom::seed(42);
//! let layer = MultiHeadAttention::random(&mut random, 8, 2)?;
//! let x = random.rand(4, 8); // [n, d_model]
//! let attention = layer.forward(&x, &x, &x, Some(&mask::causal(4)))?;
//! assert_eq!(attention.output.shape(), [4, 8]);
//! assert_eq!(attention.weights.shape(), [2, 4, 4]); // [heads, n, n]
//! assert_eq!(attention.weights[[0, 0, 0]], 1.0); // the first word sees only itself
//! # Ok::<(), whole_transformer::TransformerError>(())
//! ```

pub mod attention;
pub mod decoder;
pub mod encoder;
mod error;
pub mod feed_forward;
pub mod linear;
pub mod mask;
pub mod norm;
pub mod options;
pub mod position;
pub mod record;
pub mod similarity;
pub mod transformer;
pub mod words;

pub use attention::{
    AttentionOutput, MultiHeadAttention, MultiHeadOutput, check_inputs, head_width,
    merge_heads, scaled_dot_product, split_heads,
};
pub use decoder::{Decoder, DecoderLayer, DecoderMasks};
pub use encoder::{Encoder, EncoderLayer, StackOutput};
pub use error::{Result, TransformerError};
pub use feed_forward::{Activation, FeedForward, gelu, relu};
pub use linear::{Linear, check_width};
pub use norm::{LayerNorm, NormOrder, residual};
pub use options::{LayerOptions, Options};
pub use position::{Positions, sinusoidal};
pub use record::{AttentionKind, AttentionRecord};
pub use similarity::{largest_difference, mean_cosine};
pub use transformer::{Decoded, Embedding, Prediction, Transformer, likeliest};
