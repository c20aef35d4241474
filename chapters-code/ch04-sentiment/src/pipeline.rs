//! From a text to a label, in one call.

use candle_core::{IndexOp, Tensor};
use candle_nn::ops::sigmoid;
use hub::{Architecture, Encoded, ModelFolder, ProblemType, Truncate};
use serde::Serialize;
use training::softmax;

use crate::batch::Batch;
use crate::distilbert::{ClassificationHead, DistilBertForSequenceClassification};
use crate::encoder::ForwardOptions;
use crate::error::{EncoderError, Result};
use crate::pretrained::Pretrained;

/// How many texts go through the model at once.
const BATCH: usize = 16;

// ANCHOR: pipeline
/// From texts to labels: transformers' `pipeline("sentiment-analysis")`.
#[derive(Debug)]
pub struct SentimentPipeline {
    /// From texts to vectors.
    pub model: Pretrained,
    /// From vectors to a number for each label.
    pub head: ClassificationHead,
}

/// What the pipeline says of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sentiment {
    /// The text.
    pub text: String,
    /// The likeliest label.
    pub label: String,
    /// Its share of the softmax, 0 to 1; or what [`SentimentPipeline::scores`] says.
    pub score: f32,
    /// The pieces that the model read.
    pub tokens: Vec<String>,
}
// ANCHOR_END: pipeline

// ANCHOR: classify
impl SentimentPipeline {
    /// A label and its score for each text.
    ///
    /// # Errors
    ///
    /// [`EncoderError::Models`] if a text is empty, or too long and not to be
    /// truncated.
    pub fn classify(
        &self,
        texts: &[&str],
        truncate: Truncate,
    ) -> Result<Vec<Sentiment>> {
        let mut sentiments = Vec::new();
        for texts in texts.chunks(BATCH) {
            let alone: Vec<_> = texts.iter().map(|&text| (text, None)).collect();
            let encoded = self.model.tokenizer.encode_batch(&alone, truncate)?;
            let batch = Batch::from_encoded(&encoded)?;
            let scores = self.scores(&self.logits(&batch)?)?; // [batch, labels]
            for (row, (text, encoded)) in texts.iter().zip(&encoded).enumerate() {
                let best: u32 = scores.i(row)?.argmax(0)?.to_scalar()?;
                let best = usize::try_from(best).unwrap_or_default();
                sentiments.push(Sentiment {
                    text: (*text).to_owned(),
                    label: self.model.config.id2label[best].clone(),
                    score: scores.i((row, best))?.to_scalar()?,
                    tokens: visible(encoded),
                });
            }
        }
        Ok(sentiments)
    }

    /// A number for each label, before softmax, `[batch, labels]`.
    pub fn logits(&self, batch: &Batch) -> Result<Tensor> {
        let encoded = self.model.encoder.forward(batch, ForwardOptions::default())?;
        self.head.forward(&encoded.last_hidden_state, None)
    }
}
// ANCHOR_END: classify

impl SentimentPipeline {
    /// From logits to scores, `[batch, labels]` both: shares of a softmax if one label of
    /// several is right, a sigmoid for each if each is right or not on its own, or is the
    /// only one, and the numbers themselves if they are the answer.
    ///
    /// # Errors
    ///
    /// [`EncoderError::Tensor`] if `logits` has no labels.
    pub fn scores(&self, logits: &Tensor) -> Result<Tensor> {
        let config = &self.model.config;
        Ok(match (config.problem_type, config.num_labels()) {
            (Some(ProblemType::Regression), _) => logits.clone(),
            (Some(ProblemType::MultiLabel), _) | (_, 1) => sigmoid(logits)?,
            _ => softmax(logits)?,
        })
    }
}

impl SentimentPipeline {
    /// The logits of texts that are numbers already, of any lengths, one list each.
    pub fn logits_of(&self, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let pad = self.model.tokenizer.token_to_id("[PAD]").unwrap_or(0);
        let mut logits = Vec::new();
        for texts in texts.chunks(BATCH) {
            let batch = Batch::padded(texts, pad)?;
            logits.extend(self.logits(&batch)?.to_vec2::<f32>()?);
        }
        Ok(logits)
    }

    /// Reads the folder's tokenizer and weights.
    ///
    /// # Errors
    ///
    /// [`EncoderError::Models`] if they can't be read or don't fit together,
    /// [`EncoderError::NotDistilBert`] if the model is of another kind.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config()?;
        let model = folder.name.clone();
        if config.architecture != Architecture::DistilBert {
            return Err(EncoderError::NotDistilBert { model });
        }
        let DistilBertForSequenceClassification { distilbert, head } =
            DistilBertForSequenceClassification::open(folder)?;
        Ok(Self { model: Pretrained::with(folder, distilbert)?, head })
    }
}

/// The tokens that aren't padding.
fn visible(encoded: &Encoded) -> Vec<String> {
    let shown = encoded.tokens.iter().zip(&encoded.attention_mask);
    shown.filter(|&(_, &mask)| mask == 1).map(|(token, _)| token.clone()).collect()
}
