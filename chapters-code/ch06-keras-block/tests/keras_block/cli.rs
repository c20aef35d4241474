//! The command line.

#[path = "../../../../tests/support/cli.rs"]
mod program;

use std::fs;

use program::Program;
use serde_json::Value;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch06-keras-block"));

fn dims(value: &Value) -> [usize; 2] {
    let rows = value.as_array().unwrap();
    [rows.len(), rows[0].as_array().unwrap().len()]
}

#[test]
fn json_has_every_step() {
    let report = PROGRAM.json(&["--ids", "3,1,4"]);
    let fields: Vec<&String> = report.as_object().unwrap().keys().collect();
    let mut expected = ["params", "q", "k", "v", "scores", "weights", "z", "output"];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!(report["params"], 6_518_784);
    for field in ["q", "k", "v", "z", "output"] {
        assert_eq!(dims(&report[field]), [3, 768], "{field}");
    }
    for field in ["scores", "weights"] {
        assert_eq!(dims(&report[field]), [3, 3], "{field}");
    }
    for row in report["weights"].as_array().unwrap() {
        let sum: f64 = row.as_array().unwrap().iter().filter_map(Value::as_f64).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
}

#[test]
fn weights_saved_are_weights_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let path = path.to_str().unwrap();
    let saved = PROGRAM.json(&["--seed", "1", "--save", path]);
    let loaded = PROGRAM.json(&["--seed", "2", "--weights", path]);
    assert_eq!(saved, loaded);
    assert_ne!(saved, PROGRAM.json(&["--seed", "2"]));
}

#[test]
fn the_summary_is_printed_and_pictures_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (svg, plot) = (path("attention.svg"), path("graph.svg"));
    let summary = PROGRAM.text(&["--summary", "--svg", &svg, "--plot", &plot]);
    assert!(summary.contains(" Total params: 6,518,784 (24.87 MB)"), "{summary}");
    assert!(fs::read_to_string(&svg).unwrap().contains("Attention weights"));
    let plot = fs::read_to_string(&plot).unwrap();
    for text in [">query<", ">Matmul<", "(None, 10, 3072)"] {
        assert!(plot.contains(text), "no {text}");
    }
}

#[track_caller]
fn fails(arguments: &[&str], parts: &[&str]) {
    let error = PROGRAM.assert_refused(arguments, 1, parts);
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn bad_input_is_one_clear_error() {
    fails(&["--ids", "3,20"], &["id 20", "position 1", "from 0 to 19"]);
    let eleven = "0,1,2,3,4,5,6,7,8,9,0";
    fails(&["--ids", eleven], &["(None, 11)", "at most 10 tokens"]);
    fails(&["--weights", "absent.safetensors"], &["absent.safetensors"]);
    fails(&["--weights", "Cargo.toml"], &["Cargo.toml", "no safetensors file"]);
    fails(&["--save", "absent/weights.safetensors"], &["absent"]);
    PROGRAM.assert_refused(&["--ids", "three"], 2, &["--ids", "three"]);
    for flag in ["--svg", "--plot"] {
        let parts = [flag, "attention.jpeg", ".svg or .png"];
        PROGRAM.assert_refused(&[flag, "attention.jpeg"], 2, &parts);
    }
}
