//! Exercises of chapter 5, BERT's attention. Replace each `todo!()`, then `cargo test -p
//! exercises ch05`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3, Array4};

// ANCHOR: share_to_previous
/// Exercise 1. How much of its attention each head gives to the token just before, the
/// mean over all tokens that have one. `attention` is `[heads, n, n]`, with `n` of at
/// least 2; the answer is `[heads]`.
pub fn share_to_previous(attention: &Array3<f64>) -> Array1<f64> {
    todo!("exercise 1: in each head, the mean of [i, i − 1] for i from 1")
}
// ANCHOR_END: share_to_previous

// ANCHOR: entropy
/// Exercise 2. The entropy of each row of weights, in bits: `−Σ w · log₂ w`, where a
/// weight of 0 adds 0. `[n, m] -> [n]`.
pub fn entropy(weights: &Array2<f64>) -> Array1<f64> {
    todo!("exercise 2: for each row, the sum of −w · log₂ w over the weights above 0")
}
// ANCHOR_END: entropy

// ANCHOR: sharpest_head
/// Exercise 3. The most specialised head: the layer and the head whose rows have the
/// lowest mean entropy; of equals, the first. `attentions` is `[layers, heads, n, n]`.
pub fn sharpest_head(attentions: &Array4<f64>) -> (usize, usize) {
    todo!("exercise 3: exercise 2's mean for each head; keep the place of the least")
}
// ANCHOR_END: sharpest_head

// ANCHOR: top_key_across
/// Exercise 4. For each word of sentence A, the place of the word of sentence B that it
/// looks at most; of equals, the first.
///
/// `weights`, `[n, n]`, are one head's for `[CLS] A … [SEP] B … [SEP]`, and B begins at
/// `sentence_b_start`. The special tokens neither look nor are looked at: the answer
/// has `sentence_b_start − 2` places, counted from the beginning of the pair.
pub fn top_key_across(weights: &Array2<f64>, sentence_b_start: usize) -> Vec<usize> {
    todo!("exercise 4: rows 1 .. start − 1, and in each the largest of start .. n − 1")
}
// ANCHOR_END: top_key_across

// ANCHOR: without_special
/// Exercise 5. The weights among ordinary tokens: rows and columns of special tokens
/// are left out, and each row is divided by what is left of it, to add up to 1 again. A
/// row with nothing left is all 0.
///
/// `special` says of each of the `n` tokens whether it is special. `[n, n] -> [m, m]`.
pub fn without_special(weights: &Array2<f64>, special: &[bool]) -> Array2<f64> {
    todo!("exercise 5: select the ordinary rows and columns, then divide by row sums")
}
// ANCHOR_END: without_special

// ANCHOR: rollout
/// Exercise 6. Attention rollout: of each layer the mean of its heads, half of that and
/// half the identity; then the product of all layers, the last one on the left.
/// `attentions` is `[layers, heads, n, n]`, the answer `[n, n]`.
pub fn rollout(attentions: &Array4<f64>) -> Array2<f64> {
    todo!("exercise 6: start from the identity; each layer's mix comes from the left")
}
// ANCHOR_END: rollout
