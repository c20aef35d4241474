//! One head of attention: softmax(Q Kᵀ / √d_k) V.

use ndarray::Array2;
use self_attention::{matmul, scaled_scores, softmax};

use crate::error::Result;
use crate::softmax::softmax_backward;

// ANCHOR: attention
/// O = P V, `[n, d_v]`, with P = softmax(Q Kᵀ / √d_k), `[n, m]`, of Q `[n, d_k]`, K
/// `[m, d_k]` and V `[m, d_v]`.
///
/// # Errors
///
/// [`DerivationError`](crate::DerivationError) if the shapes don't fit.
pub fn attention(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
) -> Result<Array2<f64>> {
    let p = softmax(&scaled_scores(q, k)?); // [n, m]
    Ok(matmul(("P", &p), ("V", v))?) // [n, m] · [m, d_v] -> [n, d_v]
}

/// dQ, dK and dV, of the shapes of Q, K and V, from dO, `[n, d_v]`.
///
/// # Errors
///
/// [`DerivationError`](crate::DerivationError) if the shapes don't fit.
pub fn attention_backward(
    d_output: &Array2<f64>,
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
) -> Result<(Array2<f64>, Array2<f64>, Array2<f64>)> {
    let p = softmax(&scaled_scores(q, k)?); // [n, m], once more
    // [m, n] · [n, d_v] -> [m, d_v]
    let dv = matmul(("Pᵀ", &p.t().to_owned()), ("dO", d_output))?;
    // [n, d_v] · [d_v, m] -> [n, m]
    let dp = matmul(("dO", d_output), ("Vᵀ", &v.t().to_owned()))?;
    // dS / √d_k, [n, m]
    let ds = softmax_backward(&dp, &p)? / (q.ncols() as f64).sqrt();
    let dq = matmul(("dS", &ds), ("K", k))?; // [n, m] · [m, d_k] -> [n, d_k]
    // [m, n] · [n, d_k] -> [m, d_k]
    let dk = matmul(("dSᵀ", &ds.t().to_owned()), ("Q", q))?;
    Ok((dq, dk, dv))
}
// ANCHOR_END: attention
