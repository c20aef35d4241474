//! The model under every task: embeddings and a stack of layers.

use candle_core::DType;
use candle_nn::VarBuilder;
use hub::{Architecture, Config, ModelFolder};

use crate::batch::Batch;
use crate::embeddings::Embeddings;
use crate::encoder::{Encoder, EncoderOutput, ForwardOptions};
use crate::error::Result;
use crate::layers::{BERT, DISTILBERT, layer_options};

// ANCHOR: base_model
/// Embeddings and a stack of layers: transformers' `BertModel`, without its pooler, and
/// its `DistilBertModel`.
///
/// BERT differs from DistilBERT in what it is given (each token's sentence, A or B), in
/// how many layers it has, and in the names of its weights.
#[derive(Debug, Clone)]
pub struct BaseModel {
    /// From numbers to vectors: of pieces, positions and, in BERT, sentences.
    pub embeddings: Embeddings,
    /// The layers.
    pub encoder: Encoder,
}

impl BaseModel {
    /// The model at `vb`, under the names that its architecture gives to the weights.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`; if a tensor is missing or of another shape.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (encoder, names) = match config.architecture {
            Architecture::Bert => ("encoder.layer", BERT),
            Architecture::DistilBert => ("transformer.layer", DISTILBERT),
        };
        let (layers, options) = (config.num_hidden_layers, layer_options(config));
        Ok(Self {
            embeddings: Embeddings::load(&vb.pp("embeddings"), config)?,
            encoder: Encoder::load(&vb.pp(encoder), layers, &names, &options)?,
        })
    }

    /// The last vectors of a batch's tokens, and what `options` ask for.
    pub fn forward(
        &self,
        batch: &Batch,
        options: ForwardOptions,
    ) -> Result<EncoderOutput> {
        let x = self.embeddings.forward(batch, options.dropout)?; // [batch, n, d_model]
        let mask = batch.additive_mask(x.dtype(), x.device())?; // [batch, 1, 1, n]
        self.encoder.forward(x, mask.as_ref(), options)
    }
}
// ANCHOR_END: base_model

impl BaseModel {
    /// The model in a folder, in f32: a BERT's or a DistilBERT's.
    ///
    /// # Errors
    ///
    /// If its files can't be read or lack a tensor.
    pub fn open(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config()?;
        let base = config.architecture.prefix();
        Ok(hub::load(folder, DType::F32, |vb| Self::load(&vb.pp(base), &config))?)
    }
}
