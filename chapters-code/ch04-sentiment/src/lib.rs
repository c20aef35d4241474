//! Chapter 4: sentiment, from the text to the label.
//!
//! Chapter 3's encoder layer with the weights of real checkpoints: DistilBERT (Sanh et al. 2019) and its head for classification, equal to
//! Python's `transformers`. BERT (chapter 5) has the same layer under other names.
//!
//! Shapes: `batch` texts of `n` tokens, `d_model` numbers per
//! token, `heads` heads of `d_k = d_model / heads` each, `d_ff` numbers inside the
//! feed-forward network. All is f32 on the CPU unless the weights are given otherwise,
//! and gradients flow through all of it: chapter 8 trains these models.
//!
//! How much of a measurement may be luck is asked of [`statistics`], here and in the later
//! chapters.
//!
//! ```no_run
//! use hub::{HubOptions, Truncate};
//! use sentiment::SentimentPipeline;
//!
//! let folder = hub::resolve("bertinho-sentiment", &HubOptions::from_env())?;
//! let pipeline = SentimentPipeline::load(&folder)?;
//! let found = pipeline.classify(&["I love this movie!"], Truncate::Error)?;
//! println!("{} {:.3}", found[0].label, found[0].score);
//! # Ok::<(), sentiment::EncoderError>(())
//! ```

pub mod attribution;
pub mod base;
pub mod batch;
pub mod calibration;
pub mod distilbert;
pub mod embeddings;
pub mod encoder;
mod error;
pub mod layers;
pub mod packed;
pub mod pipeline;
pub mod pretrained;
pub mod sentences;
pub mod statistics;
pub mod vectors;
pub mod wordpiece;

pub use base::BaseModel;
pub use batch::Batch;
pub use distilbert::{
    ClassificationHead, ClassifierOutput, DistilBertForSequenceClassification,
};
pub use embeddings::Embeddings;
pub use encoder::{Encoder, EncoderOutput, ForwardOptions, Head};
pub use error::{EncoderError, Result};
pub use packed::PackedEncoder;
pub use pipeline::{Sentiment, SentimentPipeline};
pub use pretrained::Pretrained;

/// What the notebook's cells need of the libraries below: they name this crate alone,
/// which is compiled before they run.
pub use candle_core::{IndexOp, Tensor};
pub use hub::{Config, Encoded, HubOptions, ModelFolder, Tokenizer, Truncate, resolve};
pub use training::{EncoderLayer, EncoderLayerOutput, LayerNorm, softmax};
