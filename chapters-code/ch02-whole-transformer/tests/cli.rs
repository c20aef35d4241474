//! The command line: what it prints, and what it says to bad input.

#[path = "../../../tests/support/cli.rs"]
mod cli;

use cli::Program;
use serde_json::Value;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch02-whole-transformer"));

#[test]
fn json_has_the_weights_of_every_head() {
    let report = PROGRAM.json(&[]);
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
    let report = PROGRAM.json(&["--causal", "--heads", "2", "um", "dois", "três"]);
    for head in report["weights"].as_array().unwrap() {
        assert_eq!(head[0], serde_json::json!([1.0, 0.0, 0.0]));
        assert_eq!(head[1][2], 0.0);
    }
}

#[test]
fn positions_change_the_weights() {
    let with = PROGRAM.json(&["--positions", "sinusoidal"]);
    assert_ne!(PROGRAM.json(&[])["weights"], with["weights"]);
}

#[test]
fn tables_name_heads_and_words() {
    let text = PROGRAM.text(&["gato", "\u{1b}[31m"]);
    assert!(text.contains("head 3") && text.contains("gato"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn bad_input_is_named() {
    let most = "16777216";
    for (arguments, parts) in [
        (&["--heads", "3"][..], &["3", "16"][..]),
        (&["--heads", "0"], &["0", "16"]),
        (&["--d-model", "0"], &["query is empty"]),
        (&["--d-model", "1000000"], &["1000000", "choose fewer"]),
        (&["--heads", most, "--d-model", most], &["choose fewer"]),
        (&["gato", " "], &["word 2 is empty"]),
        (&["--svg", "/nowhere/x.svg"], &["can't write /nowhere/x.svg"]),
    ] {
        PROGRAM.assert_refused(arguments, 1, parts);
    }
}

#[test]
fn a_pictures_format_follows_its_files_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, start) in
        [("a.svg", &b"<svg"[..]), ("b.png", b"\x89PNG"), ("c.Svg", b"<svg")]
    {
        PROGRAM.text(&["--svg", &path(name)]);
        assert!(std::fs::read(path(name)).unwrap().starts_with(start), "{name}");
    }
    for name in ["a.pdf", "a", "a.png.jpg"] {
        PROGRAM.assert_refused(&["--svg", &path(name)], 2, &[name, ".svg or .png"]);
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}
