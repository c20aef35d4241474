//! Exercises of appendix 2, solved.

use ndarray::{Array1, Array2, Axis};
use self_attention::softmax;

// ANCHOR: sigmoid_backward
pub fn sigmoid_backward(dy: &Array2<f64>, y: &Array2<f64>) -> Array2<f64> {
    dy * &(y * &(1.0 - y))
}
// ANCHOR_END: sigmoid_backward

// ANCHOR: rms_residual_backward
pub fn rms_residual_backward(
    dy: &Array2<f64>,
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    epsilon: f64,
) -> Array2<f64> {
    let d = x.ncols() as f64;
    let mean = |x: Array2<f64>| (x.sum_axis(Axis(1)) / d).insert_axis(Axis(1));
    let r = (mean(x.pow2()) + epsilon).sqrt().recip(); // [n, 1]
    let normal = x * &r; // [n, d]
    let g = dy * gamma; // [n, d]
    let through_r = &normal * &mean(&g * &normal);
    dy + &((g - through_r) * &r)
}
// ANCHOR_END: rms_residual_backward

// ANCHOR: causal_backward
pub fn causal_backward(
    dp: &Array2<f64>,
    q: &Array2<f64>,
    k: &Array2<f64>,
) -> (Array2<f64>, Array2<f64>) {
    let scale = 1.0 / (q.ncols() as f64).sqrt();
    let mut scores = q.dot(&k.t()) * scale; // [n, d_k] · [d_k, n] -> [n, n]
    for ((i, j), score) in scores.indexed_iter_mut() {
        if j > i {
            *score = f64::NEG_INFINITY;
        }
    }
    let p = softmax(&scores); // [n, n]
    let mean = (dp * &p).sum_axis(Axis(1)).insert_axis(Axis(1)); // [n, 1]
    let ds = p * &(dp - &mean) * scale; // 0 where P is 0
    (ds.dot(k), ds.t().dot(q)) // [n, n] · [n, d_k] -> [n, d_k]
}
// ANCHOR_END: causal_backward
