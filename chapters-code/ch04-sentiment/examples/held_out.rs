//! Asks the model about sentences that it was not trained on, and counts the answers by
//! their scores: `cargo run --release -p ch04-sentiment --example held_out -- FOLDER`.
//!
//! FOLDER holds `sentiment.tsv`: a header, then a line per sentence, `1` or `0`, a tab and
//! the sentence. The last fifth is held out. The counts go to `held-out.json` in the
//! crate's folder, which the book's page shows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use hub::{HubOptions, Truncate};
use sentiment::SentimentPipeline;
use sentiment::calibration::{Answer, HeldOut, calibration_error, reliability};

const MODEL: &str = "bertinho-sentiment";

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("which folder has sentiment.tsv?")?;
    let path = Path::new(&folder).join("sentiment.tsv");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let held_out = &lines[lines.len() - lines.len() / 5..];

    let folder = hub::resolve(MODEL, &HubOptions::from_env())?;
    let pipeline = SentimentPipeline::load(&folder)?;
    let mut answers = Vec::new();
    for lines in held_out.chunks(64) {
        let rows = lines.iter().map(|line| line.split_once('\t'));
        let rows: Option<Vec<(&str, &str)>> = rows.collect();
        let rows = rows.context("a line without a tab")?;
        let texts: Vec<&str> = rows.iter().map(|(_, text)| *text).collect();
        let found = pipeline.classify(&texts, Truncate::To(usize::MAX))?;
        answers.extend(rows.iter().zip(found).map(|((label, _), found)| Answer {
            score: f64::from(found.score),
            right: (found.label == "POSITIVE") == (*label == "1"),
        }));
    }

    let weights = fs::read(folder.path.join("model.safetensors"))?;
    let record = HeldOut {
        model: MODEL.to_owned(),
        weights: HeldOut::fingerprint(&weights),
        sentences: format!(
            "{} held-out sentences of Sentence Polarity v1.0 (Pang and Lee 2005)",
            answers.len()
        ),
        bins: reliability(&answers, 0.5, 10),
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("held-out.json");
    fs::write(&file, serde_json::to_string_pretty(&record)? + "\n")?;
    let (count, right) = record.totals();
    println!("{right}/{count}, {:.4}", calibration_error(&record.bins));
    Ok(())
}
