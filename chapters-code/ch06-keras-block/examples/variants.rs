//! Trains networks for the lookup task with and without what the notes leave out, and
//! writes `variants.json`: `cargo run --release -p ch06-keras-block --example variants --
//! [--machine NAME] [--seeds 3] [--epochs 10] [-o FILE]`.
//!
//! The file is written after each network. Started again with the same seeds and epochs,
//! it goes on with those that the file doesn't have. `RAYON_NUM_THREADS=1` is faster:
//! the networks are small.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use keras_block::LookupOptions;
use keras_block::variants::{Setting, Variant, Variants};

#[derive(Parser)]
struct Arguments {
    /// What to call this machine
    #[arg(long, default_value = "2 cores")]
    machine: String,
    /// Trainings of each network
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// How often each training sees its 4,000 examples
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Where to write
    #[arg(short, default_value = "chapters-code/ch06-keras-block/variants.json")]
    output: PathBuf,
}

/// Every network: how many hops, how many blocks, with which of what the notes lack.
fn settings() -> Vec<Setting> {
    let setting = |hops, blocks, residual, heads, learning_rate| {
        let options = LookupOptions { heads, residual, blocks, ..Default::default() };
        Setting { hops, options, learning_rate }
    };
    let mut all = Vec::new();
    for (hops, blocks) in [(1, 1), (2, 1), (2, 2), (2, 4), (1, 4)] {
        for (residual, heads) in [(false, 1), (true, 1), (false, 8), (true, 8)] {
            all.push(setting(hops, blocks, residual, heads, 2e-3));
        }
    }
    // Is it the rate that the deep ones can't learn with?
    for (hops, residual) in [(1, false), (2, false), (2, true)] {
        all.push(setting(hops, 4, residual, 1, 5e-4));
    }
    all
}

fn main() -> Result<()> {
    let Arguments { machine, seeds, epochs, output } = Arguments::parse();
    let before = fs::read(&output).ok();
    let before = before.and_then(|text| serde_json::from_slice::<Variants>(&text).ok());
    let variants = before
        .filter(|before| (before.seeds, before.epochs) == (seeds, epochs))
        .map_or(Vec::new(), |before| before.variants);
    let mut all = Variants { machine, seeds, epochs, variants };
    for setting in settings() {
        if all.find(&setting).is_some() {
            continue;
        }
        let variant = Variant::train(&setting, seeds, epochs)?;
        eprintln!("{setting:?}: {:.3?}", variant.last());
        all.variants.push(variant);
        let text = serde_json::to_string_pretty(&all)? + "\n";
        fs::write(&output, text)
            .with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(())
}
