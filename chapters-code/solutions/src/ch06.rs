//! Exercises of chapter 6, solved.

use ndarray::{Array1, Array2, Array3, Axis};

// ANCHOR: glorot_limit
pub fn glorot_limit(inputs: usize, outputs: usize) -> f64 {
    (6.0 / (inputs + outputs) as f64).sqrt()
}
// ANCHOR_END: glorot_limit

// ANCHOR: dense
pub fn dense(
    x: &Array3<f64>,
    kernel: &Array2<f64>,
    bias: &Array1<f64>,
    relu: bool,
) -> Array3<f64> {
    let (batch, n, inputs) = x.dim();
    // [batch, n, inputs] -> [batch · n, inputs]
    let rows = x.to_shape((batch * n, inputs)).expect("as many numbers");
    let mut y = rows.dot(kernel) + bias; // [batch · n, units]
    if relu {
        y.mapv_inplace(|x| x.max(0.0));
    }
    let units = bias.len();
    // [batch · n, units] -> [batch, n, units]
    y.into_shape_with_order((batch, n, units)).expect("as many numbers")
}
// ANCHOR_END: dense

// ANCHOR: count_params
pub fn count_params(vocabulary: usize, positions: usize, dim: usize) -> usize {
    let dense = |inputs: usize, units: usize| inputs * units + units;
    let embeddings = (vocabulary + positions) * dim;
    let attention = 3 * dense(dim, dim);
    let feed_forward = dense(dim, 4 * dim) + dense(4 * dim, dim);
    embeddings + attention + feed_forward + 2 * dim
}
// ANCHOR_END: count_params

// ANCHOR: matmul_shape
pub fn matmul_shape(
    a: &[Option<usize>],
    b: &[Option<usize>],
) -> Result<Vec<Option<usize>>, String> {
    if let ([others_a @ .., n, d_a], [others_b @ .., d_b, m]) = (a, b)
        && others_a == others_b
        && d_a == d_b
    {
        return Ok(others_a.iter().chain([n, m]).copied().collect());
    }
    Err(format!("matmul of {a:?} and {b:?}: columns of the first ≠ rows of the second"))
}
// ANCHOR_END: matmul_shape

// ANCHOR: cross_entropy
pub fn cross_entropy(logits: &Array2<f64>, labels: &[usize]) -> f64 {
    let losses = logits.axis_iter(Axis(0)).zip(labels).map(|(row, &label)| {
        let max = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = row.iter().map(|x| (x - max).exp()).sum();
        sum.ln() + max - row[label]
    });
    losses.sum::<f64>() / labels.len() as f64
}
// ANCHOR_END: cross_entropy

// ANCHOR: adam_step
pub fn adam_step(
    (weight, m, v): (f64, f64, f64),
    gradient: f64,
    rate: f64,
    t: i32,
) -> (f64, f64, f64) {
    let m = m + (gradient - m) * (1.0 - 0.9);
    let v = v + (gradient * gradient - v) * (1.0 - 0.999);
    let alpha = rate * (1.0 - 0.999_f64.powi(t)).sqrt() / (1.0 - 0.9_f64.powi(t));
    (weight - alpha * m / (v.sqrt() + 1e-7), m, v)
}
// ANCHOR_END: adam_step
