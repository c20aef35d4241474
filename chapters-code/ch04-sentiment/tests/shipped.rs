//! The model that ships with the book, and the record that was made with it.

use std::fs;

use hub::{HubOptions, Truncate};
use sentiment::SentimentPipeline;
use sentiment::calibration::{HeldOut, answers_at, calibration_error, reliability};

fn folder() -> hub::ModelFolder {
    hub::resolve("bertinho-sentiment", &HubOptions::from_env()).unwrap()
}

#[test]
fn it_tells_the_notes_sentences_apart() {
    let pipeline = SentimentPipeline::load(&folder()).unwrap();
    let texts = [
        "I love this new movie, it's fantastic!",
        "The service was terrible from start to finish.",
    ];
    let found = pipeline.classify(&texts, Truncate::Error).unwrap();
    let labels: Vec<&str> = found.iter().map(|found| found.label.as_str()).collect();
    assert_eq!(labels, ["POSITIVE", "NEGATIVE"]);
}

/// Other weights need another record: `cargo run --release -p ch04-sentiment --example
/// held_out -- FOLDER`.
#[test]
fn the_held_out_record_was_made_with_these_weights() {
    let record = HeldOut::of_the_book().unwrap();
    let weights = fs::read(folder().path.join("model.safetensors")).unwrap();
    assert_eq!(record.weights, HeldOut::fingerprint(&weights));
    assert_eq!(record.model, "bertinho-sentiment");
    // Of `abc`, from FIPS 180-4.
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(HeldOut::fingerprint(b"abc"), known);
    let (count, right) = record.totals();
    assert!(record.sentences.starts_with(&format!("{count} ")), "{}", record.sentences);
    assert!(right > count / 2 && right < count, "{right}/{count}");
    let bins = reliability(&answers_at(&record.margins, 1.0), 0.5, 10);
    assert!((0.0..0.5).contains(&calibration_error(&bins)));
}
