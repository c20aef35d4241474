//! From a text to the attentions of every head, in one call.

use hub::{Encoded, Truncate};
use ndarray::{Array2, Array4, s};
use sentiment::{Batch, EncoderError, ForwardOptions, Pretrained};
use thiserror::Error;

/// What can be wrong when attentions are asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttentionsError {
    /// A model, a text or a tensor that chapter 4's code refuses.
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

impl From<hub::ModelError> for AttentionsError {
    fn from(error: hub::ModelError) -> Self {
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

// ANCHOR: attentions
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
    pub attentions: Vec<Array4<f32>>,
}

impl Attentions {
    /// A model's attentions for `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if a text is empty, or too long and not to be
    /// truncated.
    pub fn of(
        model: &Pretrained,
        text: &str,
        pair: Option<&str>,
        truncate: Truncate,
    ) -> Result<Self> {
        Self::of_encoded(model, model.tokenizer.encode(text, pair, truncate)?)
    }

    /// The same for a text that has been encoded.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if a number is beyond the model's vocabulary.
    pub fn of_encoded(model: &Pretrained, encoded: Encoded) -> Result<Self> {
        let batch = Batch::from_encoded(std::slice::from_ref(&encoded))?; // 1 row
        let outputs = model.encoder.forward(&batch, ForwardOptions::ATTENTIONS)?;
        Ok(Self::new(&model.name, encoded, outputs.attention_arrays()?))
    }
}
// ANCHOR_END: attentions

/// How many texts are read together.
pub(crate) const BATCH: usize = 16;

impl Attentions {
    /// The same for several texts, none of them cut, which are read sixteen at a time.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if a text is empty or too long.
    pub fn of_all(model: &Pretrained, texts: &[&str]) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for texts in texts.chunks(BATCH) {
            let encode = |text| model.tokenizer.encode(text, None, Truncate::Error);
            let encoded = texts.iter().copied().map(encode);
            let encoded = encoded.collect::<Result<Vec<_>, _>>()?;
            let batch = Batch::from_encoded(&encoded)?;
            let outputs = model.encoder.forward(&batch, ForwardOptions::ATTENTIONS)?;
            let layers = outputs.attention_arrays()?; // [batch, heads, n, n] each
            for (row, encoded) in encoded.into_iter().enumerate() {
                let n = encoded.len();
                let own = s![row..=row, .., ..n, ..n]; // without padding
                let own = layers.iter().map(|layer| layer.slice(own).to_owned());
                found.push(Self::new(&model.name, encoded, own.collect()));
            }
        }
        Ok(found)
    }
}

impl Attentions {
    /// Those of a model for a text: one `[1, heads, n, n]` a layer.
    pub fn new(model: &str, text: Encoded, attentions: Vec<Array4<f32>>) -> Self {
        Self {
            model: model.to_owned(),
            tokens: text.tokens,
            ids: text.ids,
            token_type_ids: text.token_type_ids,
            sentence_b_start: text.sentence_b_start,
            attentions,
        }
    }

    /// One head's attention as a matrix, a row for each token that looks and a column
    /// for each that is looked at. `[n, n]`, each row adds up to 1.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Index`] if there is no such layer or head.
    pub fn head(&self, layer: usize, head: usize) -> Result<Array2<f64>> {
        check("layer", layer, self.attentions.len())?;
        let weights = &self.attentions[layer]; // [1, heads, n, n]
        check("head", head, weights.dim().1)?;
        Ok(weights.slice(s![0, head, .., ..]).mapv(f64::from))
    }
}

/// That there is a layer or a head of this number.
pub(crate) fn check(kind: &'static str, index: usize, count: usize) -> Result<()> {
    if index < count {
        return Ok(());
    }
    Err(AttentionsError::Index { kind, index, count })
}
