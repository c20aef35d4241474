//! The command line.
#![allow(missing_docs)]

#[path = "../../../tests/support/cli.rs"]
mod cli;

use std::fs;

use cli::Program;
use serde_json::Value;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch03-training"));

#[test]
fn a_training_prints_one_json_line_and_saves_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let arguments = ["reverse", "--steps", "100", "--seed", "7", "--out"];
    let text = PROGRAM.text(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(text.matches('\n').count(), 1);
    assert_eq!(
        (&report["options"]["seed"], &report["options"]["steps"]),
        (&7.into(), &100.into())
    );
    let points = report["history"]["loss"].as_array().unwrap(); // one every 50 steps
    let [first, second] = [0, 1].map(|i| points[i][1].as_f64().unwrap());
    assert!(points.len() == 2 && second < first, "{points:?}");
    for figure in ["before.svg", "after.svg", "history.svg"] {
        let svg = fs::read_to_string(out.join(figure)).unwrap();
        assert!(svg.starts_with("<svg"), "{figure}");
    }
    assert_eq!(PROGRAM.text(&["reverse", "--steps", "100", "--seed", "7"]), text);
}

#[test]
fn what_can_not_be_is_refused() {
    PROGRAM.assert_refused(&["reverse", "--steps", "many"], 2, &["many", "--steps"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("figures"); // inside of a file
    let folder = folder.to_str().unwrap();
    let output = PROGRAM.run(&["reverse", "--steps", "1", "--out", folder]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot create") && error.contains(folder), "{error}");
}
