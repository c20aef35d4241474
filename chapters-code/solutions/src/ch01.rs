//! Exercises of chapter 1, solved.

use ndarray::{Array2, Axis};

// ANCHOR: softmax
pub fn softmax(scores: &Array2<f64>) -> Array2<f64> {
    let mut weights = scores.clone();
    for mut row in weights.rows_mut() {
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        if maximum == f64::NEG_INFINITY {
            row.fill(0.0);
            continue;
        }
        row.mapv_inplace(|score| (score - maximum).exp());
        row /= row.sum();
    }
    weights
}
// ANCHOR_END: softmax

// ANCHOR: scaled_scores
pub fn scaled_scores(q: &Array2<f64>, k: &Array2<f64>) -> Array2<f64> {
    let d_k = q.ncols() as f64;
    q.dot(&k.t()) / d_k.sqrt() // [n, d_k] · [d_k, m] -> [n, m]
}
// ANCHOR_END: scaled_scores

// ANCHOR: attention
pub fn attention(q: &Array2<f64>, k: &Array2<f64>, v: &Array2<f64>) -> Array2<f64> {
    softmax(&scaled_scores(q, k)).dot(v) // [n, m] · [m, d_v] -> [n, d_v]
}
// ANCHOR_END: attention

// ANCHOR: score_variances
pub fn score_variances(dots: &[f64], d_k: usize) -> (f64, f64) {
    let n = dots.len() as f64;
    let mean = dots.iter().sum::<f64>() / n;
    let raw = dots.iter().map(|dot| (dot - mean).powi(2)).sum::<f64>() / n;
    (raw, raw / d_k as f64) // dividing every dot by √d_k divides the variance by d_k
}
// ANCHOR_END: score_variances

// ANCHOR: softmax_with_temperature
pub fn softmax_with_temperature(scores: &Array2<f64>, temperature: f64) -> Array2<f64> {
    softmax(&(scores / temperature))
}
// ANCHOR_END: softmax_with_temperature

// ANCHOR: unshuffle
pub fn unshuffle(rows: &Array2<f64>, order: &[usize]) -> Array2<f64> {
    let mut inverse = vec![0; order.len()];
    for (i, &word) in order.iter().enumerate() {
        inverse[word] = i;
    }
    rows.select(Axis(0), &inverse)
}
// ANCHOR_END: unshuffle
