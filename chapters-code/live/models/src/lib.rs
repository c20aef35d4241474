//! The chapters with models in the reader's browser: the chapters' own functions, asked in JSON.

mod ablation;
mod bert;
mod gpt;
mod model;
mod reverser;
mod sentiment;

use std::fmt::Write;

use hub::disk::memory;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use wasm_bindgen::prelude::wasm_bindgen;

/// What a function answers.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct Answer {
    json: String,
    numbers: Vec<f32>,
}

#[wasm_bindgen]
impl Answer {
    /// In JSON.
    #[wasm_bindgen(getter)]
    pub fn json(&self) -> String {
        self.json.clone()
    }

    /// Large arrays, one after another; the JSON says their shapes. They are given once.
    #[wasm_bindgen(getter)]
    pub fn numbers(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.numbers)
    }
}

/// SHA-256 of a file's bytes, in hexadecimal.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}"); // a String takes all
        digits
    })
}

/// Puts a model's file where [`open`] finds it.
#[wasm_bindgen]
pub fn put(path: &str, bytes: Vec<u8>) {
    memory::put(path, bytes);
}

/// Opens the model whose files were put into a folder.
///
/// # Errors
///
/// What is wrong with a file, in the words of the crates that read it.
#[wasm_bindgen]
pub fn open(folder: &str) -> Result<(), String> {
    model::open(folder)
}

/// Calls a chapter's function: `request` and what comes back are JSON.
///
/// # Errors
///
/// What the function refuses, in its own words; a model that isn't open; a name or a request that
/// is none of ours.
#[wasm_bindgen]
pub fn call(name: &str, request: &str) -> Result<Answer, String> {
    match name {
        "attentions" => answer(request, bert::attentions),
        "view" => answer(request, bert::view),
        "ablation" => answer(request, ablation::ablation),
        "sentiment" => answer(request, sentiment::sentiment),
        "reverser-new" => answer(request, reverser::new),
        "reverser-train" => answer(request, reverser::train),
        "next-token" => answer(request, gpt::next_token),
        _ => Err(format!("there is no function {name:?}")),
    }
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    request: &str,
    function: impl Fn(&Q) -> Result<(A, Vec<f32>), String>,
) -> Result<Answer, String> {
    let request = serde_json::from_str(request).map_err(said)?;
    let (answer, numbers) = function(&request)?;
    let json = serde_json::to_string(&answer).map_err(said)?;
    Ok(Answer { json, numbers })
}

/// An error's words.
fn said(error: impl std::error::Error) -> String {
    error.to_string()
}
