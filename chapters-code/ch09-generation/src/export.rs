//! What `transformers` reads: configuration, weights, tokenizer.

use std::fs;
use std::path::Path;

use bertinho::checkpoint::{save_tensors, write_atomically};
use gradients::file::Stored;
use serde_json::{Value, json};
use tokenizers::Tokenizer;
use training::TrainingError;
use training::parameters::Tensors;

use crate::config::GptConfig;
use crate::error::{GenerationError, Result};
use crate::texts::{END, END_ID, ENGLISH, PORTUGUESE};
use crate::weights::to_checkpoint;

/// Writes a folder in Hugging Face layout: `config.json`, `generation_config.json`,
/// `model.safetensors` in f16 and the tokenizer's files. The weights are under GPT-2's names
/// without a prefix; a decoder that is the table of tokens is not stored twice.
///
/// # Errors
///
/// If the folder can't be written.
pub fn export(
    folder: &Path,
    config: &GptConfig,
    weights: &Tensors,
    tokenizer: &Tokenizer,
) -> Result<()> {
    fs::create_dir_all(folder).map_err(TrainingError::io("create", folder))?;
    let path = folder.join("model.safetensors");
    save_tensors(&path, &to_checkpoint(weights)?, Stored::F16, ("format", "pt"))?;
    let text = tokenizer.to_string(false).map_err(candle_core::Error::wrap)?;
    // A map's order is a hash's; the file's is by name.
    let sorted: Value =
        serde_json::from_str(&text).map_err(|error| GenerationError::Format {
            path: folder.join("tokenizer.json"),
            what: "a tokenizer",
            reason: error.to_string(),
        })?;
    let mut described = config.to_json();
    described["dtype"] = "float16".into();
    for (file, json) in [
        ("config.json", described),
        ("generation_config.json", generation(config)),
        ("tokenizer.json", sorted),
        ("tokenizer_config.json", tokenizer_config(config)),
        ("special_tokens_map.json", special_tokens()),
    ] {
        write_atomically(&folder.join(file), format!("{json:#}\n").as_bytes())?;
    }
    Ok(())
}

/// How `generate` begins, ends and fills up. What comes is at most half of the positions where the
/// caller doesn't say otherwise: `pipeline` would ask for 256 tokens, whatever the model has.
fn generation(config: &GptConfig) -> Value {
    json!({
        "bos_token_id": END_ID,
        "eos_token_id": END_ID,
        "max_new_tokens": config.n_positions / 2,
        "pad_token_id": END_ID,
    })
}

fn special_tokens() -> Value {
    json!({
        "additional_special_tokens": [ENGLISH, PORTUGUESE],
        "bos_token": END,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
    })
}

fn tokenizer_config(config: &GptConfig) -> Value {
    let mut found = special_tokens();
    // Not GPT2Tokenizer: transformers 5 rebuilds that one from the merges and forgets what
    // tokenizer.json puts before a text.
    found["tokenizer_class"] = "PreTrainedTokenizerFast".into();
    found["model_max_length"] = config.n_positions.into();
    found["model_input_names"] = json!(["input_ids", "attention_mask"]);
    found["padding_side"] = "left".into();
    found["clean_up_tokenization_spaces"] = false.into();
    found
}
