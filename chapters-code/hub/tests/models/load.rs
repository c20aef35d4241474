use std::collections::BTreeMap;

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use hub::{Checkpoint, Config, Mismatch, ModelError, Result, load_checkpoint};

use crate::{numbers, save, temp, tiny};

/// What a BERT of one block holds, by its names in transformers.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_string(), vec![6, 4]),
        ("embeddings.position_embeddings.weight".into(), vec![5, 4]),
        ("embeddings.token_type_embeddings.weight".into(), vec![2, 4]),
        ("embeddings.LayerNorm.weight".into(), vec![4]),
        ("embeddings.LayerNorm.bias".into(), vec![4]),
    ];
    for (layer, rows, columns) in [
        ("attention.self.query", 4, 4),
        ("attention.self.key", 4, 4),
        ("attention.self.value", 4, 4),
        ("attention.output.dense", 4, 4),
        ("intermediate.dense", 8, 4),
        ("output.dense", 4, 8),
    ] {
        shapes.push((format!("encoder.layer.0.{layer}.weight"), vec![rows, columns]));
        shapes.push((format!("encoder.layer.0.{layer}.bias"), vec![rows]));
    }
    for layer in ["attention.output.LayerNorm", "output.LayerNorm"] {
        shapes.push((format!("encoder.layer.0.{layer}.weight"), vec![4]));
        shapes.push((format!("encoder.layer.0.{layer}.bias"), vec![4]));
    }
    shapes
}

type Tensors = BTreeMap<String, Tensor>;

/// The same, each of its own numbers.
fn tensors() -> Tensors {
    let tensors = shapes().into_iter().enumerate().map(|(i, (name, shape))| {
        (format!("bert.{name}"), numbers(&shape, i as f32, DType::F32))
    });
    tensors.collect()
}

/// Asks for the encoder and the given other tensors.
fn build(others: &[(&str, &[usize])], vb: &VarBuilder) -> candle_core::Result<Tensors> {
    let bert = vb.pp("bert");
    let mut model = Tensors::new();
    for (name, shape) in shapes() {
        model.insert(format!("bert.{name}"), bert.get(shape, &name)?);
    }
    for (name, shape) in others {
        model.insert((*name).to_string(), vb.get(*shape, name)?);
    }
    Ok(model)
}

/// Loads from a file of the given tensors.
fn from_file(
    tensors: &Tensors,
    config: &Config,
    others: &[(&str, &[usize])],
) -> Result<Tensors> {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    let tensors: Vec<_> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
    save(&path, &tensors);
    load_checkpoint(&Checkpoint::open(&path)?, config, DType::F32, |vb| {
        build(others, &vb)
    })
}

fn mismatch(result: Result<Tensors>) -> Mismatch {
    match result.expect_err("an error") {
        ModelError::Mismatch(mismatch) => *mismatch,
        other => panic!("{other}"),
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// With every name changed, the same model is loaded.
#[track_caller]
fn assert_loads_as(rename: impl Fn(&str) -> String) {
    let original = tensors();
    let renamed = original.iter().map(|(name, tensor)| (rename(name), tensor.clone()));
    let loaded = from_file(&renamed.collect(), &tiny(), &[]).unwrap();
    assert_eq!(loaded.len(), original.len());
    for (name, tensor) in original {
        assert_eq!(values(&loaded[&name]), values(&tensor), "{name}");
    }
}

#[test]
fn names_are_found_with_prefix_or_bare_and_old_or_new() {
    assert_loads_as(ToString::to_string);
    assert_loads_as(|name| name.trim_start_matches("bert.").to_string());
    let old = |name: &str| {
        name.replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta")
    };
    assert_loads_as(old);
    assert_loads_as(|name| old(name).trim_start_matches("bert.").to_string());
}

#[test]
fn buffers_the_pooler_and_heads_may_be_left_out() {
    let mut tensors = tensors();
    for name in
        ["bert.embeddings.position_ids", "pooler.dense.weight", "cls.predictions.bias"]
    {
        tensors.insert(name.into(), numbers(&[3], 0.0, DType::F64));
    }
    from_file(&tensors, &tiny(), &[]).unwrap();
    let pooler =
        from_file(&tensors, &tiny(), &[("bert.pooler.dense.weight", &[3])]).unwrap();
    assert_eq!(values(&pooler["bert.pooler.dense.weight"]), [0.0, 0.125, 0.25]);
}

#[test]
fn tied_tensors_are_found_under_either_name() {
    let embeddings = "bert.embeddings.word_embeddings.weight";
    let decoder = ("cls.predictions.decoder.weight", [6, 4].as_slice());
    let biases: [(&str, &[usize]); 2] =
        [("cls.predictions.bias", &[6]), ("cls.predictions.decoder.bias", &[6])];
    for bias in [0, 1] {
        let mut tensors = tensors();
        tensors.insert(biases[bias].0.into(), numbers(&[6], 7.0, DType::F32));
        let loaded =
            from_file(&tensors, &tiny(), &[decoder, biases[0], biases[1]]).unwrap();
        assert_eq!(values(&loaded[decoder.0]), values(&tensors[embeddings]));
        assert_eq!(values(&loaded[biases[0].0]), values(&loaded[biases[1].0]));
    }
    // Only the decoder is there.
    let mut tensors = tensors();
    let table = tensors.remove(embeddings).unwrap();
    tensors.insert(decoder.0.into(), table.clone());
    let loaded = from_file(&tensors, &tiny(), &[decoder]).unwrap();
    assert_eq!(values(&loaded[embeddings]), values(&table));
    // Both are, and differ: each is its own.
    tensors.insert(embeddings.into(), numbers(&[6, 4], 99.0, DType::F32));
    let loaded = from_file(&tensors, &tiny(), &[decoder]).unwrap();
    assert_eq!(values(&loaded[decoder.0]), values(&table));
    assert_eq!(values(&loaded[embeddings])[..2], [99.0, 99.125]);
    // Which of them a head would take is asked where a head is, and nowhere else.
    from_file(&tensors, &tiny(), &[]).unwrap();
    tensors.insert(biases[0].0.into(), numbers(&[6], 7.0, DType::F32));
    let error = from_file(&tensors, &tiny(), &[biases[0]]).unwrap_err().to_string();
    assert!(error.contains("differ, although tie_word_embeddings is true"), "{error}");
    // The configuration says that they aren't tied.
    tensors.remove(decoder.0);
    let untied = Config { tie_word_embeddings: false, ..tiny() };
    let mismatch = mismatch(from_file(&tensors, &untied, &[decoder]));
    assert_eq!(mismatch.missing, [(decoder.0.to_string(), vec![6, 4])]);
}

#[test]
fn distilberts_names_are_found_bare_or_with_their_prefix() {
    let names = [
        "embeddings.word_embeddings.weight",
        "transformer.layer.0.sa_layer_norm.weight",
        "transformer.layer.0.attention.q_lin.bias",
    ];
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    for prefix in ["", "distilbert."] {
        let stored = names.map(|name| format!("{prefix}{name}"));
        let tensors: Vec<_> = (stored.iter().zip([1.0, 2.0, 3.0]))
            .map(|(name, first)| (name.as_str(), numbers(&[2, 2], first, DType::F32)))
            .collect();
        save(&path, &tensors);
        let checkpoint = Checkpoint::open(&path).unwrap();
        let load = |asked: &[&str]| {
            load_checkpoint(&checkpoint, &Config::distilbert(), DType::F32, |vb| {
                let get = |name: &&str| Ok(values(&vb.get((2, 2), name)?)[0]);
                asked.iter().map(get).collect::<candle_core::Result<Vec<_>>>()
            })
        };
        let encoder = names.map(|name| format!("distilbert.{name}"));
        let mut asked: Vec<_> = encoder.iter().map(String::as_str).collect();
        asked.push("vocab_projector.weight");
        assert_eq!(load(&asked).unwrap(), [1.0, 2.0, 3.0, 1.0]);
        let error = load(&["vocab_projector.weight"]).unwrap_err().to_string();
        let unused = "\n  distilbert.transformer.layer.0.sa_layer";
        assert!(error.contains(unused), "{error}");
        asked.extend(["pre_classifier.weight", "classifier.weight"]);
        let error = load(&asked).unwrap_err().to_string();
        assert_eq!(error.matches("it lacks a sequence-classification head").count(), 1);
    }
}

#[test]
fn one_tensor_under_two_names_is_an_error() {
    let mut tensors = tensors();
    let name = "embeddings.LayerNorm.gamma";
    tensors.insert(name.into(), numbers(&[4], 0.0, DType::F32));
    let error = from_file(&tensors, &tiny(), &[]).unwrap_err().to_string();
    let both = "bert.embeddings.LayerNorm.weight and embeddings.LayerNorm.gamma are both \
                bert.embeddings.LayerNorm.weight";
    assert!(error.ends_with(both), "{error}");
}

#[test]
fn all_that_is_missing_or_misshapen_is_listed_at_once() {
    let mut tensors = tensors();
    for name in ["embeddings.LayerNorm.bias", "encoder.layer.0.output.dense.weight"] {
        tensors.remove(&format!("bert.{name}"));
    }
    for name in
        ["embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.bias"]
    {
        tensors.insert(format!("bert.{name}"), numbers(&[3], 0.0, DType::F32));
    }
    let error = from_file(&tensors, &tiny(), &[]).unwrap_err().to_string();
    let (first, rest) = error.split_once('\n').unwrap();
    assert!(first.ends_with("safetensors is not of the model asked for"), "{first}");
    assert_eq!(
        rest,
        "missing tensors:\n\
         \x20 bert.embeddings.LayerNorm.bias [4]\n\
         \x20 bert.encoder.layer.0.output.dense.weight [4, 8]\n\
         tensors of another shape:\n\
         \x20 bert.embeddings.word_embeddings.weight: expected [6, 4], found [3]\n\
         \x20 bert.encoder.layer.0.output.dense.bias: expected [4], found [3]"
    );
}

#[test]
fn a_larger_encoder_than_the_configuration_says_is_an_error() {
    let mut tensors = tensors();
    let more = "bert.encoder.layer.1.output.dense.bias";
    tensors.insert(more.into(), numbers(&[4], 0.0, DType::F32));
    let mismatch = mismatch(from_file(&tensors, &tiny(), &[]));
    assert_eq!(mismatch.unused, [more]);
    let hint = "its encoder is larger than config.json says";
    assert_eq!(mismatch.hint.as_deref(), Some(hint));
}

#[test]
fn a_missing_head_is_named_with_who_has_it() {
    for (name, who) in [
        ("classifier.weight", "a fine-tuned BertForSequenceClassification"),
        ("cls.predictions.transform.dense.weight", "BertForMaskedLM"),
        ("pre_classifier.weight", "or DistilBertForSequenceClassification"),
        ("vocab_transform.bias", "DistilBertForMaskedLM"),
        ("bert.pooler.dense.weight", "every BERT but one trained for masked LM alone"),
    ] {
        let mismatch = mismatch(from_file(&tensors(), &tiny(), &[(name, &[2])]));
        let hint = mismatch.hint.unwrap();
        assert!(
            hint.starts_with("it lacks a") || hint.starts_with("it lacks D"),
            "{hint}"
        );
        assert!(hint.contains(who), "{hint}");
    }
}

#[test]
fn another_architecture_is_said_to_be_so() {
    let roberta =
        BTreeMap::from([("roberta.x".to_string(), numbers(&[2], 0.0, DType::F32))]);
    let mismatch = mismatch(from_file(&roberta, &tiny(), &[]));
    let hint =
        "it has no tensor `bert.…`, but roberta.x: it is of another architecture";
    assert_eq!(mismatch.hint.as_deref(), Some(hint));
}

#[test]
fn what_the_model_itself_refuses_is_passed_on() {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    save(&path, &[("bert.x", numbers(&[2], 0.0, DType::F32))]);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let refuse =
        |_: VarBuilder| -> candle_core::Result<()> { candle_core::bail!("no") };
    let error = load_checkpoint(&checkpoint, &tiny(), DType::F32, refuse).unwrap_err();
    assert!(error.to_string().starts_with("cannot build the model: no"), "{error}");
}

#[test]
fn loading_as_half_precision_and_asking_without_a_shape_work() {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    save(&path, &[("bert.x", numbers(&[2], 1.0, DType::F32))]);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let tensor = load_checkpoint(&checkpoint, &tiny(), DType::BF16, |vb| {
        assert!(vb.contains_tensor("bert.x") && !vb.contains_tensor("bert.y"));
        vb.get_unchecked("bert.x")
    });
    let tensor = tensor.unwrap();
    assert_eq!((tensor.dtype(), tensor.dims()), (DType::BF16, [2].as_slice()));
}
