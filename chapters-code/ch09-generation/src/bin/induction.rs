//! Ten seeds of the induction heads: `cargo run --release -p ch09-generation --bin induction --
//! --help`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use generation::induction::{Point, Recipe, Record, SeedRecord, train};

/// Trains models of attention alone, of one layer and of two, and takes their heads out.
#[derive(Parser)]
struct Arguments {
    /// How many seeds, from 1
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// Where the record goes; without it, one training is shown step by step
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A recipe as JSON, instead of the book's
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
}

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let recipe = match &arguments.recipe {
        None => Recipe::default(),
        Some(path) => {
            let text = fs::read_to_string(path);
            let text =
                text.with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is no recipe", path.display()))?
        }
    };
    let Some(out) = &arguments.out else {
        train(&recipe, show)?;
        return Ok(());
    };
    let record = Record::of_seeds(&recipe, arguments.seeds, tell)?;
    fs::write(out, record.to_json()?)
        .with_context(|| format!("cannot write {}", out.display()))
}

fn show(point: &Point) {
    let Point { step, losses, scores } = point;
    let heads = scores
        .iter()
        .flatten()
        .map(|scores| format!("{:.2} {:.2}", scores.previous, scores.prefix));
    println!(
        "{step:5}  first {:.3}  repeated {:.3}  previous and prefix {}",
        losses.first,
        losses.repeated,
        heads.collect::<Vec<_>>().join(" | ")
    );
}

fn tell(seed: &SeedRecord) {
    let [one, two] = seed.losses;
    let last = seed.two_layers.last().map(|point| &point.scores);
    let prefix = last.map_or(0.0, |all| all[1][seed.induction.head].prefix);
    let previous = last.map_or(0.0, |all| all[0][seed.previous.head].previous);
    let of = |singles: &[(_, f64)], head| {
        singles
            .iter()
            .find(|(found, _)| *found == head)
            .map_or(0.0, |(_, share)| *share)
    };
    let others = seed.zero.pairs.iter().filter(|([a, b], _)| {
        ![seed.previous, seed.induction].iter().any(|head| head == a || head == b)
    });
    println!(
        "seed {:2}  repeated {:.3} {:.3}  {} {previous:.3}  {} {prefix:.3}  \
         removed {:.2} {:.2} all {:.2}, other pairs up to {:.2}  keys {:.2?}",
        seed.seed,
        one.repeated,
        two.repeated,
        seed.previous,
        seed.induction,
        of(&seed.zero.singles, seed.previous),
        of(&seed.zero.singles, seed.induction),
        seed.zero.all_induction,
        others.map(|(_, share)| *share).fold(0.0, f64::max),
        seed.composition.keys,
    );
}
