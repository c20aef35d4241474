//! Exercises of chapter 7, views of attention. Replace each `todo!()`, then `cargo test -p
//! exercises ch07`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3};

// ANCHOR: pair_parts
/// Exercise 1. The parts of a pair's attention, as the view's menu has them:
/// A → A, B → B, A → B, B → A, where the arrow goes from who looks to who is looked at.
///
/// `weights`, `[n, n]`, are one head's; the tokens of B begin at `sentence_b_start`.
/// With `a` tokens in A and `b` in B, the answer is `[a, a]`, `[b, b]`, `[a, b]`,
/// `[b, a]`.
pub fn pair_parts(weights: &Array2<f64>, sentence_b_start: usize) -> [Array2<f64>; 4] {
    todo!("exercise 1: slices of rows, who looks, and of columns, who is looked at")
}
// ANCHOR_END: pair_parts

// ANCHOR: hover
/// Exercise 2. The coloured slices that a view draws for the token under the pointer:
/// for each token on the other side, the weight of each head.
///
/// `attention` is `[heads, n, m]`, `n` tokens on the left, which look, and `m` on the
/// right, which are looked at. A token on the left gives `[m, heads]`, one on the
/// right `[n, heads]`.
pub fn hover(attention: &Array3<f64>, on_the_left: bool, token: usize) -> Array2<f64> {
    todo!("exercise 2: the token's row in each head, or its column, transposed")
}
// ANCHOR_END: hover

// ANCHOR: prettify
/// Exercise 3. Tokens as a view writes them. Some tokenizers mark the beginning of a
/// word with `Ġ` or `▁`: each becomes a space. Others mark its end with `</w>`: it
/// goes. All else stays, wherever it stands.
pub fn prettify(tokens: &[&str]) -> Vec<String> {
    todo!("exercise 3: replace in each token, and leave the others as they are")
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
    todo!("exercise 4: a quote, each character as it is or escaped, and a quote")
}
// ANCHOR_END: json_in_script

// ANCHOR: inside
/// Exercise 5. What the neuron view shows for a token that looks: the products,
/// number by number, of its query and each key, `[n, d_k]`; the scores, `[n]`, each
/// the sum of a row of products over `√d_k`; the weights, `[n]`, their softmax.
///
/// `query` is `[d_k]`, `keys` are `[n, d_k]`.
pub fn inside(
    query: &Array1<f64>,
    keys: &Array2<f64>,
) -> (Array2<f64>, Array1<f64>, Array1<f64>) {
    todo!("exercise 5: keys × query, sums of rows over √d_k, exp minus the largest")
}
// ANCHOR_END: inside

// ANCHOR: top_pairs
/// Exercise 6. The table below a view: the places `(head, from, to)` of the `count`
/// largest weights of a layer, the largest first; of equals, the first head first,
/// then the first that looks, then the first that is looked at. With fewer weights
/// than `count`, all. `attention` is `[heads, n, m]`.
pub fn top_pairs(attention: &Array3<f64>, count: usize) -> Vec<(usize, usize, usize)> {
    todo!("exercise 6: all places in order, a stable sort by weight, the first ones")
}
// ANCHOR_END: top_pairs

// ANCHOR: least_weight
/// Exercise 7. Where to put the slider: the largest weight `w` such that the lines
/// not lighter than `w` carry at least `share` of all attention. `share` is above 0
/// and at most 1, and some weight is above 0. `weights` is `[n, m]`.
pub fn least_weight(weights: &Array2<f64>, share: f64) -> f64 {
    todo!("exercise 7: from the largest weight down, until their sum is share × total")
}
// ANCHOR_END: least_weight
