//! Against `transformers`: `tests/reference/models_tokenizer.py` makes the fixture.

use std::fs;
use std::path::Path;

use hub::{Config, Encoded, ModelError, Tokenizer, Truncate};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::temp;

#[derive(Deserialize)]
struct Fixture {
    vocab: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    rules: Option<Value>,
    tokenizer_json: Option<Value>,
    encodings: Vec<Expected>,
    truncated: Vec<Truncated>,
    batch: Vec<Vec<u32>>,
}

#[derive(Deserialize)]
struct Expected {
    text: String,
    pair: Option<String>,
    tokens: Vec<String>,
    ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    attention_mask: Vec<u32>,
    special_tokens_mask: Vec<u32>,
    /// In characters.
    offsets: Vec<(usize, usize)>,
}

#[derive(Deserialize)]
struct Truncated {
    text: String,
    pair: Option<String>,
    limit: usize,
    ids: Vec<u32>,
}

fn fixture() -> Fixture {
    let path = "../../tests/fixtures/models-tokenizer.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read(&path).expect("the fixture is in the repository");
    let fixture: Fixture = serde_json::from_slice(&text).expect("it is as expected");
    assert!(fixture.cases.len() >= 10, "the fixture has lost its cases");
    fixture
}

fn config(vocab_size: usize) -> Config {
    Config { vocab_size, ..Config::bert() }
}

/// A folder with a vocabulary, and the files that are not `null`.
fn folder(vocab: &[String], rules: &Value, tokenizer_json: &Value) -> TempDir {
    let folder = temp();
    fs::write(folder.path().join("vocab.txt"), vocab.join("\n") + "\n").unwrap();
    for (file, json) in
        [("tokenizer_config.json", rules), ("tokenizer.json", tokenizer_json)]
    {
        if !json.is_null() {
            fs::write(folder.path().join(file), json.to_string()).unwrap();
        }
    }
    folder
}

/// Why a folder's tokenizer isn't taken, for a model of so many embeddings.
fn refused(folder: &Path, rows: usize) -> String {
    Tokenizer::from_folder(folder, &config(rows)).unwrap_err().to_string()
}

fn of_case(fixture: &Fixture, case: &Case) -> Tokenizer {
    let rules = case.rules.clone().unwrap_or_default();
    let folder = folder(
        &fixture.vocab,
        &rules,
        &case.tokenizer_json.clone().unwrap_or_default(),
    );
    Tokenizer::from_folder(folder.path(), &config(fixture.vocab.len())).unwrap()
}

/// With the fixture's vocabulary and the defaults.
fn plain() -> Tokenizer {
    let vocab = fixture().vocab;
    let folder = folder(&vocab, &Value::Null, &Value::Null);
    Tokenizer::from_folder(folder.path(), &config(vocab.len())).unwrap()
}

/// Characters up to a byte of the text.
fn characters(text: &str, byte: usize) -> usize {
    text[..byte].chars().count()
}

/// Offsets in characters, as Python counts.
fn in_characters(
    encoded: &Encoded,
    text: &str,
    pair: Option<&str>,
) -> Vec<(usize, usize)> {
    let second = encoded.sentence_b_start.unwrap_or(encoded.len());
    let texts =
        (0..encoded.len()).map(|i| if i < second { text } else { pair.unwrap() });
    let offsets = encoded.offsets.iter().zip(texts);
    offsets.map(|(&(a, b), text)| (characters(text, a), characters(text, b))).collect()
}

#[test]
fn every_tokenizer_agrees_with_transformers() {
    let fixture = fixture();
    for case in &fixture.cases {
        let tokenizer = of_case(&fixture, case);
        for expected in &case.encodings {
            let (text, pair) = (expected.text.as_str(), expected.pair.as_deref());
            let found = tokenizer.encode(text, pair, Truncate::Error).unwrap();
            let what = format!("{}: {text:?} {pair:?}", case.name);
            assert_eq!(found.tokens, expected.tokens, "{what}");
            assert_eq!(found.ids, expected.ids, "{what}");
            assert_eq!(found.token_type_ids, expected.token_type_ids, "{what}");
            assert_eq!(found.attention_mask, expected.attention_mask, "{what}");
            let special = found.special_tokens_mask.clone();
            assert_eq!(special, expected.special_tokens_mask, "{what}");
            assert_eq!(in_characters(&found, text, pair), expected.offsets, "{what}");
            let second = expected.token_type_ids.iter().position(|id| *id == 1);
            assert_eq!(found.sentence_b_start, second, "{what}");
        }
    }
}

#[test]
fn truncation_agrees_with_transformers() {
    let fixture = fixture();
    for case in &fixture.cases {
        let tokenizer = of_case(&fixture, case);
        for Truncated { text, pair, limit, ids } in &case.truncated {
            let found =
                tokenizer.encode(text, pair.as_deref(), Truncate::To(*limit)).unwrap();
            assert_eq!(&found.ids, ids, "{}: {text:?} {pair:?} {limit}", case.name);
        }
    }
}

#[test]
fn batches_are_padded_as_by_transformers() {
    let fixture = fixture();
    for case in &fixture.cases {
        let pairs: Vec<_> = case.encodings[..case.batch.len()]
            .iter()
            .map(|case| (case.text.as_str(), case.pair.as_deref()))
            .collect();
        let found =
            of_case(&fixture, case).encode_batch(&pairs, Truncate::Error).unwrap();
        let ids: Vec<_> = found.iter().map(|encoded| encoded.ids.clone()).collect();
        assert_eq!(ids, case.batch, "{}", case.name);
        for encoded in found {
            let real = encoded.attention_mask.iter().filter(|mask| **mask == 1).count();
            assert!(encoded.tokens[real..].iter().all(|token| token == "[PAD]"));
            assert!(encoded.special_tokens_mask[real..].iter().all(|mask| *mask == 1));
            assert_eq!(encoded.tokens.len(), encoded.offsets.len());
        }
    }
}

#[test]
fn a_text_too_long_is_an_error_with_both_counts() {
    let tokenizer = plain();
    let (text, second) = ("gato ".repeat(600), "pense ".repeat(5));
    let error = tokenizer.encode(&text, None, Truncate::Error).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the text has 602 tokens, [CLS] and [SEP] included; the model reads at most 512: \
         shorten it, or cut it with --truncate"
    );
    // Never more than the model reads.
    let cut = tokenizer.encode(&text, Some(&second), Truncate::To(usize::MAX)).unwrap();
    assert_eq!((cut.len(), cut.sentence_b_start), (512, Some(506)));
    for (pair, least) in [(None, 3), (Some("gato"), 5)] {
        let error = tokenizer.encode(&text, pair, Truncate::To(least - 1)).unwrap_err();
        let expected =
            format!("cannot truncate to {} tokens: the least is {least}", least - 1);
        assert_eq!(error.to_string(), expected);
        let cut = tokenizer.encode(&text, pair, Truncate::To(least)).unwrap();
        assert_eq!(cut.len(), least);
    }
    let exact = tokenizer.encode(&"gato ".repeat(510), None, Truncate::Error).unwrap();
    assert_eq!(exact.len(), 512);
}

#[test]
fn a_text_with_nothing_in_it_is_an_error() {
    let tokenizer = plain();
    for text in ["", "  \n", "\u{200b}\u{0}"] {
        let error =
            tokenizer.encode(text, None, Truncate::Error).unwrap_err().to_string();
        let expected = format!(
            "the text has no tokens ({text:?}); give a text with at least one word"
        );
        assert_eq!(error, expected);
        let error = tokenizer.encode("gato", Some(text), Truncate::Error).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("the second text has no tokens ("), "{error}");
    }
    let error = tokenizer.encode_batch(&[], Truncate::Error).unwrap_err();
    assert!(matches!(error, ModelError::EmptyBatch));
}

#[test]
fn tokens_and_ids_are_each_other() {
    let tokenizer = plain();
    assert_eq!(tokenizer.vocab_size(), fixture().vocab.len());
    let id = tokenizer.token_to_id("gato").unwrap();
    assert_eq!(tokenizer.id_to_token(id).as_deref(), Some("gato"));
    assert_eq!(tokenizer.token_to_id("cão"), None);
    assert_eq!(tokenizer.id_to_token(99_999), None);
}

#[test]
fn a_vocabulary_larger_than_the_embeddings_is_an_error() {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "gato", "gato", "rato"];
    let folder = folder(&words.map(String::from), &Value::Null, &Value::Null);
    let open = |rows| Tokenizer::from_folder(folder.path(), &config(rows));
    let error = refused(folder.path(), 5);
    let expected = "vocab.txt: the tokenizer has 6 tokens, but the embedding table of the \
                    model has 5 rows (vocab_size in config.json): they are of different models";
    assert!(error.ends_with(expected), "{error}");
    assert!(open(100).is_ok());
    // A line twice: fewer tokens than the largest id.
    let tokenizer = open(6).unwrap();
    assert_eq!(tokenizer.encode("gato", None, Truncate::Error).unwrap().ids, [2, 5, 3]);
    let error =
        tokenizer.encode("rato", None, Truncate::Error).unwrap_err().to_string();
    assert!(error.ends_with("id 6 is beyond the 6 embeddings"), "{error}");
}

#[test]
fn a_vocabulary_without_a_special_token_is_an_error() {
    for missing in ["[UNK]", "[CLS]", "[SEP]"] {
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "gato"].map(String::from);
        let words: Vec<_> = words.into_iter().filter(|word| word != missing).collect();
        let folder = folder(&words, &Value::Null, &Value::Null);
        let error = refused(folder.path(), 100);
        let expected =
            format!("vocab.txt is not a tokenizer: it has no token {missing}");
        assert!(error.ends_with(&expected), "{error}");
    }
    let words = ["[UNK]", "[CLS]", "[SEP]"].map(String::from);
    let token = json!({"content": "<x>", "single_word": false, "lstrip": false, "rstrip": false,
                       "normalized": false, "special": true});
    let rules = json!({"cls_token": {"content": "[CLS]"}, "added_tokens_decoder": {"7": token}});
    let folder = folder(&words, &rules, &Value::Null);
    let error = refused(folder.path(), 100);
    let expected =
        "the added token \"<x>\" has the id 7, but the vocabulary gives it Some(3)";
    assert!(error.ends_with(expected), "{error}");
}

/// As `Encoded::tokens` says; the ids are those of the added tokens all the same.
#[test]
fn an_added_token_that_is_normalized_stands_as_the_text_has_it() {
    let words = ["[UNK]", "[CLS]", "[SEP]", "oi"].map(String::from);
    let token = |content: &str, normalized: bool| {
        json!({"content": content, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": normalized, "special": false})
    };
    let added = json!({"4": token("Olá", true), "5": token("Tchau", false)});
    let rules = json!({"do_lower_case": true, "added_tokens_decoder": added});
    let folder = folder(&words, &rules, &Value::Null);
    let tokenizer = Tokenizer::from_folder(folder.path(), &config(6)).unwrap();
    let found = tokenizer.encode("oi Olá Tchau", None, Truncate::Error).unwrap();
    assert_eq!(found.ids, [1, 3, 4, 5, 2]);
    assert_eq!(found.tokens, ["[CLS]", "oi", "ola", "Tchau", "[SEP]"]);
}

#[test]
fn files_that_are_none_are_named() {
    let empty = temp();
    let words =
        br#"{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}"#;
    let other =
        "model.type = WordLevel is not supported; BERT's tokenizers are WordPiece";
    for (file, bytes, expected) in [
        ("", &b""[..], "has no tokenizer.json or vocab.txt"),
        ("vocab.txt", b"[UNK]\n\xff\n", "vocab.txt is not a tokenizer: stream did not"),
        ("tokenizer.json", b"{}", "tokenizer.json is not valid: missing field"),
        ("tokenizer.json", words, other),
        ("tokenizer_config.json", b"{", "tokenizer_config.json is not valid: EOF"),
    ] {
        if !file.is_empty() {
            fs::write(empty.path().join(file), bytes).unwrap();
        }
        let error = refused(empty.path(), 100);
        assert!(error.contains(expected), "{error}");
    }
}
