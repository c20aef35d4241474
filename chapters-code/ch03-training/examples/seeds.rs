//! Trains the reverser with ten seeds and measures each, as JSON: ten minutes or so.
//!
//! ```text
//! cargo run -p ch03-training --example seeds > chapters-code/ch03-training/data/reverser-seeds.json
//! ```

use anyhow::Result;
use training::reverse::{ReverserOptions, SeedRecord};

fn main() -> Result<()> {
    let mut records = Vec::new();
    for seed in 42..52 {
        eprintln!("seed {seed}");
        records
            .push(SeedRecord::train(ReverserOptions { seed, ..Default::default() })?);
    }
    println!("{}", serde_json::to_string_pretty(&records)?);
    Ok(())
}
