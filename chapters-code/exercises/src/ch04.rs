//! Exercises of chapter 4, the sentiment pipeline. Replace each `todo!()`, then `cargo
//! test -p exercises ch04`.

#![allow(unused_variables, clippy::missing_panics_doc, clippy::implicit_hasher)]

use std::collections::{HashMap, HashSet};

use ndarray::{Array1, Array2, Axis};
use self_attention::softmax;

// ANCHOR: fewest_pieces
/// Exercise 1. The pieces of a word by another rule, which looks ahead: of all the ways
/// to cut the word into pieces of the vocabulary, the one with the fewest; of several
/// with as few, the one whose first piece is longest, then whose second is, and so on.
///
/// As in WordPiece, all pieces but the first are in the vocabulary with `##` before
/// them, and in the answer too. If there is no way at all, the answer is `[UNK]` alone.
pub fn fewest_pieces(word: &str, vocabulary: &HashSet<&str>) -> Vec<String> {
    todo!("exercise 1: the fewest pieces, even where WordPiece gives up")
}
// ANCHOR_END: fewest_pieces

// ANCHOR: leaks
/// Exercise 2. Finds the texts that a model answers differently in company.
///
/// `model` reads a batch, its ids and its mask, both `[batch, n]`, and says one number
/// for each text. Ask it about each text alone, without padding, and about all of them
/// together, the shorter ones filled up at their ends with the id `pad`. Returns the
/// places, in order, of the texts whose two numbers differ by more than 1e-9.
pub fn leaks(
    model: impl Fn(&Array2<u32>, &Array2<u32>) -> Vec<f64>,
    texts: &[Vec<u32>],
    pad: u32,
) -> Vec<usize> {
    todo!("exercise 2: each text alone, then all in one batch")
}
// ANCHOR_END: leaks

// ANCHOR: mean_pool
/// Exercise 3. One vector for a text, the mean of its tokens' vectors: `[n, d_model] ->
/// [d_model]`. The mask has a 1 for each token that counts, at least one, and a 0 for
/// each that doesn't, whatever its vector holds.
pub fn mean_pool(hidden: &Array2<f64>, mask: &[u32]) -> Array1<f64> {
    todo!("exercise 3: a mean that padding has no part in")
}
// ANCHOR_END: mean_pool

// ANCHOR: temperature
/// Exercise 4. The temperature that makes scores honest: the T from 0.05 to 20 for
/// which the mean of −ln p is smallest, where p is what the softmax of `logits / T`
/// gives to the right label. The logits are `[answers, labels]`; `right` has the right
/// column of each answer. Where the loss falls all the way to an end of the range, T is
/// that end.
pub fn temperature(logits: &Array2<f64>, right: &[usize]) -> f64 {
    todo!("exercise 4: one number, fitted to answers that are known")
}
// ANCHOR_END: temperature

// ANCHOR: covering_pair
/// Exercise 5. The two words that cover for each other: the places i < j for which the
/// score falls most *beyond* what leaving out each of them alone makes it fall, if both
/// are left out: fall(i and j) − fall(i) − fall(j). Of equal pairs, the first: smallest
/// i, then smallest j. There are two words or more.
///
/// `score` is asked about the words that are left, in their order.
pub fn covering_pair(words: &[&str], score: impl Fn(&[&str]) -> f64) -> (usize, usize) {
    todo!("exercise 5: leave out one, the other, and both")
}
// ANCHOR_END: covering_pair

// ANCHOR: sign_flips
/// Exercise 6. A paired test for numbers: each difference is what one judge got in a
/// case minus what the other got in the same case. If the judges were alike, it might
/// as well have had the other sign.
///
/// Returns the share of all the 2ⁿ ways to choose the n signs in which the sum is at
/// least as far from 0 as the sum found, to either side. Sums that differ by less than
/// 1e-12 are equal. There are 20 differences at most; of none, the share is 1.
pub fn sign_flips(differences: &[f64]) -> f64 {
    todo!("exercise 6: what would have come out with other signs?")
}
// ANCHOR_END: sign_flips
