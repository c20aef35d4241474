//! What is made and measured of a trained model.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use bertinho::{Corpus, Pair};
use generation::evaluate::{Guesses, evaluate as evaluate_model};
use generation::measures::Training;
use generation::pretrain::trained;
use generation::recite::{Memory, Recital};
use generation::texts::{ENGLISH, PORTUGUESE, encode, ends};
use generation::{Filters, GenerateOptions, Gpt, Pretrained, generate};
use hub::ModelFolder;
use serde_json::json;
use tokenizers::Tokenizer;

use crate::{Export, History, Model, Recite, Texts, Translate};

/// What is learned from and what is held out, in files of their own.
pub fn texts(arguments: &Texts) -> Result<()> {
    let corpus = Corpus::read(&arguments.corpora.corpora)?;
    let out = &arguments.out;
    create(out)?;
    for (part, english, portuguese, pairs) in [
        ("train", &corpus.english.train, &corpus.portuguese.train, &corpus.pairs.train),
        (
            "held-out",
            &corpus.english.held_out,
            &corpus.portuguese.held_out,
            &corpus.pairs.held_out,
        ),
    ] {
        let sides = pairs.iter().map(|pair| (&pair.english, &pair.portuguese));
        let (first, second): (Vec<_>, Vec<_>) = sides.unzip();
        write_lines(&out.join(format!("en.{part}.txt")), english)?;
        write_lines(&out.join(format!("pt.{part}.txt")), portuguese)?;
        write_lines(&out.join(format!("pairs.en.{part}.txt")), first)?;
        write_lines(&out.join(format!("pairs.pt.{part}.txt")), second)?;
    }
    Ok(())
}

/// The checkpoint as a folder for `transformers`.
pub fn export(arguments: &Export) -> Result<()> {
    let (state, weights) = trained(&arguments.trained)?;
    let tokenizer = tokenizer(&arguments.trained.join("tokenizer.json"))?;
    let config = state.recipe.config();
    generation::export::export(&arguments.out, &config, &weights, &tokenizer)?;
    eprintln!("the model after step {} is in {}", state.steps, arguments.out.display());
    Ok(())
}

/// How the training went, small enough to keep beside the book.
pub fn history(arguments: &History) -> Result<()> {
    let path = arguments.trained.join("metrics.jsonl");
    let metrics = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let training = Training::from_metrics(&metrics)
        .with_context(|| format!("{} is not what train writes", path.display()))?;
    Ok(cli::print_json(&training)?)
}

/// How well the held-out sentences of each language are guessed.
pub fn evaluate(arguments: &Model) -> Result<()> {
    let (corpus, model, tokenizer) = read(arguments)?;
    let [english, portuguese] = guesses(&model, &tokenizer, &corpus)?;
    Ok(cli::print_json(&json!({"english": english, "portuguese": portuguese}))?)
}

/// What the model makes of the held-out sentences, those of the pairs aside.
pub fn guesses(
    model: &Gpt,
    tokenizer: &Tokenizer,
    corpus: &Corpus,
) -> generation::Result<[Guesses; 2]> {
    let of = |mark, sentences: &[String]| {
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        evaluate_model(model, tokenizer, mark, &sentences)
    };
    Ok([
        of(ENGLISH, &corpus.english.held_out)?,
        of(PORTUGUESE, &corpus.portuguese.held_out)?,
    ])
}

/// The held-out pairs, each side translated to the other.
pub fn translate(arguments: &Translate) -> Result<()> {
    let (corpus, model, tokenizer) = read(&arguments.model)?;
    create(&arguments.out)?;
    let (mut english, mut portuguese) = (Vec::new(), Vec::new());
    for pair in &corpus.pairs.held_out {
        english.push(&pair.english);
        portuguese.push(&pair.portuguese);
    }
    for (name, sentences, marks) in [
        ("en-pt", english, [ENGLISH, PORTUGUESE]),
        ("pt-en", portuguese, [PORTUGUESE, ENGLISH]),
    ] {
        let start = Instant::now();
        let translate = |sentence: &&String| {
            let beams = arguments.beams;
            generation::translate::translate(&model, &tokenizer, sentence, marks, beams)
        };
        let found =
            sentences.iter().map(translate).collect::<generation::Result<Vec<_>>>()?;
        write_lines(&arguments.out.join(format!("{name}.txt")), &found)?;
        cli::print_json(&json!({
            "direction": name,
            "beams": arguments.beams,
            "sentences": found.len(),
            "seconds": start.elapsed().as_secs_f64(),
        }))?;
    }
    Ok(())
}

/// How much of what the model writes stands in the training text; the held-out sentences, of
/// people and of the translator, beside it.
pub fn recite(arguments: &Recite) -> Result<()> {
    let (corpus, model, tokenizer) = read(&arguments.model)?;
    let file = |path: &PathBuf| Ok((path.display().to_string(), read_lines(path)?));
    let also = arguments.also.iter().map(file).collect::<Result<Vec<_>>>()?;
    let english = write(&model, &tokenizer, ENGLISH, arguments)?;
    let portuguese = write(&model, &tokenizer, PORTUGUESE, arguments)?;
    if let Some(out) = &arguments.out {
        create(out)?;
        write_lines(&out.join("en.txt"), &english)?;
        write_lines(&out.join("pt.txt"), &portuguese)?;
    }
    let memory = Memory::new(corpus.training_texts());
    let of = |texts: &[String]| memory.recital(texts.iter().map(String::as_str));
    let held_out = |alone: &[String], side: fn(&Pair) -> &String| {
        let pairs = corpus.pairs.held_out.iter().map(side);
        memory.recital(alone.iter().chain(pairs).map(String::as_str))
    };
    let also = also.iter().map(|(name, texts)| (name, of(texts)));
    let also: BTreeMap<&String, Recital> = also.collect();
    Ok(cli::print_json(&json!({
        "temperature": arguments.temperature,
        "top_p": arguments.top_p,
        "seed": arguments.seed,
        "english": {
            "papagaio": of(&english),
            "held_out": held_out(&corpus.english.held_out, |pair| &pair.english),
        },
        "portuguese": {
            "papagaio": of(&portuguese),
            "held_out": held_out(&corpus.portuguese.held_out, |pair| &pair.portuguese),
        },
        "also": also,
    }))?)
}

/// Sentences that the model writes behind a language's mark, each with a seed of its own.
fn write(
    model: &Gpt,
    tokenizer: &Tokenizer,
    mark: &str,
    arguments: &Recite,
) -> Result<Vec<String>> {
    let Recite { temperature, top_p, .. } = *arguments;
    let filters = Filters { temperature, top_p: Some(top_p), ..Filters::default() };
    let prompt = encode(tokenizer, &[mark.to_owned()])?.concat();
    let mut options = GenerateOptions {
        max_new_tokens: model.limit(),
        filters,
        ends: ends(tokenizer)?,
        ..GenerateOptions::default()
    };
    let mut texts = Vec::new();
    for i in 0..arguments.count {
        options.seed = Some(arguments.seed + i);
        let found = generate(model, &prompt, &options, |_, _| {})?;
        texts.push(tokenizer.decode(&found.ids, true).map_err(anyhow::Error::msg)?);
    }
    Ok(texts)
}

fn read(arguments: &Model) -> Result<(Corpus, Gpt, Tokenizer)> {
    let corpus = Corpus::read(&arguments.corpora.corpora)?;
    let folder = ModelFolder::open(&arguments.model)?;
    let model = Pretrained::load(&folder)?.model;
    let tokenizer = tokenizer(&folder.path.join("tokenizer.json"))?;
    ends(&tokenizer)?;
    Ok((corpus, model, tokenizer))
}

pub fn tokenizer(path: &Path) -> Result<Tokenizer> {
    let found = Tokenizer::from_file(path).map_err(anyhow::Error::msg);
    found.with_context(|| format!("cannot read {}", path.display()))
}

pub fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
}

/// One text a line; what would break a line becomes a space.
fn write_lines<T: AsRef<str>>(
    path: &Path,
    texts: impl IntoIterator<Item = T>,
) -> Result<()> {
    let line = |text: T| text.as_ref().replace(['\n', '\r'], " ") + "\n";
    let lines: String = texts.into_iter().map(line).collect();
    fs::write(path, lines).with_context(|| format!("cannot write {}", path.display()))
}

fn read_lines(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
