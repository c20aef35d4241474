//! What stands beside a vocabulary: `tokenizer_config.json`, `special_tokens_map.json` and
//! `added_tokens.json`, read as `transformers` reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::AddedToken;
use tokenizers::utils::truncation::TruncationDirection;

use crate::config::Config;
use crate::disk;
use crate::error::{ModelError, Result};
use crate::file;
use crate::layout::TOKENIZER_RULES;

/// How a tokenizer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// BERT's: of `tokenizer.json`, the vocabulary only; the rest is BERT's by rule.
    Bert,
    /// DistilBERT's: the same, but that it gives no token types.
    DistilBert,
    /// None of its own: `tokenizer.json` as it stands.
    TokenizerJson,
}

/// Which side of a text something happens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    #[serde(alias = "Left")]
    Left,
    #[serde(alias = "Right")]
    Right,
}

impl From<Side> for TruncationDirection {
    fn from(side: Side) -> Self {
        match side {
            Side::Left => Self::Left,
            Side::Right => Self::Right,
        }
    }
}

/// A token as the files write it: its text, or an object.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Token(WrittenToken),
}

/// A token as an object: what it doesn't say is as Python's `AddedToken` has it.
#[expect(clippy::struct_excessive_bools, reason = "the file has them")]
#[derive(Clone, Deserialize)]
pub(crate) struct WrittenToken {
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl From<WrittenToken> for AddedToken {
    fn from(token: WrittenToken) -> Self {
        let normalized = token.normalized.unwrap_or(!token.special);
        Self::from(token.content, token.special)
            .single_word(token.single_word)
            .lstrip(token.lstrip)
            .rstrip(token.rstrip)
            .normalized(normalized)
    }
}

impl From<Written> for AddedToken {
    /// As a special token.
    fn from(written: Written) -> Self {
        match written {
            Written::Text(content) => Self::from(content, true),
            Written::Token(token) => WrittenToken { special: true, ..token }.into(),
        }
    }
}

/// Special tokens without a role: a list, or each with a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Extra {
    List(Vec<Written>),
    Named(BTreeMap<String, Written>),
}

/// What `tokenizer_config.json` says that counts here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RulesJson {
    tokenizer_class: Option<String>,
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    truncation_side: Option<Side>,
    padding_side: Option<Side>,
    model_max_length: Option<Value>,
    max_len: Option<Value>,
    model_input_names: Option<Vec<String>>,
    split_special_tokens: Option<bool>,
    init_inputs: Vec<Value>,
    /// By their ids, which serde's `flatten` takes as text only.
    added_tokens_decoder: Option<BTreeMap<String, WrittenToken>>,
    additional_special_tokens: Option<Extra>,
    extra_special_tokens: Option<Extra>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// How to read a vocabulary, and the tokens beside it.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) class: Class,
    pub(crate) do_lower_case: Option<bool>,
    pub(crate) strip_accents: Option<bool>,
    pub(crate) tokenize_chinese_chars: Option<bool>,
    pub(crate) truncation_side: Option<Side>,
    pub(crate) padding_side: Option<Side>,
    /// What `truncation=True` cuts to.
    pub(crate) max_length: Option<usize>,
    /// Whether a model is told which text a token is of; `None`: not said.
    pub(crate) token_types: Option<bool>,
    pub(crate) split_special_tokens: bool,
    /// `unk_token`, `cls_token` and every other key of this form.
    pub(crate) named: BTreeMap<String, AddedToken>,
    /// Special tokens without a role.
    pub(crate) extra: Vec<AddedToken>,
    /// With their ids.
    pub(crate) added: BTreeMap<u32, AddedToken>,
    /// Whether `added` is all there is: then `tokenizer.json` adds nothing to BERT's.
    pub(crate) complete: bool,
    /// For the messages.
    pub(crate) path: PathBuf,
}

impl Rules {
    /// Reads a folder's files, those that are there.
    pub(crate) fn read(folder: &Path, config: &Config) -> Result<Self> {
        let [path, map, added] = TOKENIZER_RULES.map(|file| folder.join(file));
        let json: RulesJson = read(&path)?.unwrap_or_default();
        let mut rules = Self::of(json, config, path)?;
        if !rules.complete {
            rules.complete_with(read(&map)?.unwrap_or_default(), &map)?;
            rules.add(read(&added)?.unwrap_or_default());
        }
        Ok(rules)
    }

    fn of(json: RulesJson, config: &Config, path: PathBuf) -> Result<Self> {
        let class = json.tokenizer_class.as_ref().or(config.tokenizer_class.as_ref());
        let class = class.map_or(Ok(Class::Bert), |name| Class::named(name, &path))?;
        if !json.init_inputs.is_empty() {
            let found = Value::from(json.init_inputs).to_string();
            let supported = "only a class made from its own files is";
            return Err(ModelError::unsupported(
                &path,
                "init_inputs",
                found,
                supported,
            ));
        }
        // The new name goes before the old one.
        let empty =
            |extra: &Extra| matches!(extra, Extra::List(list) if list.is_empty());
        let extra = json.extra_special_tokens.filter(|extra| !empty(extra));
        let mut rules = Self {
            class,
            do_lower_case: json.do_lower_case,
            strip_accents: json.strip_accents,
            tokenize_chinese_chars: json.tokenize_chinese_chars,
            truncation_side: json.truncation_side,
            padding_side: json.padding_side,
            max_length: json
                .model_max_length
                .or(json.max_len)
                .and_then(|it| length(&it)),
            token_types: match json.model_input_names {
                None if class == Class::DistilBert => Some(false),
                names => {
                    names.map(|names| has_token_types(&names, &path)).transpose()?
                }
            },
            split_special_tokens: json.split_special_tokens.unwrap_or(false),
            named: BTreeMap::new(),
            extra: Vec::new(),
            complete: json.added_tokens_decoder.is_some(),
            added: BTreeMap::new(),
            path,
        };
        for (id, token) in json.added_tokens_decoder.unwrap_or_default() {
            let number = id.parse().map_err(|_| ModelError::Field {
                path: rules.path.clone(),
                field: "added_tokens_decoder".into(),
                found: format!("{id:?}"),
                expected: "a token's id".into(),
            })?;
            rules.added.insert(number, token.into());
        }
        rules.name(json.others);
        rules.extend(extra.or(json.additional_special_tokens));
        Ok(rules)
    }

    /// Takes the keys of the form `…_token`.
    fn name(&mut self, values: Map<String, Value>) {
        for (key, value) in values {
            let token = serde_json::from_value::<Written>(value);
            if let (true, Ok(token)) = (key.ends_with("_token"), token) {
                self.named.insert(key, token.into());
            }
        }
    }

    fn extend(&mut self, extra: Option<Extra>) {
        match extra {
            Some(Extra::List(tokens)) => {
                self.extra.extend(tokens.into_iter().map(Into::<AddedToken>::into));
            }
            Some(Extra::Named(tokens)) => {
                self.named
                    .extend(tokens.into_iter().map(|(key, token)| (key, token.into())));
            }
            None => {}
        }
    }

    /// What `special_tokens_map.json` says goes before `tokenizer_config.json`.
    fn complete_with(
        &mut self,
        mut map: Map<String, Value>,
        path: &Path,
    ) -> Result<()> {
        let json = |source| ModelError::Json { path: path.to_path_buf(), source };
        for key in ["additional_special_tokens", "extra_special_tokens"] {
            let extra = map.remove(key).map(serde_json::from_value).transpose();
            self.extend(extra.map_err(json)?);
        }
        self.name(map);
        Ok(())
    }

    /// The tokens of `added_tokens.json`, special if another file says so.
    fn add(&mut self, tokens: BTreeMap<String, u32>) {
        for (content, id) in tokens {
            let special = self.named.values().chain(&self.extra);
            let special = special.into_iter().any(|token| token.content == content);
            self.added.insert(id, AddedToken::from(content, special));
        }
    }

    /// The text of a token with a role.
    pub(crate) fn role(&self, key: &str, default: &str) -> String {
        self.named.get(key).map_or(default, |token| &token.content).to_string()
    }
}

impl Class {
    fn named(name: &str, path: &Path) -> Result<Self> {
        match name {
            "BertTokenizer" | "BertTokenizerFast" => Ok(Self::Bert),
            "DistilBertTokenizer" | "DistilBertTokenizerFast" => Ok(Self::DistilBert),
            "PreTrainedTokenizerFast" | "TokenizersBackend" => Ok(Self::TokenizerJson),
            other => {
                let supported = "the tokenizers read here are BertTokenizer and \
                                 DistilBertTokenizer, and PreTrainedTokenizerFast with a \
                                 tokenizer.json";
                Err(ModelError::unsupported(
                    path,
                    "tokenizer_class",
                    other.into(),
                    supported,
                ))
            }
        }
    }
}

/// A file's JSON; `None` if there is no such file.
fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>> {
    if !disk::is_file(path) {
        return Ok(None);
    }
    let json = |source| ModelError::Json { path: path.to_path_buf(), source };
    serde_json::from_slice(&file::read(path)?).map(Some).map_err(json)
}

/// A length in tokens; `transformers` writes 1e30 for none.
fn length(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|length| usize::try_from(length).ok())
}

/// Whether the names of a model's inputs have token types; those without which a batch can't
/// be read must be there.
fn has_token_types(names: &[String], path: &Path) -> Result<bool> {
    let has = |name: &str| names.iter().any(|found| found == name);
    if has("input_ids") && has("attention_mask") {
        return Ok(has("token_type_ids"));
    }
    let supported = "a model is always given input_ids and attention_mask";
    Err(ModelError::unsupported(
        path,
        "model_input_names",
        format!("{names:?}"),
        supported,
    ))
}
