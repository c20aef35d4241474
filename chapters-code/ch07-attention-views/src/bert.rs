//! From chapter 5's BERT to a view.

use bert_attention::{Attentions, AttentionsError};
use hub::{ModelFolder, Tokenizer, Truncate};
use ndarray::Array4;
use sentiment::vectors::array4;
use sentiment::{BaseModel, Batch, EncoderError, ForwardOptions};

use crate::error::Result;
use crate::stack::{Stack, ToStack};

impl ToStack for Attentions {
    fn to_stack(&self, what: &'static str) -> Result<Stack> {
        self.attentions.to_stack(what)
    }
}

/// A model that also tells what each head computed on its way to the attention: chapter
/// 4's encoder, tensor by tensor.
#[derive(Debug)]
pub struct OpenModel {
    /// The name or folder that was asked for.
    pub name: String,
    tokenizer: Tokenizer,
    base: BaseModel,
}

/// A text's attentions, and the queries and keys that they came from.
#[derive(Debug, Clone)]
pub struct QueriesAndKeys {
    /// The attentions and the tokens.
    pub attentions: Attentions,
    /// For each layer, `[1, heads, n, d_k]`.
    pub queries: Vec<Array4<f32>>,
    /// For each layer, `[1, heads, n, d_k]`.
    pub keys: Vec<Array4<f32>>,
}

impl OpenModel {
    /// Reads the folder's tokenizer and weights: a BERT's or a DistilBERT's.
    ///
    /// # Errors
    ///
    /// [`ViewError::Model`](crate::ViewError::Model) if they can't be read or don't fit
    /// together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let tokenizer = folder.tokenizer().map_err(AttentionsError::from)?;
        let base = BaseModel::open(folder).map_err(AttentionsError::from)?;
        Ok(Self { name: folder.name.clone(), tokenizer, base })
    }

    /// The queries, keys and attentions of `[CLS] text [SEP]`, or of
    /// `[CLS] text [SEP] pair [SEP]`.
    ///
    /// # Errors
    ///
    /// [`ViewError::Model`](crate::ViewError::Model) if a text is empty, or too long and
    /// not to be truncated.
    pub fn open(
        &self,
        text: &str,
        pair: Option<&str>,
        truncate: Truncate,
    ) -> Result<QueriesAndKeys> {
        let encoded = self.tokenizer.encode(text, pair, truncate);
        let encoded = encoded.map_err(AttentionsError::from)?;
        let [attentions, queries, keys] =
            self.pass(&encoded).map_err(AttentionsError::from)?;
        let attentions = Attentions::new(&self.name, encoded, attentions);
        Ok(QueriesAndKeys { attentions, queries, keys })
    }

    /// The attentions, queries and keys. A layer's queries and keys come from the vectors
    /// that went into it, which the encoder keeps when asked: it needs no change.
    fn pass(
        &self,
        encoded: &hub::Encoded,
    ) -> Result<[Vec<Array4<f32>>; 3], EncoderError> {
        let batch = Batch::from_encoded(std::slice::from_ref(encoded))?; // 1 row
        let run =
            ForwardOptions { output_hidden_states: true, ..ForwardOptions::ATTENTIONS };
        let mut output = self.base.forward(&batch, run)?;
        let states = output.hidden_states.take().unwrap_or_default();
        let (mut queries, mut keys) = (Vec::new(), Vec::new());
        for (layer, x) in self.base.encoder.layers.iter().zip(&states) {
            let [q, k] = layer.attention.queries_and_keys(x)?; // [1, heads, n, d_k]
            queries.push(array4(&q)?);
            keys.push(array4(&k)?);
        }
        Ok([output.attention_arrays()?, queries, keys])
    }
}
