//! What `transformers` reads: configuration, weights, tokenizer, card.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use gradients::file::{Stored, Tensors};
use hub::{Architecture, Config};
use tokenizers::Tokenizer;

use crate::checkpoint::{save_tensors, write_atomically};
use crate::error::{PretrainingError, Result};
use crate::wordpiece::save_tokenizer;

/// Writes a folder in Hugging Face layout: `config.json`, `model.safetensors` in f16,
/// the tokenizer's files and `README.md`.
///
/// A BERT gets a pooler, which masked language modeling doesn't train: the identity,
/// so that `AutoModel` finds all of its weights and `pooler_output` is `tanh` of
/// `[CLS]`.
///
/// # Errors
///
/// [`TrainingError::Io`](training::TrainingError::Io) if the folder can't be written.
pub fn export(
    folder: &Path,
    config: &Config,
    weights: &Tensors,
    tokenizer: &Tokenizer,
    card: &str,
) -> Result<()> {
    fs::create_dir_all(folder).map_err(PretrainingError::io("create", folder))?;
    let mut weights = weights.clone();
    let inputs: &[&str] = match config.architecture {
        Architecture::Bert => {
            let d_model = config.hidden_size;
            let identity = Tensor::eye(d_model, DType::F32, &Device::Cpu)?;
            let zeros = Tensor::zeros(d_model, DType::F32, &Device::Cpu)?;
            weights.insert("bert.pooler.dense.weight".to_owned(), identity);
            weights.insert("bert.pooler.dense.bias".to_owned(), zeros);
            &["input_ids", "token_type_ids", "attention_mask"]
        }
        Architecture::DistilBert => &["input_ids", "attention_mask"],
    };
    let path = folder.join("model.safetensors");
    save_tensors(&path, &weights, Stored::F16, ("format", "pt"))?;
    let mut json = config.to_json();
    json["dtype"] = "float16".into();
    write_atomically(&folder.join("config.json"), format!("{json:#}\n").as_bytes())?;
    save_tokenizer(tokenizer, folder, config.max_position_embeddings, inputs)?;
    write_atomically(&folder.join("README.md"), card.as_bytes())
}

/// Fills a card's template: each `{{name}}` with its value.
///
/// # Errors
///
/// [`TrainingError::Setting`](training::TrainingError::Setting) for a name without a value.
pub fn fill_card(template: &str, values: &[(&str, String)]) -> Result<String> {
    let mut card = template.to_owned();
    for (name, value) in values {
        card = card.replace(&format!("{{{{{name}}}}}"), value);
    }
    match card.split_once("{{").and_then(|(_, rest)| rest.split_once("}}")) {
        Some((name, _)) => {
            let expected = "filled: there is no value of this name";
            Err(PretrainingError::setting("card", format!("{{{{{name}}}}}"), expected))
        }
        None => Ok(card),
    }
}
