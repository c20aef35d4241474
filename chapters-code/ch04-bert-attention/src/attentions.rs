//! From a text to the attentions of every head, in one call.

use candle_core::{DType, IndexOp, Tensor};
use models::{Architecture, Config, Encoded, ModelFolder, Tokenizer, Truncate};
use ndarray::Array2;
use sentiment::{
    Batch, DistilBert, Embeddings, Encoder, EncoderError, FastEncoder, Run,
};
use thiserror::Error;

use crate::Bert;

/// What can be wrong when attentions are asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttentionsError {
    /// A model, a text or a tensor that chapter 3's code refuses.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A layer or a head that the model doesn't have.
    #[error(
        "{kind} {index} does not exist: the model has {count} {kind}s, from 0 to {}",
        count.saturating_sub(1)
    )]
    Index {
        /// `layer` or `head`.
        kind: &'static str,
        /// What was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A token that the model's vocabulary lacks.
    #[error("the model's vocabulary has no {token}")]
    NoToken {
        /// What was looked for.
        token: &'static str,
    },
    /// A place that a text doesn't have, or that can't be hidden.
    #[error(
        "place {place} can't be hidden: the text has {n} tokens, and the first and the \
         last are special"
    )]
    Place {
        /// What was asked for.
        place: usize,
        /// How many tokens there are.
        n: usize,
    },
    /// A matrix of attentions that isn't square, or not of the first one's size.
    #[error("layer {layer}'s attention is {rows} × {columns}, not {n} × {n}")]
    NotSquare {
        /// The layer.
        layer: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// What was expected: the rows of layer 0.
        n: usize,
    },
    /// No layers, where there should be one at least.
    #[error("there is no layer of attentions")]
    NoLayers,
}

impl From<models::ModelError> for AttentionsError {
    fn from(error: models::ModelError) -> Self {
        Self::Encoder(error.into())
    }
}

impl From<candle_core::Error> for AttentionsError {
    fn from(error: candle_core::Error) -> Self {
        Self::Encoder(error.into())
    }
}

/// A result with this module's error.
pub type Result<T, E = AttentionsError> = std::result::Result<T, E>;

// ANCHOR: attention_model
/// A tokenizer and an encoder that were made for each other.
#[derive(Debug)]
pub struct AttentionModel {
    /// The name or folder that was asked for.
    pub name: String,
    /// What the model is made of.
    pub config: Config,
    /// From text to numbers.
    pub tokenizer: Tokenizer,
    /// From numbers to attentions.
    pub encoder: FastEncoder,
}

/// Who looked at whom, in every head of every layer, for a text or a pair of texts.
#[derive(Debug, Clone)]
pub struct Attentions {
    /// The model's name.
    pub model: String,
    /// The `n` pieces, `[CLS]` and `[SEP]` among them.
    pub tokens: Vec<String>,
    /// Their rows in the table of embeddings.
    pub ids: Vec<u32>,
    /// 0 in sentence A, 1 in B.
    pub token_type_ids: Vec<u32>,
    /// Where sentence B begins, if there is one.
    pub sentence_b_start: Option<usize>,
    /// One `[1, heads, n, n]` a layer, as transformers' `outputs.attentions`.
    pub attentions: Vec<Tensor>,
}

impl AttentionModel {
    /// The attentions of `[CLS] text [SEP]`, or of `[CLS] text [SEP] pair [SEP]`.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if a text is empty, or too long and not to be
    /// truncated.
    pub fn attentions(
        &self,
        text: &str,
        pair: Option<&str>,
        truncate: Truncate,
    ) -> Result<Attentions> {
        self.attentions_of(self.tokenizer.encode(text, pair, truncate)?)
    }

    /// The same of a text that has been encoded.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if a number is beyond the model's vocabulary.
    pub fn attentions_of(&self, encoded: Encoded) -> Result<Attentions> {
        let batch = Batch::from_encoded(std::slice::from_ref(&encoded))?; // 1 row
        let outputs = self.encoder.forward(&batch, Run::ATTENTIONS)?;
        Ok(Attentions {
            model: self.name.clone(),
            tokens: encoded.tokens,
            ids: encoded.ids,
            token_type_ids: encoded.token_type_ids,
            sentence_b_start: encoded.sentence_b_start,
            attentions: outputs.attentions.unwrap_or_default(),
        })
    }
}
// ANCHOR_END: attention_model

impl AttentionModel {
    /// Reads the folder's tokenizer and weights: a BERT's or a DistilBERT's.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if they can't be read or don't fit together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config()?;
        let tokenizer = folder.tokenizer()?;
        let (embeddings, encoder) = embeddings_and_encoder(folder)?;
        let encoder = FastEncoder::pack(embeddings, encoder)?;
        Ok(Self { name: folder.name.clone(), config, tokenizer, encoder })
    }

    /// Checks that the model has this layer and this head.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Index`] if it doesn't.
    pub fn check(&self, layer: usize, head: usize) -> Result<()> {
        check("layer", layer, self.config.num_hidden_layers)?;
        check("head", head, self.config.num_attention_heads)
    }
}

/// The two parts of a folder's model that attentions need, tensor by tensor: a BERT's or
/// a DistilBERT's.
///
/// # Errors
///
/// [`AttentionsError::Encoder`] if the weights can't be read or don't fit together.
pub fn embeddings_and_encoder(folder: &ModelFolder) -> Result<(Embeddings, Encoder)> {
    let config = folder.config()?;
    let parts = models::load(folder, DType::F32, |vb| match config.architecture {
        Architecture::Bert => {
            let model = Bert::load(&vb.pp("bert"), &config)?;
            Ok((model.embeddings, model.encoder))
        }
        Architecture::DistilBert => {
            let model = DistilBert::load(&vb.pp("distilbert"), &config)?;
            Ok((model.embeddings, model.encoder))
        }
    })?;
    Ok(parts)
}

impl Attentions {
    /// One head's attention as a matrix, a row for each token that looks and a column
    /// for each that is looked at. `[n, n]`, each row adds up to 1.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Index`] if there is no such layer or head.
    pub fn head(&self, layer: usize, head: usize) -> Result<Array2<f64>> {
        check("layer", layer, self.attentions.len())?;
        let weights = &self.attentions[layer];
        check("head", head, weights.dim(1)?)?;
        let n = weights.dim(2)?;
        let values = weights.i((0, head))?.flatten_all()?.to_vec1::<f32>()?; // [n · n]
        let at = |(row, column): (usize, usize)| f64::from(values[row * n + column]);
        Ok(Array2::from_shape_fn((n, n), at))
    }
}

fn check(kind: &'static str, index: usize, count: usize) -> Result<()> {
    if index < count {
        return Ok(());
    }
    Err(AttentionsError::Index { kind, index, count })
}
