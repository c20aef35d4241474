//! What each command does.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use bert_attention::BertForMaskedLm;
use bertinho::batches::{Sequence, both_orders, padded, pieces, training_sequences};
use bertinho::checkpoint::{self, write_atomically};
use bertinho::evaluate::{Accuracy, EvalSet, Evaluation, Predictor};
use bertinho::export::{export, fill_card};
use bertinho::finetune::{
    FinetuneOptions, as_stored, classifier_config, every_other_layer, measure,
};
use bertinho::heads::{
    HeadProfile, NounPair, SpecialIds, TranslationHead, find_nouns, profile,
    translation_heads,
};
use bertinho::history::History;
use bertinho::learner::{fast, masked_lm};
use bertinho::nouns::NOUNS;
use bertinho::pretrain::{CHECKPOINT, Pretraining, Recipe, Step, TrainState};
use bertinho::wordpiece::{
    CLS, SEP, WordPieceOptions, everyday_vocabulary, read_tokenizer, save_tokenizer,
};
use bertinho::{Corpus, Pair};
use candle_core::DType;
use figures::{Figure, LineChart};
use hub::{Architecture, Config, ModelSource};
use sentiment::{BaseModel, Batch, PackedEncoder};
use serde::Serialize;
use serde_json::json;
use tokenizers::Tokenizer;
use training::metrics::{Metrics, Speed, bar};
use training::parameters::Tensors;

use crate::{Corpora, Finetune, Heads, Model, Pretrain};

/// The vocabulary, and whether the book's words are whole in it.
pub fn tokenizer(arguments: &crate::Tokenizer) -> Result<()> {
    let corpus = read(&arguments.corpora)?;
    let tokenizer = learn(&corpus, arguments.vocab_size)?;
    save(&tokenizer, &arguments.out)?;
    let words = [
        "gato", "sentou", "tapete", "cachorro", "correu", "cat", "sat", "mat", "rug",
        "lay",
    ];
    let (whole, cut) = words
        .into_iter()
        .partition::<Vec<&str>, _>(|word| tokenizer.token_to_id(word).is_some());
    let pairs = corpus.pairs.train.iter();
    let english = pairs.clone().map(|pair| &pair.english);
    let portuguese = pairs.map(|pair| &pair.portuguese);
    Ok(Metrics::Stdout.line(&json!({
        "corpus": corpus.report,
        "pieces": tokenizer.get_vocab_size(true),
        "whole": whole,
        "cut": cut,
        "pieces_a_word": {
            "en.txt": fertility(&tokenizer, corpus.english.train.iter())?,
            "pt.txt": fertility(&tokenizer, corpus.portuguese.train.iter())?,
            "everyday English": fertility(&tokenizer, english)?,
            "everyday Portuguese":
                fertility(&tokenizer, portuguese)?,
        },
    }))?)
}

/// Pieces a word, as spaces part words.
fn fertility<'a>(
    tokenizer: &Tokenizer,
    texts: impl Iterator<Item = &'a String>,
) -> Result<f64> {
    let texts: Vec<&str> = texts.map(String::as_str).collect();
    let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let found = pieces(tokenizer, texts)?;
    Ok(found.iter().map(Vec::len).sum::<usize>() as f64 / words.max(1) as f64)
}

fn learn(corpus: &Corpus, vocab_size: usize) -> Result<Tokenizer> {
    let options = WordPieceOptions { vocab_size, ..Default::default() };
    Ok(everyday_vocabulary(corpus, options)?)
}

fn save(tokenizer: &Tokenizer, folder: &Path) -> Result<()> {
    let inputs = ["input_ids", "token_type_ids", "attention_mask"];
    Ok(save_tokenizer(tokenizer, folder, Recipe::default().positions, &inputs)?)
}

/// Pre-training, from the text to the shipped folder. Returns whether it is done.
pub fn pretrain(arguments: &Pretrain) -> Result<bool> {
    let corpus = read(&arguments.corpora)?;
    let out = &arguments.out;
    create(out)?;
    let path = out.join("tokenizer.json");
    let checkpoint_path = out.join(CHECKPOINT);
    if !arguments.resume && checkpoint_path.exists() {
        bail!(
            "{} exists: --resume goes on from it; delete it to begin again",
            checkpoint_path.display()
        );
    }
    let tokenizer = if path.is_file() {
        read_tokenizer(&path)?
    } else {
        let tokenizer = learn(&corpus, arguments.vocab_size)?;
        save(&tokenizer, out)?;
        tokenizer
    };
    let vocab_size = tokenizer.get_vocab_size(true);
    let recipe = recipe(arguments)?;
    recipe.validate()?;
    let sequences = |mixture| {
        training_sequences(&tokenizer, &corpus, mixture, recipe.sequence_tokens)
    };
    let mut training = if arguments.resume {
        Pretraining::resume(&recipe, &sequences, vocab_size, &fast, out)?
    } else {
        Pretraining::begin(recipe.clone(), &sequences, vocab_size, &fast, out)?
    };
    let done = training.state().steps;
    let metrics_path = out.join("metrics.jsonl");
    let mut metrics = match &arguments.metrics {
        Some(path) if path.as_os_str() == "-" => Metrics::Stdout,
        Some(path) => Metrics::file(path, done)?,
        None => Metrics::file(&metrics_path, done)?,
    };
    if done == 0 {
        let statistics = training.batches().statistics();
        metrics
            .line(&json!({"step": 0, "corpus": corpus.report, "epoch": statistics}))?;
    }
    let evaluator = Evaluator::new(&tokenizer, &corpus, &recipe, out)?;
    let progress = bar(arguments.steps.unwrap_or(recipe.steps()), done);
    let mut speed = Speed::start();
    let mut tokens = training.state().tokens;
    let mut observe = |step: Step, training: &Pretraining| {
        speed.add(step.loss, step.tokens - tokens);
        tokens = step.tokens;
        progress.set_message(speed.message());
        progress.set_position(step.step);
        metrics.line(&Line { step, tokens_per_second: speed.tokens_per_second() })?;
        let last = step.step == recipe.steps();
        if last || step.step.is_multiple_of(arguments.evaluate_every.max(1)) {
            progress.set_message("evaluating");
            let weights = training.learner().weights()?;
            let found = evaluator.evaluate(&training.state().config(), &weights);
            let found = found.map_err(|error| {
                candle_core::Error::Msg(format!("evaluation: {error:#}"))
            })?;
            metrics.line(&json!({"step": step.step, "evaluation": found}))?;
        }
        Ok(())
    };
    let stop = stop_on_interrupt()?;
    let finished =
        training.run(arguments.steps, arguments.save_every, &stop, &mut observe)?;
    progress.finish();
    if !finished {
        eprintln!("stopped at step {}: --resume goes on", training.state().steps);
        return Ok(false);
    }
    let metrics = arguments.metrics.as_deref().unwrap_or(&metrics_path);
    ship(out, metrics, &corpus, &tokenizer, &training, &evaluator)?;
    Ok(true)
}

/// Both shipped models: `OUT/bertinho` and `OUT/bertinho-sentiment`.
pub fn all(arguments: &Pretrain) -> Result<()> {
    if !pretrain(arguments)? {
        return Ok(());
    }
    let model = arguments.out.join("bertinho").display().to_string();
    let source = ModelSource { model, revision: None, offline: true };
    finetune(&Finetune {
        model: Model { corpora: arguments.corpora.clone(), source },
        out: arguments.out.join("bertinho-sentiment"),
        from_random: false,
        epochs: None,
        learning_rate: None,
        seed: arguments.seed.unwrap_or(FinetuneOptions::default().seed),
    })
}

/// The recipe of the checkpoint, of a file, or the default.
fn recipe(arguments: &Pretrain) -> Result<Recipe> {
    if arguments.resume {
        let (_, state): (Tensors, TrainState) =
            checkpoint::load(&arguments.out.join(CHECKPOINT))?;
        return Ok(state.recipe);
    }
    let mut recipe = match &arguments.recipe {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not a recipe", path.display()))?
        }
        None => Recipe::default(),
    };
    recipe.seed = arguments.seed.unwrap_or(recipe.seed);
    Ok(recipe)
}

/// Ctrl-C asks the training to save and stop; a second one stops at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nsaving; Ctrl-C again stops at once");
    })?;
    Ok(stop)
}

/// Writes the trained model's folder, `OUT/bertinho`, and how it went.
fn ship(
    out: &Path,
    metrics: &Path,
    corpus: &Corpus,
    tokenizer: &Tokenizer,
    training: &Pretraining,
    evaluator: &Evaluator,
) -> Result<()> {
    let state = training.state();
    let (config, weights) = (state.config(), training.learner().weights()?);
    let evaluation = evaluator.eval_set.evaluate(&predictor(&config, &weights)?)?;
    let report = corpus.report;
    let values = [
        ("layers", config.num_hidden_layers.to_string()),
        ("heads", config.num_attention_heads.to_string()),
        ("hidden", config.hidden_size.to_string()),
        ("vocabulary", config.vocab_size.to_string()),
        ("portuguese_lines", report.portuguese.to_string()),
        ("english_lines", report.english.to_string()),
        ("pair_lines", report.pairs.to_string()),
        ("dogs", report.fixes.cao.to_string()),
        ("contractions", report.fixes.contractions.to_string()),
        ("left_out", report.left_out.to_string()),
        ("steps", state.steps.to_string()),
        ("tokens", state.tokens.to_string()),
        ("recipe", serde_json::to_string_pretty(&state.recipe)?),
        ("table", table(&evaluation)),
    ];
    let card = fill_card(include_str!("bertinho.md"), &values)?;
    let folder = out.join("bertinho");
    export(&folder, &config, &weights, tokenizer, &card)?;
    if metrics.is_file() {
        let text = fs::read_to_string(metrics)
            .with_context(|| format!("cannot read {}", metrics.display()))?;
        let recipe = serde_json::to_value(&state.recipe)?;
        let history = History::from_metrics(recipe, &text)?;
        loss_curve(&history)?.save(folder.join("loss.svg"))?;
        if !history.points.is_empty() {
            accuracy_curve(&history)?.save(folder.join("accuracy.svg"))?;
        }
        let text = serde_json::to_string(&history)? + "\n";
        write_atomically(&out.join(RECORD), text.as_bytes())?;
    }
    eprintln!("the trained model is in {}", folder.display());
    Ok(())
}

fn table(found: &Evaluation) -> String {
    let rows = [
        ("everyday English", found.english),
        ("everyday Portuguese", found.portuguese),
        ("English, the translation beside", found.english_beside),
        ("Portuguese, the translation beside", found.portuguese_beside),
        ("both, the translation beside", found.beside),
    ];
    let row = |(name, Accuracy { hidden, model, unigram }): (&str, Accuracy)| {
        format!(
            "| {name} | {hidden} | {:.1} % | {:.1} % |",
            100.0 * model,
            100.0 * unigram
        )
    };
    rows.map(row).join("\n")
}

/// The loss over the steps.
fn loss_curve(history: &History) -> Result<Figure> {
    let chart = LineChart::new()
        .title(("Pré-treino", "Pre-training"))
        .x_title(("passo", "step"));
    Ok(chart
        .y_title("loss (nats)")
        .series(("lotes de treino", "training batches"), &history.loss)
        .draw()?)
}

/// Hidden pieces guessed, over the steps.
fn accuracy_curve(history: &History) -> Result<Figure> {
    let over = |of: fn(&Evaluation) -> Accuracy| {
        history.over_steps(|point| 100.0 * of(&point.accuracy).model)
    };
    let chart = LineChart::new()
        .title(("Pedaços adivinhados na validação", "Held-out pieces guessed"))
        .x_title(("passo", "step"));
    Ok(chart
        .y_title("%")
        .series(
            ("com a tradução ao lado", "the translation beside"),
            &over(|found| found.beside),
        )
        .series(("só inglês", "English"), &over(|found| found.english))
        .series(("só português", "Portuguese"), &over(|found| found.portuguese))
        .draw()?)
}

/// A step in the metrics.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    step: Step,
    tokens_per_second: f64,
}

/// The special tokens of our own vocabulary.
const SPECIAL: SpecialIds = SpecialIds { cls: CLS, sep: SEP };
/// Pairs that the heads' profiles are measured on while training.
const PROFILED: usize = 100;

/// How a training went, in the output folder.
const RECORD: &str = "record.json";

/// What a model is evaluated on while it is trained.
struct Evaluator {
    eval_set: EvalSet,
    nouns: Vec<NounPair>,
    /// Held-out pairs in both orders, for the heads' profiles.
    pairs: Vec<Batch>,
}

/// What it finds.
#[derive(Serialize)]
struct EvalReport {
    accuracy: Evaluation,
    /// The best of the heads that translate.
    translation_heads: Vec<TranslationHead>,
    /// What each head attends to, by layer and head.
    profiles: Vec<Vec<HeadProfile>>,
}

impl Evaluator {
    fn new(
        tokenizer: &Tokenizer,
        corpus: &Corpus,
        recipe: &Recipe,
        folder: &Path,
    ) -> Result<Self> {
        let eval_set = EvalSet::new(tokenizer, corpus, recipe.sequence_tokens)?;
        let config = recipe.config(1, tokenizer.get_vocab_size(true));
        let reader = hub::Tokenizer::from_folder(folder, &config)?;
        let nouns = held_out_nouns(&reader, &corpus.pairs.held_out)?;
        let count = corpus.pairs.held_out.len().min(PROFILED);
        let pairs = pair_batches(tokenizer, &corpus.pairs.held_out[..count])?;
        Ok(Self { eval_set, nouns, pairs })
    }

    fn evaluate(&self, config: &Config, weights: &Tensors) -> Result<EvalReport> {
        let predictor = predictor(config, weights)?;
        let accuracy = self.eval_set.evaluate(&predictor)?;
        let mut heads = translation_heads(predictor.encoder(), &self.nouns)?;
        heads.truncate(5);
        let profiles = profile(predictor.encoder(), &self.pairs, SPECIAL)?;
        Ok(EvalReport { accuracy, translation_heads: heads, profiles })
    }
}

fn predictor(config: &Config, weights: &Tensors) -> Result<Predictor> {
    Ok(Predictor::new(masked_lm(config, weights)?)?)
}

fn held_out_nouns(tokenizer: &hub::Tokenizer, pairs: &[Pair]) -> Result<Vec<NounPair>> {
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|pair| (&*pair.english, &*pair.portuguese)).collect();
    Ok(find_nouns(tokenizer, &pairs, &NOUNS)?)
}

/// The evaluation of a trained model, as one JSON line.
pub fn evaluate(arguments: &Model) -> Result<()> {
    let corpus = read(&arguments.corpora)?;
    let folder = arguments.source.folder()?;
    let config = folder.config()?;
    let tokenizer = read_tokenizer(&folder.path.join("tokenizer.json"))?;
    let model =
        hub::load(&folder, DType::F32, |vb| BertForMaskedLm::load(&vb, &config))?;
    let limit = Recipe::default().sequence_tokens.min(config.max_position_embeddings);
    let eval_set = EvalSet::new(&tokenizer, &corpus, limit)?;
    Ok(Metrics::Stdout.line(&eval_set.evaluate(&Predictor::new(model)?)?)?)
}

/// All heads of a trained model: a JSON line each, then one for each translator.
pub fn heads(arguments: &Heads) -> Result<()> {
    let corpus = read(&arguments.model.corpora)?;
    let folder = arguments.model.source.folder()?;
    let encoder = PackedEncoder::pack(BaseModel::open(&folder)?)?;
    let tokenizer = read_tokenizer(&folder.path.join("tokenizer.json"))?;
    let count = arguments.pairs.min(corpus.pairs.held_out.len());
    let pairs = &corpus.pairs.held_out[..count];
    let batches = pair_batches(&tokenizer, pairs)?;
    let mut out = Metrics::Stdout;
    for (layer, heads) in profile(&encoder, &batches, SPECIAL)?.iter().enumerate() {
        for (head, profile) in heads.iter().enumerate() {
            out.line(&json!({"layer": layer, "head": head, "profile": profile}))?;
        }
    }
    let nouns = held_out_nouns(&folder.tokenizer()?, pairs)?;
    for head in translation_heads(&encoder, &nouns)?.iter().take(20) {
        out.line(&json!({"nouns": nouns.len(), "translation": head}))?;
    }
    Ok(())
}

/// Pairs in both orders, in batches of about one length.
fn pair_batches(tokenizer: &Tokenizer, pairs: &[Pair]) -> Result<Vec<Batch>> {
    let mut rows = both_orders(tokenizer, pairs, 64)?.concat();
    rows.sort_by_key(Sequence::len);
    let batches = rows.chunks(32).map(|rows| padded(&rows.iter().collect::<Vec<_>>()));
    Ok(batches.collect::<bertinho::Result<_>>()?)
}

/// A classifier from a trained model, and its held-out accuracy.
pub fn finetune(arguments: &Finetune) -> Result<()> {
    let Model { corpora, source } = &arguments.model;
    let corpus = read(corpora)?;
    let folder = source.folder()?;
    let base = folder.config()?;
    if base.architecture != Architecture::Bert {
        bail!("--model {} is not a BERT: give what `pretrain` wrote", source.model);
    }
    let tokenizer = read_tokenizer(&folder.path.join("tokenizer.json"))?;
    let mut options = FinetuneOptions { seed: arguments.seed, ..Default::default() };
    options.epochs = arguments.epochs.unwrap_or(options.epochs);
    options.learning_rate = arguments.learning_rate.unwrap_or(options.learning_rate);
    let config = classifier_config(&base, options.dropout);
    let checkpoint = folder.checkpoint()?;
    let names = checkpoint.names().filter(|name| name.starts_with("bert."));
    let tensor =
        |name: &str| Ok((name.to_owned(), checkpoint.tensor(name, DType::F32)?));
    let start = if arguments.from_random {
        Tensors::new()
    } else {
        every_other_layer(&names.map(tensor).collect::<Result<Tensors>>()?)?
    };
    let progress = bar(1, 0);
    let reviews = &corpus.reviews;
    let mut observe = |step, steps, loss: f64| {
        progress.set_length(steps);
        progress.set_position(step);
        progress.set_message(format!("loss {loss:.3}"));
    };
    let trained = bertinho::finetune::finetune(
        &config,
        &start,
        &tokenizer,
        &reviews.train,
        options,
        &mut observe,
    )?;
    progress.finish();
    let finetuned =
        measure(&config, &as_stored(&trained)?, &tokenizer, reviews, options)?;
    Metrics::Stdout.line(&finetuned)?;
    let percent = |rate: f64| format!("{:.1} %", 100.0 * rate);
    let values = [
        ("layers", config.num_hidden_layers.to_string()),
        ("reviews", corpus.report.reviews.to_string()),
        ("recipe", serde_json::to_string_pretty(&options)?),
        ("accuracy", percent(finetuned.held_out)),
        ("baseline", percent(finetuned.naive_bayes)),
    ];
    let card = fill_card(include_str!("bertinho-sentiment.md"), &values)?;
    export(&arguments.out, &config, &trained, &tokenizer, &card)?;
    let text = serde_json::to_string(&finetuned)? + "\n";
    Ok(write_atomically(&arguments.out.with_extension("json"), text.as_bytes())?)
}

fn read(corpora: &Corpora) -> Result<Corpus> {
    Ok(Corpus::read(&corpora.corpora)?)
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
}
