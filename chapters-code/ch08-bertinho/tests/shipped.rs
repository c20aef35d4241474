//! The models in `weights/`: what Python's transformers needs of them is there, and it
//! computes the same. Made by `tests/reference/shipped_models.py`.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use bert_attention::BertForMaskedLm;
use bertinho::fill::{MaskedModel, fill};
use bertinho::history::History;
use candle_core::{DType, Device, IndexOp, Tensor};
use hub::{Encoded, HubOptions, ModelFolder, Truncate, resolve};
use sentiment::{Batch, DistilBertForSequenceClassification, ForwardOptions};
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

struct Expected {
    texts: Vec<(String, Option<String>)>,
    shapes: BTreeMap<String, Vec<usize>>,
    tensors: std::collections::HashMap<String, Tensor>,
}

fn expected(name: &str) -> Expected {
    let folder = PathBuf::from(FIXTURES);
    let text = std::fs::read_to_string(folder.join("shipped.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let mut take = |key: &str| all[name][key].take();
    let file = folder.join("shipped.safetensors");
    let tensors = candle_core::safetensors::load(file, &Device::Cpu);
    Expected {
        texts: serde_json::from_value(take("texts")).unwrap(),
        shapes: serde_json::from_value(take("shapes")).unwrap(),
        tensors: tensors.unwrap(),
    }
}

fn folder(name: &str) -> ModelFolder {
    resolve(name, &HubOptions::from_env()).unwrap()
}

fn assert_near(found: &Tensor, expected: &Tensor, tolerance: f32, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let difference = (found - expected).unwrap().abs().unwrap();
    let worst = difference.flatten_all().unwrap().max(0).unwrap();
    let worst = worst.to_scalar::<f32>().unwrap();
    assert!(worst <= tolerance, "{what}: {worst:e} apart, at most {tolerance:e}");
}

/// Compares each text's tokens, the attentions kept, and the logits, with what
/// transformers computes in f64. In f32 it is itself 2.8e-6 and 1.8e-5 from that.
fn assert_same(
    name: &str,
    run: impl Fn(&Batch, &Encoded) -> (Vec<Tensor>, Option<Tensor>),
) {
    let Expected { texts, tensors, .. } = expected(name);
    let tokenizer = folder(name).tokenizer().unwrap();
    assert_eq!(texts.len(), 3);
    for (i, (text, pair)) in texts.iter().enumerate() {
        let encoded = tokenizer.encode(text, pair.as_deref(), Truncate::Error).unwrap();
        let ids = tensors[&format!("{name}.{i}.ids")].to_vec1::<i64>().unwrap();
        assert!(encoded.ids.iter().map(|&id| i64::from(id)).eq(ids), "{text}");
        let batch = Batch::from_encoded(std::slice::from_ref(&encoded)).unwrap();
        let (attentions, logits) = run(&batch, &encoded);
        for layer in [0, attentions.len() / 2, attentions.len() - 1] {
            let what = format!("{name}.{i}.attentions.{layer}");
            let found = attentions[layer].i(0).unwrap(); // [heads, n, n]
            assert_near(&found, &tensors[&what], 4e-6, &what);
        }
        let what = format!("{name}.{i}.logits");
        assert_eq!(logits.is_some(), tensors.contains_key(&what), "{what}");
        if let Some(logits) = logits {
            assert_near(&logits, &tensors[&what], 4e-5, &what);
        }
    }
}

#[test]
fn every_weight_that_transformers_asks_for_is_there() {
    for name in ["bertinho", "bertinho-sentiment"] {
        let Expected { shapes, .. } = expected(name);
        let file = folder(name).path.join("model.safetensors");
        let stored = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
        assert!(shapes.len() > 50, "{name}");
        for (key, shape) in shapes {
            let tensor =
                stored.get(&key).unwrap_or_else(|| panic!("{name} has no {key}"));
            assert_eq!(tensor.dims(), shape, "{name}: {key}");
            assert_eq!(tensor.dtype(), DType::F16, "{name}: {key}");
        }
    }
}

#[test]
fn bertinho_computes_what_transformers_computes() {
    let folder = folder("bertinho");
    let config = folder.config().unwrap();
    let load = |vb: candle_nn::VarBuilder| BertForMaskedLm::load(&vb, &config);
    let model = hub::load(&folder, DType::F32, load).unwrap();
    assert_same("bertinho", |batch, encoded| {
        let output = model.forward(batch, ForwardOptions::ATTENTIONS).unwrap();
        let masked = encoded.tokens.iter().position(|token| token == "[MASK]");
        let logits = masked.map(|place| output.logits.i((0, place)).unwrap());
        (output.encoder.attentions.unwrap(), logits)
    });
}

#[test]
fn bertinho_sentiment_computes_what_transformers_computes() {
    let model =
        DistilBertForSequenceClassification::open(&folder("bertinho-sentiment"))
            .unwrap();
    assert_same("bertinho-sentiment", |batch, _| {
        let output = model.forward(batch, ForwardOptions::ATTENTIONS).unwrap();
        let logits = output.logits.i(0).unwrap(); // [classes]
        (output.encoder.attentions.unwrap(), Some(logits))
    });
}

#[test]
fn a_hidden_word_is_filled_in_and_the_translation_helps() {
    let bertinho = MaskedModel::load(&folder("bertinho")).unwrap();
    let text = "O [MASK] sentou no tapete.";
    let all = fill(&bertinho, text, None, usize::MAX).unwrap();
    assert_eq!(all.len(), bertinho.model.config.vocab_size);
    assert!(all.is_sorted_by(|a, b| a.probability >= b.probability));
    let sum: f64 = all.iter().map(|guess| guess.probability).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    let beside = fill(&bertinho, text, Some("The cat sat on the mat."), 1).unwrap();
    assert_eq!(beside[0].piece, "gato");
    let error = fill(&bertinho, "O gato.", None, 1).unwrap_err().to_string();
    assert!(error.contains("one with a [MASK]"), "{error}");
}

/// The page's history is of the training that made the shipped weights: what it says of
/// the last step is in the model card.
#[test]
fn the_record_and_the_card_are_of_one_training() {
    let history = History::of_the_book().unwrap();
    let last = history.last().unwrap();
    let card =
        std::fs::read_to_string(folder("bertinho").path.join("README.md")).unwrap();
    let both = last.accuracy.beside;
    let (hidden, share) = (both.hidden, 100.0 * both.model);
    let row = format!("| both, the translation beside | {hidden} | {share:.1} % |");
    assert!(card.contains(&row), "{row} is not in the card");
    assert!(card.contains(&format!("{} steps, {} tokens", last.step, last.tokens)));
}
