//! Exercises of chapter 1, self-attention. Replace each `todo!()`, then `cargo test -p
//! exercises ch01`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::Array2;

// ANCHOR: softmax
/// Exercise 1. Softmax of each row of `scores`, for any finite scores. Shape unchanged,
/// `[n, n]`.
///
/// A score of −∞ gets weight 0, and a row of nothing but −∞ gets all zeros.
pub fn softmax(scores: &Array2<f64>) -> Array2<f64> {
    todo!("exercise 1: for each row, subtract the maximum, take exp, divide by the sum")
}
// ANCHOR_END: softmax

// ANCHOR: scaled_scores
/// Exercise 2. `Q Kᵀ / √d_k`: queries `[n, d_k]` and keys `[m, d_k]` give scores `[n,
/// m]`.
pub fn scaled_scores(q: &Array2<f64>, k: &Array2<f64>) -> Array2<f64> {
    todo!("exercise 2: score [i, j] is query i · key j, divided by √d_k")
}
// ANCHOR_END: scaled_scores

// ANCHOR: attention
/// Exercise 3. The whole attention: queries `[n, d_k]`, keys `[m, d_k]` and values `[m,
/// d_v]` give one new vector per query, `[n, d_v]`.
pub fn attention(q: &Array2<f64>, k: &Array2<f64>, v: &Array2<f64>) -> Array2<f64> {
    todo!("exercise 3: exercises 1 and 2 give the weights; mix the values by them")
}
// ANCHOR_END: attention

// ANCHOR: score_variances
/// Exercise 4. The variance of `dots`, dot products of vectors of width `d_k`, before
/// and after they are scaled as attention scales them.
pub fn score_variances(dots: &[f64], d_k: usize) -> (f64, f64) {
    todo!("exercise 4: mean of (dot − mean)²; then again for dots divided by √d_k")
}
// ANCHOR_END: score_variances

// ANCHOR: softmax_with_temperature
/// Exercise 5. Softmax of `scores / temperature`, row by row, for a temperature above
/// 0.
pub fn softmax_with_temperature(scores: &Array2<f64>, temperature: f64) -> Array2<f64> {
    todo!("exercise 5: divide the scores by the temperature, then softmax")
}
// ANCHOR_END: softmax_with_temperature

// ANCHOR: unshuffle
/// Exercise 6. Row `i` of `rows` belongs to word `order[i]`: put the rows back in the
/// words' order.
pub fn unshuffle(rows: &Array2<f64>, order: &[usize]) -> Array2<f64> {
    todo!("exercise 6: row i of the answer is the row of `rows` whose order is i")
}
// ANCHOR_END: unshuffle
