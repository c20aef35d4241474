//! Exercises of chapter 7, views of attention. Replace each `todo!()`, then `cargo test -p
//! exercises ch07`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array2, Array3, Axis, s};

// ANCHOR: look
/// Exercise 1. What a head's lines show at a glance in the model view, from its
/// weights, `[n, n]`, at least two tokens; those of sentence B begin at
/// `sentence_b_start`. The first of these that holds:
///
/// - `"fan"`: one of the tokens gets at least half of all attention;
/// - `"previous"`, `"next"`: the tokens that have such a neighbor give it at least
///   half of their attention, in the mean;
/// - `"across"`: at least half of all attention goes to the other sentence;
/// - `"spread"`: none of these.
pub fn look(weights: &Array2<f64>, sentence_b_start: usize) -> &'static str {
    todo!("exercise 1: one of the five words")
}
// ANCHOR_END: look

// ANCHOR: hover
/// Exercise 2. The colored slices that a view draws for the token under the pointer:
/// for each token on the other side, the weight of each head.
///
/// `attention` is `[heads, n, m]`, `n` tokens on the left, which look, and `m` on the
/// right, which are looked at. A token on the left gives `[m, heads]`, one on the
/// right `[n, heads]`.
pub fn hover(attention: &Array3<f64>, on_the_left: bool, token: usize) -> Array2<f64> {
    todo!("exercise 2: the slices of all tokens on the other side")
}
// ANCHOR_END: hover

// ANCHOR: prettify
/// Exercise 3. Tokens as a view writes them. Some tokenizers mark the beginning of a
/// word with `Ġ` or `▁`: each becomes a space. Others mark its end with `</w>`: it
/// goes. All else stays, wherever it stands.
pub fn prettify(tokens: &[&str]) -> Vec<String> {
    todo!("exercise 3: the tokens as a view writes them")
}
// ANCHOR_END: prettify

// ANCHOR: json_in_script
/// Exercise 4. A token as a JSON string, quotes included, that may stand inside a
/// `<script>`: nothing in it can end the script or begin a tag.
///
/// `"` and `\` get a `\` before them. Characters below U+0020 and the three
/// characters `<`, `>` and `&` become `\u` and four hexadecimal digits, in lower
/// case: `<` is `\u003c`. All else stays.
pub fn json_in_script(token: &str) -> String {
    todo!("exercise 4: a JSON string, safe in a script")
}
// ANCHOR_END: json_in_script

// ANCHOR: moved
/// Exercise 5. What each line carries, which isn't its weight: of a token that looks,
/// `i`, and one that is looked at, `j`, the length of `weights[i, j] · values[j]`, as
/// a share of the lengths in its row. `weights` are `[n, m]`, `values` `[m, d_v]`;
/// the answer is `[n, m]`. A row that carries nothing is 0 throughout.
pub fn moved(weights: &Array2<f64>, values: &Array2<f64>) -> Array2<f64> {
    todo!("exercise 5: the share of each line in what a token takes")
}
// ANCHOR_END: moved

// ANCHOR: top_pairs
/// Exercise 6. The table below a view: the places `(head, from, to)` of the `count`
/// largest weights of a layer, the largest first; of equals, the first head first,
/// then the first that looks, then the first that is looked at. With fewer weights
/// than `count`, all. `attention` is `[heads, n, m]`.
pub fn top_pairs(attention: &Array3<f64>, count: usize) -> Vec<(usize, usize, usize)> {
    todo!("exercise 6: the places of the largest weights")
}
// ANCHOR_END: top_pairs

// ANCHOR: least_weight
/// Exercise 7. Where to put the slider: the largest weight `w` such that the lines
/// not lighter than `w` carry at least `share` of all attention. `share` is above 0
/// and at most 1, and some weight is above 0. `weights` is `[n, m]`.
pub fn least_weight(weights: &Array2<f64>, share: f64) -> f64 {
    todo!("exercise 7: the weight at which the slider stops")
}
// ANCHOR_END: least_weight

// ANCHOR: added
/// Exercise 8. What each head adds to the output of its attention. `context` is
/// `[n, d_model]`: for each token, what the heads found, side by side, the columns of
/// head 0 first. `output` is `[d_model, d_model]`, and the attention gives
/// `context · output`. The answer is `[heads, n, d_model]`, and the sum of its heads is
/// what the attention gives; `heads` divides `d_model`.
pub fn added(context: &Array2<f64>, output: &Array2<f64>, heads: usize) -> Array3<f64> {
    todo!("exercise 8: the term that each head adds to the output")
}
// ANCHOR_END: added
