//! Training on the command line: `cargo run -p ch08-bertinho --release -- --help`.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use hub::ModelSource;

/// Trains a BERT of your own, from a folder of text.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Learn the vocabulary of pieces
    Tokenizer(Tokenizer),
    /// Train a BERT to guess hidden pieces
    Pretrain(Pretrain),
    /// Both: the recipe of the shipped models, from the text to the two folders
    All(Pretrain),
    /// Make a sentiment classifier of a trained BERT
    Finetune(Finetune),
    /// Ask a trained BERT for the hidden pieces of held-out sentences
    Evaluate(Model),
    /// Measure what the heads of a trained BERT look at
    Heads(Heads),
}

#[derive(Args, Clone)]
struct Corpora {
    /// The folder with en.txt, pt.txt, tatoeba.en-pt.tsv and sentiment.tsv
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
}

#[derive(Args)]
struct Tokenizer {
    #[command(flatten)]
    corpora: Corpora,
    /// Write the tokenizer's files in this folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Pieces, special ones included
    #[arg(long, default_value_t = 10_240)]
    vocab_size: usize,
}

#[derive(Args)]
struct Pretrain {
    #[command(flatten)]
    corpora: Corpora,
    /// The folder of the checkpoint, the metrics and the trained model
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on from the checkpoint in the folder, with its recipe
    #[arg(long, conflicts_with_all = ["recipe", "seed", "vocab_size"])]
    resume: bool,
    /// A recipe as JSON; the model card of a trained model has one
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Seed of everything that is drawn, instead of the recipe's
    #[arg(long)]
    seed: Option<u64>,
    /// Pieces of the vocabulary, if it has to be learned
    #[arg(long, default_value_t = 10_240)]
    vocab_size: usize,
    /// Stop after so many steps in all; --resume goes on
    #[arg(long)]
    steps: Option<u64>,
    /// Steps from one checkpoint to the next
    #[arg(long, default_value_t = 500)]
    save_every: u64,
    /// Steps from one evaluation to the next
    #[arg(long, default_value_t = 1000)]
    evaluate_every: u64,
    /// Write the metrics here instead of OUT/metrics.jsonl; - is standard output
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

#[derive(Args)]
struct Finetune {
    #[command(flatten)]
    model: Model,
    /// Write the classifier in this folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Start with random weights instead of the model's: what is its training worth?
    #[arg(long)]
    from_random: bool,
    /// How often each review is shown
    #[arg(long)]
    epochs: Option<u64>,
    /// The highest learning rate
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

#[derive(Args)]
struct Model {
    #[command(flatten)]
    corpora: Corpora,
    #[command(flatten)]
    source: ModelSource,
}

#[derive(Args)]
struct Heads {
    #[command(flatten)]
    model: Model,
    /// How many held-out pairs to read
    #[arg(long, default_value_t = 1000)]
    pairs: usize,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Tokenizer(arguments) => commands::tokenizer(&arguments),
        Command::Pretrain(arguments) => commands::pretrain(&arguments).map(|_| ()),
        Command::All(arguments) => commands::all(&arguments),
        Command::Finetune(arguments) => commands::finetune(&arguments),
        Command::Evaluate(arguments) => commands::evaluate(&arguments),
        Command::Heads(arguments) => commands::heads(&arguments),
    };
    cli::exit_code(done)
}
