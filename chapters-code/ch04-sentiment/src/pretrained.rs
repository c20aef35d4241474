//! A model as it comes in a folder: its tokenizer and its weights.

use hub::{Config, ModelFolder, Tokenizer};

use crate::base::BaseModel;
use crate::error::Result;
use crate::packed::PackedEncoder;

// ANCHOR: pretrained
/// A tokenizer and an encoder that were made for each other.
#[derive(Debug)]
pub struct Pretrained {
    /// The name or folder that was asked for.
    pub name: String,
    /// What the model is made of.
    pub config: Config,
    /// From text to numbers.
    pub tokenizer: Tokenizer,
    /// From numbers to vectors and attentions.
    pub encoder: PackedEncoder,
}
// ANCHOR_END: pretrained

impl Pretrained {
    /// Reads the folder's tokenizer and weights: a BERT's or a DistilBERT's.
    ///
    /// # Errors
    ///
    /// [`EncoderError::Models`](crate::EncoderError::Models) if they can't be read or
    /// don't fit together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        Self::with(folder, BaseModel::open(folder)?)
    }

    /// The same with a base model that has been read already: one that stands under a
    /// head.
    pub fn with(folder: &ModelFolder, base: BaseModel) -> Result<Self> {
        Ok(Self {
            name: folder.name.clone(),
            config: folder.config()?,
            tokenizer: folder.tokenizer()?,
            encoder: PackedEncoder::pack(base)?,
        })
    }
}
