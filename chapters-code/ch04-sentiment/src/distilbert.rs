//! DistilBERT (Sanh et al. 2019) with its head for classification.

use candle_core::{DType, IndexOp, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use hub::{Config, ModelFolder};
use training::linear::linear;
use training::{Dropout, DropoutRng, WeightInit};

use crate::base::BaseModel;
use crate::batch::Batch;
use crate::encoder::{EncoderOutput, ForwardOptions};
use crate::error::Result;

// ANCHOR: classification_head
/// Two linear layers on what `[CLS]` became: a number for each label.
#[derive(Debug, Clone)]
pub struct ClassificationHead {
    /// `d_model -> d_model`, before the nonlinearity.
    pub pre_classifier: Linear,
    /// `d_model -> labels`.
    pub classifier: Linear,
    /// Between the two, while training.
    pub dropout: Dropout,
}

impl ClassificationHead {
    /// From the tokens' last vectors to a number for each label:
    /// `[batch, n, d_model] -> [batch, labels]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if `last_hidden_state` has another width.
    pub fn forward(
        &self,
        last_hidden_state: &Tensor,
        rng: Option<&DropoutRng>,
    ) -> Result<Tensor> {
        let cls = last_hidden_state.i((.., 0))?; // [batch, d_model]
        let hidden = self.pre_classifier.forward(&cls)?.relu()?; // [batch, d_model]
        let hidden = self.dropout.forward(&hidden, rng)?;
        Ok(self.classifier.forward(&hidden)?) // [batch, labels]
    }
}
// ANCHOR_END: classification_head

// ANCHOR: classification
/// DistilBERT and its head: transformers' `DistilBertForSequenceClassification`.
#[derive(Debug, Clone)]
pub struct DistilBertForSequenceClassification {
    /// The tokens' vectors.
    pub distilbert: BaseModel,
    /// The labels' numbers.
    pub head: ClassificationHead,
}

/// What a classifier computes.
#[derive(Debug, Clone)]
pub struct ClassifierOutput {
    /// A number for each label, before softmax, `[batch, labels]`.
    pub logits: Tensor,
    /// What the encoder computed on the way.
    pub encoder: EncoderOutput,
}

impl DistilBertForSequenceClassification {
    /// A number for each label, for each text.
    pub fn forward(
        &self,
        batch: &Batch,
        options: ForwardOptions,
    ) -> Result<ClassifierOutput> {
        let encoder = self.distilbert.forward(batch, options)?;
        let logits = self.head.forward(&encoder.last_hidden_state, options.dropout)?;
        Ok(ClassifierOutput { logits, encoder })
    }
}
// ANCHOR_END: classification

impl DistilBertForSequenceClassification {
    /// The model in a folder, in f32.
    ///
    /// # Errors
    ///
    /// If its files can't be read or lack a tensor.
    pub fn open(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config()?;
        Ok(hub::load(folder, DType::F32, |vb| Self::load(&vb, &config))?)
    }

    /// The model at `vb`: `distilbert`, `pre_classifier` and `classifier`.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (d_model, labels) = (config.hidden_size, config.num_labels());
        let init = WeightInit::BERT;
        Ok(Self {
            distilbert: BaseModel::load(&vb.pp("distilbert"), config)?,
            head: ClassificationHead {
                pre_classifier: linear(
                    &vb.pp("pre_classifier"),
                    d_model,
                    d_model,
                    init,
                )?,
                classifier: linear(&vb.pp("classifier"), d_model, labels, init)?,
                dropout: Dropout::new(config.classifier_dropout)?,
            },
        })
    }
}
