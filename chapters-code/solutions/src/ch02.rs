//! Exercises of chapter 2, solved.

use ndarray::{Array1, Array2, Array3, Axis};

// ANCHOR: split_heads
pub fn split_heads(x: &Array2<f64>, heads: usize) -> Array3<f64> {
    let (n, d_model) = x.dim();
    // [n, d_model] -> [n, heads, d_k]: each row is cut in pieces
    let pieces = x.to_shape((n, heads, d_model / heads)).expect("an exact division");
    // [n, heads, d_k] -> [heads, n, d_k]: the heads come first
    pieces.permuted_axes([1, 0, 2]).into_owned()
}
// ANCHOR_END: split_heads

// ANCHOR: merge_heads
pub fn merge_heads(heads: &Array3<f64>) -> Array2<f64> {
    let (count, n, d_k) = heads.dim();
    // [heads, n, d_k] -> [n, heads, d_k]: the words come first
    let by_word = heads.view().permuted_axes([1, 0, 2]);
    // [n, heads, d_k] -> [n, heads · d_k]: the pieces of each row are joined
    by_word.to_shape((n, count * d_k)).expect("as many numbers").into_owned()
}
// ANCHOR_END: merge_heads

// ANCHOR: causal_mask
pub fn causal_mask(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| if j > i { f64::NEG_INFINITY } else { 0.0 })
}
// ANCHOR_END: causal_mask

// ANCHOR: hide_padding
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
