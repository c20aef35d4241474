//! Exercises of chapter 8, training. Replace each `todo!()`, then `cargo test -p
//! exercises ch08`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2};

// ANCHOR: hide_pieces
/// Exercise 1. What the model reads in the place of `ids`, and what is asked: for each
/// place the piece that stood there, or `None`.
///
/// `drawn` has two numbers from 0 to 1 for each place. A place is asked if its first
/// number is below 0.15 and its piece is not special (special pieces are those below
/// `first_piece`). An asked piece is shown as `mask` if the second number is below 0.8,
/// as `other[i]` at place `i` if it is from 0.8 to below 0.9, and as it is from 0.9 on.
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
/// are asked; 0 if none is. `logits` is `[n, vocabulary]`; p is its softmax, row by
/// row. `labels` has the right piece's column for each row that is asked.
///
/// Logits may be anything from −1000 to 1000.
pub fn masked_loss(logits: &Array2<f64>, labels: &[Option<usize>]) -> f64 {
    todo!("exercise 2: −ln softmax(z)[i] is ln Σ exp(z − max) − (z[i] − max)")
}
// ANCHOR_END: masked_loss

// ANCHOR: adamw
/// Exercise 3. One step of AdamW: changes the weights `theta` and what is remembered of
/// their gradients, `m` and `v`, all of one length.
///
/// `rate` is η; λ = 0.01, β₁ = 0.9, β₂ = 0.999 and ε = 1e-8. `steps` were taken before
/// this one: 0 before the first, which has t = 1.
pub fn adamw_step(
    theta: &mut Array1<f64>,
    gradient: &Array1<f64>,
    (m, v): (&mut Array1<f64>, &mut Array1<f64>),
    steps: i32,
    rate: f64,
) {
    todo!(
        "exercise 3: the four lines of the formula, in this order, with t = steps + 1"
    )
}
// ANCHOR_END: adamw

// ANCHOR: learning_rate
/// Exercise 4. The learning rate of a step, counted from 0: in a straight line from 0
/// at step 0 to `peak` at step `warmup`, then in another down to 0 at step `total`, and
/// 0 from there on. If `warmup` is 0, step 0 has `peak`; if it is `total`, none has; it
/// is never more.
pub fn learning_rate(step: u64, peak: f64, warmup: u64, total: u64) -> f64 {
    todo!("exercise 4: two straight lines, and 0 after them; neither may divide by 0")
}
// ANCHOR_END: learning_rate

// ANCHOR: clip
/// Exercise 5. Shortens the gradients so that together, as one long vector, they are at
/// most `limit` long, and leaves shorter ones alone; returns how long they were.
pub fn clip(gradients: &mut [Array1<f64>], limit: f64) -> f64 {
    todo!("exercise 5: one length for all of them, and one factor")
}
// ANCHOR_END: clip

// ANCHOR: gained_beside
/// Exercise 6. Three shares of the pieces that were hidden, from 0 to 1: guessed alone,
/// guessed with the translation beside, and guessed only with it (right beside and
/// wrong alone). All 0 if none was hidden.
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    todo!("exercise 6: the third is not the difference of the other two")
}
// ANCHOR_END: gained_beside

// ANCHOR: anti_diagonal
/// Exercise 7. The mean share of attention that the letters written give to the letter
/// they should, in a reverser's cross-attention. `weights` is `[n + 1, n + 1]`, a row
/// for each letter written: its last row and column are the end's, and don't count.
pub fn anti_diagonal(weights: &Array2<f64>) -> f64 {
    todo!("exercise 7: written letter t looks at read letter n − 1 − t")
}
// ANCHOR_END: anti_diagonal
