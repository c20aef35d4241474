//! BERT (Devlin et al. 2019), with its attentions.

use candle_core::{IndexOp, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use models::Config;
use sentiment::linear::linear;
use sentiment::{
    Batch, Embeddings, Encoder, EncoderOutput, LayerNames, LayerOptions, Result, Run,
};

// ANCHOR: bert
/// BERT: embeddings and a stack of layers. transformers' `BertModel`, without its
/// pooler.
///
/// It differs from chapter 3's DistilBERT in what it is given (each token's sentence,
/// A or B), in how many layers it has, and in the names of its weights.
#[derive(Debug, Clone)]
pub struct Bert {
    /// From numbers to vectors: of pieces, positions and sentences.
    pub embeddings: Embeddings,
    /// The layers.
    pub encoder: Encoder,
}

impl Bert {
    /// The last vectors of a batch's tokens, and what `run` asks for.
    ///
    /// # Errors
    ///
    /// Those of [`Embeddings::forward`].
    pub fn forward(&self, batch: &Batch, run: Run) -> Result<EncoderOutput> {
        let x = self.embeddings.forward(batch, run.dropout)?; // [rows, n, d_model]
        let mask = batch.additive_mask(x.dtype(), x.device())?; // [rows, 1, 1, n]
        self.encoder.forward(x, mask.as_ref(), run)
    }
}
// ANCHOR_END: bert

impl Bert {
    /// The model at `vb`.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`, or a tensor is missing or has another shape.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (layers, options) = (config.num_hidden_layers, LayerOptions::from(config));
        let encoder = vb.pp("encoder.layer");
        Ok(Self {
            embeddings: Embeddings::load(&vb.pp("embeddings"), config)?,
            encoder: Encoder::load(&encoder, layers, &LayerNames::BERT, &options)?,
        })
    }
}

/// `[CLS]`'s last vector through a linear layer and `tanh`: transformers' `BertPooler`.
#[derive(Debug, Clone)]
pub struct Pooler {
    /// `d_model -> d_model`.
    pub dense: Linear,
}

impl Pooler {
    /// One vector a text: `[rows, n, d_model] -> [rows, d_model]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](sentiment::EncoderError) if `last_hidden_state` has another
    /// width.
    pub fn forward(&self, last_hidden_state: &Tensor) -> Result<Tensor> {
        let cls = last_hidden_state.i((.., 0))?; // [rows, d_model]
        Ok(self.dense.forward(&cls)?.tanh()?)
    }
}

impl Pooler {
    /// The pooler at `vb`.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or has another shape.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let d_model = config.hidden_size;
        Ok(Self { dense: linear(&vb.pp("dense"), d_model, d_model)? })
    }
}
