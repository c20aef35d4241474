//! Exercises of chapter 6, solved.

#![allow(clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3, Axis};

// ANCHOR: glorot_limit
/// Exercise 1. The largest value of a kernel `[inputs, outputs]` drawn from Keras'
/// `glorot_uniform`, which is uniform from −limit to limit.
///
/// Its variance must be 2 / (inputs + outputs); that of a uniform distribution from −a
/// to a is a² / 3.
pub fn glorot_limit(inputs: usize, outputs: usize) -> f64 {
    (6.0 / (inputs + outputs) as f64).sqrt()
}
// ANCHOR_END: glorot_limit

// ANCHOR: dense
/// Exercise 2. Keras' `Dense` on a batch of sequences: `[batch, n, inputs] -> [batch,
/// n, units]`, with a kernel `[inputs, units]` and a bias `[units]`. With `relu`, what
/// is negative becomes 0.
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
/// Exercise 3. How many parameters the notes' block has: two tables of embeddings,
/// three Dense layers of `dim` units, one of `4 · dim`, one of `dim`, and a
/// LayerNormalization. All Dense layers have a bias.
pub fn count_params(vocabulary: usize, positions: usize, dim: usize) -> usize {
    let dense = |inputs: usize, units: usize| inputs * units + units;
    let embeddings = (vocabulary + positions) * dim;
    let attention = 3 * dense(dim, dim);
    let feed_forward = dense(dim, 4 * dim) + dense(4 * dim, dim);
    embeddings + attention + feed_forward + 2 * dim
}
// ANCHOR_END: count_params

// ANCHOR: matmul_shape
/// Exercise 4. The shape of Keras' `matmul(a, b)`, or what is wrong with `a` and `b`.
/// `None` is an axis whose size isn't known yet, as the batch. All axes but the last
/// two must be equal, and `a` must have as many columns as `b` rows.
///
/// # Errors
///
/// A message in which both shapes stand, as `{:?}` writes them.
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
/// Exercise 5. Keras' `SparseCategoricalCrossentropy(from_logits=True)`: the mean over
/// the rows of `logits`, `[rows, classes]`, of `−ln softmax(row)[label]`.
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
/// Exercise 6. Step `t`, counted from 1, of Keras' Adam for one weight: the new
/// `(weight, m, v)`. β₁ is 0.9, β₂ 0.999 and ε 1e-7.
///
/// Keras adds ε to √v as it is, and corrects the bias of both means in the learning
/// rate: α = rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ).
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
