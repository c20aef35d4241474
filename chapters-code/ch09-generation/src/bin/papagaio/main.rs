//! papagaio, from the text to the shipped folder, and what is measured of it:
//! `cargo run --release -p ch09-generation --bin papagaio -- --help`.

mod card;
mod commands;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// A bilingual language model of your own, from a folder of text.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train it
    Train(Train),
    /// Write what it learns from and what is held out, one sentence a line
    Texts(Texts),
    /// Write what was trained as a folder that transformers reads
    Export(Export),
    /// Print how the training went
    History(History),
    /// Measure how well it guesses the held-out sentences
    Evaluate(Model),
    /// Translate the held-out pairs, in both directions
    Translate(Translate),
    /// Measure how much of what it writes stands word for word in the training text
    Recite(Recite),
    /// Write the folder's card, with what was measured
    Card(Card),
}

#[derive(Args)]
struct Corpora {
    /// The folder with en.txt, pt.txt, tatoeba.en-pt.tsv and sentiment.tsv
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
}

#[derive(Args)]
struct Train {
    #[command(flatten)]
    corpora: Corpora,
    /// The folder of the checkpoint, the metrics and the tokenizer
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on from the checkpoint in the folder
    #[arg(long)]
    resume: bool,
    /// A recipe as JSON, instead of papagaio's
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Steps from one checkpoint to the next
    #[arg(long, default_value_t = 200)]
    save_every: u64,
    /// Steps from one evaluation to the next
    #[arg(long, default_value_t = 1000)]
    evaluate_every: u64,
}

#[derive(Args)]
struct Texts {
    #[command(flatten)]
    corpora: Corpora,
    /// The folder of the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Args)]
struct Export {
    /// The folder that `train` wrote
    #[arg(long, value_name = "DIR")]
    trained: PathBuf,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Args)]
struct History {
    /// The folder that `train` wrote
    #[arg(long, value_name = "DIR")]
    trained: PathBuf,
}

#[derive(Args)]
struct Model {
    #[command(flatten)]
    corpora: Corpora,
    /// The folder that `export` wrote
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
}

#[derive(Args)]
struct Translate {
    #[command(flatten)]
    model: Model,
    /// The folder of en-pt.txt and pt-en.txt, one translation a line
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Texts side by side; 1 always takes the likeliest token
    #[arg(long, default_value_t = 1)]
    beams: usize,
}

#[derive(Args)]
struct Recite {
    #[command(flatten)]
    model: Model,
    /// How many texts it writes in each language
    #[arg(long, default_value_t = 500)]
    count: u64,
    /// Below 1 the likely tokens become likelier, above 1 all become alike
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    temperature: f32,
    /// Draw among the likeliest that together have this probability
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    top_p: f32,
    /// Seed of the first text; each has the next one
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Keep what it writes in this folder, as en.txt and pt.txt
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Measure this file, too, one text a line; may be given again
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
}

#[derive(Args)]
struct Card {
    #[command(flatten)]
    corpora: Corpora,
    /// The folder that `train` wrote
    #[arg(long, value_name = "DIR")]
    trained: PathBuf,
    /// The folder of evaluate.json, kneser-ney.json, translation.json and recite.json
    #[arg(long, value_name = "DIR")]
    measures: PathBuf,
    /// The folder that `export` wrote, where README.md is written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Texts(arguments) => commands::texts(&arguments),
        Command::Export(arguments) => commands::export(&arguments),
        Command::History(arguments) => commands::history(&arguments),
        Command::Evaluate(arguments) => commands::evaluate(&arguments),
        Command::Translate(arguments) => commands::translate(&arguments),
        Command::Recite(arguments) => commands::recite(&arguments),
        Command::Card(arguments) => card::card(&arguments),
    };
    cli::exit_code(done)
}
