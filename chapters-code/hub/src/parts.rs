//! What a tokenizer is made of, from `tokenizer.json` or `vocab.txt`.

use std::path::Path;

use ahash::AHashMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tokenizers::models::wordpiece::{WordPiece, WordPieceBuilder};
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, Model};

use crate::error::{ModelError, Result};
use crate::file;
use crate::rules::{Class, Rules, Side, WrittenToken};
use crate::tokenizer::CaseRule;

/// What a tokenizer is made of, wherever it comes from.
pub(crate) struct Parts {
    model: WordPieceBuilder,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    /// `[CLS]` and `[SEP]`.
    ends: [String; 2],
    /// In order of their ids.
    added: Vec<(u32, AddedToken)>,
    /// Which side a long text is cut on, and a short one filled up on.
    pub(crate) sides: [Side; 2],
    /// The words of the vocabulary that are none: a blank line.
    blank: usize,
    /// What fills a short text up, unless the rules say it.
    pub(crate) pad: Option<String>,
    pub(crate) note: Option<String>,
}

/// What a `tokenizer.json` says that counts here: nothing is decoded, and cutting and filling up
/// are asked for by the call, on the side that it names. (Read whole, a damaged file can make
/// the tokenizers crate panic.)
#[derive(Deserialize)]
struct TokenizerJson {
    #[serde(default)]
    added_tokens: Vec<AddedTokenWithId>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    truncation: Option<Directed>,
    padding: Option<Directed>,
    model: WordPieceJson,
}

#[derive(Deserialize)]
struct AddedTokenWithId {
    id: u32,
    #[serde(flatten)]
    token: WrittenToken,
}

#[derive(Deserialize)]
struct Directed {
    direction: Option<Side>,
    pad_token: Option<String>,
}

/// The model; of another `type`, it would not be BERT's.
#[derive(Deserialize)]
struct WordPieceJson {
    r#type: Option<String>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    vocab: AHashMap<String, u32>,
}

impl TokenizerJson {
    /// What its post-processor puts at the ends of a text; BERT's classes need none.
    fn ends(&self, path: &Path, class: Class) -> Result<Option<[String; 2]>> {
        match &self.post_processor {
            None if class == Class::TokenizerJson => {
                let supported = "BERT needs one that adds [CLS] and [SEP]";
                Err(ModelError::unsupported(
                    path,
                    "post_processor",
                    "null".into(),
                    supported,
                ))
            }
            None => Ok(None),
            Some(template) => ends(template, path).map(Some),
        }
    }
}

impl WordPieceJson {
    fn builder(self) -> WordPieceBuilder {
        let unknown = self.unk_token.unwrap_or_else(|| "[UNK]".into());
        let mut builder = WordPiece::builder().vocab(self.vocab).unk_token(unknown);
        if let Some(prefix) = self.continuing_subword_prefix {
            builder = builder.continuing_subword_prefix(prefix);
        }
        if let Some(characters) = self.max_input_chars_per_word {
            builder = builder.max_input_chars_per_word(characters);
        }
        builder
    }
}

impl Parts {
    /// Reads a `tokenizer.json`: as it stands, or of BERT's classes the vocabulary.
    pub(crate) fn from_json(
        path: &Path,
        rules: &Rules,
        case: CaseRule,
    ) -> Result<Self> {
        let json = |source| ModelError::Json { path: path.to_path_buf(), source };
        let file: TokenizerJson =
            serde_json::from_slice(&file::read(path)?).map_err(json)?;
        if let Some(other) =
            file.model.r#type.as_ref().filter(|name| *name != "WordPiece")
        {
            let supported = "BERT's tokenizers are WordPiece";
            return Err(ModelError::unsupported(
                path,
                "model.type",
                other.clone(),
                supported,
            ));
        }
        let ends = file.ends(path, rules.class)?;
        let pad = file.padding.as_ref().and_then(|padding| padding.pad_token.clone());
        let side = |directed: Option<Directed>| directed.and_then(|it| it.direction);
        let sides = [side(file.truncation), side(file.padding)];
        let added = file.added_tokens.into_iter();
        let added = added.map(|added| (added.id, added.token.into()));
        let normalizer: Option<NormalizerWrapper> =
            file.normalizer.map(serde_json::from_value).transpose().map_err(json)?;
        let pre_tokenizer =
            file.pre_tokenizer.map(serde_json::from_value).transpose().map_err(json)?;
        if rules.class != Class::TokenizerJson {
            let mut parts = Self::bert(file.model.vocab, rules, sides);
            parts.heed(normalizer, rules, case);
            if !rules.complete {
                parts.added.extend(added);
            }
            return Ok(parts);
        }
        let berts = Self::bert(AHashMap::new(), rules, sides);
        Ok(Self {
            blank: usize::from(file.model.vocab.contains_key("")),
            model: file.model.builder(),
            normalizer,
            pre_tokenizer,
            ends: ends.unwrap_or(berts.ends),
            added: added.chain(rules.added.clone()).collect(),
            pad,
            ..berts
        })
    }

    /// Reads a `vocab.txt`, one token a line.
    pub(crate) fn from_vocab(path: &Path, rules: &Rules) -> Result<Self> {
        if rules.class == Class::TokenizerJson {
            return Err(ModelError::unsupported(
                &rules.path,
                "tokenizer_class",
                "PreTrainedTokenizerFast or TokenizersBackend".into(),
                "it needs a tokenizer.json, and there is a vocab.txt only; BertTokenizer \
                 reads that",
            ));
        }
        let bytes = file::read(path)?;
        if bytes.starts_with(b"\xef\xbb\xbf") {
            let reason = "it begins with a byte-order mark, which would be part of the \
                          first token; save it as UTF-8 without one";
            return Err(not_a_tokenizer(path, reason.into()));
        }
        let vocab = WordPiece::read_bytes(&bytes)
            .map_err(|error| not_a_tokenizer(path, error.to_string()))?;
        Ok(Self::bert(vocab, rules, [None, None]))
    }

    /// BERT's tokenizer with a vocabulary; `sides` is what `tokenizer.json` says of cutting
    /// and filling up.
    fn bert(
        vocab: AHashMap<String, u32>,
        rules: &Rules,
        sides: [Option<Side>; 2],
    ) -> Self {
        let normalizer = BertNormalizer::new(
            true,
            rules.tokenize_chinese_chars.unwrap_or(true),
            rules.strip_accents,
            rules.do_lower_case.unwrap_or(true),
        );
        let [cut, fill] = sides;
        Self {
            blank: usize::from(vocab.contains_key("")),
            model: WordPiece::builder()
                .vocab(vocab)
                .unk_token(rules.role("unk_token", "[UNK]")),
            normalizer: Some(normalizer.into()),
            pre_tokenizer: Some(BertPreTokenizer.into()),
            ends: [("cls_token", "[CLS]"), ("sep_token", "[SEP]")]
                .map(|(key, default)| rules.role(key, default)),
            added: rules.added.clone().into_iter().collect(),
            sides: [rules.truncation_side.or(cut), rules.padding_side.or(fill)]
                .map(|side| side.unwrap_or(Side::Right)),
            pad: None,
            note: None,
        }
    }

    /// Where the rules are silent, and `tokenizer.json` treats capitals or accents otherwise
    /// than BERT's classes: takes what `case` says, and notes it.
    fn heed(&mut self, file: Option<NormalizerWrapper>, rules: &Rules, case: CaseRule) {
        let Some(NormalizerWrapper::BertNormalizer(berts)) = self.normalizer else {
            return;
        };
        let (file, differs) = match file {
            Some(NormalizerWrapper::BertNormalizer(mut file)) => {
                file.lowercase = rules.do_lower_case.unwrap_or(file.lowercase);
                file.strip_accents = rules.strip_accents.or(file.strip_accents);
                file.handle_chinese_chars =
                    rules.tokenize_chinese_chars.unwrap_or(file.handle_chinese_chars);
                let differs = (file.lowercase, file.strip_accents)
                    != (berts.lowercase, berts.strip_accents);
                (Some(file.into()), differs)
            }
            other => (other, rules.do_lower_case.is_none()),
        };
        if !differs {
            return;
        }
        if case == CaseRule::TokenizerJson {
            self.normalizer = file;
            return;
        }
        let (path, lowercase) = (rules.path.display(), berts.lowercase);
        let accents =
            if berts.strip_accents.unwrap_or(lowercase) { "no" } else { "its" };
        let file = serde_json::to_string(&file).unwrap_or_default();
        self.note = Some(format!(
            "{path} leaves open what becomes of capitals and accents: the text is read as \
             transformers reads it, with lowercase = {lowercase} and {accents} accents; with \
             --trust-tokenizer-json, as tokenizer.json says: {file}"
        ));
    }

    /// Puts them together: `[CLS] text [SEP] pair [SEP]`. Gives the number of words of the
    /// vocabulary, too, without those that are added.
    pub(crate) fn assemble(
        self,
        path: &Path,
        rules: &Rules,
    ) -> Result<(tokenizers::Tokenizer, usize)> {
        let not_one =
            |error: tokenizers::Error| not_a_tokenizer(path, error.to_string());
        let model = self.model.build().map_err(not_one)?;
        let (unknown, words) = (model.unk_token.clone(), model.get_vocab_size());
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_normalizer(self.normalizer).map_err(not_one)?;
        tokenizer.with_pre_tokenizer(self.pre_tokenizer);
        tokenizer.set_encode_special_tokens(rules.split_special_tokens);
        let added = self.added.iter().map(|(_, token)| token.clone());
        tokenizer.add_tokens(added).map_err(not_one)?;
        for (id, AddedToken { content, .. }) in &self.added {
            let found = tokenizer.token_to_id(content);
            if found != Some(*id) {
                let reason = format!(
                    "the added token {content:?} has the id {id}, but the vocabulary \
                     gives it {found:?}"
                );
                return Err(not_a_tokenizer(path, reason));
            }
        }
        let [cls, sep] = &self.ends;
        for required in [&unknown, cls, sep] {
            if tokenizer.token_to_id(required).is_none() {
                return Err(not_a_tokenizer(
                    path,
                    format!("it has no token {required}"),
                ));
            }
        }
        let special = special(rules, [&unknown, cls, sep], &tokenizer);
        tokenizer.add_special_tokens(special).map_err(not_one)?;
        let id = |token: &String| tokenizer.token_to_id(token).unwrap_or_default();
        let ends = BertProcessing::new((sep.clone(), id(sep)), (cls.clone(), id(cls)));
        tokenizer.with_post_processor(Some(ends));
        Ok((tokenizer, words - self.blank))
    }
}

/// The tokens that are special, in the order in which those that the vocabulary lacks get
/// their ids; those that have been added stay as they are.
fn special(
    rules: &Rules,
    required: [&String; 3],
    tokenizer: &tokenizers::Tokenizer,
) -> Vec<AddedToken> {
    const ROLES: [&str; 7] = [
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
    ];
    let by_default = ["[PAD]", "[MASK]"].into_iter();
    let by_default = by_default.filter(|token| tokenizer.token_to_id(token).is_some());
    let by_default = required.into_iter().map(String::as_str).chain(by_default);
    let roles = ROLES.iter().filter_map(|key| rules.named.get(*key));
    let others = rules.named.iter().filter(|(key, _)| !ROLES.contains(&key.as_str()));
    let all = roles.chain(others.map(|(_, token)| token)).chain(&rules.extra).cloned();
    let all = by_default.map(|token| AddedToken::from(token, true)).chain(all);
    let known = tokenizer.get_added_vocabulary().get_vocab();
    let mut seen: Vec<String> = known.keys().cloned().collect();
    let mut new = |token: &AddedToken| {
        let new = !seen.contains(&token.content);
        seen.push(token.content.clone());
        new
    };
    all.filter(|token| new(token)).collect()
}

/// The tokens that a post-processor puts at the ends of a text, if it does what BERT's does.
fn ends(template: &Value, path: &Path) -> Result<[String; 2]> {
    let piece = |id: &Value, type_id: u32| json!({"SpecialToken": {"id": id, "type_id": type_id}});
    let text =
        |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    let [cls, sep] = match template["type"].as_str() {
        Some("BertProcessing") => ["cls", "sep"].map(|end| &template[end][0]),
        _ => [0, 2].map(|i| &template["single"][i]["SpecialToken"]["id"]),
    };
    let single = json!([piece(cls, 0), text("A", 0), piece(sep, 0)]);
    let second = json!([text("B", 1), piece(sep, 1)]);
    let pair =
        [single.as_array(), second.as_array()].map(Option::<&Vec<Value>>::cloned);
    let pair: Value = pair.into_iter().flatten().flatten().collect();
    let is_berts = template["type"] == "BertProcessing"
        || (template["single"] == single && template["pair"] == pair);
    match (cls.as_str(), sep.as_str()) {
        (Some(cls), Some(sep)) if is_berts => Ok([cls.to_string(), sep.to_string()]),
        _ => {
            let found = template.to_string().chars().take(80).collect();
            let supported = "BERT's is [CLS] text [SEP] pair [SEP]";
            Err(ModelError::unsupported(path, "post_processor", found, supported))
        }
    }
}

pub(crate) fn not_a_tokenizer(path: &Path, reason: String) -> ModelError {
    ModelError::Format { path: path.to_path_buf(), format: "a tokenizer", reason }
}
