//! The command line.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_ch05-keras-block");
    Command::new(program).args(arguments).output().unwrap()
}

#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(output.stdout.is_empty());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    for part in parts {
        assert!(errors.contains(part), "no {part:?} in {errors:?}");
    }
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeds(arguments)).unwrap()
}

fn dims(value: &Value) -> [usize; 2] {
    let rows = value.as_array().unwrap();
    [rows.len(), rows[0].as_array().unwrap().len()]
}

#[test]
fn json_has_every_step() {
    let report = json(&["--json", "--ids", "3,1,4"]);
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
    let saved = json(&["--json", "--seed", "1", "--save", path]);
    let loaded = json(&["--json", "--seed", "2", "--weights", path]);
    assert_eq!(saved, loaded);
    assert_ne!(saved, json(&["--json", "--seed", "2"]));
}

#[test]
fn the_summary_is_printed_and_pictures_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (svg, plot) = (path("attention.svg"), path("graph.svg"));
    let summary = succeeds(&["--summary", "--svg", &svg, "--plot", &plot]);
    assert!(summary.contains(" Total params: 6,518,784 (24.87 MB)"), "{summary}");
    assert!(fs::read_to_string(&svg).unwrap().contains("Attention weights"));
    let plot = fs::read_to_string(&plot).unwrap();
    for text in ["query (Dense)", "matmul_1 (Matmul)", "(None, 10, 3072)"] {
        assert!(plot.contains(text), "no {text}");
    }
}

#[test]
fn bad_input_is_one_clear_error() {
    fails(&["--ids", "3,20"], &["id 20", "position 1", "from 0 to 19"]);
    let eleven = "0,1,2,3,4,5,6,7,8,9,0";
    fails(&["--ids", eleven], &["(None, 11)", "at most 10 tokens"]);
    fails(&["--weights", "absent.safetensors"], &["absent.safetensors"]);
    fails(&["--weights", "Cargo.toml"], &["Cargo.toml", "no safetensors file"]);
    fails(&["--svg", "attention.jpeg"], &["attention.jpeg", ".svg or .png"]);
    fails(&["--save", "absent/weights.safetensors"], &["absent"]);
    let usage = run(&["--ids", "three"]);
    assert_eq!(usage.status.code(), Some(2));
}
