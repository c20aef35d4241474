//! Exercises of chapter 2, solved.

#![allow(clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3, Axis};

// ANCHOR: split_heads
/// Exercise 1. Shares the columns out among the heads: `[n, d_model] -> [heads, n,
/// d_k]`, with `d_k = d_model / heads`, an exact division.
///
/// Head `h` gets columns `h · d_k .. (h + 1) · d_k` of every word.
pub fn split_heads(x: &Array2<f64>, heads: usize) -> Array3<f64> {
    let (n, d_model) = x.dim();
    // [n, d_model] -> [n, heads, d_k]: each row is cut in pieces
    let pieces = x.to_shape((n, heads, d_model / heads)).expect("an exact division");
    // [n, heads, d_k] -> [heads, n, d_k]: the heads come first
    pieces.permuted_axes([1, 0, 2]).into_owned()
}
// ANCHOR_END: split_heads

// ANCHOR: merge_heads
/// Exercise 2. Puts the heads' columns side by side again, head 0 first: `[heads, n,
/// d_k] -> [n, heads · d_k]`.
pub fn merge_heads(heads: &Array3<f64>) -> Array2<f64> {
    let (count, n, d_k) = heads.dim();
    // [heads, n, d_k] -> [n, heads, d_k]: the words come first
    let by_word = heads.view().permuted_axes([1, 0, 2]);
    // [n, heads, d_k] -> [n, heads · d_k]: the pieces of each row are joined
    by_word.to_shape((n, count * d_k)).expect("as many numbers").into_owned()
}
// ANCHOR_END: merge_heads

// ANCHOR: causal_mask
/// Exercise 3. The mask that hides what comes later, to be added to the scores: 0 where
/// query `i` may see key `j`, −∞ where it may not. A query sees itself. Shape `[n, n]`.
pub fn causal_mask(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| if j > i { f64::NEG_INFINITY } else { 0.0 })
}
// ANCHOR_END: causal_mask

// ANCHOR: hide_padding
/// Exercise 4. `mask`, `[n, m]`, with the keys that are padding hidden from every query
/// too. `padding` says of each of the `m` keys whether it is padding; the mask of the
/// other keys stays as it is. Shape unchanged.
pub fn hide_padding(mask: &Array2<f64>, padding: &[bool]) -> Array2<f64> {
    let mut hidden = mask.clone();
    for (mut column, &is_padding) in hidden.columns_mut().into_iter().zip(padding) {
        if is_padding {
            column.fill(f64::NEG_INFINITY);
        }
    }
    hidden
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
    let shuffled_first = attend(&x.select(Axis(0), order)); // [n, d]
    let shuffled_after = attend(x).select(Axis(0), order); // [n, d]
    (shuffled_first - shuffled_after).iter().any(|difference| difference.abs() > 1e-9)
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
    Array1::from_shape_fn(d_model, |column| {
        let pair = column / 2; // i
        let exponent = 2.0 * pair as f64 / d_model as f64;
        let angle = position as f64 / 10_000_f64.powf(exponent);
        if column % 2 == 0 { angle.sin() } else { angle.cos() }
    })
}
// ANCHOR_END: sinusoidal

// ANCHOR: layer_norm
/// Exercise 7. `(x − mean) / √(variance + epsilon)`, row by row, without scale and
/// shift. The variance is the biased one. Shape unchanged, `[n, d_model]`.
pub fn layer_norm(x: &Array2<f64>, epsilon: f64) -> Array2<f64> {
    let mut normal = x.clone();
    for mut row in normal.rows_mut() {
        let d_model = row.len() as f64;
        row -= row.sum() / d_model;
        let variance = row.pow2().sum() / d_model;
        row /= (variance + epsilon).sqrt();
    }
    normal
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
    let mut tokens = vec![start];
    for _ in 0..limit {
        let logits = next_logits(&tokens); // [vocabulary]
        let mut likeliest = 0;
        for (token, &logit) in logits.iter().enumerate() {
            if logit > logits[likeliest] {
                likeliest = token;
            }
        }
        tokens.push(likeliest);
        if likeliest == end {
            break;
        }
    }
    tokens
}
// ANCHOR_END: greedy
