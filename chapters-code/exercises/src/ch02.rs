//! Exercises of chapter 2, the whole Transformer. Replace each `todo!()`, then `cargo
//! test -p exercises ch02`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3};

// ANCHOR: split_heads
/// Exercise 1. Shares the columns out among the heads: `[n, d_model] -> [heads, n,
/// d_k]`, with `d_k = d_model / heads`, an exact division.
///
/// Head `h` gets columns `h · d_k .. (h + 1) · d_k` of every word.
pub fn split_heads(x: &Array2<f64>, heads: usize) -> Array3<f64> {
    todo!("exercise 1: reshape to [n, heads, d_k], then swap the first two axes")
}
// ANCHOR_END: split_heads

// ANCHOR: merge_heads
/// Exercise 2. Puts the heads' columns side by side again, head 0 first: `[heads, n,
/// d_k] -> [n, heads · d_k]`.
pub fn merge_heads(heads: &Array3<f64>) -> Array2<f64> {
    todo!("exercise 2: exercise 1 backwards; swap the axes first, then reshape")
}
// ANCHOR_END: merge_heads

// ANCHOR: causal_mask
/// Exercise 3. The mask that hides what comes later, to be added to the scores: 0 where
/// query `i` may see key `j`, −∞ where it may not. A query sees itself. Shape `[n, n]`.
pub fn causal_mask(n: usize) -> Array2<f64> {
    todo!("exercise 3: the row is the query, the column is the key; later means j > i")
}
// ANCHOR_END: causal_mask

// ANCHOR: hide_padding
/// Exercise 4. `mask`, `[n, m]`, with the keys that are padding hidden from every query
/// too. `padding` says of each of the `m` keys whether it is padding; the mask of the
/// other keys stays as it is. Shape unchanged.
pub fn hide_padding(mask: &Array2<f64>, padding: &[bool]) -> Array2<f64> {
    todo!("exercise 4: a key is a column; where it is padding, the whole column is −∞")
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
    todo!("exercise 5: shuffle and attend, attend and shuffle: do the two differ?")
}
// ANCHOR_END: tells_order

// ANCHOR: sinusoidal
/// Exercise 6. The vector of one position, counted from 0. Shape `[d_model]`.
///
/// ```text
/// PE[2i]     = sin(position / 10000^(2i / d_model))
/// PE[2i + 1] = cos(position / 10000^(2i / d_model))
/// ```
///
/// If `d_model` is odd, the last number is a sine without its cosine.
pub fn sinusoidal(position: usize, d_model: usize) -> Array1<f64> {
    todo!("exercise 6: columns 2i and 2i + 1 share one angle; even: sine, odd: cosine")
}
// ANCHOR_END: sinusoidal

// ANCHOR: layer_norm
/// Exercise 7. `(x − mean) / √(variance + epsilon)`, row by row, without scale and
/// shift. The variance is the biased one. Shape unchanged, `[n, d_model]`.
pub fn layer_norm(x: &Array2<f64>, epsilon: f64) -> Array2<f64> {
    todo!("exercise 7: each row minus its mean, divided by the root of mean square + ε")
}
// ANCHOR_END: layer_norm

// ANCHOR: greedy
/// Exercise 8. Writes a sentence: from `start` on, always the likeliest next token (of
/// equals, the first), until it chooses `end` or has chosen `limit` tokens.
///
/// `next_logits` is given all tokens so far and returns a score for each token that
/// could come next, `[vocabulary]`. The answer has `start` first, and `end` last if it
/// was chosen. `start` isn't chosen: it doesn't count, and doesn't end the sentence
/// even if it equals `end`.
pub fn greedy(
    next_logits: impl Fn(&[usize]) -> Array1<f64>,
    (start, end): (usize, usize),
    limit: usize,
) -> Vec<usize> {
    todo!("exercise 8: at most `limit` times, push the likeliest token; stop at `end`")
}
// ANCHOR_END: greedy
