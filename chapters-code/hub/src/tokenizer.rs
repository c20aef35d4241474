//! Text to tokens, as `transformers.AutoTokenizer` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ahash::AHashMap;
use serde::Deserialize;
use serde_json::Value;
use tokenizers::models::wordpiece::{WordPiece, WordPieceBuilder};
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::utils::truncation::{TruncationParams, truncate_encodings};
use tokenizers::{AddedToken, Encoding, PostProcessor};

use crate::config::Config;
use crate::error::{ModelError, Result};
use crate::layout::{NEEDS, TOKENIZERS};

/// What to do with a text of more tokens than the model has positions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncate {
    /// An error that states both counts.
    Error,
    /// Cut to this many tokens, `[CLS]` and `[SEP]` included, or to the model's limit if that
    /// is less; of a pair, the longer text is cut first, as `truncation=True` does.
    To(usize),
}

/// A text, or a pair of texts, as a model takes it. All lists have one entry per token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The tokens as written in the vocabulary; one that was added with `normalized: true`
    /// stands as the text has it, normalised (`ola` for an added `Olá`).
    pub tokens: Vec<String>,
    /// Their rows in the embedding table.
    pub ids: Vec<u32>,
    /// 0 for the first text, 1 for the second.
    pub token_type_ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u32>,
    /// 1 for `[CLS]`, `[SEP]` and `[PAD]`.
    pub special_tokens_mask: Vec<u32>,
    /// Where each token stands in its text, in bytes: `&text[start..end]`.
    pub offsets: Vec<(usize, usize)>,
    /// The index of the second text's first token.
    pub sentence_b_start: Option<usize>,
}

impl Encoded {
    /// The number of tokens, padding included.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none; [`Tokenizer::encode`] never returns such.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// A tokenizer that knows its model's limits.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    /// For the messages.
    path: PathBuf,
    inner: tokenizers::Tokenizer,
    /// The model's positions.
    limit: usize,
    /// The model's embeddings.
    rows: usize,
    /// What fills a batch up.
    pad: (u32, String),
}

/// What `tokenizer_config.json` says of a WordPiece tokenizer, if it is there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Rules {
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    unk_token: Option<Special>,
    sep_token: Option<Special>,
    pad_token: Option<Special>,
    cls_token: Option<Special>,
    mask_token: Option<Special>,
    added_tokens_decoder: BTreeMap<u32, AddedToken>,
}

/// A special token, which old and new files write as a string or as an object.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Special {
    Text(String),
    Token { content: String },
}

impl Special {
    fn or(token: Option<&Self>, default: &str) -> String {
        match token {
            Some(Self::Text(text) | Self::Token { content: text }) => text.clone(),
            None => default.to_string(),
        }
    }
}

impl Tokenizer {
    /// Reads a folder's `tokenizer.json`, or builds the tokenizer from its `vocab.txt` by
    /// the rules in `tokenizer_config.json`: lower-casing unless it says otherwise, as
    /// `transformers.BertTokenizer` does. What `tokenizer_config.json` says goes before what
    /// `tokenizer.json` has; truncation, padding and the place of `[CLS]` and `[SEP]` in the
    /// latter are ignored.
    ///
    /// # Errors
    ///
    /// If a file can't be read or isn't one, a special token is missing, or the vocabulary
    /// is larger than the embedding table.
    pub fn from_folder(folder: &Path, config: &Config) -> Result<Self> {
        let rules = Rules::read(&folder.join("tokenizer_config.json"))?;
        let [json, vocab] = TOKENIZERS.map(|file| folder.join(file));
        let (path, parts) = if json.is_file() {
            (&json, Parts::from_json(&json, &rules)?)
        } else if vocab.is_file() {
            (&vocab, Parts::from_vocab(&vocab, &rules)?)
        } else {
            return Err(ModelError::MissingFile {
                location: folder.display().to_string(),
                file: "tokenizer.json or vocab.txt",
                needs: NEEDS,
            });
        };
        let inner = parts.assemble(path, &rules)?;
        let found = inner.get_vocab_size(true);
        if found > config.vocab_size {
            let (path, expected) = (path.clone(), config.vocab_size);
            return Err(ModelError::VocabularySize { path, found, expected });
        }
        let token = Special::or(rules.pad_token.as_ref(), "[PAD]");
        let id =
            inner.token_to_id(&token).filter(|id| (*id as usize) < config.vocab_size);
        let id = id.unwrap_or(config.pad_token_id);
        Ok(Self {
            pad: (id, inner.id_to_token(id).unwrap_or(token)),
            inner,
            path: path.clone(),
            limit: config.max_position_embeddings,
            rows: config.vocab_size,
        })
    }

    /// Encodes a text or a pair: `[CLS] text [SEP] pair [SEP]`.
    ///
    /// # Errors
    ///
    /// If a text is empty or too long.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        truncate: Truncate,
    ) -> Result<Encoded> {
        let whole = match pair {
            Some(pair) => self.inner.encode((text, pair), true),
            None => self.inner.encode(text, true),
        };
        let mut encoding = whole.map_err(|error| self.broken(&error))?;
        check_not_empty(&encoding, text, pair)?;
        let limit = match truncate {
            Truncate::Error => self.limit,
            Truncate::To(limit) => limit.min(self.limit),
        };
        if encoding.len() > limit {
            if truncate == Truncate::Error {
                return Err(ModelError::TooLong { found: encoding.len(), limit });
            }
            encoding = self.truncated(text, pair, limit)?;
        }
        self.finish(&encoding, pair.is_some())
    }

    /// Encodes texts or pairs, padded on the right to the longest.
    ///
    /// # Errors
    ///
    /// As [`Tokenizer::encode`], for the first text at fault; and if there are none.
    pub fn encode_batch(
        &self,
        texts: &[(&str, Option<&str>)],
        truncate: Truncate,
    ) -> Result<Vec<Encoded>> {
        let encode =
            |&(text, pair): &(&str, Option<&str>)| self.encode(text, pair, truncate);
        let mut batch: Vec<_> = texts.iter().map(encode).collect::<Result<_>>()?;
        let longest =
            batch.iter().map(Encoded::len).max().ok_or(ModelError::EmptyBatch)?;
        for encoded in &mut batch {
            encoded.pad(longest, &self.pad);
        }
        Ok(batch)
    }

    /// Encodes without special tokens, cuts, and adds them.
    fn truncated(
        &self,
        text: &str,
        pair: Option<&str>,
        limit: usize,
    ) -> Result<Encoding> {
        let processor = self.inner.get_post_processor();
        let special = processor.map_or(0, |added| added.added_tokens(pair.is_some()));
        let least = special + 1 + usize::from(pair.is_some());
        if limit < least {
            return Err(ModelError::Limit { limit, least });
        }
        let encode = |text: &str, type_id: u32| -> tokenizers::Result<_> {
            let mut encoding = self.inner.encode(text, false)?;
            encoding.set_type_ids(vec![type_id; encoding.len()]);
            Ok(encoding)
        };
        let cut = || {
            let second = pair.map(|pair| encode(pair, 1)).transpose()?;
            let params =
                TruncationParams { max_length: limit - special, ..Default::default() };
            let (first, second) =
                truncate_encodings(encode(text, 0)?, second, &params)?;
            self.inner.post_process(first, second, true)
        };
        cut().map_err(|error: tokenizers::Error| self.broken(&error))
    }

    fn finish(&self, encoding: &Encoding, is_pair: bool) -> Result<Encoded> {
        let ids = encoding.get_ids().to_vec();
        // Ids may have gaps, so that there are fewer tokens than the largest id.
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.rows) {
            let reason = format!("id {id} is beyond the {} embeddings", self.rows);
            return Err(not_a_tokenizer(&self.path, reason));
        }
        let second =
            || encoding.get_sequence_ids().iter().position(|id| *id == Some(1));
        let by_type = || encoding.get_type_ids().iter().position(|id| *id == 1);
        Ok(Encoded {
            tokens: encoding.get_tokens().to_vec(),
            ids,
            token_type_ids: encoding.get_type_ids().to_vec(),
            attention_mask: encoding.get_attention_mask().to_vec(),
            special_tokens_mask: encoding.get_special_tokens_mask().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            sentence_b_start: if is_pair { by_type().or_else(second) } else { None },
        })
    }

    fn broken(&self, error: &tokenizers::Error) -> ModelError {
        not_a_tokenizer(&self.path, error.to_string())
    }

    /// The number of tokens in the vocabulary, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// A token's row in the embedding table.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token of a row.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }
}

impl Encoded {
    fn pad(&mut self, length: usize, (id, token): &(u32, String)) {
        self.tokens.resize(length, token.clone());
        self.ids.resize(length, *id);
        self.token_type_ids.resize(length, 0);
        self.attention_mask.resize(length, 0);
        self.special_tokens_mask.resize(length, 1);
        self.offsets.resize(length, (0, 0));
    }
}

impl Rules {
    fn read(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = fs::read(path).map_err(ModelError::io("read", path))?;
        serde_json::from_slice(&text)
            .map_err(|source| ModelError::Json { path: path.to_path_buf(), source })
    }
}

/// What a tokenizer is made of, wherever it comes from.
struct Parts {
    model: WordPieceBuilder,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    /// In order of their ids.
    added: Vec<(u32, AddedToken)>,
}

/// What a `tokenizer.json` says that counts here: its truncation and padding must not act,
/// `[CLS]` and `[SEP]` are set as `transformers` does, and nothing is decoded. (Read whole, a
/// damaged file can make the tokenizers crate panic.)
#[derive(Deserialize)]
struct TokenizerJson {
    #[serde(default)]
    added_tokens: Vec<AddedTokenWithId>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    model: WordPieceJson,
}

#[derive(Deserialize)]
struct AddedTokenWithId {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
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

impl Parts {
    /// Reads a `tokenizer.json`; the rules go before what it says.
    fn from_json(path: &Path, rules: &Rules) -> Result<Self> {
        let json = |source| ModelError::Json { path: path.to_path_buf(), source };
        let text = fs::read(path).map_err(ModelError::io("read", path))?;
        let parts: TokenizerJson = serde_json::from_slice(&text).map_err(json)?;
        let model = parts.model;
        if let Some(other) = model.r#type.filter(|name| name != "WordPiece") {
            return Err(ModelError::Unsupported {
                path: path.to_path_buf(),
                field: "model.type",
                found: other,
                supported: "BERT's tokenizers are WordPiece",
            });
        }
        let mut normalizer =
            parts.normalizer.map(serde_json::from_value).transpose().map_err(json)?;
        if let Some(NormalizerWrapper::BertNormalizer(bert)) = &mut normalizer {
            bert.lowercase = rules.do_lower_case.unwrap_or(bert.lowercase);
            bert.strip_accents = rules.strip_accents.or(bert.strip_accents);
            bert.handle_chinese_chars =
                rules.tokenize_chinese_chars.unwrap_or(bert.handle_chinese_chars);
        }
        let mut builder = WordPiece::builder().vocab(model.vocab);
        builder = builder.unk_token(model.unk_token.unwrap_or_else(|| "[UNK]".into()));
        if let Some(prefix) = model.continuing_subword_prefix {
            builder = builder.continuing_subword_prefix(prefix);
        }
        if let Some(characters) = model.max_input_chars_per_word {
            builder = builder.max_input_chars_per_word(characters);
        }
        let pre_tokenizer = parts.pre_tokenizer.map(serde_json::from_value);
        let added = parts.added_tokens.into_iter().map(|added| (added.id, added.token));
        Ok(Self {
            model: builder,
            normalizer,
            pre_tokenizer: pre_tokenizer.transpose().map_err(json)?,
            added: added.collect(),
        })
    }

    /// Reads a `vocab.txt`, one token a line.
    fn from_vocab(path: &Path, rules: &Rules) -> Result<Self> {
        let text = fs::read(path).map_err(ModelError::io("read", path))?;
        let vocab = WordPiece::read_bytes(&text)
            .map_err(|error| not_a_tokenizer(path, error.to_string()))?;
        let unknown = Special::or(rules.unk_token.as_ref(), "[UNK]");
        let normalizer = BertNormalizer::new(
            true,
            rules.tokenize_chinese_chars.unwrap_or(true),
            rules.strip_accents,
            rules.do_lower_case.unwrap_or(true),
        );
        let added = rules.added_tokens_decoder.iter();
        Ok(Self {
            model: WordPiece::builder().vocab(vocab).unk_token(unknown),
            normalizer: Some(normalizer.into()),
            pre_tokenizer: Some(BertPreTokenizer.into()),
            added: added.map(|(id, token)| (*id, token.clone())).collect(),
        })
    }

    /// Puts them together: `[CLS] text [SEP] pair [SEP]`.
    fn assemble(self, path: &Path, rules: &Rules) -> Result<tokenizers::Tokenizer> {
        let not_one =
            |error: tokenizers::Error| not_a_tokenizer(path, error.to_string());
        let model = self.model.build().map_err(not_one)?;
        let unknown = model.unk_token.clone();
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_normalizer(self.normalizer).map_err(not_one)?;
        tokenizer.with_pre_tokenizer(self.pre_tokenizer);
        let with_id = |token: String| match tokenizer.token_to_id(&token) {
            Some(id) => Ok((token, id)),
            None => Err(not_a_tokenizer(path, format!("it has no token {token}"))),
        };
        let (unknown, _) = with_id(unknown)?;
        let sep = with_id(Special::or(rules.sep_token.as_ref(), "[SEP]"))?;
        let cls = with_id(Special::or(rules.cls_token.as_ref(), "[CLS]"))?;
        let rest = [(&rules.pad_token, "[PAD]"), (&rules.mask_token, "[MASK]")];
        let rest = rest.map(|(token, default)| Special::or(token.as_ref(), default));
        let rest =
            rest.into_iter().filter(|token| tokenizer.token_to_id(token).is_some());
        let special: Vec<_> = [unknown, sep.0.clone(), cls.0.clone()]
            .into_iter()
            .chain(rest)
            .map(|token| AddedToken::from(token, true))
            .collect();
        tokenizer.add_special_tokens(special).map_err(not_one)?;
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
        tokenizer.with_post_processor(Some(BertProcessing::new(sep, cls)));
        Ok(tokenizer)
    }
}

/// Each text has a token of its own.
fn check_not_empty(encoding: &Encoding, text: &str, pair: Option<&str>) -> Result<()> {
    let sequences = encoding.get_sequence_ids();
    let texts = [("the text", Some(text)), ("the second text", pair)];
    for (index, (which, text)) in texts.into_iter().enumerate() {
        if let Some(text) = text.filter(|_| !sequences.contains(&Some(index))) {
            let text = text.chars().take(80).collect();
            return Err(ModelError::EmptyText { which, text });
        }
    }
    Ok(())
}

fn not_a_tokenizer(path: &Path, reason: String) -> ModelError {
    ModelError::Format { path: path.to_path_buf(), format: "a tokenizer", reason }
}
