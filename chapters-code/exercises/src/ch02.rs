//! Exercises of chapter 2, the whole Transformer. Replace each `todo!()`, then `cargo
//! test -p exercises ch02`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3, Axis, concatenate};
use self_attention::{scaled_scores, softmax};

// ANCHOR: split_heads
/// Exercise 1. Shares the columns out among the heads: `[n, d_model] -> [heads, n,
/// d_k]`, with `d_k = d_model / heads`, an exact division.
///
/// Head `h` gets columns `h · d_k .. (h + 1) · d_k` of every word.
pub fn split_heads(x: &Array2<f64>, heads: usize) -> Array3<f64> {
    todo!("exercise 1: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: split_heads

// ANCHOR: grouped_query
/// Exercise 2. Attention whose heads share keys and values, without projections and
/// mask. Queries have `heads` heads, `[n, heads · d_k]`; keys and values have only
/// `groups`, `[m, groups · d_k]` each. `heads` is a multiple of `groups`, and
/// neighboring heads share: with 4 heads and 2 groups, heads 0 and 1 use group 0, and
/// heads 2 and 3 group 1.
///
/// Returns what the heads find, head 0's columns first, `[n, heads · d_k]`.
pub fn grouped_query(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
    (heads, groups): (usize, usize),
) -> Array2<f64> {
    todo!("exercise 2: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: grouped_query

// ANCHOR: attend_next
/// Exercise 3. One step of a causal attention that keeps what it has computed. `keys`
/// and `values`, `[i, d_k]` and `[i, d_v]`, are those of the `i` words so far (none at
/// first); `q`, `k`, `[d_k]`, and `v`, `[d_v]`, are the new word's.
///
/// Puts `k` and `v` below the others and returns what the new word finds, `[d_v]`: the
/// row that causal attention of all `i + 1` words would have for it.
pub fn attend_next(
    keys: &mut Array2<f64>,
    values: &mut Array2<f64>,
    q: &Array1<f64>,
    k: &Array1<f64>,
    v: &Array1<f64>,
) -> Array1<f64> {
    todo!("exercise 3: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: attend_next

// ANCHOR: hide_padding
/// Exercise 4. `mask`, `[n, m]`, with the keys that are padding hidden from every query
/// too. `padding` says of each of the `m` keys whether it is padding; the mask of the
/// other keys stays as it is. Shape unchanged.
pub fn hide_padding(mask: &Array2<f64>, padding: &[bool]) -> Array2<f64> {
    todo!("exercise 4: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: hide_padding

// ANCHOR: tells_order
/// Exercise 5. Whether `attend`, `[n, d] -> [n, d]`, can tell the order of the words:
/// does shuffling the rows of its input do more to its output than shuffle its rows, by
/// more than 1e-9 in some number?
///
/// Row `i` of the shuffled input is row `order[i]` of `x`, `[n, d]`.
pub fn tells_order(
    attend: impl Fn(&Array2<f64>) -> Array2<f64>,
    x: &Array2<f64>,
    order: &[usize],
) -> bool {
    todo!("exercise 5: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: tells_order

// ANCHOR: rotate
/// Exercise 6. The query or key of the word at `position`, counted from 0, turned as
/// `RoPE` turns it. `x` has an even number of columns, `[d_k]`; columns `2i` and `2i +
/// 1` are the two coordinates of an arrow, turned from the first toward the second by
/// the angle `position / 10000^(2i / d_k)`. Shape unchanged.
pub fn rotate(x: &Array1<f64>, position: usize) -> Array1<f64> {
    todo!("exercise 6: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: rotate

// ANCHOR: layer_norm
/// Exercise 7. `(x − mean) / √(variance + epsilon)`, row by row, without scale and
/// shift. The variance is the biased one. Shape unchanged, `[n, d_model]`.
pub fn layer_norm(x: &Array2<f64>, epsilon: f64) -> Array2<f64> {
    todo!("exercise 7: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: layer_norm

// ANCHOR: beam
/// Exercise 8. Writes a sentence with a beam of two: at each step only the two
/// likeliest sentences so far are kept. A sentence's likelihood is the product of its
/// tokens' probabilities (the softmax of the logits).
///
/// `next_logits` is given all tokens so far, `start` first, and returns a score for
/// each token that could come next, `[vocabulary]`. A sentence that has chosen `end`
/// is kept as it is, and competes with those that go on. After `limit` steps, or when
/// both sentences kept have ended, returns the likelier one, with `start`. No two
/// sentences are equally likely.
pub fn beam(
    next_logits: impl Fn(&[usize]) -> Array1<f64>,
    (start, end): (usize, usize),
    limit: usize,
) -> Vec<usize> {
    todo!("exercise 8: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: beam

// ANCHOR: top_k
/// Exercise 9. The probabilities from which the next token is drawn: the softmax of
/// `logits / temperature`, for a temperature above 0, over the `k` largest logits alone
/// (from 1 up; of equals, the first). The other tokens get 0. Shape unchanged,
/// `[vocabulary]`.
pub fn top_k(logits: &Array1<f64>, k: usize, temperature: f64) -> Array1<f64> {
    todo!("exercise 9: its statement and its hints are on the page of chapter 2")
}
// ANCHOR_END: top_k
