//! Attention between two sequences, with masks, and with several heads.
//!
//! `n` queries look at `m` keys; in self-attention both are the same words.

use ndarray::{Array1, Array2, Array3, Axis, s};
use self_attention::numpy::NumpyRandom;
use self_attention::{AttentionError, check_finite, matmul, scaled_scores, softmax};

use crate::error::{Result, TransformerError};
use crate::linear::Linear;
use crate::mask;

// ANCHOR: scaled_dot_product
/// What [`scaled_dot_product`] computes.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionOutput {
    /// How much each query looks at each key, `[n, m]`.
    pub weights: Array2<f64>,
    /// Weights times values, `[n, d_v]`.
    pub output: Array2<f64>,
}

/// `softmax(Q Kᵀ / √d_k + mask) V`, with Q `[n, d_k]`, K `[m, d_k]`, V `[m, d_v]` and
/// the mask `[n, m]`.
///
/// PyTorch's `nn.functional.scaled_dot_product_attention`, weights returned. A query
/// from which every key is hidden has weights 0 and output 0.
///
/// # Errors
///
/// [`TransformerError`] if a matrix is empty or not finite (the mask may have −∞), or
/// if a shape doesn't fit.
pub fn scaled_dot_product(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
    mask: Option<&Array2<f64>>,
) -> Result<AttentionOutput> {
    check_inputs(q, k, v)?;
    let mut scores = scaled_scores(q, k)?; // [n, d_k] · [d_k, m] -> [n, m]
    check_finite("scores", &scores)?;
    if let Some(mask) = mask {
        mask::check(mask, scores.dim())?;
        scores += mask; // [n, m] + [n, m]
    }
    let weights = softmax(&scores); // [n, m]
    let output = matmul(("weights", &weights), ("V", v))?; // [n, m] · [m, d_v]
    Ok(AttentionOutput { weights, output })
}
// ANCHOR_END: scaled_dot_product

/// Checks that Q `[n, d_k]`, K `[m, d_k]` and V `[m, d_v]` hold finite numbers, that Q
/// and K are as wide, and that there is a value for each key.
///
/// # Errors
///
/// [`TransformerError`] otherwise, naming the matrices.
pub fn check_inputs(q: &Array2<f64>, k: &Array2<f64>, v: &Array2<f64>) -> Result<()> {
    for (name, matrix) in [("Q", q), ("K", k), ("V", v)] {
        check_finite(name, matrix)?;
    }
    if q.ncols() != k.ncols() {
        let (left, left_shape) = ("Q", [q.nrows(), q.ncols()]);
        let (right, right_shape) = ("Kᵀ", [k.ncols(), k.nrows()]);
        let error = AttentionError::Shapes { left, left_shape, right, right_shape };
        return Err(error.into());
    }
    if k.nrows() != v.nrows() {
        let (left, left_shape) = ("K", [k.nrows(), k.ncols()]);
        let (right, right_shape) = ("V", [v.nrows(), v.ncols()]);
        return Err(TransformerError::Rows { left, left_shape, right, right_shape });
    }
    Ok(())
}

/// The width of each head, `d_k = d_model / heads`.
///
/// # Errors
///
/// [`TransformerError::Heads`] if there is no head or the division isn't exact.
pub fn head_width(d_model: usize, heads: usize) -> Result<usize> {
    if heads > 0 && d_model.is_multiple_of(heads) {
        return Ok(d_model / heads);
    }
    Err(TransformerError::Heads { heads, d_model })
}

// ANCHOR: split_heads
/// Shares the columns out among the heads: `[n, d_model] -> [heads, n, d_k]`.
///
/// Head `h` gets columns `h · d_k .. (h + 1) · d_k` of every word. A reshape alone
/// can't do that: straight to `[heads, n, d_k]` it would give each head other words.
///
/// # Errors
///
/// [`TransformerError::Heads`] if the heads don't divide `d_model`.
pub fn split_heads(x: &Array2<f64>, heads: usize) -> Result<Array3<f64>> {
    let (n, d_model) = x.dim();
    let d_k = head_width(d_model, heads)?;
    // [n, d_model] -> [n, heads, d_k]: each row is cut in pieces
    let pieces = x.to_shape((n, heads, d_k))?;
    // [n, heads, d_k] -> [heads, n, d_k]: the heads come first
    let by_head = pieces.permuted_axes([1, 0, 2]);
    Ok(by_head.as_standard_layout().into_owned())
}
// ANCHOR_END: split_heads

// ANCHOR: merge_heads
/// Puts the heads' columns side by side again: `[heads, n, d_k] -> [n, d_model]`.
/// Undoes [`split_heads`].
pub fn merge_heads(heads: &Array3<f64>) -> Result<Array2<f64>> {
    let (count, n, d_k) = heads.dim();
    // [heads, n, d_k] -> [n, heads, d_k]: the words come first
    let by_word = heads.view().permuted_axes([1, 0, 2]);
    // [n, heads, d_k] -> [n, d_model]: the pieces of each row are joined
    Ok(by_word.to_shape((n, count * d_k))?.into_owned())
}
// ANCHOR_END: merge_heads

// ANCHOR: each_head
/// Attention in each head on its own, with one mask `[n, m]` for all: Q
/// `[heads, n, d_k]`, K `[heads, m, d_k]` and V `[heads, m, d_v]` give outputs
/// `[heads, n, d_v]` and weights `[heads, n, m]`.
fn each_head(
    q: &Array3<f64>,
    k: &Array3<f64>,
    v: &Array3<f64>,
    mask: Option<&Array2<f64>>,
) -> Result<(Array3<f64>, Array3<f64>)> {
    let (heads, n, _) = q.dim();
    let (_, m, d_v) = v.dim(); // d_v is d_k in this chapter's layers
    let mut outputs = Array3::zeros((heads, n, d_v));
    let mut weights = Array3::zeros((heads, n, m));
    for head in 0..heads {
        let [q, k, v] = [q, k, v].map(|x| x.index_axis(Axis(0), head).to_owned());
        let attended = scaled_dot_product(&q, &k, &v, mask)?; // [n, d_v], [n, m]
        outputs.index_axis_mut(Axis(0), head).assign(&attended.output);
        weights.index_axis_mut(Axis(0), head).assign(&attended.weights);
    }
    Ok((outputs, weights))
}

/// What [`MultiHeadAttention::forward`] computes.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiHeadOutput {
    /// Each query's new vector, `[n, d_model]`.
    pub output: Array2<f64>,
    /// How much each query looks at each key, in each head, `[heads, n, m]`.
    pub weights: Array3<f64>,
}
// ANCHOR_END: each_head

// ANCHOR: multi_head
/// Multi-head attention (Vaswani et al. 2017, section 3.2.2), PyTorch's
/// `nn.MultiheadAttention`.
///
/// Each layer has a `[d_model, d_model]` weight. PyTorch keeps the first three in one
/// matrix: see [`MultiHeadAttention::from_in_proj`].
#[derive(Debug, Clone, PartialEq)]
pub struct MultiHeadAttention {
    /// How many heads share `d_model`.
    pub heads: usize,
    /// Makes the queries of all heads.
    pub query: Linear,
    /// Makes the keys of all heads.
    pub key: Linear,
    /// Makes the values of all heads.
    pub value: Linear,
    /// Mixes what the heads found.
    pub output: Linear,
}

impl MultiHeadAttention {
    /// Every query, `[n, d_model]`, looks at every key, `[m, d_model]`, that the mask,
    /// `[n, m]`, lets it see, and takes from its value, `[m, d_model]`.
    ///
    /// # Errors
    ///
    /// [`TransformerError`] if the heads don't divide `d_model`, if a matrix is empty
    /// or not finite, or if a shape doesn't fit.
    pub fn forward(
        &self,
        query: &Array2<f64>,
        key: &Array2<f64>,
        value: &Array2<f64>,
        mask: Option<&Array2<f64>>,
    ) -> Result<MultiHeadOutput> {
        let q = self.query.forward(("query", query), "W_queryᵀ")?; // [n, d_model]
        let k = self.key.forward(("key", key), "W_keyᵀ")?; // [m, d_model]
        let v = self.value.forward(("value", value), "W_valueᵀ")?; // [m, d_model]
        let [q, k, v] = [
            split_heads(&q, self.heads)?, // [n, d_model] -> [heads, n, d_k]
            split_heads(&k, self.heads)?, // [m, d_model] -> [heads, m, d_k]
            split_heads(&v, self.heads)?, // [m, d_model] -> [heads, m, d_k]
        ];
        let (outputs, weights) = each_head(&q, &k, &v, mask)?;
        let merged = merge_heads(&outputs)?; // [heads, n, d_v] -> [n, d_model]
        let output = self.output.forward(("heads", &merged), "W_outputᵀ")?;
        Ok(MultiHeadOutput { output, weights })
    }
}
// ANCHOR_END: multi_head

impl MultiHeadOutput {
    /// The mean of the heads' weights, `[heads, n, m] -> [n, m]`: what PyTorch returns
    /// unless `average_attn_weights=False`.
    pub fn averaged(&self) -> Array2<f64> {
        average_heads(&self.weights)
    }
}

/// The mean over the heads, `[heads, n, m] -> [n, m]`.
pub fn average_heads(weights: &Array3<f64>) -> Array2<f64> {
    let heads = weights.len_of(Axis(0)) as f64;
    weights.sum_axis(Axis(0)) / heads
}

impl MultiHeadAttention {
    /// Weights drawn by [`Linear::random`]: query, key, value, output.
    ///
    /// # Errors
    ///
    /// [`TransformerError::Heads`] if the heads don't divide `d_model`.
    pub fn random(
        random: &mut NumpyRandom,
        d_model: usize,
        heads: usize,
    ) -> Result<Self> {
        head_width(d_model, heads)?;
        let mut linear = || Linear::random(random, d_model, d_model);
        let (query, key, value, output) = (linear(), linear(), linear(), linear());
        Ok(Self { heads, query, key, value, output })
    }

    /// From PyTorch's `in_proj_weight`, `[3 · d_model, d_model]` (query, key and value
    /// one above the other), its `in_proj_bias`, `[3 · d_model]`, and its `out_proj`.
    ///
    /// # Errors
    ///
    /// [`TransformerError::Heads`] if the heads don't divide `d_model`;
    /// [`TransformerError::InProj`] if the weight or the bias isn't a stack of three.
    pub fn from_in_proj(
        heads: usize,
        weight: &Array2<f64>,
        bias: &Array1<f64>,
        output: Linear,
    ) -> Result<Self> {
        let (rows, d_model) = weight.dim();
        head_width(d_model, heads)?;
        if rows != 3 * d_model || bias.len() != rows {
            let weight = [rows, d_model];
            return Err(TransformerError::InProj { weight, bias: bias.len() });
        }
        let weight = weight.to_shape((3, d_model, d_model))?;
        let bias = bias.to_shape((3, d_model))?;
        let third = |i: usize| Linear {
            weight: weight.slice(s![i, .., ..]).to_owned(), // [d_model, d_model]
            bias: bias.slice(s![i, ..]).to_owned(),         // [d_model]
        };
        Ok(Self { heads, query: third(0), key: third(1), value: third(2), output })
    }
}
