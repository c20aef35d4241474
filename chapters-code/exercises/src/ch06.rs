//! Exercises of chapter 6, the Keras block. Replace each `todo!()`, then `cargo test -p
//! exercises ch06`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array2, Array3, Axis, s};

// ANCHOR: count_params
/// Exercise 1. How many parameters the notes' block has: two tables of embeddings,
/// three Dense layers of `dim` units, one of `4 · dim`, one of `dim`, and a
/// LayerNormalization. All Dense layers have a bias.
pub fn count_params(vocabulary: usize, positions: usize, dim: usize) -> usize {
    todo!("exercise 1: the parameters of all layers, added up")
}
// ANCHOR_END: count_params

// ANCHOR: matmul_shape
/// Exercise 2. The shape of this chapter's `matmul(a, b)`, or what is wrong with them.
/// (Keras' repeats axes of 1, too.)
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
    todo!("exercise 2: the shape of the product, or a message")
}
// ANCHOR_END: matmul_shape

// ANCHOR: attention_shape
/// Exercise 3. `compute_output_shape` of an attention with `heads` heads that share
/// `units` columns. `x`, `[batch, n, width]`, looks, and `memory`, `[batch, m,
/// width]`, is looked at; each has kernels of its own, and their widths may differ.
/// The shapes of the weights, one map for each head, and of the output, of which
/// `units` are the columns.
///
/// # Errors
///
/// A message in which both shapes stand, as `{:?}` writes them: if one hasn't three
/// axes, if the batches differ, or if `units` can't be shared among `heads`.
pub fn attention_shape(
    x: &[Option<usize>],
    memory: &[Option<usize>],
    heads: usize,
    units: usize,
) -> Result<[Vec<Option<usize>>; 2], String> {
    todo!("exercise 3: the shapes of the weights and of the output, or a message")
}
// ANCHOR_END: attention_shape

// ANCHOR: softmax_axis
/// Exercise 4. The axis of `weights`, `[batch, n, m]`, over which a softmax was
/// taken: the one along which every sum is 1, to 1e-9. Of several such axes the last;
/// `None` if there is none.
pub fn softmax_axis(weights: &Array3<f64>) -> Option<usize> {
    todo!("exercise 4: from the weights alone, tell the axis")
}
// ANCHOR_END: softmax_axis

// ANCHOR: grouped_attention
/// Exercise 5. What an attention costs in which the queries of `heads` heads share
/// the keys and values of `groups` heads: its parameters, and its multiplications for
/// one sequence of `n` tokens.
///
/// The width `dim` is shared among `heads`: `d_k` is `dim / heads`, also in a group.
/// There are four Dense layers with a bias: queries, keys, values, and the output,
/// which makes `dim` columns of all heads' columns. Only products count: not the
/// biases, the division of the scores, nor the softmax.
pub fn grouped_attention(
    dim: usize,
    heads: usize,
    groups: usize,
    n: usize,
) -> (usize, usize) {
    todo!("exercise 5: the parameters and the multiplications")
}
// ANCHOR_END: grouped_attention

// ANCHOR: pointer_by_hand
/// Exercise 6. Weights, written by hand, with which the first token, a number `d`
/// from 1 to 9, gives at least 0.99 of its attention to position `d`, whatever
/// letters stand in the other nine places. There is no bias.
///
/// In this order: a vector for each id, `[20, width]`, of which 0 to 9 are numbers
/// and 10 to 19 letters; one for each position, `[10, width]`; the queries' kernel
/// and the keys', `[width, d_k]`. `width` and `d_k` are yours to choose. What goes in
/// is the sum of a token's vector and its position's; a score is `q · k / √d_k`.
pub fn pointer_by_hand() -> [Array2<f64>; 4] {
    todo!("exercise 6: two tables and two kernels")
}
// ANCHOR_END: pointer_by_hand
