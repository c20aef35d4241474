//! The command line: what it prints, and what it says to bad input.

use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ch02-whole-transformer"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// Asserts that the program refuses with one line, exit code 1, and all of `parts`.
#[track_caller]
fn assert_refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(output.stdout.is_empty(), "it printed a result");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
}

#[test]
fn json_has_the_weights_of_every_head() {
    let report = json(&[]);
    assert_eq!(report["words"][1], "gato");
    assert_eq!(report["output"].as_array().unwrap().len(), 5);
    let heads = report["weights"].as_array().unwrap();
    assert_eq!(heads.len(), 4);
    for row in heads.iter().flat_map(|head| head.as_array().unwrap()) {
        let sum: f64 = row.as_array().unwrap().iter().filter_map(Value::as_f64).sum();
        assert!((sum - 1.0).abs() < 1e-12, "a row sums to {sum}");
    }
}

#[test]
fn a_causal_mask_hides_what_comes_later() {
    let report = json(&["--causal", "--heads", "2", "um", "dois", "três"]);
    for head in report["weights"].as_array().unwrap() {
        assert_eq!(head[0], serde_json::json!([1.0, 0.0, 0.0]));
        assert_eq!(head[1][2], 0.0);
    }
}

#[test]
fn positions_change_the_weights() {
    let (without, with) = (json(&[]), json(&["--positions", "sinusoidal"]));
    assert_ne!(without["weights"], with["weights"]);
}

#[test]
fn tables_name_heads_and_words() {
    let output = run(&["gato", "\u{1b}[31m"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("head 3") && text.contains("gato"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn bad_input_is_named() {
    assert_refused(&["--heads", "3"], &["3", "16"]);
    assert_refused(&["--heads", "0"], &["0", "16"]);
    assert_refused(&["--d-model", "0"], &["query is empty"]);
    assert_refused(&["--d-model", "1000000"], &["1000000", "choose fewer"]);
    assert_refused(
        &["--heads", "16777216", "--d-model", "16777216"],
        &["choose fewer"],
    );
    assert_refused(&["gato", " "], &["word 2 is empty"]);
    assert_refused(&["--svg", "/nowhere/x.svg"], &["cannot write /nowhere/x.svg"]);
}
