//! Chapters 1 and 2 in the reader's browser: the chapters' own functions, asked in JSON.

mod ch01;
mod ch02;

use ndarray::Array2;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;

/// What a function answers.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug, Clone)]
pub struct Answer {
    /// In JSON.
    pub json: String,
    /// Large arrays, one after another: none of these chapters'.
    pub numbers: Vec<f32>,
}

/// Calls a chapter's function: `request` and what comes back are JSON.
///
/// # Errors
///
/// What the function refuses, in its own words; a name or a request that is none of ours.
#[wasm_bindgen]
pub fn call(name: &str, request: &str) -> Result<Answer, String> {
    let json = match name {
        "self-attention" => answer(request, ch01::self_attention),
        "multi-head" => answer(request, ch02::multi_head),
        "positions" => answer(request, ch02::positions),
        _ => Err(format!("there is no function {name:?}")),
    };
    Ok(Answer { json: json?, numbers: Vec::new() })
}

fn answer<Q: DeserializeOwned, A: Serialize, E: ToString>(
    request: &str,
    function: impl Fn(&Q) -> Result<A, E>,
) -> Result<String, String> {
    let request = serde_json::from_str(request).map_err(|error| error.to_string())?;
    let answer = function(&request).map_err(|error| error.to_string())?;
    serde_json::to_string(&answer).map_err(|error| error.to_string())
}

/// A matrix as JSON has it.
type Rows = Vec<Vec<f64>>;

fn rows(matrix: &Array2<f64>) -> Rows {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}
