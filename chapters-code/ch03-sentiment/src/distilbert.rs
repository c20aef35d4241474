//! DistilBERT (Sanh et al. 2019), and its head for classification.

use candle_core::{DType, IndexOp, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use models::{Config, ModelFolder};

use crate::encoder::{Encoder, EncoderOutput, LayerNames, LayerOptions, Run};
use crate::{Batch, Dropout, Embeddings, Noise, Result, linear::linear};

/// DistilBERT: embeddings and a stack of layers. transformers' `DistilBertModel`.
#[derive(Debug, Clone)]
pub struct DistilBert {
    /// From numbers to vectors.
    pub embeddings: Embeddings,
    /// The layers.
    pub encoder: Encoder,
}

impl DistilBert {
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

// ANCHOR: classification
/// Two linear layers on what `[CLS]` became: a number for each label.
#[derive(Debug, Clone)]
pub struct ClassificationHead {
    /// `d_model -> d_model`, before the bend.
    pub pre_classifier: Linear,
    /// `d_model -> labels`.
    pub classifier: Linear,
    /// Between the two, while training.
    pub dropout: Dropout,
}

impl ClassificationHead {
    /// From the tokens' last vectors to a number for each label:
    /// `[rows, n, d_model] -> [rows, labels]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if `last_hidden_state` has another width.
    pub fn forward(
        &self,
        last_hidden_state: &Tensor,
        noise: Option<&Noise>,
    ) -> Result<Tensor> {
        let cls = last_hidden_state.i((.., 0))?; // [rows, d_model]
        let hidden = self.pre_classifier.forward(&cls)?.relu()?; // [rows, d_model]
        let hidden = self.dropout.forward(&hidden, noise)?;
        Ok(self.classifier.forward(&hidden)?) // [rows, labels]
    }
}

/// DistilBERT and its head: transformers' `DistilBertForSequenceClassification`.
#[derive(Debug, Clone)]
pub struct DistilBertForSequenceClassification {
    /// The tokens' vectors.
    pub distilbert: DistilBert,
    /// The labels' numbers.
    pub head: ClassificationHead,
}

/// What a classifier computes.
#[derive(Debug, Clone)]
pub struct ClassifierOutput {
    /// A number for each label, before softmax, `[rows, labels]`.
    pub logits: Tensor,
    /// What the encoder computed on the way.
    pub encoder: EncoderOutput,
}

impl DistilBertForSequenceClassification {
    /// A number for each label, for each text.
    ///
    /// # Errors
    ///
    /// Those of [`DistilBert::forward`].
    pub fn forward(&self, batch: &Batch, run: Run) -> Result<ClassifierOutput> {
        let encoder = self.distilbert.forward(batch, run)?;
        let logits = self.head.forward(&encoder.last_hidden_state, run.dropout)?;
        Ok(ClassifierOutput { logits, encoder })
    }
}
// ANCHOR_END: classification

impl DistilBert {
    /// The model at `vb`.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`, or a tensor is missing or has another shape.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (layers, options) = (config.num_hidden_layers, LayerOptions::from(config));
        let encoder = vb.pp("transformer.layer");
        Ok(Self {
            embeddings: Embeddings::load(&vb.pp("embeddings"), config)?,
            encoder: Encoder::load(
                &encoder,
                layers,
                &LayerNames::DISTILBERT,
                &options,
            )?,
        })
    }
}

impl DistilBertForSequenceClassification {
    /// The model in a folder, in f32.
    ///
    /// # Errors
    ///
    /// If its files can't be read or lack a tensor.
    pub fn open(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config()?;
        Ok(models::load(folder, DType::F32, |vb| Self::load(&vb, &config))?)
    }

    /// The model at `vb`: `distilbert`, `pre_classifier` and `classifier`.
    ///
    /// # Errors
    ///
    /// Those of [`DistilBert::load`].
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (d_model, labels) = (config.hidden_size, config.num_labels());
        Ok(Self {
            distilbert: DistilBert::load(&vb.pp("distilbert"), config)?,
            head: ClassificationHead {
                pre_classifier: linear(&vb.pp("pre_classifier"), d_model, d_model)?,
                classifier: linear(&vb.pp("classifier"), d_model, labels)?,
                dropout: Dropout::new(config.classifier_dropout)?,
            },
        })
    }
}
