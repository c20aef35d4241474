//! Exercises of chapter 5, BERT's attention. Replace each `todo!()`, then `cargo test -p
//! exercises ch05`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use std::ops::Range;

use ndarray::{Array2, Array4, ArrayView1, Axis, s};

// ANCHOR: sharpest_head
/// Exercise 1. The most specialized head: the layer and the head whose rows have the
/// lowest mean entropy; of equals, the first. A weight of 0 adds 0 to an entropy.
/// `attentions` is `[layers, heads, n, n]`.
pub fn sharpest_head(attentions: &Array4<f64>) -> (usize, usize) {
    todo!("exercise 1: where is the head that hesitates least?")
}
// ANCHOR_END: sharpest_head

// ANCHOR: top_key_across
/// Exercise 2. For each word of sentence A, the place of the word of sentence B that it
/// looks at most; of equals, the first.
///
/// `weights`, `[n, n]`, are one head's for `[CLS] A … [SEP] B … [SEP]`, and B begins at
/// `sentence_b_start`. The special tokens neither look nor are looked at: the answer
/// has `sentence_b_start − 2` places, counted from the beginning of the pair.
pub fn top_key_across(weights: &Array2<f64>, sentence_b_start: usize) -> Vec<usize> {
    todo!("exercise 2: whom does each word of A look at, over in B?")
}
// ANCHOR_END: top_key_across

// ANCHOR: without_special
/// Exercise 3. The weights among ordinary tokens: rows and columns of special tokens
/// are left out, and each row is divided by what is left of it, to add up to 1 again. A
/// row with nothing left is all 0.
///
/// `special` says of each of the `n` tokens whether it is special. `[n, n] -> [m, m]`.
pub fn without_special(weights: &Array2<f64>, special: &[bool]) -> Array2<f64> {
    todo!("exercise 3: what is left of the map without special tokens?")
}
// ANCHOR_END: without_special

// ANCHOR: reads_gender
/// Exercise 4. Whether a head reads a pronoun's gender: from `ela`, the feminine noun
/// gets more than the masculine one, and from `ele` the masculine gets more; and both
/// still hold with the two nouns in each other's places, each with its article.
///
/// `head` gives a head's weights for words, `[n, n]`. `words` are a sentence with `ela`
/// or `ele` at `pronoun`, and its nouns at `masculine` and `feminine`, each right after
/// its article.
pub fn reads_gender(
    head: &dyn Fn(&[&str]) -> Array2<f64>,
    words: &[&str],
    pronoun: usize,
    masculine: usize,
    feminine: usize,
) -> bool {
    todo!("exercise 4: in which sentences must the right noun win?")
}
// ANCHOR_END: reads_gender

// ANCHOR: held_out
/// Exercise 5. The head whose lead is greatest in the first half of the cases, and its
/// lead in the second half, where it was not chosen.
///
/// `hits` says of each case whether each head did what is claimed, `control` whether it
/// did the same where it should not: `[cases, heads]` both, with an even number of
/// cases. A lead is the share of hits minus the share of the control's; of equals, the
/// first head.
pub fn held_out(hits: &Array2<bool>, control: &Array2<bool>) -> (usize, f64) {
    todo!("exercise 5: which half may choose, and which half judges?")
}
// ANCHOR_END: held_out

// ANCHOR: find_flaw
/// Exercise 6. What is wrong with a map of attention, `[n, n]`, the first of these that
/// applies:
///
/// - `"no weights"`: a number is negative or not finite;
/// - `"columns"`: the columns add up to 1 each, and not all rows do;
/// - `"rows"`: not all rows add up to 1, nor all columns;
/// - `"padding"`: a token looks at one that is `hidden`;
/// - `"future"`: the map is to be `causal`, and a token looks at a later one;
/// - `"none"`.
///
/// A sum is 1, and a weight 0, up to 1e-9.
pub fn find_flaw(weights: &Array2<f64>, hidden: &[bool], causal: bool) -> &'static str {
    todo!("exercise 6: what would each mistake leave to be seen in the map?")
}
// ANCHOR_END: find_flaw
