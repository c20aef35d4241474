//! Views of a BERT's attentions, and the command line.

#[path = "../../../tests/support/cli.rs"]
mod cli;

use attention_views::bert::OpenModel;
use attention_views::{HeadView, NeuronView, Stack, ToStack};
use bert_attention::{Attentions, Pretrained};
use cli::Program;
use hub::{HubOptions, ModelFolder, Truncate};
use serde_json::Value;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch07-attention-views"));
const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/bert-base");
const TEXT: &str = "O gato sentou";
const PAIR: &str = "no tapete";

fn folder() -> ModelFolder {
    hub::resolve(MODEL, &HubOptions::from_env()).expect("the fixture's model")
}

fn json(arguments: &[&str]) -> Value {
    PROGRAM.json(&[arguments, &["--model", MODEL]].concat())
}

#[test]
fn softmax_of_queries_and_keys_is_the_attention() {
    let open = OpenModel::load(&folder()).unwrap();
    let found = open.open(TEXT, Some(PAIR), Truncate::Error).unwrap();
    let packed = Pretrained::load(&folder()).unwrap();
    let packed = Attentions::of(&packed, TEXT, Some(PAIR), Truncate::Error).unwrap();
    let attentions = packed.to_stack("attention").unwrap();
    let queries = found.queries.to_stack("queries").unwrap();
    let keys = found.keys.to_stack("keys").unwrap();
    for layer in 0..attentions.layers {
        for head in 0..attentions.heads {
            let expected = attentions.head(layer, head).unwrap();
            let weights = weights(&queries, &keys, layer, head);
            for (found, expected) in weights.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
            }
        }
    }
    let text = &found.attentions;
    let view =
        NeuronView::new(text, &found.queries, &found.keys, &text.tokens).unwrap();
    assert!(view.sentence_b_start(text.sentence_b_start).html().is_ok());
    let view = HeadView::new(&packed.attentions, &packed.tokens).unwrap();
    assert!(view.sentence_b_start(packed.sentence_b_start).html().is_ok());
}

/// softmax(q · kᵀ / √d_k) of a head, row after row.
fn weights(queries: &Stack, keys: &Stack, layer: usize, head: usize) -> Vec<f32> {
    let (q, k) = (queries.head(layer, head).unwrap(), keys.head(layer, head).unwrap());
    let scale = (queries.columns as f32).sqrt();
    let rows = q.chunks(queries.columns).flat_map(|q| {
        let score =
            |k: &[f32]| q.iter().zip(k).map(|(q, k)| q * k).sum::<f32>() / scale;
        let powers: Vec<f32> = k.chunks(keys.columns).map(|k| score(k).exp()).collect();
        let sum: f32 = powers.iter().sum();
        powers.into_iter().map(move |power| power / sum)
    });
    rows.collect()
}

#[test]
fn json_has_bertvizs_fields() {
    let head = json(&["head", TEXT, "--pair", PAIR, "--heads", "8,3", "--layer", "1"]);
    assert_eq!(head["heads"], serde_json::json!([8, 3]));
    assert_eq!(head["layer"], 1);
    assert_eq!(head["attention"].as_array().map(Vec::len), Some(5));
    let model = json(&["model", TEXT, "--layer", "1"]);
    assert_eq!(model["include_layers"], serde_json::json!([1]));
    let neuron = json(&["neuron", TEXT, "--heads", "2"]);
    assert_eq!(neuron["head"], 2);
    let width = &neuron["attention"]["all"]["queries"][0][0][0];
    assert!(width.as_array().is_some_and(|width| !width.is_empty()));
}

#[test]
fn a_page_is_saved_and_bad_input_is_explained() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("view.html");
    let path = file.to_str().unwrap();
    PROGRAM.text(&["head", TEXT, "--model", MODEL, "-o", path]);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("<!DOCTYPE html>"));
    for (arguments, expected) in [
        (vec!["head", TEXT, "--heads", "12"], "no head 12: the model has 12 heads"),
        (vec!["head", TEXT, "--heads", "-1,3"], "no head -1: the model has 12 heads"),
        (vec!["neuron", TEXT, "--heads", "-1"], "head -1: the model has 12 heads"),
        (vec!["head", TEXT, "--layer", "12"], "no layer 12: the model has 2 layers"),
        (vec!["model", TEXT, "--layer", "99"], "numbered from 0 to 1"),
        (vec!["neuron", TEXT, "--layer", "-1"], "no layer -1: the model has 2"),
        (vec!["neuron", TEXT, "--heads", "1,2"], "the neuron view shows one head"),
        (vec!["head", ""], "no tokens"),
        (vec!["head", TEXT, "-o", "/nowhere/view.html"], "cannot write"),
    ] {
        let arguments = [&arguments[..], &["--model", MODEL]].concat();
        PROGRAM.assert_refused(&arguments, 1, &[expected]);
    }
    for file in ["view.svg", "view.pdf", "view"] {
        let path = scratch.path().join(file).display().to_string();
        let arguments = ["head", TEXT, "--model", MODEL, "-o", &path];
        PROGRAM.assert_refused(&arguments, 2, &[file, ".html or .htm"]);
    }
}
