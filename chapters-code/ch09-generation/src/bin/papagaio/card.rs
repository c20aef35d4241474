//! The shipped folder's card.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bertinho::Corpus;
use bertinho::checkpoint::write_atomically;
use bertinho::export::fill_card;
use generation::pretrain::trained;
use serde_json::Value;

use crate::Card;

/// Writes README.md, filled in with the recipe and the measures.
pub fn card(arguments: &Card) -> Result<()> {
    let report = Corpus::read(&arguments.corpora.corpora)?.report;
    let (state, weights) = trained(&arguments.trained)?;
    let measures = Measures::read(&arguments.measures)?;
    let recipe = &state.recipe;
    let parameters: usize = weights.values().map(candle_core::Tensor::elem_count).sum();
    let values = [
        ("layers", recipe.layers.to_string()),
        ("heads", recipe.heads.to_string()),
        ("width", recipe.width.to_string()),
        ("positions", recipe.positions.to_string()),
        ("vocabulary", recipe.vocab_size.to_string()),
        ("parameters", format!("{:.1}", parameters as f64 / 1e6)),
        ("portuguese_lines", report.portuguese.to_string()),
        ("english_lines", report.english.to_string()),
        ("pair_lines", report.pairs.to_string()),
        ("dogs", report.fixes.cao.to_string()),
        ("contractions", report.fixes.contractions.to_string()),
        ("left_out", report.left_out.to_string()),
        ("steps", state.steps.to_string()),
        ("planned", recipe.steps.to_string()),
        (
            "tokens",
            (state.steps * (recipe.batch * recipe.positions) as u64).to_string(),
        ),
        ("recipe", serde_json::to_string_pretty(recipe)?),
        ("bits", measures.bits()?),
        ("chrf", measures.chrf()?),
        ("recited", measures.recited()?),
    ];
    let card = fill_card(include_str!("../../papagaio.md"), &values)?;
    Ok(write_atomically(&arguments.out.join("README.md"), card.as_bytes())?)
}

/// What the measuring commands wrote.
struct Measures {
    evaluate: Value,
    kneser_ney: Value,
    translation: Value,
    recite: Value,
}

const LANGUAGES: [(&str, &str); 2] =
    [("English", "english"), ("Portuguese", "portuguese")];

impl Measures {
    fn read(folder: &Path) -> Result<Self> {
        let of = |file: &str| {
            let path = folder.join(file);
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not JSON", path.display()))
        };
        Ok(Self {
            evaluate: of("evaluate.json")?,
            kneser_ney: of("kneser-ney.json")?,
            translation: of("translation.json")?,
            recite: of("recite.json")?,
        })
    }

    /// Bits per byte beside the 5-gram model's.
    fn bits(&self) -> Result<String> {
        let row = |(name, key): (&str, &str)| {
            let found = |pointer: &str| number(&self.evaluate, &[key, pointer]);
            let baseline = number(&self.kneser_ney, &[key, "bits_per_byte"])?;
            Ok(format!(
                "| {name} | {} | {} | {:.3} | {baseline:.3} |",
                found("sentences")?,
                found("bytes")?,
                found("bits_per_byte")?,
            ))
        };
        rows(LANGUAGES.map(row))
    }

    /// chrF beside the dictionary's.
    fn chrf(&self) -> Result<String> {
        let directions =
            [("English to Portuguese", "en-pt"), ("Portuguese to English", "pt-en")];
        let row = |(name, key): (&str, &str)| {
            let found = |field: &str| number(&self.translation, &[key, field]);
            Ok(format!(
                "| {name} | {} | {:.1} | {:.1} | {:.1} to {:.1} |",
                found("sentences")?,
                found("papagaio")?,
                found("word_by_word")?,
                found("difference_low")?,
                found("difference_high")?,
            ))
        };
        rows(directions.map(row))
    }

    /// What it writes, and what is held out, in the training text.
    fn recited(&self) -> Result<String> {
        let who = [("papagaio", "papagaio"), ("held out", "held_out")];
        let asked = LANGUAGES.iter().flat_map(|of| who.iter().map(move |by| (of, by)));
        let row = |((language, key), (by, field)): (&(&str, &str), &(&str, &str))| {
            let found = |pointer: &[&str]| {
                number(&self.recite, &[&[*key, *field], pointer].concat())
            };
            Ok(format!(
                "| {language}, {by} | {} | {:.1} % | {:.1} | {:.1} % | {:.1} % |",
                found(&["texts"])?,
                100.0 * found(&["whole"])?,
                found(&["longest_mean"])?,
                100.0 * found(&["found", "4"])?,
                100.0 * found(&["found", "8"])?,
            ))
        };
        rows(asked.map(row))
    }
}

fn rows(rows: impl IntoIterator<Item = Result<String>>) -> Result<String> {
    Ok(rows.into_iter().collect::<Result<Vec<_>>>()?.join("\n"))
}

/// The number under these keys.
fn number(value: &Value, keys: &[&str]) -> Result<f64> {
    let found = keys.iter().try_fold(value, |value, key| value.get(key));
    let missing = || format!("the measures have no number {}", keys.join("."));
    found.and_then(Value::as_f64).with_context(missing)
}
