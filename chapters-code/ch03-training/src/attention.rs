//! Multi-head attention over a batch: from a sequence to itself, or to a memory.
//!
//! Chapter 2's, with one more axis: `batch` sequences of `n` tokens, all heads of all
//! sequences in one product.

use candle_core::{D, Tensor};
use candle_nn::{Linear, Module, VarBuilder};

use crate::dropout::{Dropout, DropoutRng};
use crate::error::{Result, TrainingError};
use crate::layer_options::LayerOptions;
use crate::linear::linear;

// ANCHOR: softmax
/// Each row to weights that add up to 1, over the last axis: PyTorch's
/// `softmax(x, dim=-1)`. Shape unchanged.
///
/// The maximum is subtracted, so that nothing overflows. It changes no result, so no
/// gradient flows through it.
///
/// # Errors
///
/// [`TrainingError`] if `x` is empty.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let max = x.max_keepdim(D::Minus1)?.detach(); // [batch, heads, n, 1]
    let exponentials = x.broadcast_sub(&max)?.exp()?; // [batch, heads, n, m]
    let sums = exponentials.sum_keepdim(D::Minus1)?; // [batch, heads, n, 1]
    Ok(exponentials.broadcast_div(&sums)?)
}
// ANCHOR_END: softmax

// ANCHOR: split_heads
/// Shares the columns out among the heads:
/// `[batch, n, d_model] -> [batch, heads, n, d_k]`.
///
/// # Errors
///
/// [`TrainingError`] if the heads don't divide `d_model`.
pub fn split_heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, n, d_model) = x.dims3()?;
    let d_k = head_width(d_model, heads)?;
    // [batch, n, d_model] -> [batch, n, heads, d_k]: each row is cut in pieces
    let pieces = x.reshape((batch, n, heads, d_k))?;
    // [batch, n, heads, d_k] -> [batch, heads, n, d_k]: the heads come first
    Ok(pieces.transpose(1, 2)?.contiguous()?)
}

/// Puts the heads' columns side by side again. Undoes [`split_heads`]:
/// `[batch, heads, n, d_k] -> [batch, n, d_model]`.
///
/// # Errors
///
/// [`TrainingError`] if `x` doesn't have four axes.
pub fn merge_heads(x: &Tensor) -> Result<Tensor> {
    let (batch, heads, n, d_k) = x.dims4()?;
    // [batch, heads, n, d_k] -> [batch, n, heads, d_k] -> [batch, n, d_model]
    Ok(x.transpose(1, 2)?.reshape((batch, n, heads * d_k))?)
}
// ANCHOR_END: split_heads

/// The width of each head, `d_k = d_model / heads`.
///
/// # Errors
///
/// [`TrainingError::Heads`] if there is no head or the division isn't exact.
pub fn head_width(d_model: usize, heads: usize) -> Result<usize> {
    if heads > 0 && d_model > 0 && d_model.is_multiple_of(heads) {
        return Ok(d_model / heads);
    }
    Err(TrainingError::Heads { heads, d_model })
}

// ANCHOR: multi_head
/// Multi-head attention (Vaswani et al. 2017, section 3.2.2), the same in the encoder
/// and the decoder: PyTorch's `nn.MultiheadAttention`.
#[derive(Debug, Clone)]
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
    /// Sets some of the weights to 0, while training.
    pub dropout: Dropout,
}
// ANCHOR_END: multi_head

/// What [`MultiHeadAttention::attend`] computes.
#[derive(Debug, Clone)]
pub struct MultiHeadOutput {
    /// The tokens' new vectors, `[batch, n, d_model]`.
    pub output: Tensor,
    /// How much each token looks at each token, in each head, `[batch, heads, n, m]`.
    /// While training they are those before dropout.
    pub weights: Tensor,
}

// ANCHOR: attend
impl MultiHeadAttention {
    /// The tokens of `x`, `[batch, n, d_model]`, look at those of `memory`,
    /// `[batch, m, d_model]`, that the additive mask doesn't hide: it may be any shape
    /// that broadcasts to `[batch, heads, n, m]`.
    ///
    /// # Errors
    ///
    /// [`TrainingError`] if a shape doesn't fit.
    pub fn attend(
        &self,
        x: &Tensor,
        memory: &Tensor,
        mask: Option<&Tensor>,
        rng: Option<&DropoutRng>,
    ) -> Result<MultiHeadOutput> {
        // [batch, n, d_model] -> [batch, heads, n, d_k]; of the memory, m for n
        let q = split_heads(&self.query.forward(x)?, self.heads)?;
        let k = split_heads(&self.key.forward(memory)?, self.heads)?;
        let v = split_heads(&self.value.forward(memory)?, self.heads)?;
        let d_k = q.dim(D::Minus1)? as f64;
        // [batch, heads, n, d_k] · [batch, heads, d_k, m] -> [batch, heads, n, m]
        let mut scores = (q.matmul(&k.t()?)? / d_k.sqrt())?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?;
        }
        let weights = softmax(&scores)?;
        // [batch, heads, n, m] · [batch, heads, m, d_k] -> [batch, heads, n, d_k]
        let heads = self.dropout.forward(&weights, rng)?.matmul(&v)?;
        let output = self.output.forward(&merge_heads(&heads)?)?;
        Ok(MultiHeadOutput { output, weights })
    }
}
// ANCHOR_END: attend

impl MultiHeadAttention {
    /// Self-attention: [`MultiHeadAttention::attend`] from `x` to itself.
    ///
    /// # Errors
    ///
    /// [`TrainingError`] if a shape doesn't fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        rng: Option<&DropoutRng>,
    ) -> Result<MultiHeadOutput> {
        self.attend(x, x, mask, rng)
    }

    /// What the scores of `x`, `[batch, n, d_model]`, come from: its queries and its keys,
    /// `[batch, heads, n, d_k]` each.
    ///
    /// # Errors
    ///
    /// [`TrainingError`] if a shape doesn't fit.
    pub fn queries_and_keys(&self, x: &Tensor) -> Result<[Tensor; 2]> {
        let q = split_heads(&self.query.forward(x)?, self.heads)?;
        let k = split_heads(&self.key.forward(x)?, self.heads)?;
        Ok([q, k])
    }

    /// The attention at `vb`, whose four linear layers have these names: of the queries,
    /// the keys, the values and the output.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`, or a tensor is missing or has another shape.
    pub fn load(
        vb: &VarBuilder,
        names: [&str; 4],
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let LayerOptions { d_model, heads, attention_dropout, init, .. } = *options;
        head_width(d_model, heads)?;
        let linear = |name| linear(&vb.pp(name), d_model, d_model, init);
        let [query, key, value, output] = names.map(linear);
        Ok(Self {
            heads,
            query: query?,
            key: key?,
            value: value?,
            output: output?,
            dropout: Dropout::new(attention_dropout)?,
        })
    }
}
