//! Exercises of chapter 7, training. Replace each `todo!()`, then `cargo test -p
//! exercises ch07`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2};

// ANCHOR: hide_pieces
/// Exercise 1. What the model reads in the place of `ids`, and what is asked: for each
/// place the piece that stood there, or `None`.
///
/// Each place has two numbers drawn from 0 to 1. It is asked if the first is below
/// 0.15 and the piece is not special (special pieces are those below `first_piece`).
/// An asked piece is shown as `mask` if the second is below 0.8, as `other[i]` if it is
/// below 0.9, and as it is otherwise.
pub fn hide_pieces(
    ids: &[u32],
    drawn: &[(f64, f64)],
    first_piece: u32,
    mask: u32,
    other: &[u32],
) -> (Vec<u32>, Vec<Option<u32>>) {
    todo!(
        "exercise 1: which places are asked, first; then what is shown in each of them"
    )
}
// ANCHOR_END: hide_pieces

// ANCHOR: masked_loss
/// Exercise 2. The mean cross-entropy, −ln p of the right piece, over the places that
/// are asked; 0 if none is. `logits` is `[n, vocabulary]`; p is its softmax, row by row.
///
/// Logits may be as large as 1000.
pub fn masked_loss(logits: &Array2<f64>, labels: &[Option<usize>]) -> f64 {
    todo!("exercise 2: −ln softmax(z)[i] is ln Σ exp(z − max) − (z[i] − max)")
}
// ANCHOR_END: masked_loss

// ANCHOR: adamw
/// AdamW's memory of a weight matrix's gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// The mean of the gradients, β₁ = 0.9.
    pub m: Array1<f64>,
    /// The mean of their squares, β₂ = 0.999.
    pub v: Array1<f64>,
    /// Steps taken.
    pub steps: i32,
}

/// Exercise 3. One step of AdamW with learning rate `rate`, decay λ = 0.01 and ε = 1e-8;
/// changes `theta` and `memory`.
pub fn adamw_step(
    theta: &mut Array1<f64>,
    gradient: &Array1<f64>,
    memory: &mut Memory,
    rate: f64,
) {
    todo!("exercise 3: count the step first: the divisions need t = 1 at the first one")
}
// ANCHOR_END: adamw

// ANCHOR: learning_rate
/// Exercise 4. The learning rate of a step, counted from 0: in a straight line from 0 to
/// `peak` at step `warmup`, then down to 0 at step `total`, and 0 from there on.
pub fn learning_rate(step: u64, peak: f64, warmup: u64, total: u64) -> f64 {
    todo!("exercise 4: two straight lines; neither may divide by 0")
}
// ANCHOR_END: learning_rate

// ANCHOR: clip
/// Exercise 5. Shortens the gradients so that together, as one long vector, they are at
/// most `limit` long; returns how long they were.
pub fn clip(gradients: &mut [Array1<f64>], limit: f64) -> f64 {
    todo!("exercise 5: one length for all of them, and one factor")
}
// ANCHOR_END: clip

// ANCHOR: gained_beside
/// Exercise 6. The shares of the pieces that are guessed alone, with the translation
/// beside, and with the translation only: right beside and wrong alone.
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    todo!("exercise 6: the third is not the difference of the other two")
}
// ANCHOR_END: gained_beside

// ANCHOR: anti_diagonal
/// Exercise 7. The mean share of attention that the letters written give to the letter
/// they should, in a reverser's cross-attention. `weights` is `[n + 1, n + 1]`: the last
/// row and the last column are the end's, and count for nothing.
pub fn anti_diagonal(weights: &Array2<f64>) -> f64 {
    todo!("exercise 7: written letter t looks at read letter n − 1 − t")
}
// ANCHOR_END: anti_diagonal
