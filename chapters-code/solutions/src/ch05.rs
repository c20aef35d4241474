//! Exercises of chapter 5, solved.

use ndarray::{Array1, Array2, Array3, Array4, Axis};

// ANCHOR: share_to_previous
pub fn share_to_previous(attention: &Array3<f64>) -> Array1<f64> {
    let (heads, n, _) = attention.dim();
    Array1::from_shape_fn(heads, |h| {
        (1..n).map(|i| attention[[h, i, i - 1]]).sum::<f64>() / (n - 1) as f64
    })
}
// ANCHOR_END: share_to_previous

// ANCHOR: entropy
pub fn entropy(weights: &Array2<f64>) -> Array1<f64> {
    let bits = |&w: &f64| if w > 0.0 { -w * w.log2() } else { 0.0 };
    weights.map_axis(Axis(1), |row| row.iter().map(bits).sum())
}
// ANCHOR_END: entropy

// ANCHOR: sharpest_head
pub fn sharpest_head(attentions: &Array4<f64>) -> (usize, usize) {
    let (layers, heads, n, _) = attentions.dim();
    let mut best = ((0, 0), f64::INFINITY);
    for layer in 0..layers {
        for head in 0..heads {
            let weights = attentions.index_axis(Axis(0), layer);
            let weights = weights.index_axis(Axis(0), head).to_owned(); // [n, n]
            let mean = entropy(&weights).sum() / n as f64;
            if mean < best.1 {
                best = ((layer, head), mean);
            }
        }
    }
    best.0
}
// ANCHOR_END: sharpest_head

// ANCHOR: top_key_across
pub fn top_key_across(weights: &Array2<f64>, sentence_b_start: usize) -> Vec<usize> {
    let n = weights.ncols();
    let choice = |i: usize| {
        let mut best = sentence_b_start;
        for j in sentence_b_start..n - 1 {
            if weights[[i, j]] > weights[[i, best]] {
                best = j;
            }
        }
        best
    };
    (1..sentence_b_start - 1).map(choice).collect() // row 0 is [CLS]'s
}
// ANCHOR_END: top_key_across

// ANCHOR: without_special
pub fn without_special(weights: &Array2<f64>, special: &[bool]) -> Array2<f64> {
    let ordinary: Vec<usize> = (0..special.len()).filter(|&i| !special[i]).collect();
    let rows = weights.select(Axis(0), &ordinary); // [m, n]
    let mut kept = rows.select(Axis(1), &ordinary); // [m, m]
    for mut row in kept.rows_mut() {
        let sum = row.sum();
        if sum > 0.0 {
            row /= sum;
        }
    }
    kept
}
// ANCHOR_END: without_special

// ANCHOR: rollout
pub fn rollout(attentions: &Array4<f64>) -> Array2<f64> {
    let (_, heads, n, _) = attentions.dim();
    let mut through = Array2::eye(n);
    for layer in attentions.outer_iter() {
        let mean = layer.sum_axis(Axis(0)) / heads as f64; // [n, n]
        let mixed = mean * 0.5 + Array2::<f64>::eye(n) * 0.5;
        through = mixed.dot(&through);
    }
    through
}
// ANCHOR_END: rollout
