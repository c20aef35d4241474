//! The same operations in candle's own, which it can differentiate by itself.
//!
//! They run on every device (the fast ones only on a CPU), and the tests compare the
//! gradients by hand with those that candle finds for these.

use candle_core::{D, DType, Result, Tensor};

use crate::ops::{Attention, DropoutMask};

/// `x Wᵀ + b`: `x` is `[…, inputs]`, `w` `[outputs, inputs]`, `b` `[outputs]`.
///
/// # Errors
///
/// If the shapes don't fit, as of every function here.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    let inputs = x.dim(D::Minus1)?;
    let rows = x.reshape(((), inputs))?.matmul(&w.t()?)?; // [rows, outputs]
    let mut shape = x.dims().to_vec();
    shape.pop();
    shape.push(w.dim(0)?);
    rows.broadcast_add(b)?.reshape(shape)
}

/// LayerNorm over the last axis.
///
/// # Errors
///
/// As [`linear`].
pub fn layer_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let normal = centred.broadcast_div(&(variance + epsilon)?.sqrt()?)?;
    normal.broadcast_mul(gamma)?.broadcast_add(beta)
}

/// Multi-head attention of projected queries `[batch, n, d_model]` and keys and values
/// `[batch, m, d_model]`.
///
/// # Errors
///
/// As [`linear`].
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    options: &Attention,
) -> Result<Tensor> {
    let (batch, queries, d_model) = q.dims3()?;
    let (keys, heads) = (k.dim(1)?, options.heads);
    let split = |x: &Tensor, n| {
        // [batch, n, d_model] -> [batch, heads, n, d_k]
        x.reshape((batch, n, heads, d_model / heads))?.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (split(q, queries)?, split(k, keys)?, split(v, keys)?);
    let scale = 1.0 / ((d_model / heads) as f64).sqrt();
    let mut scores = (q.matmul(&k.t()?.contiguous()?)? * scale)?;
    if let Some(mask) = &options.mask {
        let mask = mask.reshape((batch, 1, 1, keys))?.to_dtype(q.dtype())?;
        scores = scores.broadcast_add(&mask)?;
    }
    if options.causal {
        let later = (0..queries)
            .flat_map(|i| (0..keys).map(move |j| if j > i { f32::MIN } else { 0.0 }));
        let later = Tensor::from_iter(later, q.device())?.to_dtype(q.dtype())?;
        scores = scores.broadcast_add(&later.reshape((1, 1, queries, keys))?)?;
    }
    let max = scores.max_keepdim(D::Minus1)?.detach();
    let weights = scores.broadcast_sub(&max)?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    let weights = dropout(&weights, options.dropout)?;
    let context = weights.matmul(&v)?.transpose(1, 2)?; // [batch, queries, heads, d_k]
    context.contiguous()?.reshape((batch, queries, d_model))
}

/// Some values lost, the others larger.
///
/// # Errors
///
/// As [`linear`].
pub fn dropout(x: &Tensor, mask: Option<DropoutMask>) -> Result<Tensor> {
    let Some(mask) = mask else { return Ok(x.clone()) };
    x * mask.factors(x.shape(), x.device())?.to_dtype(x.dtype())?
}

/// The sum of a row of each table: `tables` are `[rows, d_model]`, each with as many
/// numbers; `[n, d_model]`.
///
/// # Errors
///
/// As [`linear`].
pub fn embed(tables: &[(&Tensor, &[u32])]) -> Result<Tensor> {
    let mut rows = tables.iter().map(|(table, numbers)| {
        table.index_select(&Tensor::new(*numbers, table.device())?, 0)
    });
    let Some(first) = rows.next() else { candle_core::bail!("no table to read") };
    rows.try_fold(first?, |sum, rows| sum + rows?)
}

/// The mean of `−ln softmax(row)[target]`: `logits` are `[rows, classes]`.
///
/// # Errors
///
/// As [`linear`].
pub fn cross_entropy(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let max = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&max)?;
    let sums = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?; // [rows, 1]
    let targets = Tensor::new(targets, logits.device())?.unsqueeze(1)?; // [rows, 1]
    (sums - shifted.gather(&targets.to_dtype(DType::U32)?, 1)?)?.mean_all()
}
