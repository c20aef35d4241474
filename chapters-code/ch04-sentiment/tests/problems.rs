//! What a score is: `problem_type` and the number of labels, as transformers 5.23's
//! `pipeline("text-classification")` has it (4.30 has a softmax or a sigmoid for
//! `regression`, too). The numbers are the pipeline's, in f32.

use std::collections::HashMap;
use std::fs;

use candle_core::{Device, IndexOp, Tensor, safetensors};
use hub::{HubOptions, ModelFolder, Truncate};
use sentiment::SentimentPipeline;
use sentiment::attribution::{leave_one_out, margin};
use serde_json::{Value, json};
use tempfile::TempDir;

const TEXTS: [&str; 2] = ["I love this movie!", "O filme é bom, mas longo."];

/// The shipped model with another configuration; with the label POSITIVE alone, if so.
fn pipeline(problem: &Value, alone: bool) -> (TempDir, SentimentPipeline) {
    let shipped = hub::resolve("bertinho-sentiment", &HubOptions::from_env()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |file: &str| folder.path().join(file);
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(shipped.path.join(file), path(file)).unwrap();
    }
    let mut config: Value =
        serde_json::from_slice(&fs::read(shipped.path.join("config.json")).unwrap())
            .unwrap();
    config["problem_type"] = problem.clone();
    let weights = shipped.path.join("model.safetensors");
    let mut weights: HashMap<String, Tensor> =
        safetensors::load(weights, &Device::Cpu).unwrap();
    if alone {
        config["id2label"] = json!({"0": "POSITIVE"});
        for name in ["classifier.weight", "classifier.bias"] {
            let row = weights[name].i(1..2).unwrap().contiguous().unwrap();
            weights.insert(name.into(), row);
        }
    }
    safetensors::save(&weights, path("model.safetensors")).unwrap();
    fs::write(path("config.json"), config.to_string()).unwrap();
    let found = SentimentPipeline::load(&ModelFolder::open(folder.path()).unwrap());
    let found = found.unwrap();
    (folder, found)
}

#[test]
fn a_score_is_what_the_problem_and_the_labels_make_it() {
    let (single, multi) = ("single_label_classification", "multi_label_classification");
    let both = ["POSITIVE", "NEGATIVE"];
    for (problem, alone, labels, scores) in [
        (Value::Null, false, both, [0.745_527, 0.882_235]),
        (json!(single), false, both, [0.745_527, 0.882_235]),
        (json!(multi), false, both, [0.619_251, 0.752_474]),
        (json!("regression"), false, both, [0.486_372, 1.111_849]),
        (Value::Null, true, ["POSITIVE"; 2], [0.619_251, 0.288_656]),
        (json!(multi), true, ["POSITIVE"; 2], [0.619_251, 0.288_656]),
        (json!("regression"), true, ["POSITIVE"; 2], [0.486_372, -0.901_921]),
    ] {
        let (_folder, pipeline) = pipeline(&problem, alone);
        let found = pipeline.classify(&TEXTS, Truncate::Error).unwrap();
        for ((found, label), score) in found.iter().zip(labels).zip(scores) {
            assert_eq!(found.label, label, "{problem}, {alone}: {:?}", found.text);
            let off = (f64::from(found.score) - score).abs();
            assert!(off <= 1e-5, "{problem}, {alone}: {} is not {score}", found.score);
        }
    }
}

#[test]
fn leaving_words_out_scores_as_the_pipeline_does() {
    for (problem, alone) in
        [(json!("multi_label_classification"), false), (Value::Null, true)]
    {
        let (_folder, pipeline) = pipeline(&problem, alone);
        let left_out = leave_one_out(&pipeline, "great movie").unwrap();
        let whole = &pipeline.classify(&["great movie"], Truncate::Error).unwrap()[0];
        let rest = &pipeline.classify(&["movie"], Truncate::Error).unwrap()[0];
        assert_eq!((left_out[0].word.as_str(), &whole.label), ("great", &rest.label));
        assert!(
            (left_out[0].score - rest.score).abs() <= 1e-5,
            "{problem}: {left_out:?}"
        );
        assert!(left_out.iter().all(|word| word.change.is_finite()), "{left_out:?}");
    }
    assert!((margin(&[0.25], 0) - 0.25).abs() < 1e-9, "one label alone");
}
