//! The command line, and what is said to bad input.

#[path = "../../../tests/support/cli.rs"]
mod cli;

use std::fs;
use std::path::{Path, PathBuf};

use cli::Program;
use generation::{Filters, GenerateOptions, GptConfig, Pretrained, generate};
use hub::ModelFolder;
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch09-generation"));

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/gpt2-tied")
}

/// A copy of the fixture with this change to its configuration.
fn changed(change: impl FnOnce(&mut Value)) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in
        ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    {
        fs::copy(fixture().join(file), copy.path().join(file)).unwrap();
    }
    let path = copy.path().join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(&path, config.to_string()).unwrap();
    copy
}

const TEXT: &str = "O gato";

#[test]
fn json_has_what_was_chosen_and_who_looked_at_whom() {
    let model = fixture().display().to_string();
    let found = PROGRAM.json(&[TEXT, "--model", &model, "--max-new-tokens", "5"]);
    let prompt = found["prompt_tokens"].as_array().unwrap();
    let tokens = found["tokens"].as_array().unwrap();
    let joined: String = prompt.iter().map(|token| token.as_str().unwrap()).collect();
    assert_eq!(joined, TEXT);
    assert_eq!(tokens.len(), 5);
    let logprobs = found["logprobs"].as_array().unwrap();
    assert!(logprobs.iter().all(|logprob| logprob.as_f64().unwrap() < 0.0));
    let layers = found["attentions"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    let n = prompt.len() + 5;
    for head in layers.iter().flat_map(|layer| layer.as_array().unwrap()) {
        let rows: Vec<Vec<f64>> = serde_json::from_value(head.clone()).unwrap();
        assert_eq!(rows.len(), n);
        for (query, row) in rows.iter().enumerate() {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5);
            assert!(
                row[query + 1..].iter().all(|&weight| weight == 0.0),
                "the future is seen"
            );
        }
    }
    assert_eq!(found.as_object().unwrap().len(), 6);
    let without =
        PROGRAM.json(&[TEXT, "--model", &model, "--max-new-tokens", "5", "--no-cache"]);
    assert_eq!(found["tokens"], without["tokens"]);
}

#[test]
fn a_seed_draws_the_same_text_and_another_another() {
    let model = fixture().display().to_string();
    let draw = |seed| {
        let options = ["--model", &model, "--temperature", "2", "--seed", seed];
        PROGRAM.text(&[&[TEXT], &options[..]].concat())
    };
    assert_eq!(draw("1"), draw("1"));
    assert_ne!(draw("1"), draw("2"));
    assert!(draw("1").starts_with(TEXT));
}

#[test]
fn a_beam_is_at_least_as_likely_as_the_greedy_text() {
    let model = fixture().display().to_string();
    let total = |more: &[&str]| {
        let arguments =
            [&[TEXT, "--model", &model, "--max-new-tokens", "12"], more].concat();
        let found = PROGRAM.json(&arguments);
        let logprobs: Vec<f64> =
            serde_json::from_value(found["logprobs"].clone()).unwrap();
        logprobs.iter().sum::<f64>() / logprobs.len() as f64
    };
    assert!(total(&["--beams", "8"]) >= total(&[]) - 1e-9);
}

#[test]
fn bad_input_is_refused_by_name() {
    let model = fixture().display().to_string();
    let with = |more: &[&str], parts: &[&str]| {
        PROGRAM.assert_refused(&[&[TEXT, "--model", &model], more].concat(), 1, parts);
    };
    PROGRAM.assert_refused(&["", "--model", &model], 1, &["the prompt is empty"]);
    let long = TEXT.repeat(60);
    PROGRAM.assert_refused(
        &[&long, "--model", &model],
        1,
        &["96 positions", "shorten"],
    );
    with(&["--top-p", "0", "--json"], &["top_p is 0", "above 0 and at most 1"]);
    with(&["--top-p", "1.5", "--json"], &["top_p is 1.5"]);
    with(&["--min-p", "-1", "--json"], &["min_p is -1"]);
    with(&["--top-k", "0", "--json"], &["top_k is 0"]);
    with(&["--temperature", "0", "--json"], &["temperature is 0", "greedy"]);
    with(&["--temperature", "NaN", "--json"], &["temperature is NaN"]);
    with(&["--repetition-penalty", "0", "--json"], &["repetition_penalty is 0"]);
    with(&["--beams", "0"], &["beams is 0", "1 to 150"]);
    with(&["--beams", "2", "--max-new-tokens", "0"], &["--max-new-tokens 0"]);
    PROGRAM.assert_refused(&[TEXT, "--model", "bertinho"], 1, &["bert", "reads gpt2"]);
    PROGRAM.assert_minds_no_closed_output(&[TEXT, "--model", &model]);
}

#[test]
fn a_configuration_that_the_model_can_not_honor_is_refused() {
    let refused = |key: &str, value: Value, parts: &[&str]| {
        let copy = changed(|config| config[key] = value);
        let model = copy.path().display().to_string();
        PROGRAM.assert_refused(&[TEXT, "--model", &model], 1, parts);
    };
    refused("activation_function", json!("swish"), &["activation_function is swish"]);
    refused("add_cross_attention", json!(true), &["add_cross_attention"]);
    refused("n_head", json!(5), &["5 heads", "32"]);
    refused("n_head", json!(0), &["n_head is 0"]);
    refused("n_layer", json!(2), &["more layers than config.json says"]);
    refused("n_layer", json!(4), &["h.3.ln_1.weight"]);
    refused("n_layer", json!("x"), &["is not a configuration"]);
    refused("n_embd", json!(1_000_000), &["n_embd is 1000000"]);
    refused("vocab_size", json!(299), &["299"]);
    refused("eos_token_id", json!(300), &["eos_token_id is 300", "300"]);
    refused("layer_norm_epsilon", json!(0.0), &["layer_norm_epsilon"]);
    refused("tie_word_embeddings", json!(false), &["lm_head.weight"]);
    refused("model_type", json!("gptj"), &["gptj"]);
}

#[test]
fn a_text_ends_where_the_model_says_and_where_its_positions_do() {
    let copy = changed(|config| config["eos_token_id"] = json!([5, 0]));
    let config = GptConfig::from_folder(copy.path()).unwrap();
    assert_eq!(config.eos_token_ids, [5, 0]);
    assert_eq!(
        GptConfig::from_json(&config.to_json().to_string(), copy.path()).unwrap(),
        config
    );
    fs::write(copy.path().join("generation_config.json"), r#"{"eos_token_id": 7}"#)
        .unwrap();
    assert_eq!(GptConfig::from_folder(copy.path()).unwrap().eos_token_ids, [7]);

    let gpt = Pretrained::load(&ModelFolder::open(fixture()).unwrap()).unwrap();
    let options = GenerateOptions { max_new_tokens: 500, ..GenerateOptions::default() };
    let found = generate(&gpt.model, &[1, 2, 3], &options, |_, _| {}).unwrap();
    assert_eq!(found.ids.len(), 96 - 3);
    assert_eq!(found.stop, generation::Stop::Positions);
}

#[test]
fn near_zero_a_temperature_is_greedy() {
    let gpt = Pretrained::load(&ModelFolder::open(fixture()).unwrap()).unwrap();
    let run = |seed, temperature| {
        let filters = Filters { temperature, ..Filters::default() };
        let options =
            GenerateOptions { max_new_tokens: 20, filters, seed, ..Default::default() };
        generate(&gpt.model, &[9, 8], &options, |_, _| {}).unwrap().ids
    };
    assert_eq!(run(Some(3), 1e-6), run(None, 1.0));
    assert_ne!(run(Some(3), 3.0), run(None, 1.0));
}
