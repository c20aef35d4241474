//! A task that can't be done without attention.

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
    part(model, "position_embedding", 1)
}

/// The part of a score that the same number and a letter have, wherever it stands:
/// `q(number) · k(letter) / √d_k`, `[9, 10]`.
pub fn number_by_letter(model: &Model) -> Result<Array2<f64>> {
    part(model, "token_embedding", 10)
}

/// Queries of the numbers 1 to 9, times keys of all rows of a table from `first` on.
fn part(model: &Model, table: &str, first: usize) -> Result<Array2<f64>> {
    let rows = |table: &str, from: usize, to: Option<usize>| -> Result<Tensor> {
        let path = format!("token_and_position_embedding/{table}/embeddings");
        let table = weight(model, &path)?; // [rows, width]
        let to = to.unwrap_or(table.dim(0)?);
        Ok(table.narrow(0, from, to - from)?)
    };
    let kernel = weight(model, "dense/kernel")?; // [width, width], the queries'
    let q = rows("token_embedding", 1, Some(LENGTH))?.matmul(&kernel)?; // [9, width]
    let k = rows(table, first, None)?.matmul(&weight(model, "dense_1/kernel")?)?;
    let scores: Vec<Vec<f32>> = q.matmul(&k.t()?)?.to_vec2()?; // [9, keys]
    let d_k = kernel.dim(1)? as f64;
    let shape = (scores.len(), k.dim(0)?);
    Ok(Array2::from_shape_fn(shape, |(i, j)| f64::from(scores[i][j]) / d_k.sqrt()))
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
