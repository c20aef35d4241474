//! Measures the shipped classifier again, and naive Bayes beside it, review by review:
//! `cargo run --release -p ch08-bertinho --example agreement -- CORPORA`.
//!
//! CORPORA is the folder that the book's models were trained on. What comes of it goes to
//! `finetuned.json` in the crate's folder, which the book's page shows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bertinho::Corpus;
use bertinho::finetune::{FinetuneOptions, measure};
use bertinho::wordpiece::read_tokenizer;
use candle_core::DType;
use gradients::file::Tensors;
use hub::{HubOptions, resolve};

fn main() -> Result<()> {
    let corpora = std::env::args().nth(1).context("which folder has the corpora?")?;
    let corpus = Corpus::read(Path::new(&corpora))?;
    let folder = resolve("bertinho-sentiment", &HubOptions::from_env())?;
    let (config, checkpoint) = (folder.config()?, folder.checkpoint()?);
    let tensor =
        |name: &str| Ok((name.to_owned(), checkpoint.tensor(name, DType::F32)?));
    let weights = checkpoint.names().map(tensor).collect::<Result<Tensors>>()?;
    let tokenizer = read_tokenizer(&folder.path.join("tokenizer.json"))?;
    let options = FinetuneOptions::default();
    let found = measure(&config, &weights, &tokenizer, &corpus.reviews, options)?;
    println!("{found:#?}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("finetuned.json");
    Ok(fs::write(file, serde_json::to_string(&found)? + "\n")?)
}
