//! The command line: what it prints, and what it says to bad input.

#[path = "../../../tests/support/cli.rs"]
mod cli;
#[path = "../../ch04-sentiment/tests/common/mod.rs"]
mod common;

use std::fs;

use bert_attention::{Ablation, Head, MaskedModel, total_variation};
use candle_core::{Device, Tensor};
use cli::Program;
use common::{ATTENTIONS, Fixture, RUNS};
use serde_json::Value;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch05-bert-attention"));

fn model(name: &str) -> String {
    common::path(name).display().to_string()
}

/// A layer's attentions, `[1, heads, n, n]`.
fn tensor(layer: &Value) -> Tensor {
    let heads: Vec<Vec<Vec<f32>>> = serde_json::from_value(layer.clone()).unwrap();
    let rows: Vec<_> = heads.iter().flatten().flatten().copied().collect();
    let shape = (1, heads.len(), heads[0].len(), heads[0].len());
    Tensor::from_vec(rows, shape, &Device::Cpu).unwrap()
}

/// The run `single` or `pair` through the program, beside transformers.
fn assert_fixture(name: &str, run: &str) {
    let fixture = Fixture::open(name);
    let mut arguments = vec!["O gato sentou no tapete."];
    if run == "pair" {
        arguments = vec!["the cat sat on the mat", "--pair", "o gato sentou"];
    }
    let model = model(name);
    arguments.extend(["--model", &model]);
    let found = PROGRAM.json(&arguments);
    let batch = fixture.batch(run);
    assert_eq!(found["model"], model.as_str());
    assert_eq!(found["ids"], Value::from(batch.ids()));
    let layers = found["attentions"].as_array().unwrap();
    assert_eq!(layers.len(), fixture.config.num_hidden_layers);
    for (i, layer) in layers.iter().enumerate() {
        let name = format!("{run}.attentions.{i}");
        fixture.assert_close(&name, &tensor(layer), ATTENTIONS);
    }
    let types = found["token_type_ids"].as_array().unwrap();
    let first = types.iter().position(|kind| kind == 1);
    assert_eq!(found["sentence_b_start"].as_u64(), first.map(|i| i as u64));
    assert_eq!(first.is_some(), run == "pair");
    assert_eq!(found["tokens"].as_array().unwrap().len(), batch.n());
    assert_eq!(found.as_object().unwrap().len(), 6);
}

#[test]
fn json_is_transformers_attentions_of_bert_and_distilbert() {
    for run in &RUNS[..2] {
        for name in ["bert-base", "bert-masked-lm", "bert-distilbert-classifier"] {
            assert_fixture(name, run);
        }
    }
}

#[test]
fn people_get_a_table_of_the_head_that_they_ask_for() {
    let model = model("bert-base");
    let head = ["--layer", "1", "--head", "11"];
    let arguments = [&["the <cat>", "--model", &model], &head[..]].concat();
    let text = PROGRAM.text(&arguments);
    let found = PROGRAM.json(&arguments);
    let row = &found["attentions"][1][11][0];
    let shares: Vec<f64> =
        row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    let greatest = shares.iter().copied().fold(0.0, f64::max);
    let line = text.lines().find(|line| line.starts_with("  0 [CLS]")).expect("a row");
    assert!(line.contains(&format!(" {greatest:.3} ")), "{greatest}: {line:?}");
    let percents = shares.iter().map(|v| format!("{:4.0}", v * 100.0));
    let percents = percents.collect::<Vec<_>>().concat();
    assert!(line.ends_with(&percents), "{percents:?} does not end {line:?}");
    assert!(text.contains("layer 1, head 11"), "{text}");
    assert!(!text.contains('\x1b'), "a pipe gets no colors");
}

#[test]
fn the_heatmap_is_saved_with_tokens_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("head.svg").display().to_string();
    let written = "<b>o gato & \"";
    let model = model("bert-base");
    PROGRAM.text(&[written, "--model", &model, "--svg", &svg, "--head", "3"]);
    let text = fs::read_to_string(&svg).unwrap();
    assert!(text.starts_with("<svg"), "{text}");
    assert!(text.contains("gato") && text.contains("Layer 0, head 3"), "{text}");
    assert!(text.contains(">&lt;<") && text.contains(">&amp;<"), "{text}");
    assert!(!text.contains(" & "), "{text}");
    let png = folder.path().join("head.PNG").display().to_string();
    PROGRAM.text(&[written, "--model", &model, "--svg", &png]);
    assert!(fs::read(&png).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_hidden_token_is_guessed_with_and_without_heads() {
    let model = model("bert-masked-lm");
    let text = ["o gato sentou", "--pair", "the cat sat", "--model", &model];
    let hide = ["--hide", "2", "--without", "1.0,0.1"];
    let arguments = [&text[..], &hide].concat();
    let found = PROGRAM.json(&arguments);

    let folder = hub::resolve(&model, &hub::HubOptions::from_env()).unwrap();
    let masked = MaskedModel::load(&folder).unwrap();
    let tokenizer = &masked.model.tokenizer;
    let encoded =
        tokenizer.encode(text[0], Some(text[2]), hub::Truncate::Error).unwrap();
    let one = Ablation::of(&masked, encoded, 2).unwrap();
    let without = one
        .without(&masked, &[Head { layer: 1, head: 0 }, Head { layer: 0, head: 1 }])
        .unwrap();
    assert_eq!(found["tokens"][2], "[MASK]");
    assert_eq!(found["removed"], serde_json::json!(["1.0", "0.1"]));
    for (name, guess) in [("whole", &one.whole), ("without", &without)] {
        let expected = serde_json::to_value(masked.likeliest(guess, 5)).unwrap();
        assert_eq!(found[name], expected);
    }
    assert_eq!(found["change"], total_variation(&one.whole, &without));
    let number = |path: &str| found.pointer(path).unwrap().as_f64().unwrap();
    let changes = one.changes(&masked).unwrap();
    for ((layer, head), change) in changes.indexed_iter() {
        assert!((number(&format!("/changes/{layer}/{head}")) - change).abs() < 1e-9);
        let look = number(&format!("/looks/{layer}/{head}/3"));
        assert!((look - one.looks[[layer, head, 3]]).abs() < 1e-9);
    }

    let text = PROGRAM.text(&arguments);
    assert!(text.contains("whole ") && text.contains("without 1.0, 0.1\n"), "{text}");
    assert!(
        text.contains(&format!("changed by {:.3}, of 1", number("/change"))),
        "{text}"
    );
    let most = changes.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1));
    let (at, most) = most.unwrap();
    let line = format!("most:\n  {:<5} {most:.3}\n", format!("{}.{}", at.0, at.1));
    assert!(text.contains(&line), "{line:?} is not in {text}");
    let whole = PROGRAM.text(&arguments[..arguments.len() - 2]);
    assert!(!whole.contains("without") && !whole.contains("changed"), "{whole}");
}

#[test]
fn long_texts_are_cut_only_if_asked() {
    let model = model("bert-base");
    let long = "cat ".repeat(100);
    let parts = ["102", "40", "--truncate"];
    PROGRAM.assert_refused(&[&long, "--model", &model], 1, &parts);
    let found = PROGRAM.json(&[&long, "--model", &model, "--truncate"]);
    assert_eq!(found["tokens"].as_array().unwrap().len(), 40);
}

#[test]
fn bad_input_gets_one_clear_error() {
    let bert = model("bert-base");
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().display().to_string();
    let refused = |arguments: &[&str], parts: &[&str]| {
        PROGRAM.assert_refused(&[&["o gato", "--model"], arguments].concat(), 1, parts);
    };
    refused(&[&bert, "--head", "12"], &["head 12", "0 to 11"]);
    refused(&[&bert, "--head", "-1"], &["head -1", "0 to 11"]);
    refused(&[&bert, "--layer", "2"], &["layer 2", "0 to 1"]);
    refused(&[&bert, "--layer", "12"], &["layer 12", "0 to 1"]);
    refused(&[&bert, "--layer", "-1"], &["layer -1", "0 to 1"]);
    refused(&[&bert, "--layer=-9223372036854775808"], &["-9223372036854775808"]);
    refused(&[&bert, "--revision", "v1"], &["--revision v1", "one version only"]);
    refused(&["a/b", "--revision", "../x"], &["--revision \"../x\"", "a branch"]);
    refused(&[&bert, "--pair", " "], &["no tokens"]);
    refused(&[&bert, "--svg", "/nowhere/head.svg"], &["/nowhere/head.svg"]);
    refused(&[&empty], &["config.json"]);
    let masked = model("bert-masked-lm");
    refused(&[&masked, "--hide", "0"], &["place 0 can't be hidden"]);
    refused(
        &[&masked, "--hide", "1", "--without", "3.0"],
        &["no head 3.0", "3 layers"],
    );
    refused(&["no/such-model"], &["no/such-model", "--model"]);
    PROGRAM.assert_refused(&["", "--model", &bert], 1, &["no tokens"]);
    PROGRAM.assert_refused(&[], 2, &["TEXT"]);
    for name in ["head.pdf", "head", "head.svg.txt", ".svg"] {
        PROGRAM.assert_refused(&["a", "--svg", name], 2, &[name, ".svg or .png"]);
    }
    let heads = |heads| ["a", "--hide", "1", "--without", heads];
    for none in ["1", "1.2.3", "a.b", ""] {
        PROGRAM.assert_refused(&heads(none), 2, &["such as 1.11"]);
    }
    PROGRAM.assert_refused(&["a", "--without", "1.1"], 2, &["--hide"]);
    PROGRAM.assert_refused(&["a", "--hide", "1", "--head", "1"], 2, &["--head"]);
    PROGRAM.assert_refused(&["a", "--bogus"], 2, &["--bogus", "--help"]);
}

/// As in a container's settings: no shell has read the `~`.
#[test]
#[cfg(unix)]
fn a_model_of_the_hub_is_of_the_revision_asked_for_in_the_home_folder() {
    let home = tempfile::tempdir().unwrap();
    let hub = home.path().join("hf/hub/models--someone--bert");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    fs::create_dir_all(hub.join("refs")).unwrap();
    fs::create_dir_all(hub.join("snapshots")).unwrap();
    fs::write(hub.join("refs/v1"), commit).unwrap();
    let snapshot = hub.join("snapshots").join(commit);
    std::os::unix::fs::symlink(model("bert-base"), snapshot).unwrap();
    let run = |revision: &str| {
        let mut command = std::process::Command::new(PROGRAM.0);
        command.args(["o gato", "--model", "someone/bert", "--offline"]);
        command.args(["--revision", revision]).current_dir(&home);
        command.env("HOME", home.path()).env("HF_HOME", "~/hf");
        command.env_remove("HF_HUB_CACHE").env_remove("HUGGINGFACE_HUB_CACHE");
        command.output().unwrap()
    };
    let [found, none] = ["v1", "main"].map(run);
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    assert_eq!(none.status.code(), Some(1));
    assert!(!home.path().join("~").exists());
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let model = model("bert-base");
    PROGRAM.assert_minds_no_closed_output(&["o gato", "--json", "--model", &model]);
}

#[test]
fn help_names_every_option() {
    let text = PROGRAM.text(&["--help"]);
    let options = ["--pair", "--model", "--layer", "--head", "--svg", "--truncate"];
    let others = ["--revision", "--offline", "--json", "--hide", "--without"];
    for option in options.iter().chain(&others) {
        assert!(text.contains(option), "{option} is not in {text}");
    }
}
