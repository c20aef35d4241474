//! Trains papagaio: `cargo run --release -p ch09-generation --bin papagaio -- --help`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use bertinho::Corpus;
use clap::Parser;
use generation::evaluate::{Guesses, evaluate};
use generation::pretrain::{CHECKPOINT, Pretraining, Recipe, Step};
use generation::texts::{
    ENGLISH, PORTUGUESE, encode, train_vocabulary, training_texts,
};
use serde::Serialize;
use serde_json::json;
use tokenizers::Tokenizer;
use training::metrics::{Metrics, Speed, bar};

/// Trains a language model of your own, from a folder of text.
#[derive(Parser)]
struct Arguments {
    /// The folder with en.txt, pt.txt, tatoeba.en-pt.tsv and sentiment.tsv
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
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

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let out = &arguments.out;
    fs::create_dir_all(out)
        .with_context(|| format!("cannot create {}", out.display()))?;
    let checkpoint = out.join(CHECKPOINT);
    if !arguments.resume && checkpoint.exists() {
        bail!(
            "{} exists: --resume goes on from it; delete it to begin again",
            checkpoint.display()
        );
    }
    let recipe = recipe(arguments.recipe.as_deref())?;
    recipe.validate()?;
    let corpus = Corpus::read(&arguments.corpora)?;
    let tokenizer = vocabulary(&corpus, &recipe, &out.join("tokenizer.json"))?;
    let texts = encode(&tokenizer, &training_texts(&corpus))?;
    let tokens: usize = texts.iter().map(Vec::len).sum();
    let mut training = if arguments.resume {
        Pretraining::resume(&recipe, texts, out)?
    } else {
        Pretraining::begin(recipe.clone(), texts, out)?
    };
    let done = training.state().steps;
    let mut metrics = Metrics::file(&out.join("metrics.jsonl"), done)?;
    if done == 0 {
        metrics
            .line(&json!({"step": 0, "recipe": recipe, "tokens_in_epoch": tokens}))?;
    }
    let (progress, mut speed) = (bar(recipe.steps, done), Speed::start());
    let mut observe = |step: Step, training: &Pretraining| {
        speed.add(step.loss, (recipe.batch * recipe.positions) as u64);
        progress.set_message(speed.message());
        progress.set_position(step.step);
        metrics.line(&Line { step, tokens_per_second: speed.tokens_per_second() })?;
        let last = step.step == recipe.steps;
        if last || step.step.is_multiple_of(arguments.evaluate_every.max(1)) {
            let [english, portuguese] = held_out(training, &tokenizer, &corpus)?;
            metrics.line(&json!({
                "step": step.step,
                "english": english,
                "portuguese": portuguese,
            }))?;
        }
        Ok(())
    };
    let stop = stop_on_interrupt()?;
    let finished = training.run(arguments.save_every, &stop, &mut observe)?;
    progress.finish();
    if !finished {
        eprintln!("stopped at step {}: --resume goes on", training.state().steps);
    }
    Ok(())
}

/// A line of the metrics.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    step: Step,
    tokens_per_second: f64,
}

fn recipe(path: Option<&Path>) -> Result<Recipe> {
    let Some(path) = path else { return Ok(Recipe::default()) };
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no recipe", path.display()))
}

/// The vocabulary in the folder, or a new one.
fn vocabulary(corpus: &Corpus, recipe: &Recipe, path: &Path) -> Result<Tokenizer> {
    if path.is_file() {
        let found = Tokenizer::from_file(path).map_err(anyhow::Error::msg)?;
        let tokens = found.get_vocab_size(true);
        if tokens != recipe.vocab_size {
            bail!(
                "{} has {tokens} tokens, the recipe {}",
                path.display(),
                recipe.vocab_size
            );
        }
        return Ok(found);
    }
    let tokenizer = train_vocabulary(corpus, recipe.vocab_size)?;
    tokenizer.save(path, true).map_err(anyhow::Error::msg)?;
    Ok(tokenizer)
}

/// What the model makes of the held-out sentences, those of the pairs aside.
fn held_out(
    training: &Pretraining,
    tokenizer: &Tokenizer,
    corpus: &Corpus,
) -> generation::Result<[Guesses; 2]> {
    let of = |mark, sentences: &[String]| {
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        evaluate(training.model(), tokenizer, mark, &sentences)
    };
    Ok([
        of(ENGLISH, &corpus.english.held_out)?,
        of(PORTUGUESE, &corpus.portuguese.held_out)?,
    ])
}

fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))?;
    Ok(stop)
}
