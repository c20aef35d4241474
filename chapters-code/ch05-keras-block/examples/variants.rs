//! Trains the pointer network with and without what the notes leave out, and writes
//! `variants.json`: `cargo run --release -p ch05-keras-block --example variants --
//! [--machine NAME] [--seeds 5] [--epochs 12] [-o FILE]`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use keras_block::PointerOptions;
use keras_block::variants::{Variant, Variants};

#[derive(Parser)]
struct Arguments {
    /// What to call this machine
    #[arg(long, default_value = "2 cores")]
    machine: String,
    /// Trainings of each network
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// How often each training sees its 4,000 examples
    #[arg(long, default_value_t = 12)]
    epochs: usize,
    /// Where to write
    #[arg(short, default_value = "chapters-code/ch05-keras-block/variants.json")]
    output: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { machine, seeds, epochs, output } = Arguments::parse();
    let mut variants = Vec::new();
    for (blocks, residual, heads) in [
        (1, false, 1),
        (1, true, 1),
        (1, false, 8),
        (1, true, 8),
        (4, false, 1),
        (4, true, 1),
        (4, false, 8),
        (4, true, 8),
    ] {
        let options = PointerOptions { blocks, residual, heads, ..Default::default() };
        let variant = Variant::train(&options, seeds, epochs)?;
        eprintln!("{options:?}: {:.3?}", variant.accuracies);
        variants.push(variant);
    }
    let all = Variants { machine, seeds, epochs, variants };
    let text = serde_json::to_string_pretty(&all)? + "\n";
    fs::write(&output, text)
        .with_context(|| format!("cannot write {}", output.display()))
}
