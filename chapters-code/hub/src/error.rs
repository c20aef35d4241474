//! What can go wrong between a model's name and its first tensor.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::hub_error::HubError;
use crate::layout::shipped;

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, ModelError>;

/// What can go wrong between a model's name and its first tensor. Each message names the
/// file, the field or the tensor, what was found, what was expected, and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "a field is what its message says of it")]
pub enum ModelError {
    /// Reading or writing a file failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "create", …
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    /// Neither a folder nor a name.
    #[error(
        "`{name}` is neither a folder nor a model's name: {why}; \
         give a folder in Hugging Face layout, a shipped model ({}) \
         or a Hub repository such as `bert-base-uncased`",
        shipped()
    )]
    UnknownName { name: String, why: &'static str },

    /// A shipped model whose folder is not there.
    #[error(
        "the shipped model `{name}` has no folder {}; run from a complete checkout of the \
         book, or give another folder or a Hub repository such as `bert-base-uncased`",
        path.display()
    )]
    ShippedMissing { name: String, path: PathBuf },

    /// A folder without a file that a model needs.
    #[error("{location} has no {file}: a model needs {needs}")]
    MissingFile {
        location: String,
        file: &'static str,
        /// What a folder in Hugging Face layout holds.
        needs: &'static str,
    },

    /// Weights in a format that can run code when loaded, or of another framework.
    #[error(
        "{location} has {found} but no model.safetensors, the only format read here; {}",
        conversion(found)
    )]
    OtherFormat { location: String, found: String },

    /// A clone without git-lfs: a few lines that name a file, in its place.
    #[error(
        "{} is a git-lfs pointer, not the file that it stands for; fetch it with \
         `git lfs install` and `git lfs pull` in its folder, or download it again",
        path.display()
    )]
    Pointer { path: PathBuf },

    /// What can go wrong with the Hugging Face Hub.
    #[error(transparent)]
    Hub(#[from] HubError),

    /// A file that is not the JSON it should be.
    #[error("{} is not valid: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },

    /// A field out of range.
    #[error("{}: {field} is {found}, not {expected}", path.display())]
    Field { path: PathBuf, field: String, found: String, expected: String },

    /// A model of another kind than the book's.
    #[error("{}: {field} = {found} is not supported; {supported}", path.display())]
    Unsupported {
        path: PathBuf,
        field: &'static str,
        found: String,
        supported: &'static str,
    },

    /// A safetensors file that ends early.
    #[error(
        "{} is truncated: {found} bytes, but {what} needs {expected}; download or copy it \
         again", path.display()
    )]
    Truncated {
        path: PathBuf,
        what: String,
        /// The bytes there are.
        found: u64,
        /// The bytes there should be.
        expected: u64,
    },

    /// A weight that is NaN or infinite.
    #[error(
        "{}: number {index} of tensor {tensor} is {value}; weights must be finite numbers: \
         training may have diverged, or the file is damaged", path.display()
    )]
    NotFinite {
        path: PathBuf,
        tensor: String,
        /// Which of the tensor's numbers, row after row, from 0.
        index: usize,
        value: f64,
    },

    /// A file that is not of its format.
    #[error("{} is not {format}: {reason}", path.display())]
    Format {
        path: PathBuf,
        /// "a safetensors file", "a tokenizer", …
        format: &'static str,
        reason: String,
    },

    /// A checkpoint that isn't of the model its configuration describes.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),

    /// Building the model failed.
    #[error("cannot build the model: {0}")]
    Build(#[from] candle_core::Error),

    /// A tokenizer with more tokens than the model has embeddings.
    #[error(
        "{}: the tokenizer has {found} tokens, but the embedding table of the model has \
         {expected} rows (vocab_size in config.json): they are of different models",
        path.display()
    )]
    VocabularySize {
        path: PathBuf,
        found: usize,
        /// The embedding table's rows.
        expected: usize,
    },

    /// A text with nothing to read in it.
    #[error("{which} has no tokens ({text:?}); give a text with at least one word")]
    EmptyText {
        /// "the text" or "the second text".
        which: &'static str,
        text: String,
    },

    /// A text longer than the model reads.
    #[error(
        "the text has {found} tokens, [CLS] and [SEP] included; the model reads at most \
         {limit}: shorten it, or cut it with --truncate"
    )]
    TooLong { found: usize, limit: usize },

    /// A limit that leaves no room for text.
    #[error("cannot truncate to {limit} tokens: the least is {least}")]
    Limit {
        limit: usize,
        /// Special tokens, and one token per text.
        least: usize,
    },

    /// A batch of no texts.
    #[error("a batch needs at least one text; none was given")]
    EmptyBatch,
}

impl ModelError {
    /// For `map_err`: what was tried, on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }

    pub(crate) fn unsupported(
        path: &Path,
        field: &'static str,
        found: String,
        supported: &'static str,
    ) -> Self {
        Self::Unsupported { path: path.to_path_buf(), field, found, supported }
    }
}

/// How a checkpoint differs from what its model asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// The checkpoint.
    pub path: PathBuf,
    /// What the model asks for and the file doesn't have: names and shapes.
    pub missing: Vec<(String, Vec<usize>)>,
    /// What the file has in another shape.
    pub wrong: Vec<WrongShape>,
    /// What the file has of the encoder and the model doesn't ask for.
    pub unused: Vec<String>,
    /// What may be the matter.
    pub hint: Option<String>,
}

/// A tensor of another shape than the model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongShape {
    /// The name in `transformers`.
    pub name: String,
    /// What the model asks for.
    pub expected: Vec<usize>,
    /// What the file holds.
    pub found: Vec<usize>,
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not of the model asked for", self.path.display())?;
        if let Some(hint) = &self.hint {
            write!(f, ": {hint}")?;
        }
        if !self.missing.is_empty() {
            write!(f, "\nmissing tensors:")?;
        }
        for (name, shape) in &self.missing {
            write!(f, "\n  {name} {shape:?}")?;
        }
        if !self.wrong.is_empty() {
            write!(f, "\ntensors of another shape:")?;
        }
        for WrongShape { name, expected, found } in &self.wrong {
            write!(f, "\n  {name}: expected {expected:?}, found {found:?}")?;
        }
        if !self.unused.is_empty() {
            write!(f, "\ntensors of the encoder that the model does not use:")?;
        }
        for name in &self.unused {
            write!(f, "\n  {name}")?;
        }
        Ok(())
    }
}

/// How to make `model.safetensors` of what was found.
fn conversion(found: &str) -> &'static str {
    let ending = Path::new(found).extension().and_then(|ending| ending.to_str());
    if found.starts_with("tf_model") || ending == Some("msgpack") {
        "convert it in the model's folder with Python and transformers 4:\n\
         \x20   import json, transformers\n\
         \x20   name = json.load(open(\"config.json\"))[\"architectures\"][0]\n\
         \x20   model = getattr(transformers, name).from_pretrained(\".\", from_tf=True)  \
         # or from_flax=True\n\
         \x20   model.save_pretrained(\".\")"
    } else if found.contains(".bin") || ending == Some("pt") {
        "convert it in the model's folder with Python:\n\
         \x20   import torch\n\
         \x20   from safetensors.torch import save_file\n\
         \x20   weights = torch.load(\"pytorch_model.bin\", map_location=\"cpu\", \
         weights_only=True)\n\
         \x20   weights = {name: w.contiguous().clone() for name, w in weights.items()}\n\
         \x20   save_file(weights, \"model.safetensors\", {\"format\": \"pt\"})"
    } else if ending == Some("onnx") {
        "save it with transformers' save_pretrained, from the model that was exported"
    } else {
        "a Keras model has other layers and names than BERT's: chapter 6 reads the \
         .weights.h5 of its own block; a BERT comes from transformers' save_pretrained"
    }
}
