//! The command line: what it prints, and what it says to bad input.

#[path = "../../../tests/support/cli.rs"]
mod cli;
mod common;

use std::fs;

use cli::Program;
use common::{Fixture, LOGITS};
use serde_json::Value;
use training::softmax;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch04-sentiment"));

fn model(name: &str) -> String {
    common::path(name).display().to_string()
}

#[test]
fn json_is_what_transformers_pipeline_says() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let text = "O gato sentou no tapete.";
    let found = PROGRAM.json(&[text, "--model", &model("bert-distilbert-classifier")]);
    let scores = softmax(fixture.expected("single.logits")).unwrap();
    let scores = scores.to_vec2::<f32>().unwrap().remove(0);
    let best = usize::from(scores[1] > scores[0]);
    let found = &found[0];
    assert_eq!(found["text"], text);
    assert_eq!(found["label"], ["NEGATIVE", "POSITIVE"][best]);
    let score = found["score"].as_f64().unwrap();
    assert!((score - f64::from(scores[best])).abs() <= f64::from(LOGITS), "{score}");
    let tokens = ["[CLS]", "o", "gato", "sentou", "no", "tapete", ".", "[SEP]"];
    assert_eq!(found["tokens"], Value::from(tokens.to_vec()));
    assert_eq!(found.as_object().unwrap().len(), 4);
}

#[test]
fn texts_of_any_length_go_together_in_their_order() {
    let model = model("bert-distilbert-classifier");
    let texts: Vec<String> = (1..40).map(|i| "cat ".repeat(1 + i * 7 % 30)).collect();
    let mut arguments: Vec<&str> = texts.iter().map(String::as_str).collect();
    arguments.extend(["--model", &model]);
    let together = PROGRAM.json(&arguments);
    assert_eq!(together.as_array().unwrap().len(), texts.len());
    for i in [0, 15, 16, 38] {
        let alone = &PROGRAM.json(&[&texts[i], "--model", &model])[0];
        for field in ["text", "label", "tokens"] {
            assert_eq!(together[i][field], alone[field], "text {i}");
        }
        let difference =
            together[i]["score"].as_f64().unwrap() - alone["score"].as_f64().unwrap();
        assert!(difference.abs() <= f64::from(LOGITS), "text {i}: {difference}");
    }
}

#[test]
fn people_get_a_bar() {
    let model = model("bert-distilbert-classifier");
    let text = PROGRAM.text(&["the cat", "o\u{7}gato", "--model", &model]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("TIVE █") && lines[0].ends_with("  the cat"), "{text}");
    assert!(lines[1].ends_with("  o�gato"), "{text}");
}

#[test]
fn long_texts_are_cut_only_if_asked() {
    let model = model("bert-distilbert-classifier");
    let long = "cat ".repeat(100);
    let parts = ["102", "40", "--truncate"];
    PROGRAM.assert_refused(&[&long, "--model", &model], 1, &parts);
    let found = PROGRAM.json(&[&long, "--model", &model, "--truncate"]);
    assert_eq!(found[0]["tokens"].as_array().unwrap().len(), 40);
}

#[test]
fn bad_input_gets_a_clear_error() {
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().display().to_string();
    for (text, model, parts) in [
        ("  ", &*model("bert-distilbert-classifier"), &["no tokens"][..]),
        ("a", &model("bert-distilbert-base"), &["pre_classifier.weight"]),
        ("a", &model("bert-classifier"), &["not a DistilBERT", "--model"]),
        ("a", &empty, &["config.json"]),
        ("a", "no/such-model", &["no/such-model", "--model"]),
    ] {
        PROGRAM.assert_refused(&[text, "--model", model], 1, parts);
    }
    PROGRAM.assert_refused(&[], 2, &["TEXT"]);
    PROGRAM.assert_refused(&["a", "--bogus"], 2, &["--bogus", "--help"]);
}

#[test]
fn a_truncated_file_gets_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(common::path("bert-distilbert-classifier")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let weights = folder.path().join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let folder = folder.path().display().to_string();
    PROGRAM.assert_refused(&["cat", "--model", &folder], 1, &["model.safetensors"]);
}

/// The shipped model keeps capitals, as its tokenizer.json says; without
/// tokenizer_config.json transformers drops them.
#[test]
fn a_lost_rule_for_capitals_is_said_and_can_be_found_in_tokenizer_json() {
    let shipped =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights/bertinho-sentiment");
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(format!("{shipped}/{file}"), folder.path().join(file)).unwrap();
    }
    let model = folder.path().display().to_string();
    let arguments = ["Que Filme Ótimo", "--json", "--model", &model];
    let silent = PROGRAM.run(&arguments);
    let said = String::from_utf8_lossy(&silent.stderr);
    assert!(said.starts_with("note: ") && said.contains("leaves open"), "{said}");
    assert_eq!(said.matches("note: ").count(), 1, "{said}");
    let tokens = |output: &[u8]| -> Value {
        serde_json::from_slice::<Value>(output).unwrap()[0]["tokens"].clone()
    };
    let flag = [&arguments[..], &["--trust-tokenizer-json"]].concat();
    let trusted = PROGRAM.run(&flag);
    assert!(trusted.status.success() && trusted.stderr.is_empty());
    let whole = PROGRAM.run(&["Que Filme Ótimo", "--json"]);
    assert_eq!(tokens(&trusted.stdout), tokens(&whole.stdout));
    assert_ne!(tokens(&silent.stdout), tokens(&whole.stdout));
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let model = model("bert-distilbert-classifier");
    PROGRAM.assert_minds_no_closed_output(&["the cat", "--json", "--model", &model]);
}

#[test]
fn help_names_every_option() {
    let text = PROGRAM.text(&["--help"]);
    for option in [
        "--model",
        "--revision",
        "--truncate",
        "--trust-tokenizer-json",
        "--offline",
        "--json",
    ] {
        assert!(text.contains(option), "{option} is not in {text}");
    }
}
