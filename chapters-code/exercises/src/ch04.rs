//! Exercises of chapter 4, the sentiment pipeline. Replace each `todo!()`, then `cargo
//! test -p exercises ch04`.

#![allow(unused_variables, clippy::missing_panics_doc, clippy::implicit_hasher)]

use std::collections::HashSet;

use ndarray::{Array1, Array2};

// ANCHOR: wordpiece
/// Exercise 1. The pieces of a word: from the left, always the longest that the
/// vocabulary has. All but the first are in the vocabulary with `##` before them, and
/// in the answer too.
///
/// If somewhere no piece fits, the answer is `[UNK]` alone: there is no going back to
/// try a shorter piece before it.
pub fn wordpiece(word: &str, vocabulary: &HashSet<&str>) -> Vec<String> {
    todo!("exercise 1: try the whole rest of the word, then one letter less, and so on")
}
// ANCHOR_END: wordpiece

// ANCHOR: pad
/// Exercise 2. A batch from texts of different lengths: the ids, the shorter texts
/// filled up with `pad` at their ends, and the mask, 1 for each id of a text and 0 for
/// each that was filled in. Both `[batch, n]`, with `n` the length of the longest text.
///
/// There is at least one text. A text may hold the number `pad` itself.
pub fn pad(texts: &[Vec<u32>], pad: u32) -> (Array2<u32>, Array2<u32>) {
    todo!("exercise 2: find the longest, start with a matrix of pad, copy each text")
}
// ANCHOR_END: pad

// ANCHOR: mean_pool
/// Exercise 3. One vector for a text, the mean of its tokens' vectors: `[n, d_model] ->
/// [d_model]`. The mask has a 1 for each token that counts, at least one, and a 0 for
/// each that doesn't, whatever its vector holds.
pub fn mean_pool(hidden: &Array2<f64>, mask: &[u32]) -> Array1<f64> {
    todo!("exercise 3: add up the rows that the mask shows, divide by their number")
}
// ANCHOR_END: mean_pool

// ANCHOR: label_and_score
/// Exercise 4. The likeliest label, of equals the first, and its score: its share of
/// the softmax of the logits, which are finite, two or more, and may be large.
pub fn label_and_score(logits: &[f64]) -> (usize, f64) {
    todo!("exercise 4: subtract the largest logit from all; its exponential is then 1")
}
// ANCHOR_END: label_and_score

// ANCHOR: leave_one_out
/// Exercise 5. How much the score falls without each word: `score` of all the words,
/// minus `score` of the others in their order. One number per word; below 0 if the
/// score rises.
pub fn leave_one_out(words: &[&str], score: impl Fn(&[&str]) -> f64) -> Vec<f64> {
    todo!("exercise 5: for each place, the words before and after it, without itself")
}
// ANCHOR_END: leave_one_out

// ANCHOR: calibration_error
/// Exercise 6. The expected calibration error of answers, each a score from 0 to 1 and
/// whether it was right.
///
/// The answers go by their scores into `bins` ranges of equal width from 0 to 1; a
/// score on a border goes up, and 1 into the last. A range's gap is the distance
/// between the mean of its scores and the share of it that was right. The error is the
/// mean of the gaps, in which a range counts as often as it has answers.
pub fn calibration_error(answers: &[(f64, bool)], bins: usize) -> f64 {
    todo!("exercise 6: per range, |sum of scores − number right|; then divide by all")
}
// ANCHOR_END: calibration_error
