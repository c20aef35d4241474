//! Self-attention on the reader's words.

use ndarray::Array2;
use self_attention::{SelfAttention, matmul, softmax};
use serde::{Deserialize, Serialize};

use crate::{Rows, rows};

#[derive(Deserialize)]
pub struct Request {
    embeddings: Rows,
    seed: u32,
    d_k: usize,
    temperature: f64,
}

/// The matrices of the pass, under the names of `ch01-self-attention --json`.
#[derive(Serialize)]
pub struct Answer {
    w_query: Rows,
    w_key: Rows,
    w_value: Rows,
    q: Rows,
    k: Rows,
    v: Rows,
    scores: Rows,
    weights: Rows,
    output: Rows,
}

pub fn self_attention(request: &Request) -> Result<Answer, String> {
    let &Request { ref embeddings, seed, d_k, temperature } = request;
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(format!("a temperature is a number above 0, not {temperature}"));
    }
    let (n, d_model) = (embeddings.len(), embeddings.first().map_or(0, Vec::len));
    let x =
        Array2::from_shape_vec((n, d_model), embeddings.concat()) // [n, d_model]
            .map_err(|_| {
                "the embeddings are not all as wide as the first".to_owned()
            })?;
    let layer = SelfAttention::from_numpy_seed(seed, d_model, d_k);
    let found = layer.forward(&x).map_err(|error| error.to_string())?;
    let weights = softmax(&(&found.scores / temperature)); // [n, n]
    let output = matmul(("weights", &weights), ("V", &found.v)); // [n, d_k]
    Ok(Answer {
        w_query: rows(&layer.w_query),
        w_key: rows(&layer.w_key),
        w_value: rows(&layer.w_value),
        q: rows(&found.q),
        k: rows(&found.k),
        v: rows(&found.v),
        scores: rows(&found.scores),
        weights: rows(&weights),
        output: rows(&output.map_err(|error| error.to_string())?),
    })
}
