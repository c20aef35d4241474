//! Tokenizer folders of every kind: `tests/reference/hub_tokenizers.py` makes the fixture.

use std::fs;
use std::path::Path;

use hub::{CaseRule, Config, Tokenizer, Truncate};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::temp;

#[derive(Deserialize)]
struct Fixture {
    vocab: Vec<String>,
    texts: Vec<(String, Option<String>)>,
    tokenizer_json: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    rules: Option<Value>,
    /// What changes in the common `tokenizer.json`.
    json: Option<Map<String, Value>>,
    files: Map<String, Value>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    texts: Vec<Ids>,
    limit: Option<usize>,
    cut: Vec<Ids>,
    batch: Option<Vec<Vec<u32>>>,
}

#[derive(Debug, Deserialize)]
struct Ids {
    ids: Vec<u32>,
    /// `None`: the tokenizer gives none, and the model takes 0.
    types: Option<Vec<u32>>,
}

fn fixture() -> Fixture {
    let path = "../../tests/fixtures/hub-tokenizers.json";
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The common vocabulary and `tokenizer.json`, in folders with changes.
pub struct Common {
    vocab: Vec<String>,
    tokenizer_json: Map<String, Value>,
}

impl Common {
    pub fn read() -> Self {
        let Fixture { vocab, tokenizer_json, .. } = fixture();
        Self { vocab, tokenizer_json }
    }

    /// A folder; `json` is what changes in the common `tokenizer.json`, if there is one.
    pub fn folder(&self, json: Option<Value>, files: &[(&str, Value)]) -> TempDir {
        let folder = temp();
        let write = |file: &str, text: String| {
            fs::write(folder.path().join(file), text).unwrap();
        };
        write("vocab.txt", self.vocab.join("\n") + "\n");
        if let Some(changes) = json {
            let mut whole = self.tokenizer_json.clone();
            whole.extend(changes.as_object().unwrap().clone());
            write("tokenizer.json", Value::from(whole).to_string());
        }
        for (file, value) in files {
            write(file, value.to_string());
        }
        folder
    }

    pub fn config(&self) -> Config {
        Config { vocab_size: self.vocab.len() + 4, ..Config::bert() }
    }

    pub fn open(&self, folder: &TempDir) -> hub::Result<Tokenizer> {
        Tokenizer::from_folder(folder.path(), &self.config())
    }

    fn refused(&self, json: Option<Value>, files: &[(&str, Value)]) -> String {
        self.open(&self.folder(json, files)).unwrap_err().to_string()
    }
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text, None, Truncate::Error).unwrap().ids
}

fn assert_case(common: &Common, texts: &[(String, Option<String>)], case: &Case) {
    let mut files: Vec<(&str, Value)> = Vec::new();
    files.extend(case.rules.clone().map(|rules| ("tokenizer_config.json", rules)));
    for file in ["special_tokens_map", "added_tokens"] {
        let name = if file == "added_tokens" {
            "added_tokens.json"
        } else {
            "special_tokens_map.json"
        };
        files.extend(case.files.get(file).map(|json| (name, json.clone())));
    }
    let folder = common.folder(case.json.clone().map(Value::from), &files);
    let class =
        case.files.get("config").and_then(|config| config["tokenizer_class"].as_str());
    let config = Config { tokenizer_class: class.map(String::from), ..common.config() };
    let tokenizer = Tokenizer::from_folder(folder.path(), &config)
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let Expected { texts: whole, limit, cut, batch } = &case.expected;
    let limit = Truncate::To(limit.unwrap_or(usize::MAX));
    for (truncate, expected) in [(Truncate::Error, whole), (limit, cut)] {
        for ((text, pair), Ids { ids, types }) in texts.iter().zip(expected) {
            let found = tokenizer.encode(text, pair.as_deref(), truncate).unwrap();
            let what = format!("{}, {truncate:?}: {text:?} {pair:?}", case.name);
            assert_eq!(&found.ids, ids, "{what}");
            let types = types.clone().unwrap_or_else(|| vec![0; ids.len()]);
            assert_eq!(found.token_type_ids, types, "{what}");
        }
    }
    let alone: Vec<_> = texts.iter().map(|(text, _)| (text.as_str(), None)).collect();
    let found = tokenizer.encode_batch(&alone, Truncate::Error).unwrap();
    let found: Vec<_> = found.into_iter().map(|encoded| encoded.ids).collect();
    assert!(
        batch.as_ref().is_none_or(|batch| *batch == found),
        "{}: {found:?}",
        case.name
    );
}

#[test]
fn every_folder_is_read_as_by_transformers() {
    let Fixture { texts, cases, .. } = fixture();
    assert!(cases.len() > 50, "the fixture has lost its cases");
    let common = Common::read();
    for case in &cases {
        assert_case(&common, &texts, case);
    }
}

#[test]
fn a_class_that_is_not_read_here_is_refused_by_name() {
    let common = Common::read();
    for class in
        ["BertJapaneseTokenizer", "RobertaTokenizerFast", "PreTrainedTokenizer"]
    {
        for json in [None, Some(json!({}))] {
            let rules = json!({"tokenizer_class": class});
            let error = common.refused(json, &[("tokenizer_config.json", rules)]);
            let part = format!(
                "tokenizer_class = {class} is not supported; the tokenizers read"
            );
            assert!(error.contains(&part), "{error}");
        }
    }
    let config =
        Config { tokenizer_class: Some("XLNetTokenizer".into()), ..common.config() };
    let folder = common.folder(None, &[]);
    let error = Tokenizer::from_folder(folder.path(), &config).unwrap_err().to_string();
    assert!(error.contains("tokenizer_class = XLNetTokenizer"), "{error}");
    // It has no rules of its own, so that vocab.txt says too little.
    let rules = json!({"tokenizer_class": "PreTrainedTokenizerFast"});
    let error = common.refused(None, &[("tokenizer_config.json", rules)]);
    assert!(error.contains("it needs a tokenizer.json"), "{error}");
}

#[test]
fn a_post_processor_that_is_not_berts_is_refused() {
    let common = Common::read();
    let own = json!({"tokenizer_class": "PreTrainedTokenizerFast"});
    let roberta = json!({"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2],
                         "trim_offsets": true, "add_prefix_space": true});
    let mut twice = common.tokenizer_json["post_processor"].clone();
    let sep = twice["pair"][2].clone();
    twice["pair"].as_array_mut().unwrap().insert(3, sep);
    for (rules, template) in [
        (&own, roberta.clone()),
        (&own, twice),
        (&own, Value::Null),
        (&json!({}), roberta),
    ] {
        let files = [("tokenizer_config.json", rules.clone())];
        let json = Some(json!({"post_processor": template}));
        let error = common.refused(json, &files);
        assert!(error.contains("tokenizer.json: post_processor = "), "{error}");
    }
    let bert =
        json!({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]});
    let folder = common.folder(
        Some(json!({"post_processor": bert})),
        &[("tokenizer_config.json", own)],
    );
    assert_eq!(ids(&common.open(&folder).unwrap(), "gato"), [2, 6, 3]);
}

#[test]
fn a_cased_file_without_a_rule_is_said_to_be_lower_cased_or_trusted() {
    let common = Common::read();
    let (gato, capital) = (6, 7);
    let open = |rules: &Value, case| {
        let files = [("tokenizer_config.json", rules.clone())];
        let folder = common.folder(Some(json!({})), &files);
        Tokenizer::from_folder_by(folder.path(), &common.config(), case).unwrap()
    };
    let by_default = CaseRule::default();
    for rules in [json!({}), json!({"tokenizer_class": "DistilBertTokenizerFast"})] {
        let tokenizer = open(&rules, by_default);
        assert_eq!(ids(&tokenizer, "Gato"), [2, gato, 3]);
        let note = tokenizer.note().unwrap();
        for part in [
            "tokenizer_config.json leaves open",
            "with lowercase = true and no accents; with --trust-tokenizer-json",
            "\"lowercase\":false",
        ] {
            assert!(note.contains(part), "{note}");
        }
        let trusted = open(&rules, CaseRule::TokenizerJson);
        assert_eq!(
            (ids(&trusted, "Gato"), trusted.note()),
            (vec![2, capital, 3], None)
        );
    }
    // A normalizer of several steps, as the shipped models have.
    let steps = json!([{"type": "NFC"}, common.tokenizer_json["normalizer"]]);
    let steps = json!({"normalizer": {"type": "Sequence", "normalizers": steps}});
    let folder = common.folder(Some(steps), &[]);
    assert!(common.open(&folder).unwrap().note().unwrap().contains("NFC"));
    let trusted = CaseRule::TokenizerJson;
    let trusted =
        Tokenizer::from_folder_by(folder.path(), &common.config(), trusted).unwrap();
    assert_eq!((ids(&trusted, "Gato"), trusted.note()), (vec![2, capital, 3], None));
    // Where it is said, or tokenizer.json alone counts, there is nothing to note.
    for (rules, expected) in [
        (json!({"do_lower_case": true}), gato),
        (json!({"do_lower_case": false}), capital),
        (json!({"tokenizer_class": "PreTrainedTokenizerFast"}), capital),
    ] {
        for case in [by_default, CaseRule::TokenizerJson] {
            let tokenizer = open(&rules, case);
            assert_eq!(
                (ids(&tokenizer, "Gato"), tokenizer.note()),
                (vec![2, expected, 3], None)
            );
        }
    }
}

#[test]
fn a_pair_whose_token_types_are_left_open_is_refused() {
    let common = Common::read();
    let rules = json!({"tokenizer_class": "PreTrainedTokenizerFast"});
    let folder = common.folder(Some(json!({})), &[("tokenizer_config.json", rules)]);
    let tokenizer = common.open(&folder).unwrap();
    assert_eq!(ids(&tokenizer, "gato"), [2, 6, 3]);
    let error = tokenizer.encode("gato", Some("gato"), Truncate::Error).unwrap_err();
    assert!(error.to_string().contains("model_input_names is missing, not"), "{error}");
    let config =
        Config { vocab_size: common.config().vocab_size, ..Config::distilbert() };
    let distilbert = Tokenizer::from_folder(folder.path(), &config).unwrap();
    assert!(distilbert.encode("gato", Some("gato"), Truncate::Error).is_ok());
}

#[test]
fn blank_lines_of_a_vocabulary_are_no_tokens() {
    let common = Common::read();
    let rows = common.vocab.len();
    let config = Config { vocab_size: rows, ..Config::bert() };
    for end in ["\n\n", "\n\n\n", "\r\n\r\n"] {
        let folder = temp();
        let text = common.vocab.join("\n") + end;
        fs::write(folder.path().join("vocab.txt"), text).unwrap();
        let tokenizer = Tokenizer::from_folder(folder.path(), &config).unwrap();
        assert_eq!(ids(&tokenizer, "gato"), [2, 6, 3], "{end:?}");
    }
    // As transformers turns such a file into a tokenizer.json: the blank line is a word of it.
    let mut model = common.tokenizer_json["model"].clone();
    model["vocab"][""] = json!(rows);
    let class = json!({"tokenizer_class": "PreTrainedTokenizerFast"});
    let files = [("tokenizer_config.json", class)];
    let folder = common.folder(Some(json!({"model": model})), &files);
    let tokenizer = Tokenizer::from_folder(folder.path(), &config).unwrap();
    assert_eq!(ids(&tokenizer, "gato"), [2, 6, 3]);
    // One token more than there are vectors is another model's, still.
    let folder = temp();
    let text = common.vocab.join("\n") + "\nmais\n\n";
    fs::write(folder.path().join("vocab.txt"), text).unwrap();
    let error = Tokenizer::from_folder(folder.path(), &config).unwrap_err().to_string();
    assert!(error.contains("different models"), "{error}");
}

#[test]
fn a_byte_order_mark_before_a_vocabulary_is_named() {
    let common = Common::read();
    let folder = temp();
    let text = format!("\u{feff}{}\n", common.vocab.join("\n"));
    fs::write(folder.path().join("vocab.txt"), text).unwrap();
    let error = common.open(&folder).unwrap_err().to_string();
    assert!(
        error.contains("vocab.txt is not a tokenizer: it begins with a byte-order"),
        "{error}"
    );
}

#[test]
fn a_token_without_a_vector_is_refused_where_it_is_used() {
    let common = Common::read();
    let rows = common.vocab.len();
    let rules = json!({"additional_special_tokens": ["<new>"]});
    let folder = common.folder(None, &[("tokenizer_config.json", rules)]);
    let config = Config { vocab_size: rows, ..Config::bert() };
    let tokenizer = Tokenizer::from_folder(folder.path(), &config).unwrap();
    assert_eq!(ids(&tokenizer, "gato"), [2, 6, 3]);
    let error =
        tokenizer.encode("<new>", None, Truncate::Error).unwrap_err().to_string();
    let part =
        format!("the token \"<new>\" has no vector: id {rows} is beyond the {rows}");
    assert!(error.contains(&part), "{error}");
}

/// 4.30 saves them so, and 5.23 can't read what it saved.
#[test]
fn special_tokens_may_be_objects_in_their_list() {
    let common = Common::read();
    let token = json!({"content": "<new>", "lstrip": false, "normalized": false,
                       "rstrip": false, "single_word": false});
    let map = json!({"additional_special_tokens": [token, "[NEW]"]});
    let folder = common.folder(None, &[("special_tokens_map.json", map)]);
    let id = u32::try_from(common.vocab.len()).unwrap();
    let found = ids(&common.open(&folder).unwrap(), "gato <new> [NEW]");
    assert_eq!(found, [2, 6, id, id + 1, 3]);
    // Special, and so not normalized, unless it says otherwise.
    let map = json!({"additional_special_tokens": [{"content": "<New>"}]});
    let folder = common.folder(None, &[("special_tokens_map.json", map)]);
    let tokenizer = common.open(&folder).unwrap();
    assert_eq!(ids(&tokenizer, "gato <New>"), [2, 6, id, 3]);
    assert!(!ids(&tokenizer, "gato <new>").contains(&id));
}

#[test]
fn padding_on_the_left_moves_all_that_is_of_a_token() {
    let common = Common::read();
    let folder = common
        .folder(None, &[("tokenizer_config.json", json!({"padding_side": "left"}))]);
    let tokenizer = common.open(&folder).unwrap();
    let batch = [("gato", Some("gato")), ("o gato no tapete", Some("gato"))];
    let [short, long] =
        <[_; 2]>::try_from(tokenizer.encode_batch(&batch, Truncate::Error).unwrap())
            .unwrap();
    assert_eq!((short.sentence_b_start, long.sentence_b_start), (Some(6), Some(6)));
    assert_eq!(short.attention_mask, [0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(short.special_tokens_mask, [1, 1, 1, 1, 0, 1, 0, 1]);
    assert_eq!((short.offsets[3], short.offsets[4]), ((0, 0), (0, 4)));
    assert_eq!(short.tokens[..4], ["[PAD]", "[PAD]", "[PAD]", "[CLS]"]);
}

/// As transformers' `convert_ids_to_tokens` gives it.
#[test]
fn a_normalized_added_token_is_written_so() {
    let common = Common::read();
    let id = common.vocab.len();
    let token = json!({"content": "GATO", "normalized": true, "special": false});
    let rules = json!({"added_tokens_decoder": {id.to_string(): token}});
    let folder = common.folder(None, &[("tokenizer_config.json", rules)]);
    let tokenizer = common.open(&folder).unwrap();
    let found = tokenizer.encode("Gato", None, Truncate::Error).unwrap();
    assert_eq!(found.tokens, ["[CLS]", "gato", "[SEP]"]);
    assert_eq!(found.ids[1], u32::try_from(id).unwrap());
}
