//! The table in the documentation of `hub::settings`, held to what happens.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hub::{Architecture, Config, Tokenizer, Truncate};
use serde_json::{Value, json};

use crate::folders::Common;

const TABLE: &str = include_str!("../../src/settings.md");
const TEXTS: [(&str, Option<&str>); 3] = [
    ("O Gato São x中x no tapete <new>[MASK] e <new>", None),
    ("o gato no", Some("tapete <new>")),
    ("gato", None),
];

/// File, key and verdict of each row and key of the table.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let (mut file, mut rows) = ("", Vec::new());
    for line in TABLE.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            file = heading;
        }
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let [_, keys, verdict, ..] = cells[..]
            && keys.starts_with('`')
        {
            let keys = keys.split(',').map(|key| key.trim().trim_matches('`'));
            rows.extend(keys.map(|key| (file, key, verdict)));
        }
    }
    rows
}

/// A value of a key that shows what is done with it; for `config.json`, of which model.
fn value(file: &str, key: &str) -> Value {
    match (file, key) {
        ("`config.json`", "model_type") => json!("albert"),
        ("`config.json`", "architectures") => json!(["AlbertModel"]),
        (_, "hidden_size" | "dim" | "intermediate_size" | "hidden_dim") => json!(24),
        (_, "hidden_act" | "activation") => json!("relu"),
        (_, "layer_norm_eps") => json!(0.1),
        (_, "id2label") => json!({"0": "a", "1": "b", "2": "c"}),
        (_, "label2id") => json!({"a": 1}),
        (_, "problem_type") => json!("regression"),
        (_, "tie_word_embeddings") => json!(false),
        (_, "tokenizer_class") => json!("PreTrainedTokenizerFast"),
        (_, "position_embedding_type") => json!("relative_key"),
        (_, "pruned_heads" | "per_layer_config") => json!({"0": [1]}),
        (_, "quantization_config") => json!({"bits": 4}),
        (_, "transformers_weights") => json!("other.safetensors"),
        (_, "task_specific_params") => {
            json!({"text-classification": {"num_labels": 3}})
        }
        (_, "dtype" | "torch_dtype") => json!("bfloat16"),
        (_, key) if key.ends_with("dropout") || key.ends_with("_prob") => json!(0.25),
        (_, "do_lower_case" | "tokenize_chinese_chars") => json!(false),
        (
            _,
            "is_decoder"
            | "add_cross_attention"
            | "strip_accents"
            | "split_special_tokens",
        ) => {
            json!(key != "strip_accents")
        }
        (_, "additional_special_tokens" | "extra_special_tokens") => json!(["<new>"]),
        (_, "added_tokens_decoder") => json!({}),
        (_, "truncation_side" | "padding_side") => json!("left"),
        (_, "model_max_length" | "max_len") => json!(6),
        (_, "model_input_names") => json!(["input_ids", "attention_mask"]),
        (_, "init_inputs") => json!(["vocab.txt"]),
        (_, "never_split") => json!(["gato"]),
        (_, "unk_token" | "cls_token" | "sep_token") => json!("tapete"),
        (_, "pad_token" | "bos_token" | "eos_token" | "mask_token") => json!("<new>"),
        ("`tokenizer.json`", "model") => {
            json!({"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 2,
                   "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "no": 5}})
        }
        ("`tokenizer.json`", "normalizer") => json!({"type": "Lowercase"}),
        ("`tokenizer.json`", "pre_tokenizer") => json!({"type": "WhitespaceSplit"}),
        ("`tokenizer.json`", "added_tokens") => {
            json!([{"content": "tapete", "lstrip": true, "special": true, "id": 9}])
        }
        ("`tokenizer.json`", "truncation" | "padding") => json!({"direction": "Left"}),
        ("`tokenizer.json`", "post_processor") => json!({"type": "ByteLevel"}),
        _ => json!(3),
    }
}

/// What a configuration is with a key, as far as it is known; or the error.
fn config(architecture: Architecture, key: Option<&str>) -> String {
    let base = match architecture {
        Architecture::Bert => Config::bert(),
        Architecture::DistilBert => Config::distilbert(),
    };
    let mut json = base.to_json();
    let fields = json.as_object_mut().unwrap();
    fields.retain(|field, _| !["id2label", "label2id"].contains(&field.as_str()));
    if key == Some("architectures") {
        fields.retain(|field, _| field != "model_type");
    }
    if let Some(key) = key {
        let changed = value("`config.json`", key);
        fields.insert(key.into(), changed);
    }
    match Config::from_json(&json.to_string(), Path::new("config.json")) {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

/// Everything that a tokenizer gives of some texts, with a key in one of its files.
fn tokens(common: &Common, file: &str, key: Option<&str>) -> String {
    let changes = key.map_or(json!({}), |key| json!({key: value(file, key)}));
    let name = file.trim_matches('`');
    let own = json!({"tokenizer_class": "PreTrainedTokenizerFast",
                     "model_input_names": ["input_ids", "attention_mask", "token_type_ids"]});
    let json = (name == "tokenizer.json").then(|| changes.clone());
    // Something for `added_tokens_decoder` to hide, and a class for a tokenizer.json to count.
    let mut files =
        vec![("added_tokens.json", json!({"<extra>": common.config().vocab_size - 4}))];
    match name {
        "tokenizer.json" => files = vec![("tokenizer_config.json", own)],
        "tokenizer_config.json" => files.push((name, changes)),
        _ => {
            files.clear();
            if let Some(key) = key {
                let (file, value) = match key {
                    "<new>" => {
                        ("added_tokens.json", json!(common.config().vocab_size - 4))
                    }
                    _ => ("special_tokens_map.json", value(name, key)),
                };
                files.push((file, json!({key: value})));
            }
        }
    }
    let folder = common.folder(json, &files);
    let config = common.config();
    let describe = |tokenizer: Tokenizer| -> hub::Result<String> {
        let mut all = Vec::new();
        for truncate in [Truncate::Error, Truncate::To(usize::MAX), Truncate::To(6)] {
            for (text, pair) in TEXTS {
                let (text, pair) = (format!("{text} <extra>"), pair);
                all.push(tokenizer.encode(&text, pair, truncate)?);
            }
        }
        let batch = TEXTS.map(|(text, _)| (text, None));
        all.extend(tokenizer.encode_batch(&batch, Truncate::Error)?);
        Ok(format!("{all:?}"))
    };
    match Tokenizer::from_folder(folder.path(), &config).and_then(describe) {
        Ok(all) => all,
        Err(error) => format!("refused: {error}"),
    }
}

/// Whether a key is read in an architecture's `config.json`.
fn is_read(architecture: Architecture, key: &str) -> bool {
    const BERTS: [&str; 7] = [
        "intermediate_size",
        "hidden_act",
        "type_vocab_size",
        "layer_norm_eps",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "classifier_dropout",
    ];
    const DISTILBERTS: [&str; 8] = [
        "dim",
        "n_layers",
        "n_heads",
        "hidden_dim",
        "activation",
        "dropout",
        "attention_dropout",
        "seq_classif_dropout",
    ];
    match architecture {
        Architecture::Bert => !DISTILBERTS.contains(&key),
        Architecture::DistilBert => !BERTS.contains(&key),
    }
}

/// What is wrong with a key whose verdict is the given one, if anything is.
fn fault(verdict: &str, key: &str, found: &str, without: &str) -> Option<String> {
    let refused = found.starts_with("refused: ");
    let named = refused && found.contains(key);
    // Some of the values that show an effect are refused for the model that they would make.
    let right = match verdict {
        "honored" => found != without && (named || !refused),
        "refused" => named,
        "no effect" => found == without,
        other => return Some(format!("{key}: {other:?} is no verdict")),
    };
    (!right).then(|| format!("{key} is not {verdict}: {found:.300}"))
}

#[test]
fn every_key_of_the_table_does_what_the_table_says() {
    let common = Common::read();
    let rows = rows();
    assert!(rows.len() > 120, "the table has lost its rows: {}", rows.len());
    let mut faults = Vec::new();
    for (file, key, verdict) in rows {
        if file == "`config.json`" {
            for architecture in [Architecture::Bert, Architecture::DistilBert] {
                let found = config(architecture, Some(key));
                let read = is_read(architecture, key);
                let verdict = if read { verdict } else { "no effect" };
                faults.extend(fault(verdict, key, &found, &config(architecture, None)));
            }
        } else {
            let found = tokens(&common, file, Some(key));
            faults.extend(fault(verdict, key, &found, &tokens(&common, file, None)));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_table_has_every_key_that_transformers_writes() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let read = |path: &Path| -> Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let known: BTreeSet<_> =
        rows().into_iter().map(|(file, key, _)| (file, key)).collect();
    let versions = read(&fixtures.join("hub-keys.json"));
    let versions = versions.as_object().unwrap();
    assert!(
        versions.keys().any(|version| version.starts_with("4.30."))
            && versions.len() > 1
    );
    let mut written = BTreeSet::new();
    for keys in versions.values().flat_map(|keys| keys.as_array().unwrap()) {
        written.insert(("`config.json`", keys.as_str().unwrap().to_string()));
    }
    for folder in fs::read_dir(fixtures.join("hub-folders")).unwrap() {
        let folder = folder.unwrap().path();
        for (file, name) in [
            ("`config.json`", "config.json"),
            ("`tokenizer_config.json`", "tokenizer_config.json"),
            ("`tokenizer.json`", "tokenizer.json"),
        ] {
            let json = read(&folder.join(name));
            written.extend(
                json.as_object().unwrap().keys().map(|key| (file, key.clone())),
            );
        }
    }
    let missing =
        |(file, key): &&(&str, String)| !known.contains(&(*file, key.as_str()));
    let missing: Vec<_> = written.iter().filter(missing).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}
