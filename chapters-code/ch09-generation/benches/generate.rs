//! Times greedy decoding: `tests/reference/bench_generation.py` runs it beside the peers.
//!
//! `cargo bench -p ch09-generation --bench generate -- FOLDER` reads lines of three numbers, tokens
//! in the prompt, tokens to come and runs, and answers each with one JSON object: the tokens that
//! came, the milliseconds of each run, and the peak memory in MiB; of the packed model or, with
//! `--teaching`, of the one that reads like the paper.

use std::fs;
use std::io::stdin;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use generation::{Decoder, GenerateOptions, PackedGpt, Pretrained, generate};
use hub::ModelFolder;
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    folder: String,
    #[arg(long)]
    teaching: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let Arguments { folder, teaching, .. } = Arguments::parse();
    let model = Pretrained::load(&ModelFolder::open(folder)?)?.model;
    if teaching {
        answer(&model)
    } else {
        let packed = PackedGpt::pack(&model)?;
        drop(model);
        answer(&packed)
    }
}

fn answer(model: &impl Decoder) -> Result<()> {
    for line in stdin().lines() {
        let line = line?;
        let numbers =
            line.split(' ').map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        let [length, new, runs] = numbers[..] else {
            anyhow::bail!("{line}: not three numbers")
        };
        // Any tokens will do, the same as the script gives to the peers.
        let prompt: Vec<u32> = (0..length).map(|i| 100 + i * 7919 % 3_900).collect();
        let options =
            GenerateOptions { max_new_tokens: new as usize, ..Default::default() };
        let one = || generate(model, &prompt, &options, |_, _| {});
        let ids = one()?.ids;
        let mut times = Vec::new();
        for _ in 0..runs {
            let start = Instant::now();
            one()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{}", json!({ "ids": ids, "ms": times, "peak_mib": peak_mib()? }));
    }
    Ok(())
}

/// The most memory that this process has had, from Linux.
fn peak_mib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("/proc/self/status has no VmHWM")?.parse::<f64>()? / 1024.0)
}
