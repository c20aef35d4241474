//! From text to numbers and back, by byte-level BPE (Sennrich et al. 2016; Radford et al. 2019).

use std::path::Path;

use hub::disk;
use tokenizers::Tokenizer;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use crate::config::GptConfig;
use crate::error::{GenerationError, Result};

/// A tokenizer whose every token the model has a vector for.
#[derive(Debug, Clone)]
pub struct TextTokenizer(Tokenizer);

impl TextTokenizer {
    /// Reads a folder's `tokenizer.json`, or builds GPT-2's from `vocab.json` and `merges.txt`.
    ///
    /// # Errors
    ///
    /// If the files can't be read or aren't a tokenizer's, or it has more tokens than the model.
    pub fn from_folder(folder: &Path, config: &GptConfig) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let wrong = |reason: String| GenerationError::Format {
            path: folder.to_path_buf(),
            what: "a folder with a tokenizer",
            reason,
        };
        let tokenizer = if disk::is_file(&path) {
            let read = training::TrainingError::io("read", &path);
            let bytes = disk::read(&path).map_err(read)?;
            Tokenizer::from_bytes(bytes).map_err(|error| wrong(error.to_string()))?
        } else {
            gpt2(folder).map_err(|error| wrong(error.to_string()))?
        };
        let tokens = tokenizer.get_vocab_size(true);
        if tokens > config.vocab_size {
            let limit = config.vocab_size;
            return Err(wrong(format!("{tokens} tokens, but the model has {limit}")));
        }
        Ok(Self(tokenizer))
    }

    /// A tokenizer that is at hand.
    pub fn new(tokenizer: Tokenizer) -> Self {
        Self(tokenizer)
    }

    /// A text's tokens.
    ///
    /// # Errors
    ///
    /// [`GenerationError::EmptyPrompt`] if there are none.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.0.encode_fast(text, true).map_err(wrap)?;
        if encoding.get_ids().is_empty() {
            return Err(GenerationError::EmptyPrompt);
        }
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of tokens, without the special ones.
    ///
    /// # Errors
    ///
    /// If the tokenizer has no decoder that can join them.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.0.decode(ids, true).map_err(wrap)
    }

    /// Each token's text alone: what of it is no whole character is shown as �.
    ///
    /// # Errors
    ///
    /// As [`TextTokenizer::decode`].
    pub fn tokens(&self, ids: &[u32]) -> Result<Vec<String>> {
        ids.iter().map(|&id| self.0.decode(&[id], false).map_err(wrap)).collect()
    }

    /// The number of a token, such as `<|endoftext|>`.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.0.token_to_id(token)
    }
}

/// GPT-2's own: bytes as letters, merges, no token of its own before or after a text.
fn gpt2(folder: &Path) -> tokenizers::Result<Tokenizer> {
    let [vocabulary, merges] =
        ["vocab.json", "merges.txt"].map(|file| folder.join(file));
    for path in [&vocabulary, &merges] {
        if !disk::is_file(path) {
            let missing = path.file_name().unwrap_or_default().to_string_lossy();
            return Err(format!("it has no tokenizer.json and no {missing}").into());
        }
    }
    let [vocabulary, merges] =
        [vocabulary, merges].map(|path| path.display().to_string());
    let mut tokenizer = Tokenizer::new(BPE::from_file(&vocabulary, &merges).build()?);
    let bytes = ByteLevel::new(false, true, true);
    tokenizer.with_pre_tokenizer(Some(bytes));
    tokenizer.with_decoder(Some(bytes));
    Ok(tokenizer)
}

fn wrap(error: tokenizers::Error) -> GenerationError {
    GenerationError::Tensor(candle_core::Error::wrap(error))
}
