//! Times BERT's forward pass, batch 1: `tests/reference/bench_bert.py` runs it beside the
//! peers.
//!
//! `cargo bench -p ch05-bert-attention --bench bert -- FOLDER TOKENS RUNS`
//! prints one JSON object: milliseconds of loading and of each run, with the attentions
//! of all layers returned and without, of the packed encoder or, with `--teaching`, of
//! the one that reads like the paper; and the peak memory in MiB.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use hub::ModelFolder;
use sentiment::{BaseModel, Batch, EncoderOutput, ForwardOptions, PackedEncoder};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Forward = Box<dyn Fn(&Batch, ForwardOptions) -> sentiment::Result<EncoderOutput>>;

#[derive(Parser)]
struct Arguments {
    folder: String,
    tokens: u32,
    runs: usize,
    #[arg(long)]
    teaching: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let Arguments { folder, tokens, runs, teaching, .. } = Arguments::parse();
    let start = Instant::now();
    let folder = ModelFolder::open(folder)?;
    let model = BaseModel::open(&folder)?;
    let forward: Forward = if teaching {
        Box::new(move |batch, run| model.forward(batch, run))
    } else {
        let packed = PackedEncoder::pack(model)?;
        Box::new(move |batch, run| packed.forward(batch, run))
    };
    let load_ms = milliseconds(start);

    // Any numbers will do, the same as the script gives to the peers.
    let ids = (0..tokens).map(|i| 1000 + i * 7919 % 20_000).collect();
    let batch = Batch::new(&[ids], None, None)?;
    let time = |run: ForwardOptions| -> Result<Vec<f64>> {
        forward(&batch, run)?;
        let one = |_| {
            let start = Instant::now();
            let outputs = forward(&batch, run)?;
            let taken = milliseconds(start);
            drop(outputs);
            Ok(taken)
        };
        (0..runs).map(one).collect()
    };
    let with = time(ForwardOptions::ATTENTIONS)?;
    let without = time(ForwardOptions::default())?;
    let report = json!({
        "load_ms": load_ms,
        "attentions": with,
        "no_attentions": without,
        "peak_mib": peak_mib()?,
    });
    println!("{report}");
    Ok(())
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// The most memory that this process has had, from Linux.
fn peak_mib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.context("no VmHWM in /proc/self/status")?.trim();
    Ok(kib.trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
