//! Folders that transformers saved, of this year and of 2023: `hub_folders.py` in
//! `tests/reference/` makes them, and says what its saver computes of some texts.

use std::fs;
use std::path::{Path, PathBuf};

use bert_attention::{BertForMaskedLm, BertForSequenceClassification, Pooler};
use candle_core::{DType, IndexOp, Tensor};
use candle_nn::VarBuilder;
use hub::{Config, ModelFolder, Truncate};
use sentiment::{
    BaseModel, Batch, DistilBertForSequenceClassification, ForwardOptions, Result,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    text: String,
    pair: Option<String>,
    ids: Vec<u32>,
    types: Option<Vec<u32>>,
    values: Vec<f32>,
}

fn fixtures() -> Vec<PathBuf> {
    // Every combination, if someone has made them: `hub_folders.py --all DIR`.
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/hub-folders");
    let root = std::env::var_os("HUB_FOLDERS").unwrap_or_else(|| kept.into());
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.collect();
    folders.sort();
    folders
}

/// What a folder's model computes, as the fixture has it: logits, or `[CLS]`'s last vector.
fn values(vb: &VarBuilder, config: &Config, batch: &Batch) -> Result<Tensor> {
    let options = ForwardOptions::default();
    let base = |vb: &VarBuilder| -> Result<Tensor> {
        Ok(BaseModel::load(vb, config)?.forward(batch, options)?.last_hidden_state)
    };
    Ok(match config.classes[0].as_str() {
        "BertModel" => {
            let vb = vb.pp("bert");
            Pooler::load(&vb.pp("pooler"), config)?.forward(&base(&vb)?)?
        }
        "DistilBertModel" => base(&vb.pp("distilbert"))?.i((.., 0))?,
        "BertForMaskedLM" => {
            let model = BertForMaskedLm::load(vb, config)?;
            model.forward(batch, options)?.logits.i((.., 1))?
        }
        "BertForSequenceClassification" => {
            BertForSequenceClassification::load(vb, config)?
                .forward(batch, options)?
                .logits
        }
        _ => {
            DistilBertForSequenceClassification::load(vb, config)?
                .forward(batch, options)?
                .logits
        }
    })
}

#[track_caller]
fn assert_as_expected(path: &Path, expected: &[Expected]) {
    let folder = ModelFolder::open(path).unwrap();
    let (config, tokenizer) = (folder.config().unwrap(), folder.tokenizer().unwrap());
    for Expected { text, pair, ids, types, values: numbers } in expected {
        let what = format!("{}: {text:?}", path.display());
        let encoded = tokenizer.encode(text, pair.as_deref(), Truncate::Error).unwrap();
        assert_eq!(&encoded.ids, ids, "{what}");
        let types = types.clone().unwrap_or_else(|| vec![0; ids.len()]);
        assert!(
            config.type_vocab_size == 0 || encoded.token_type_ids == types,
            "{what}"
        );
        let batch = Batch::from_encoded(&[encoded]).unwrap();
        let build = |vb: VarBuilder| Ok(values(&vb, &config, &batch)?);
        let found = hub::load(&folder, DType::F32, build).unwrap();
        let found: Vec<f32> = found.i(0).unwrap().to_vec1().unwrap();
        assert_eq!(found.len(), numbers.len(), "{what}");
        for (found, expected) in found.iter().zip(numbers) {
            assert!(
                (found - expected).abs() <= 1e-5,
                "{what}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn what_transformers_saved_then_and_now_gives_its_numbers() {
    let folders = fixtures();
    for version in ["4.30", "5."] {
        let of = |path: &&PathBuf| {
            path.file_name().unwrap().to_str().unwrap().starts_with(version)
        };
        assert!(
            folders.iter().filter(of).count() >= 7,
            "{version}: fixtures are missing"
        );
    }
    for path in folders {
        let text = fs::read_to_string(path.join("expected.json")).unwrap();
        let expected: Vec<Expected> = serde_json::from_str(&text).unwrap();
        assert_as_expected(&path, &expected);
        // Without tokenizer.json: the same from vocab.txt and the files beside it.
        if path.join("vocab.txt").is_file() {
            let copy = tempfile::tempdir().unwrap();
            for entry in fs::read_dir(&path).unwrap() {
                let entry = entry.unwrap();
                if entry.file_name() != "tokenizer.json" {
                    fs::copy(entry.path(), copy.path().join(entry.file_name()))
                        .unwrap();
                }
            }
            assert_as_expected(copy.path(), &expected);
        }
    }
}

/// A masked-LM head with a table of its own: random weights, as one file.
#[test]
fn a_decoder_that_is_not_tied_is_used() {
    let kept =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/bert-masked-lm");
    let folder = ModelFolder::open(kept).unwrap();
    let mut tensors = candle_core::safetensors::load(
        folder.path.join("model.safetensors"),
        &candle_core::Device::Cpu,
    )
    .unwrap();
    let words = "bert.embeddings.word_embeddings.weight";
    let doubled = (&tensors[words] * 2.0).unwrap();
    tensors.insert("cls.predictions.decoder.weight".into(), doubled);
    let config = Config { tie_word_embeddings: false, ..folder.config().unwrap() };
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("model.safetensors");
    let load = |tensors: &std::collections::HashMap<String, Tensor>,
                config: &Config| {
        candle_core::safetensors::save(tensors, &path).unwrap();
        let checkpoint = hub::Checkpoint::open(&path).unwrap();
        hub::load_checkpoint(&checkpoint, config, DType::F32, |vb| {
            BertForMaskedLm::load(&vb, config)
        })
    };
    let said = load(&tensors, &folder.config().unwrap()).unwrap_err().to_string();
    assert!(
        said.contains("decoder.weight differ, although tie_word_embeddings"),
        "{said}"
    );
    let model = load(&tensors, &config).unwrap();
    let batch = Batch::new(&[vec![2, 5, 3]], None, None).unwrap();
    let state = model.bert.forward(&batch, ForwardOptions::default()).unwrap();
    let state = state.last_hidden_state;
    let own = (model.predict(&state).unwrap().broadcast_sub(&model.bias)).unwrap();
    tensors.remove("cls.predictions.decoder.weight");
    let tied = load(&tensors, &folder.config().unwrap()).unwrap();
    let tied = (tied.predict(&state).unwrap().broadcast_sub(&tied.bias)).unwrap();
    let off = ((tied * 2.0).unwrap() - own).unwrap().abs().unwrap();
    assert!(off.max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-4);
    let missing = load(&tensors, &config).unwrap_err().to_string();
    assert!(missing.contains("cls.predictions.decoder.weight"), "{missing}");
}
