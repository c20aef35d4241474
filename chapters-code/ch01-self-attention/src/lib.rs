//! Chapter 1: self-attention from scratch.
//!
//! Scaled dot-product attention (Vaswani et al. 2017, "Attention Is All You Need",
//! equation 1), one step at a time, on matrices small enough to read:
//!
//! ```text
//! Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V
//! ```
//!
//! Every matrix is an [`Array2<f64>`]; those of words have one row per word. Shapes: `n` words,
//! `d_model` numbers per embedding, `d_k` numbers per query, key and value.
//!
//! ```
//! use self_attention::{SelfAttention, embeddings};
//!
//! let layer = SelfAttention::from_numpy_seed(42, 4, 3);
//! let attention = layer.forward(&embeddings())?;
//! assert_eq!(format!("{:.2}", attention.weights.row(0)), "[0.28, 0.26, 0.46]");
//! # Ok::<(), self_attention::AttentionError>(())
//! ```

mod error;
pub mod faults;
pub mod numpy;
pub mod scaling;

pub use error::{AttentionError, check_finite, check_overflow};
use ndarray::{Array2, Axis, array};
use numpy::NumpyRandom;

/// The sentence of the chapter.
pub const WORDS: [&str; 3] = ["pense", "sobre", "máquinas"];

// ANCHOR: embeddings
/// The embeddings of [`WORDS`], one row per word, invented by hand. Shape `[3, 4]`.
pub fn embeddings() -> Array2<f64> {
    array![
        [1.0, 0.0, 1.0, 0.0], // pense
        [0.0, 1.0, 0.0, 1.0], // sobre
        [1.0, 1.0, 0.0, 1.0], // máquinas
    ]
}
// ANCHOR_END: embeddings

// ANCHOR: matmul
/// The matrix product, with the shapes checked and named: `[n, m] · [m, p] -> [n, p]`.
///
/// # Errors
///
/// [`AttentionError::Shapes`] if the columns of `a` are not as many as the rows of `b`.
pub fn matmul(
    (left, a): (&'static str, &Array2<f64>),
    (right, b): (&'static str, &Array2<f64>),
) -> Result<Array2<f64>, AttentionError> {
    if a.ncols() == b.nrows() {
        return Ok(a.dot(b));
    }
    Err(AttentionError::Shapes {
        left,
        left_shape: [a.nrows(), a.ncols()],
        right,
        right_shape: [b.nrows(), b.ncols()],
    })
}
// ANCHOR_END: matmul

// ANCHOR: scaled_scores
/// How well each query matches each key: `Q Kᵀ / √d_k`. Shape `[n, n]`.
///
/// # Errors
///
/// [`AttentionError::Shapes`] if queries and keys don't have the same width.
pub fn scaled_scores(
    q: &Array2<f64>,
    k: &Array2<f64>,
) -> Result<Array2<f64>, AttentionError> {
    let d_k = q.ncols() as f64;
    // [n, d_k] · [d_k, n] -> [n, n]
    let raw = matmul(("Q", q), ("Kᵀ", &k.t().to_owned()))?;
    Ok(raw / d_k.sqrt())
}
// ANCHOR_END: scaled_scores

// ANCHOR: naive_softmax
/// Softmax of each row as its formula is written. Overflows: see [`softmax`]. Shape
/// unchanged.
pub fn naive_softmax(scores: &Array2<f64>) -> Array2<f64> {
    let exponentials = scores.mapv(f64::exp);
    let sums = exponentials.sum_axis(Axis(1)).insert_axis(Axis(1)); // [n] -> [n, 1]
    exponentials / sums
}
// ANCHOR_END: naive_softmax

// ANCHOR: softmax
/// Softmax of each row: positive numbers that sum to 1, in the order of the scores.
///
/// The row's maximum is subtracted first, so that no exponential exceeds 1 and any
/// finite score is safe. A score of −∞ gets weight 0; a row of nothing but −∞ (a word
/// that may look nowhere) gets all zeros, where PyTorch's `softmax` gives NaN. Shape
/// unchanged, `[n, n]`.
pub fn softmax(scores: &Array2<f64>) -> Array2<f64> {
    let mut weights = scores.clone();
    for mut row in weights.rows_mut() {
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        if maximum == f64::NEG_INFINITY {
            row.fill(0.0); // fully masked
            continue;
        }
        row.mapv_inplace(|score| (score - maximum).exp());
        row /= row.sum();
    }
    weights
}
// ANCHOR_END: softmax

// ANCHOR: attention
/// Everything that one pass through [`SelfAttention`] computes, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Queries, `[n, d_k]`.
    pub q: Array2<f64>,
    /// Keys, `[n, d_k]`.
    pub k: Array2<f64>,
    /// Values, `[n, d_k]`.
    pub v: Array2<f64>,
    /// `Q Kᵀ / √d_k`, `[n, n]`: row = who looks (query), column = who is looked at
    /// (key).
    pub scores: Array2<f64>,
    /// Softmax of the scores, row by row, `[n, n]`.
    pub weights: Array2<f64>,
    /// Weights times values, `[n, d_k]`: each word's new vector.
    pub output: Array2<f64>,
}
// ANCHOR_END: attention

// ANCHOR: self_attention
/// One self-attention layer: the three matrices that turn an embedding into a query, a
/// key and a value. Each has shape `[d_model, d_k]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SelfAttention {
    /// Makes the queries: what a word looks for.
    pub w_query: Array2<f64>,
    /// Makes the keys: what a word offers to be found by.
    pub w_key: Array2<f64>,
    /// Makes the values: what a word hands over when it is looked at.
    pub w_value: Array2<f64>,
}

impl SelfAttention {
    /// `np.random.seed(seed)`, then `np.random.rand(d_model, d_k)` three times: query,
    /// key, value.
    pub fn from_numpy_seed(seed: u32, d_model: usize, d_k: usize) -> Self {
        let mut random = NumpyRandom::seed(seed);
        let w_query = random.rand(d_model, d_k);
        let w_key = random.rand(d_model, d_k);
        let w_value = random.rand(d_model, d_k);
        Self { w_query, w_key, w_value }
    }

    /// Attention of every word to every word. `x` holds the embeddings, `[n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`AttentionError`] if `x` is empty, if its width is not the matrices', or if a
    /// number is not finite (in `x`, or in scores that overflow).
    pub fn forward(&self, x: &Array2<f64>) -> Result<Attention, AttentionError> {
        check_finite("X", x)?;
        // [n, d_model] · [d_model, d_k] -> [n, d_k]
        let q = matmul(("X", x), ("W_query", &self.w_query))?;
        let k = matmul(("X", x), ("W_key", &self.w_key))?;
        let v = matmul(("X", x), ("W_value", &self.w_value))?;
        let scores = scaled_scores(&q, &k)?; // [n, n]
        check_overflow(&scores)?;
        let weights = softmax(&scores); // [n, n]
        let output = matmul(("weights", &weights), ("V", &v))?; // [n, d_k]
        Ok(Attention { q, k, v, scores, weights, output })
    }
}
// ANCHOR_END: self_attention
