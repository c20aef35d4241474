//! The command line: killed and resumed, shipped and read again.
#![allow(missing_docs)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::sample_folder;
use serde_json::Value;

fn training() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch08-bertinho"));
    command.stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A folder with a small recipe.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let recipe = serde_json::json!({
        "seed": 5, "hidden_size": 16, "heads": 2, "intermediate_size": 32,
        "positions": 64, "dropout": 0.1,
        "stages": [
            {"layers": 1, "steps": 30, "learning_rate": 3e-3},
            {"layers": 2, "steps": 30, "learning_rate": 3e-3},
        ],
        "warmup": 3, "batch_tokens": 200, "sequence_tokens": 32,
        "mixture": {"pairs": 1, "sides": 1, "english": 1, "portuguese": 1},
        "weight_decay": 0.01, "clip": 1.0,
    });
    fs::write(folder.path().join("recipe.json"), recipe.to_string()).unwrap();
    folder
}

fn pretrain(folder: &Path) -> Command {
    let mut command = training();
    command.arg("pretrain").arg("--corpora").arg(sample_folder());
    command.arg("--out").arg(folder.join("out")).args(["--save-every", "7"]);
    command
}

fn begin(folder: &Path) -> Command {
    let mut command = pretrain(folder);
    command.arg("--recipe").arg(folder.join("recipe.json"));
    command.args(["--vocab-size", "300"]);
    command
}

fn resume(folder: &Path) -> Command {
    let mut command = pretrain(folder);
    command.arg("--resume");
    command
}

fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("out/metrics.jsonl")).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn losses(folder: &Path) -> Vec<(u64, f64)> {
    let loss = |line: &Value| Some((line["step"].as_u64()?, line["loss"].as_f64()?));
    lines(folder).iter().filter_map(loss).collect()
}

#[test]
fn a_killed_training_resumes_to_the_same_weights() {
    let whole = folder();
    done(begin(whole.path()));
    let killed = folder();
    // SIGKILL in the first stage and, resumed, in the second; no warning is given.
    for (steps, mut command) in
        [(20, begin(killed.path())), (45, resume(killed.path()))]
    {
        let mut child = command.spawn().unwrap();
        while losses(killed.path()).len() < steps && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    done(resume(killed.path()));
    for file in ["checkpoint.safetensors", "bertinho/model.safetensors"] {
        let read = |folder: &Path| fs::read(folder.join("out").join(file)).unwrap();
        assert!(read(whole.path()) == read(killed.path()), "{file} differs");
    }
    // No step is missing or twice in the metrics.
    assert_eq!(losses(whole.path()), losses(killed.path()));
    assert_eq!(losses(whole.path()).len(), 60);
}

#[test]
fn what_is_shipped_is_evaluated_measured_and_fine_tuned() {
    let folder = folder();
    done(begin(folder.path()));
    let model = folder.path().join("out/bertinho");
    let card = fs::read_to_string(model.join("README.md")).unwrap();
    assert!(card.contains("60 steps") && !card.contains("{{"), "{card}");
    assert!(model.join("loss.svg").is_file());
    let last = lines(folder.path()).pop().unwrap();
    assert!(last["evaluation"]["accuracy"]["beside"]["model"].is_f64(), "{last}");

    let command = |name: &str| {
        let mut command = training();
        command.arg(name).arg("--corpora").arg(sample_folder());
        command.arg("--model").arg(&model);
        command
    };
    let found: Value = serde_json::from_str(&done(command("evaluate"))).unwrap();
    assert_eq!(
        found["english"]["hidden"],
        last["evaluation"]["accuracy"]["english"]["hidden"]
    );
    let heads = done(command("heads"));
    let first: Value = serde_json::from_str(heads.lines().next().unwrap()).unwrap();
    assert!(first["profile"]["entropy"].as_f64().unwrap() > 0.0, "{first}");
    assert!(heads.lines().any(|line| line.contains("to_portuguese")), "{heads}");
    let mut finetune = command("finetune");
    let classifier = folder.path().join("sentiment");
    finetune.arg("--out").arg(&classifier).args(["--epochs", "1"]);
    let found: Value = serde_json::from_str(&done(finetune)).unwrap();
    assert!(found["held_out"].is_f64() && found["naive_bayes"].is_f64(), "{found}");
    assert!(classifier.join("model.safetensors").is_file());
    let mut finetune = command("finetune");
    let random = folder.path().join("random");
    finetune.arg("--out").arg(&random).args(["--epochs", "1", "--from-random"]);
    done(finetune);
    let [shipped, control] = [&classifier, &random]
        .map(|folder| fs::read(folder.join("model.safetensors")).unwrap());
    assert_eq!(shipped.len(), control.len());
    assert_ne!(shipped, control);
}

#[test]
fn errors_name_the_value_and_the_remedy() {
    let folder = folder();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = training();
    command.arg("tokenizer").arg("--corpora").arg(&empty).arg("--out").arg(&empty);
    let mut revised = training();
    revised.arg("heads").arg("--corpora").arg(sample_folder());
    revised.args(["--model", "bertinho", "--revision", "v1"]);
    let cases = [
        (command, "has no en.txt"),
        (resume(folder.path()), "cannot read"),
        (revised, "--revision v1: bertinho is not a model of the Hub"),
    ];
    for (mut command, expected) in cases {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("error: ") && error.contains(expected), "{error}");
        assert!(!error.contains("panicked"), "{error}");
    }
}
