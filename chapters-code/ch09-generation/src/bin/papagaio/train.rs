//! The training.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use bertinho::Corpus;
use generation::pretrain::{CHECKPOINT, Pretraining, Recipe, Step};
use generation::texts::{encode, train_vocabulary, training_texts};
use serde::Serialize;
use serde_json::json;
use tokenizers::Tokenizer;
use training::metrics::{Metrics, Speed, bar};

use crate::Train;
use crate::commands::{create, guesses, tokenizer};

/// Trains, from the beginning or from the checkpoint.
pub fn train(arguments: &Train) -> Result<()> {
    let out = &arguments.out;
    create(out)?;
    let checkpoint = out.join(CHECKPOINT);
    if !arguments.resume && checkpoint.exists() {
        bail!(
            "{} exists: --resume goes on from it; delete it to begin again",
            checkpoint.display()
        );
    }
    let recipe = recipe(arguments.recipe.as_deref())?;
    recipe.validate()?;
    let corpus = Corpus::read(&arguments.corpora.corpora)?;
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
            let [english, portuguese] = guesses(training.model(), &tokenizer, &corpus)?;
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
        let found = tokenizer(path)?;
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

fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))?;
    Ok(stop)
}
