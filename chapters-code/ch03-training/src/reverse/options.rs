use serde::Serialize;
use whole_transformer::Activation;

use crate::attention::head_width;
use crate::error::{Result, TrainingError};
use crate::layer_options::LayerOptions;
use crate::linear::WeightInit;

/// The model's sizes and the training's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReverserOptions {
    /// Width of a letter's vector.
    pub d_model: usize,
    /// Heads in each attention.
    pub heads: usize,
    /// Width inside the feed-forward networks.
    pub d_ff: usize,
    /// Layers of the encoder, and of the decoder.
    pub layers: usize,
    /// Strings in a batch, all of one length.
    pub batch: usize,
    /// Steps of training.
    pub steps: u64,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps with a rising learning rate.
    pub warmup: u64,
    /// The seed of everything that is drawn: first weights and strings.
    pub seed: u64,
}

impl Default for ReverserOptions {
    fn default() -> Self {
        Self {
            d_model: 64,
            heads: 2,
            d_ff: 128,
            layers: 1,
            batch: 32,
            steps: 2000,
            learning_rate: 3e-3,
            warmup: 100,
            seed: 42,
        }
    }
}

impl ReverserOptions {
    pub(super) fn validate(&self) -> Result<()> {
        let sizes = [
            ("d_model", self.d_model),
            ("heads", self.heads),
            ("d_ff", self.d_ff),
            ("layers", self.layers),
            ("batch", self.batch),
        ];
        for (name, size) in sizes {
            if size == 0 || size > 4096 {
                return Err(TrainingError::setting(name, size, "from 1 to 4096"));
            }
        }
        let rate = self.learning_rate;
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(TrainingError::setting("learning_rate", rate, "above 0"));
        }
        head_width(self.d_model, self.heads).map(|_| ())
    }

    /// What each layer is made of: no dropout, there are new words at every step.
    pub(super) fn layer(&self) -> LayerOptions {
        LayerOptions {
            d_model: self.d_model,
            heads: self.heads,
            d_ff: self.d_ff,
            activation: Activation::Relu,
            epsilon: 1e-5,
            attention_dropout: 0.0,
            attention_output_dropout: 0.0,
            feed_forward_dropout: 0.0,
            init: WeightInit::Glorot,
        }
    }
}
