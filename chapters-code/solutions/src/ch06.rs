//! Exercises of chapter 6, solved.

use ndarray::{Array2, Array3, Axis, s};

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
    Err(format!(
        "matmul of {a:?} and {b:?}: not as many rows as columns, or other axes differ"
    ))
}
// ANCHOR_END: matmul_shape

// ANCHOR: attention_shape
pub fn attention_shape(
    x: &[Option<usize>],
    memory: &[Option<usize>],
    heads: usize,
    units: usize,
) -> Result<[Vec<Option<usize>>; 2], String> {
    if let (&[batch, n, _], &[other, m, _]) = (x, memory)
        && batch == other
        && heads > 0
        && units.is_multiple_of(heads)
    {
        return Ok([vec![batch, Some(heads), n, m], vec![batch, n, Some(units)]]);
    }
    Err(format!("attention of {x:?} to {memory:?}, {heads} heads in {units} columns"))
}
// ANCHOR_END: attention_shape

// ANCHOR: softmax_axis
pub fn softmax_axis(weights: &Array3<f64>) -> Option<usize> {
    let adds_up = |&axis: &usize| {
        let sums = weights.sum_axis(Axis(axis));
        sums.iter().all(|sum| (sum - 1.0).abs() < 1e-9)
    };
    (0..3).rev().find(adds_up)
}
// ANCHOR_END: softmax_axis

// ANCHOR: grouped_attention
pub fn grouped_attention(
    dim: usize,
    heads: usize,
    groups: usize,
    n: usize,
) -> (usize, usize) {
    let shared = groups * (dim / heads); // columns of the keys, and of the values
    let layers = [(dim, dim), (dim, shared), (dim, shared), (dim, dim)];
    let parameters = layers.iter().map(|(inputs, units)| inputs * units + units).sum();
    let projections: usize =
        layers.iter().map(|(inputs, units)| n * inputs * units).sum();
    // Each head has a map of its own, whoever made its keys: n · n · d_k, twice.
    (parameters, projections + 2 * n * n * dim)
}
// ANCHOR_END: grouped_attention

// ANCHOR: pointer_by_hand
pub fn pointer_by_hand() -> [Array2<f64>; 4] {
    // Columns 0 to 9 say which number, 10 to 19 which position; letters are all zeros.
    let mut tokens = Array2::zeros((20, 20));
    tokens.slice_mut(s![..10, ..10]).assign(&Array2::eye(10));
    let mut positions = Array2::zeros((10, 20));
    positions.slice_mut(s![.., 10..]).assign(&Array2::eye(10));
    // The query is the number, the key the position; the scale makes the softmax sharp.
    let mut query = Array2::zeros((20, 10));
    query.slice_mut(s![..10, ..]).assign(&(Array2::<f64>::eye(10) * 40.0));
    let mut key = Array2::zeros((20, 10));
    key.slice_mut(s![10.., ..]).assign(&Array2::eye(10));
    [tokens, positions, query, key]
}
// ANCHOR_END: pointer_by_hand
