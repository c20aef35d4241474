//! Exercises of chapter 6, the Keras block. Replace each `todo!()`, then `cargo test -p
//! exercises ch06`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2, Array3};

// ANCHOR: glorot_limit
/// Exercise 1. The largest value of a kernel `[inputs, outputs]` drawn from Keras'
/// `glorot_uniform`, which is uniform from −limit to limit.
///
/// Its variance must be 2 / (inputs + outputs); that of a uniform distribution from −a
/// to a is a² / 3.
pub fn glorot_limit(inputs: usize, outputs: usize) -> f64 {
    todo!("exercise 1: solve limit² / 3 = 2 / (inputs + outputs)")
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
    todo!("exercise 2: rows of [batch · n, inputs] times the kernel, then reshape back")
}
// ANCHOR_END: dense

// ANCHOR: count_params
/// Exercise 3. How many parameters the notes' block has: two tables of embeddings,
/// three Dense layers of `dim` units, one of `4 · dim`, one of `dim`, and a
/// LayerNormalization. All Dense layers have a bias.
pub fn count_params(vocabulary: usize, positions: usize, dim: usize) -> usize {
    todo!("exercise 3: a Dense layer has inputs · units + units")
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
    todo!("exercise 4: match on slices: [others @ .., n, d] and [others @ .., d, m]")
}
// ANCHOR_END: matmul_shape

// ANCHOR: cross_entropy
/// Exercise 5. Keras' `SparseCategoricalCrossentropy(from_logits=True)`: the mean over
/// the rows of `logits`, `[rows, classes]`, of `−ln softmax(row)[label]`.
pub fn cross_entropy(logits: &Array2<f64>, labels: &[usize]) -> f64 {
    todo!("exercise 5: −ln softmax(x)[t] = ln Σ eˣ − x[t]; subtract the maximum first")
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
    todo!("exercise 6: m and v first, then weight − α · m / (√v + ε)")
}
// ANCHOR_END: adam_step
