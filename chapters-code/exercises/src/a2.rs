//! Exercises of appendix 2, the derivations. Replace each `todo!()`, then `cargo test -p
//! exercises a2`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Axis};
use self_attention::softmax;

// ANCHOR: sigmoid_backward
/// Exercise 1. dX of the sigmoid, y = 1 / (1 + e^(−x)) number by number, from dY and
/// from Y, its output. Shape unchanged.
pub fn sigmoid_backward(dy: &Array2<f64>, y: &Array2<f64>) -> Array2<f64> {
    todo!("exercise 1: its statement and its hints are on the page of appendix 2")
}
// ANCHOR_END: sigmoid_backward

// ANCHOR: rms_residual_backward
/// Exercise 2. dX of Y = X + (X r) ∘ γ, where r = 1 / √(mean of x² + epsilon), row by
/// row. `dy` and `x` are `[n, d]`, `gamma` `[d]`; the answer is `[n, d]`.
pub fn rms_residual_backward(
    dy: &Array2<f64>,
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    epsilon: f64,
) -> Array2<f64> {
    todo!("exercise 2: its statement and its hints are on the page of appendix 2")
}
// ANCHOR_END: rms_residual_backward

// ANCHOR: causal_backward
/// Exercise 3. dQ and dK, `[n, d_k]` each, of P = softmax(Q Kᵀ / √d_k + mask), where
/// query i sees the keys up to i only. `dp`, `[n, n]`, is the gradient in P, which may
/// hold any number where P is 0.
pub fn causal_backward(
    dp: &Array2<f64>,
    q: &Array2<f64>,
    k: &Array2<f64>,
) -> (Array2<f64>, Array2<f64>) {
    todo!("exercise 3: its statement and its hints are on the page of appendix 2")
}
// ANCHOR_END: causal_backward
