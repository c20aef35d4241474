//! A task that can't be done without attention.

use std::ops::Range;

use candle_core::{Device, Tensor};
use ndarray::Array2;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::{KerasError, Result};
use crate::model::Model;

// ANCHOR: lookup
/// Tokens in an example.
pub const LENGTH: usize = 10;
/// Ids: 0 to 9 say a position, 10 to 19 are letters, `a` to `j`.
pub const VOCABULARY: usize = 20;

/// Examples of the lookup task. The first token is a number, which says a position.
/// There stands a letter, the label; or with more `hops` another number, which says the
/// next position, and so on. All other tokens are letters.
///
/// `[2, d, h, c, …]` has the label `h`, and with two hops so has `[3, d, h, 2, …]`. A
/// guess is right one time in ten. Ids are `[count, 10]`, labels `[count]`.
///
/// # Errors
///
/// [`KerasError::Setting`] if there are no hops, or more than positions to go to.
pub fn examples(count: usize, hops: usize, seed: u64) -> Result<(Tensor, Tensor)> {
    if !(1..LENGTH).contains(&hops) {
        let (name, value) = ("hops", hops.to_string());
        return Err(KerasError::Setting { name, value, expected: "from 1 to 9" });
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut ids, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let mut row: Vec<u32> =
            (0..LENGTH).map(|_| random.random_range(10..20)).collect();
        let mut places: Vec<u32> = (1..10).collect();
        let mut at = 0;
        for &mut place in places.partial_shuffle(&mut random, hops).0 {
            row[at] = place;
            at = place as usize;
        }
        labels.push(row[at]);
        ids.extend(row);
    }
    let ids = Tensor::from_vec(ids, (count, LENGTH), &Device::Cpu)?; // [count, 10]
    Ok((ids, Tensor::from_vec(labels, count, &Device::Cpu)?))
}
// ANCHOR_END: lookup

/// How often the label is the letter that its example has most often: what can be had
/// without looking where the numbers point. Of letters as often, the first counts.
pub fn most_frequent(ids: &Tensor, labels: &Tensor) -> Result<f64> {
    let (ids, labels): (Vec<Vec<u32>>, Vec<u32>) = (ids.to_vec2()?, labels.to_vec1()?);
    let right = ids.iter().zip(&labels).filter(|(row, label)| {
        let count = |letter: u32| row.iter().filter(|&&id| id == letter).count();
        (10..20).rev().max_by_key(|&letter| count(letter)) == Some(**label)
    });
    Ok(right.count() as f64 / labels.len().max(1) as f64)
}

/// Where the first token looks: of weights `[n, 10, 10]` the first rows, `[n, 10]`.
pub fn first_token(weights: &Tensor) -> Result<Array2<f64>> {
    let rows: Vec<Vec<f32>> = weights.narrow(1, 0, 1)?.squeeze(1)?.to_vec2()?; // [n, 10]
    Ok(Array2::from_shape_fn((rows.len(), LENGTH), |(i, j)| f64::from(rows[i][j])))
}

// ANCHOR: parts
/// A score of the first block is the query of what the first token is times the key of
/// what the other is, over √d_k. Each of the two is a sum, of a token's vector and a
/// position's: the product has four parts, and this is one of them, for the numbers 1
/// to 9: `q(number) · k(position) / √d_k`, `[9, 9]`, the positions 1 to 9 too.
pub fn number_by_position(model: &Model) -> Result<Array2<f64>> {
    let numbers = embeddings(model, "token", 1..10)?; // [9, width]
    let q = numbers.matmul(&weight(model, "dense/kernel")?)?; // [9, width]
    scores(model, &q, &embeddings(model, "position", 1..10)?)
}

/// All that a letter adds to the score of its place, wherever that is: the whole query
/// of the first token (number, position 0, bias) times the letter's key, `[9, 10]`.
pub fn number_by_letter(model: &Model) -> Result<Array2<f64>> {
    let numbers = embeddings(model, "token", 1..10)?; // [9, width]
    let x = numbers.broadcast_add(&embeddings(model, "position", 0..1)?)?;
    let q = x.matmul(&weight(model, "dense/kernel")?)?; // [9, width]
    let q = q.broadcast_add(&weight(model, "dense/bias")?)?;
    scores(model, &q, &embeddings(model, "token", 10..20)?)
}

/// Queries `[n, width]` times the keys of vectors `[m, width]`, over √d_k: `[n, m]`.
fn scores(model: &Model, q: &Tensor, vectors: &Tensor) -> Result<Array2<f64>> {
    let k = vectors.matmul(&weight(model, "dense_1/kernel")?)?; // [m, width]
    let products: Vec<Vec<f32>> = q.matmul(&k.t()?)?.to_vec2()?; // [n, m]
    let (n, d_k) = q.dims2()?;
    let score =
        |(i, j): (usize, usize)| f64::from(products[i][j]) / (d_k as f64).sqrt();
    Ok(Array2::from_shape_fn((n, k.dim(0)?), score))
}

/// Rows of the table of tokens or of positions: `[rows, width]`.
fn embeddings(model: &Model, table: &str, rows: Range<usize>) -> Result<Tensor> {
    let path = format!("token_and_position_embedding/{table}_embedding/embeddings");
    Ok(weight(model, &path)?.narrow(0, rows.start, rows.len())?)
}
// ANCHOR_END: parts

/// A weight of a network with one head, by Keras' path of it.
fn weight(model: &Model, path: &str) -> Result<Tensor> {
    let mut variables = model.variables();
    let Some(variable) = variables.find(|variable| variable.path == path) else {
        let problem = "the model has no such weight: is it a LookupNetwork's?";
        let (path, problem) = (path.to_owned(), problem.to_owned());
        return Err(KerasError::Weights { path, problem });
    };
    variable.value()
}

/// In how many rows of a square map the largest value stands on the diagonal.
pub fn diagonal_first(map: &Array2<f64>) -> usize {
    let largest = |row: ndarray::ArrayView1<f64>| {
        (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]))
    };
    map.rows()
        .into_iter()
        .enumerate()
        .filter(|(i, row)| largest(*row) == Some(*i))
        .count()
}

/// An example as a reader sees it: `3 d a h c b b i e f`.
pub fn spell_row(row: &Tensor) -> Result<String> {
    let row: Vec<String> = row.to_vec1()?.into_iter().map(spell).collect();
    Ok(row.join(" "))
}

/// A token as a reader sees it: `3`, or `d`.
pub fn spell(id: u32) -> String {
    char::from_digit(id, 20).map_or_else(|| id.to_string(), String::from)
}
