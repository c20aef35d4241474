//! Exercises of chapter 2, solved.

use ndarray::{Array1, Array2, Array3, Axis, concatenate};
use self_attention::{scaled_scores, softmax};

// ANCHOR: attention
/// Chapter 1's attention, `[n, d_v]`.
fn attention(q: &Array2<f64>, k: &Array2<f64>, v: &Array2<f64>) -> Array2<f64> {
    let scores = scaled_scores(q, k).expect("queries as wide as keys");
    softmax(&scores).dot(v) // [n, m] · [m, d_v] -> [n, d_v]
}
// ANCHOR_END: attention

// ANCHOR: split_heads
pub fn split_heads(x: &Array2<f64>, heads: usize) -> Array3<f64> {
    let (n, d_model) = x.dim();
    // [n, d_model] -> [n, heads, d_k]: each row is cut in pieces
    let pieces = x.to_shape((n, heads, d_model / heads)).expect("an exact division");
    // [n, heads, d_k] -> [heads, n, d_k]: the heads come first
    pieces.permuted_axes([1, 0, 2]).into_owned()
}
// ANCHOR_END: split_heads

// ANCHOR: grouped_query
pub fn grouped_query(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
    (heads, groups): (usize, usize),
) -> Array2<f64> {
    let queries = split_heads(q, heads); // [heads, n, d_k]
    let [keys, values] = [k, v].map(|x| split_heads(x, groups)); // [groups, m, d_k]
    let mut found = Array2::zeros((q.nrows(), 0));
    for (head, q) in queries.outer_iter().enumerate() {
        let group = head / (heads / groups);
        let k = keys.index_axis(Axis(0), group).to_owned();
        let v = values.index_axis(Axis(0), group).to_owned();
        let output = attention(&q.to_owned(), &k, &v); // [n, d_k]
        found = concatenate![Axis(1), found, output]; // d_k columns more
    }
    found
}
// ANCHOR_END: grouped_query

// ANCHOR: attend_next
pub fn attend_next(
    keys: &mut Array2<f64>,
    values: &mut Array2<f64>,
    q: &Array1<f64>,
    k: &Array1<f64>,
    v: &Array1<f64>,
) -> Array1<f64> {
    keys.push_row(k.view()).expect("as wide as the others"); // [i + 1, d_k]
    values.push_row(v.view()).expect("as wide as the others"); // [i + 1, d_v]
    let query = q.clone().insert_axis(Axis(0)); // [d_k] -> [1, d_k]
    // No mask: all that is kept comes before the new word, or is it.
    attention(&query, keys, values).row(0).to_owned()
}
// ANCHOR_END: attend_next

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

// ANCHOR: rotate
pub fn rotate(x: &Array1<f64>, position: usize) -> Array1<f64> {
    let d_k = x.len() as f64;
    let mut turned = x.clone();
    for first in (0..x.len()).step_by(2) {
        let angle = position as f64 / 10_000_f64.powf(first as f64 / d_k); // first = 2i
        let (sine, cosine) = angle.sin_cos();
        turned[first] = x[first] * cosine - x[first + 1] * sine;
        turned[first + 1] = x[first] * sine + x[first + 1] * cosine;
    }
    turned
}
// ANCHOR_END: rotate

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

// ANCHOR: beam
pub fn beam(
    next_logits: impl Fn(&[usize]) -> Array1<f64>,
    (start, end): (usize, usize),
    limit: usize,
) -> Vec<usize> {
    let ended = |tokens: &[usize]| tokens.len() > 1 && tokens.last() == Some(&end);
    // Sentences, each with the logarithm of its likelihood.
    let mut kept = vec![(vec![start], 0.0)];
    for _ in 0..limit {
        let mut candidates = Vec::new();
        for (tokens, likelihood) in kept {
            if ended(&tokens) {
                candidates.push((tokens, likelihood));
                continue;
            }
            let logits = next_logits(&tokens); // [vocabulary]
            let scores = logits.insert_axis(Axis(0)); // [vocabulary] -> [1, vocabulary]
            let probabilities = softmax(&scores);
            for (token, probability) in probabilities.iter().enumerate() {
                let longer = [tokens.as_slice(), &[token]].concat();
                candidates.push((longer, likelihood + probability.ln()));
            }
        }
        candidates.sort_by(|(_, a), (_, b)| b.total_cmp(a)); // the likeliest first
        candidates.truncate(2);
        kept = candidates;
        if kept.iter().all(|(tokens, _)| ended(tokens)) {
            break;
        }
    }
    kept.swap_remove(0).0
}
// ANCHOR_END: beam

// ANCHOR: top_k
pub fn top_k(logits: &Array1<f64>, k: usize, temperature: f64) -> Array1<f64> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    // A stable sort: of equals, the first stays first.
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let mut scores = logits / temperature;
    for &token in order.iter().skip(k) {
        scores[token] = f64::NEG_INFINITY;
    }
    softmax(&scores.insert_axis(Axis(0))).row(0).to_owned() // [vocabulary]
}
// ANCHOR_END: top_k
