//! Exercises of chapter 1, self-attention. Replace each `todo!()`, then `cargo test -p
//! exercises ch01`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array2, Axis};
use self_attention::faults::Fault;

// ANCHOR: softmax
/// Exercise 1. Softmax of each row of `scores`, which are finite, however large, or −∞.
/// Shape unchanged, `[n, n]`.
///
/// A score of −∞ gets weight 0, and a row of nothing but −∞ gets all zeros.
pub fn softmax(scores: &Array2<f64>) -> Array2<f64> {
    todo!("exercise 1: its statement and its hints are on the page of chapter 1")
}
// ANCHOR_END: softmax

// ANCHOR: previous_word
/// Exercise 2. `W_query` and `W_key`, written by hand, for sentences of `n` words, from
/// 1 up. Each is `[n, n]`.
///
/// What a word brings is its place alone: row `i` of `X` is 1 in column `i` and 0 in
/// the others. In `softmax(Q Kᵀ / √d_k)`, with `Q = X W_query` and `K = X W_key`, each
/// word is to give the word before it at least 0.99 of its weight; the first word,
/// itself.
pub fn previous_word(n: usize) -> (Array2<f64>, Array2<f64>) {
    todo!("exercise 2: its statement and its hints are on the page of chapter 1")
}
// ANCHOR_END: previous_word

// ANCHOR: diagnose
/// Exercise 3. What is wrong with `weights`, `[n, n]`, a map made from queries `q` and
/// keys `k`, `[n, d_k]`, with one fault; and the map mended, `[n, n]`.
pub fn diagnose(
    q: &Array2<f64>,
    k: &Array2<f64>,
    weights: &Array2<f64>,
) -> (Fault, Array2<f64>) {
    todo!("exercise 3: its statement and its hints are on the page of chapter 1")
}
// ANCHOR_END: diagnose

// ANCHOR: score_variances
/// Exercise 4. The variance of `dots`, dot products of vectors of width `d_k`, before
/// and after they are scaled as attention scales them.
pub fn score_variances(dots: &[f64], d_k: usize) -> (f64, f64) {
    todo!("exercise 4: its statement and its hints are on the page of chapter 1")
}
// ANCHOR_END: score_variances

// ANCHOR: softmax_with_temperature
/// Exercise 5. Softmax of `scores / temperature`, row by row, for a temperature above
/// 0.
pub fn softmax_with_temperature(scores: &Array2<f64>, temperature: f64) -> Array2<f64> {
    todo!("exercise 5: its statement and its hints are on the page of chapter 1")
}
// ANCHOR_END: softmax_with_temperature

// ANCHOR: unshuffle
/// Exercise 6. Row `i` of `rows` belongs to word `order[i]`: put the rows back in the
/// words' order.
pub fn unshuffle(rows: &Array2<f64>, order: &[usize]) -> Array2<f64> {
    todo!("exercise 6: its statement and its hints are on the page of chapter 1")
}
// ANCHOR_END: unshuffle
