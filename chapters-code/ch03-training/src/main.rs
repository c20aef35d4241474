//! Training on the command line: `cargo run -p ch03-training --release -- --help`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use serde_json::json;
use training::metrics::{Metrics, bar};
use training::reverse::{
    ReverserOptions, attention_figure, held_out_strings, train_reverser,
};

/// Trains the chapter's model and says how it went.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train the sequence reverser, and draw its cross-attention before and after
    Reverse(Reverse),
}

#[derive(Args)]
struct Reverse {
    /// Steps of training
    #[arg(long)]
    steps: Option<u64>,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Save the figures in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Command::Reverse(arguments) = Arguments::parse().command;
    cli::exit_code(reverse(&arguments))
}

/// Trains a reverser; its metrics go out as one JSON line.
fn reverse(arguments: &Reverse) -> Result<()> {
    let mut options = ReverserOptions { seed: arguments.seed, ..Default::default() };
    options.steps = arguments.steps.unwrap_or(options.steps);
    let progress = bar(options.steps, 0);
    let trained = train_reverser(options, 50, &mut |_, loss| {
        progress.inc(1);
        progress.set_message(format!("loss {loss:.3}"));
    })?;
    progress.finish();
    let held_out = held_out_strings(options.seed.wrapping_add(1), 1000);
    let (before, after) = (&trained.before, &trained.after);
    Metrics::Stdout.line(&json!({
        "options": options,
        "exact": after.accuracy(&held_out)?,
        "anti_diagonal_before": before.anti_diagonal(&held_out[..200])?,
        "anti_diagonal_after": after.anti_diagonal(&held_out[..200])?,
        "history": trained.history,
    }))?;
    let Some(folder) = &arguments.out else { return Ok(()) };
    let created = fs::create_dir_all(folder);
    created.with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, model) in [("before", before), ("after", after)] {
        let title = format!("Cross-attention {name} training");
        attention_figure(model, "cabide", &title)?
            .save(folder.join(format!("{name}.svg")))?;
    }
    trained.history.figure()?.save(folder.join("history.svg"))?;
    Ok(())
}
