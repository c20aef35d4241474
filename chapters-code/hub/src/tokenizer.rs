//! Text to tokens, as `transformers.AutoTokenizer` does.

use std::path::{Path, PathBuf};

use tokenizers::utils::truncation::{TruncationParams, truncate_encodings};
use tokenizers::{Encoding, PostProcessor};

use crate::config::Config;
use crate::disk;
use crate::error::{ModelError, Result};
use crate::layout::{NEEDS, TOKENIZERS};
use crate::parts::{Parts, not_a_tokenizer};
use crate::rules::{Class, Rules, Side};

/// What a `tokenizer_config.json` that doesn't say `do_lower_case` means, of the class
/// `BertTokenizer` or `DistilBertTokenizer`, or of none, beside a `tokenizer.json` that says
/// otherwise. It happens with cased models whose `tokenizer_config.json` was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseRule {
    /// As `transformers` has it: capitals become small, accents are dropped.
    #[default]
    Transformers,
    /// As `tokenizer.json` says.
    TokenizerJson,
}

/// What to do with a text of more tokens than the model has positions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncate {
    /// An error that states both counts.
    Error,
    /// Cut to this many tokens, `[CLS]` and `[SEP]` included, or to the model's limit or its
    /// `model_max_length` if that is less; of a pair, the longer text is cut first, as
    /// `truncation=True` does. Cut at the end, or at the start if `truncation_side` says so.
    To(usize),
}

/// A text, or a pair of texts, as a model takes it. All lists have one entry per token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The tokens as written in the vocabulary; one that was added with `normalized: true`
    /// stands as the text has it, normalized (`ola` for an added `Olá`).
    pub tokens: Vec<String>,
    /// Their rows in the embedding table.
    pub ids: Vec<u32>,
    /// 0 for the first text, 1 for the second; all 0 for a BERT if `model_input_names` leaves
    /// token types out.
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
    /// What a text is cut to: the positions, or fewer.
    cut: usize,
    /// The model's embeddings.
    rows: usize,
    /// What fills a batch up.
    pad: (u32, String),
    /// Which side a long text is cut on, and a short one filled up on.
    sides: [Side; 2],
    token_types: TokenTypes,
    note: Option<String>,
}

/// What a model is told of which text a token is of.
#[derive(Clone, Debug)]
enum TokenTypes {
    Given,
    /// All 0.
    Withheld,
    /// As the versions of `transformers` don't agree on: no pair can be read. With the file
    /// that should say it.
    Unknown(PathBuf),
}

impl Tokenizer {
    /// Reads a folder's `tokenizer.json`, or builds the tokenizer from its `vocab.txt`, as
    /// `transformers.AutoTokenizer` does: BERT's and DistilBERT's classes by the rules of
    /// `tokenizer_config.json`, lower-casing unless it says otherwise, whatever
    /// `tokenizer.json` has but for the vocabulary; `PreTrainedTokenizerFast` by
    /// `tokenizer.json` alone. [`settings`](crate::settings) lists every key.
    ///
    /// # Errors
    ///
    /// If a file can't be read or isn't one, a special token is missing, the vocabulary is
    /// larger than the embedding table, or a setting asks for what isn't done here.
    pub fn from_folder(folder: &Path, config: &Config) -> Result<Self> {
        Self::from_folder_by(folder, config, CaseRule::default())
    }

    /// As [`Tokenizer::from_folder`], by a rule for capitals where the files are silent.
    pub fn from_folder_by(
        folder: &Path,
        config: &Config,
        case: CaseRule,
    ) -> Result<Self> {
        let [json, vocab] = TOKENIZERS.map(|file| folder.join(file));
        let missing = || ModelError::MissingFile {
            location: folder.display().to_string(),
            file: "tokenizer.json or vocab.txt",
            needs: NEEDS,
        };
        let path = [&json, &vocab].into_iter().find(|path| disk::is_file(path));
        let path = path.ok_or_else(missing)?;
        let rules = Rules::read(folder, config)?;
        let mut parts = if path == &json {
            Parts::from_json(path, &rules, case)?
        } else {
            Parts::from_vocab(path, &rules)?
        };
        let (sides, note, pad) = (parts.sides, parts.note.take(), parts.pad.take());
        let (inner, found) = parts.assemble(path, &rules)?;
        if found > config.vocab_size {
            let (path, expected) = (path.clone(), config.vocab_size);
            return Err(ModelError::VocabularySize { path, found, expected });
        }
        let token = rules.role("pad_token", pad.as_deref().unwrap_or("[PAD]"));
        let id =
            inner.token_to_id(&token).filter(|id| (*id as usize) < config.vocab_size);
        let id = id.unwrap_or(config.pad_token_id);
        let limit = config.max_position_embeddings;
        Ok(Self {
            pad: (id, inner.id_to_token(id).unwrap_or(token)),
            inner,
            path: path.clone(),
            limit,
            cut: rules.max_length.map_or(limit, |length| length.min(limit)),
            rows: config.vocab_size,
            sides,
            token_types: TokenTypes::of(&rules, config),
            note,
        })
    }

    /// What a reader should know of how the files were read.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Encodes a text or a pair: `[CLS] text [SEP] pair [SEP]`.
    ///
    /// # Errors
    ///
    /// If a text is empty or too long; for a pair, if its files leave open whether the model
    /// is told which text a token is of.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        truncate: Truncate,
    ) -> Result<Encoded> {
        if let (Some(_), TokenTypes::Unknown(path)) = (pair, &self.token_types) {
            return Err(ModelError::Field {
                path: path.clone(),
                field: "model_input_names".into(),
                found: "missing".into(),
                expected: "a list with or without \"token_type_ids\": with this \
                           tokenizer_class, transformers 4 gives them for a pair and \
                           transformers 5 does not"
                    .into(),
            });
        }
        let whole = match pair {
            Some(pair) => self.inner.encode((text, pair), true),
            None => self.inner.encode(text, true),
        };
        let mut encoding = whole.map_err(|error| self.broken(&error))?;
        check_not_empty(&encoding, text, pair)?;
        let limit = match truncate {
            Truncate::Error => self.limit,
            Truncate::To(limit) => limit.min(self.cut),
        };
        if encoding.len() > limit {
            if truncate == Truncate::Error {
                return Err(ModelError::TooLong { found: encoding.len(), limit });
            }
            encoding = self.truncated(text, pair, limit)?;
        }
        self.finish(&encoding, pair.is_some())
    }

    /// Encodes texts or pairs, padded to the longest: at the end, or at the start if
    /// `padding_side` says so.
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
            encoded.pad(longest, self.sides[1], &self.pad);
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
            let params = TruncationParams {
                max_length: limit - special,
                direction: self.sides[0].into(),
                ..Default::default()
            };
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
            let token = self.inner.id_to_token(*id).unwrap_or_default();
            let reason = format!(
                "the token {token:?} has no vector: id {id} is beyond the {} embeddings",
                self.rows
            );
            return Err(not_a_tokenizer(&self.path, reason));
        }
        let second =
            || encoding.get_sequence_ids().iter().position(|id| *id == Some(1));
        let by_type = || encoding.get_type_ids().iter().position(|id| *id == 1);
        let withheld = matches!(self.token_types, TokenTypes::Withheld);
        let type_id = |id: &u32| if withheld { 0 } else { *id };
        Ok(Encoded {
            tokens: encoding.get_tokens().to_vec(),
            ids,
            token_type_ids: encoding.get_type_ids().iter().map(type_id).collect(),
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

impl TokenTypes {
    fn of(rules: &Rules, config: &Config) -> Self {
        match rules.token_types {
            Some(false) if config.type_vocab_size > 1 => Self::Withheld,
            None if rules.class == Class::TokenizerJson
                && config.type_vocab_size > 1 =>
            {
                Self::Unknown(rules.path.clone())
            }
            _ => Self::Given,
        }
    }
}

impl Encoded {
    fn pad(&mut self, length: usize, side: Side, (id, token): &(u32, String)) {
        let more = length - self.len();
        fill(&mut self.tokens, more, side, token);
        fill(&mut self.ids, more, side, id);
        fill(&mut self.token_type_ids, more, side, &0);
        fill(&mut self.attention_mask, more, side, &0);
        fill(&mut self.special_tokens_mask, more, side, &1);
        fill(&mut self.offsets, more, side, &(0, 0));
        if side == Side::Left {
            self.sentence_b_start = self.sentence_b_start.map(|start| start + more);
        }
    }
}

fn fill<T: Clone>(list: &mut Vec<T>, more: usize, side: Side, with: &T) {
    let at = if side == Side::Left { 0 } else { list.len() };
    list.splice(at..at, std::iter::repeat_n(with.clone(), more));
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
