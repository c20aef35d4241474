//! Asks the model about sentences that it was not trained on, and keeps how sure it was of
//! the right label: `cargo run --release -p ch04-sentiment --example held_out -- FOLDER`.
//!
//! FOLDER holds `sentiment.tsv`: a header, then a line per sentence, `1` or `0`, a tab and
//! the sentence. The last fifth is held out. The margins go to `held-out.json` in the
//! crate's folder, which the book's page shows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use hub::{HubOptions, Truncate};
use sentiment::SentimentPipeline;
use sentiment::attribution::margin;
use sentiment::calibration::{HeldOut, answers_at, calibration_error, reliability};

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
    let positive = pipeline.model.config.id2label.iter().position(|l| l == "POSITIVE");
    let positive = positive.context("no label POSITIVE")?;
    let (mut margins, mut longest) = (Vec::new(), 0);
    for line in held_out {
        let (label, text) = line.split_once('\t').context("a line without a tab")?;
        let encoded =
            pipeline.model.tokenizer.encode(text, None, Truncate::To(usize::MAX))?;
        longest = longest.max(encoded.len());
        let right = if label == "1" { positive } else { 1 - positive };
        let logits = pipeline.logits_of(&[encoded.ids])?;
        let margin = f64::from(margin(&logits[0], right));
        margins.push((margin * 1e4).round() / 1e4);
    }

    let weights = fs::read(folder.path.join("model.safetensors"))?;
    let record = HeldOut {
        model: MODEL.to_owned(),
        weights: HeldOut::fingerprint(&weights),
        sentences: format!(
            "{} held-out sentences of Sentence Polarity v1.0 (Pang and Lee 2005)",
            margins.len()
        ),
        margins,
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("held-out.json");
    fs::write(&file, serde_json::to_string(&record)? + "\n")?;
    let (count, right) = record.totals();
    let error =
        calibration_error(&reliability(&answers_at(&record.margins, 1.0), 0.5, 10));
    let nearest =
        record.margins.iter().copied().min_by(|a, b| a.abs().total_cmp(&b.abs()));
    println!("{right}/{count}, calibration error {error:.4}");
    println!(
        "the margin nearest to 0: {nearest:?}; the longest text: {longest} tokens"
    );
    Ok(())
}
