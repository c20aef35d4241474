//! Exercises of chapter 8, training. Replace each `todo!()`, then `cargo test -p
//! exercises ch08`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::Array2;

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
    todo!("exercise 1: first which places are asked; then what is shown in each")
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

// ANCHOR: gained_beside
/// Exercise 3. Three shares of the pieces that were hidden, from 0 to 1: guessed alone,
/// guessed with the translation beside, and guessed only with it (right beside and
/// wrong alone). All 0 if none was hidden.
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    todo!("exercise 3: the third is not the difference of the other two")
}
// ANCHOR_END: gained_beside

// ANCHOR: best_pair
/// Exercise 4. One step of learning a vocabulary: the two neighbouring pieces that come
/// together most often, in that order. Each word is cut in pieces and comes with how
/// often the text has it. Of equally frequent pairs, the first in the order of the
/// alphabet (that of Rust's strings); `None` if no word has two pieces.
pub fn best_pair(words: &[(Vec<String>, u64)]) -> Option<(String, String)> {
    todo!("exercise 4: count each pair of neighbours, as often as its word comes")
}
// ANCHOR_END: best_pair

// ANCHOR: stacked
/// Exercise 5. Progressive stacking: `to` layers made of the given ones, in whose order
/// they are copied, again and again, from the first; none if there is none to copy.
pub fn stacked(layers: &[Array2<f64>], to: usize) -> Vec<Array2<f64>> {
    todo!("exercise 5: layer i of the new model is a copy of which of the old?")
}
// ANCHOR_END: stacked
