//! From chapter 4's BERT to a view.

use bert_attention::{Attentions, AttentionsError, embeddings_and_encoder};
use candle_core::Tensor;
use models::{Config, ModelFolder, Tokenizer, Truncate};
use sentiment::attention::split_heads;
use sentiment::{Batch, Embeddings, Encoder, EncoderError, Run};

use crate::{Layer, Result, Stack, ToLayer, ToStack, ViewError};

/// `[1, heads, n, m]`, as models give it, or `[heads, n, m]`.
impl ToLayer for Tensor {
    fn to_layer(&self, what: &'static str, layer: usize) -> Result<Layer> {
        let shape = match *self.dims() {
            [1, heads, rows, columns] | [heads, rows, columns] => {
                [heads, rows, columns]
            }
            _ => {
                let found = format!("{:?}", self.dims());
                return Err(ViewError::Batch { what, layer, found });
            }
        };
        let values = self.to_dtype(candle_core::DType::F32)?;
        Ok(Layer { shape, values: values.flatten_all()?.to_vec1()? })
    }
}

impl ToStack for Attentions {
    fn to_stack(&self, what: &'static str) -> Result<Stack> {
        self.attentions.to_stack(what)
    }
}

/// A model that also tells what each head computed on its way to the attention: chapter
/// 3's encoder, tensor by tensor.
#[derive(Debug)]
pub struct OpenModel {
    /// The name or folder that was asked for.
    pub name: String,
    /// What the model is made of.
    pub config: Config,
    tokenizer: Tokenizer,
    embeddings: Embeddings,
    encoder: Encoder,
}

/// A text's attentions, and the queries and keys that they came from.
#[derive(Debug, Clone)]
pub struct QueriesAndKeys {
    /// The attentions and the tokens.
    pub attentions: Attentions,
    /// For each layer, `[1, heads, n, d_k]`.
    pub queries: Vec<Tensor>,
    /// For each layer, `[1, heads, n, d_k]`.
    pub keys: Vec<Tensor>,
}

impl OpenModel {
    /// Reads the folder's tokenizer and weights: a BERT's or a DistilBERT's.
    ///
    /// # Errors
    ///
    /// [`ViewError::Model`] if they can't be read or don't fit together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config().map_err(AttentionsError::from)?;
        let tokenizer = folder.tokenizer().map_err(AttentionsError::from)?;
        let (embeddings, encoder) = embeddings_and_encoder(folder)?;
        Ok(Self { name: folder.name.clone(), config, tokenizer, embeddings, encoder })
    }

    /// The queries, keys and attentions of `[CLS] text [SEP]`, or of
    /// `[CLS] text [SEP] pair [SEP]`.
    ///
    /// # Errors
    ///
    /// [`ViewError::Model`] if a text is empty, or too long and not to be truncated.
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
        let attentions = Attentions {
            model: self.name.clone(),
            tokens: encoded.tokens,
            ids: encoded.ids,
            token_type_ids: encoded.token_type_ids,
            sentence_b_start: encoded.sentence_b_start,
            attentions,
        };
        Ok(QueriesAndKeys { attentions, queries, keys })
    }

    /// The attentions, queries and keys. A layer's queries and keys come from the vectors
    /// that went into it, which the encoder keeps when asked: it needs no change.
    fn pass(
        &self,
        encoded: &models::Encoded,
    ) -> Result<[Vec<Tensor>; 3], EncoderError> {
        let batch = Batch::from_encoded(std::slice::from_ref(encoded))?; // 1 row
        let x = self.embeddings.forward(&batch, None)?; // [1, n, d_model]
        let mask = batch.additive_mask(x.dtype(), x.device())?;
        let run = Run { output_hidden_states: true, ..Run::ATTENTIONS };
        let output = self.encoder.forward(x, mask.as_ref(), run)?;
        let states = output.hidden_states.unwrap_or_default();
        let (mut queries, mut keys) = (Vec::new(), Vec::new());
        for (layer, x) in self.encoder.layers.iter().zip(&states) {
            let heads = layer.attention.heads;
            // [1, n, d_model] -> [1, heads, n, d_k]
            let split = |linear: &candle_nn::Linear| {
                split_heads(&candle_nn::Module::forward(linear, x)?, heads)
            };
            queries.push(split(&layer.attention.query)?);
            keys.push(split(&layer.attention.key)?);
        }
        Ok([output.attentions.unwrap_or_default(), queries, keys])
    }
}
