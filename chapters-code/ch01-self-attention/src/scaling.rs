//! An experiment: what dividing the scores by √d_k is for.

use ndarray::{Array1, Array2, Axis};

use crate::numpy::NumpyRandom;

// ANCHOR: dot_products
/// Random numbers with mean 0 and variance 1: uniform in `[−√3, √3)`. Shape `[rows,
/// columns]`.
pub fn unit_variance(
    random: &mut NumpyRandom,
    rows: usize,
    columns: usize,
) -> Array2<f64> {
    (random.rand(rows, columns) * 2.0 - 1.0) * 3_f64.sqrt()
}

/// Dot products `q · k` of `pairs` pairs of random vectors of width `d_k`. Shape
/// `[pairs]`.
pub fn dot_products(d_k: usize, pairs: usize, seed: u32) -> Array1<f64> {
    let mut random = NumpyRandom::seed(seed);
    let q = unit_variance(&mut random, pairs, d_k);
    let k = unit_variance(&mut random, pairs, d_k);
    (q * k).sum_axis(Axis(1)) // [pairs, d_k] -> [pairs]
}
// ANCHOR_END: dot_products

// ANCHOR: largest_weights
/// The largest weight of each row, `[n, m] -> [n]`.
pub fn largest_weights(weights: &Array2<f64>) -> Array1<f64> {
    weights.map_axis(Axis(1), |row| row.fold(0.0, |a: f64, &b| a.max(b)))
}
// ANCHOR_END: largest_weights
