//! Exercises of chapter 1, solved.

use ndarray::{Array2, Axis};
use self_attention::faults::Fault;

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

// ANCHOR: previous_word
pub fn previous_word(n: usize) -> (Array2<f64>, Array2<f64>) {
    let width = n as f64; // d_k
    // Scores of 0 are e⁰ = 1: the others' sum stays below a hundredth of e^score.
    let score = (100.0 * width).ln();
    // The query of word i is long, and points where the key of word i − 1 points.
    let w_query = Array2::from_shape_fn((n, n), |(word, place)| {
        if place == word.saturating_sub(1) { score * width.sqrt() } else { 0.0 }
    });
    (w_query, Array2::eye(n))
}
// ANCHOR_END: previous_word

// ANCHOR: diagnose
pub fn diagnose(
    q: &Array2<f64>,
    k: &Array2<f64>,
    weights: &Array2<f64>,
) -> (Fault, Array2<f64>) {
    let raw = q.dot(&k.t()); // [n, d_k] · [d_k, n] -> [n, n]
    let scores = &raw / (q.ncols() as f64).sqrt();
    let exponentials = scores.exp();
    let suspects = [
        (Fault::NotScaled, softmax(&raw)),
        (Fault::Columns, softmax(&scores.t().to_owned()).reversed_axes()),
        (Fault::AllTogether, &exponentials / exponentials.sum()),
        (Fault::Swapped, softmax(&scores.t().to_owned())),
    ];
    let distance = |map: &Array2<f64>| (map - weights).abs().sum();
    let nearest = suspects
        .iter()
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
        .map_or(Fault::NotScaled, |&(fault, _)| fault);
    (nearest, softmax(&scores))
}
// ANCHOR_END: diagnose

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
