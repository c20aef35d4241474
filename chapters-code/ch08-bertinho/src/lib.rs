//! Chapter 8: bertinho, a BERT of our own, from the text to the weights.
//!
//! From text to weights: [`corpus`] reads and holds out, [`wordpiece`] makes the
//! vocabulary, [`batches`] cuts and shuffles, [`masking`] hides, [`learner`] learns,
//! [`pretrain`] repeats it with checkpoints, [`evaluate`] and [`heads`] measure what
//! was learned, [`history`] keeps how it went, [`finetune`] makes a classifier of it, and
//! [`export`] writes what `transformers` reads. Chapter 3's `training` has the layers, their
//! first weights and the metrics.
//!
//! Shapes: `batch` sequences of `n` tokens, `d_model` numbers per token.

pub mod batches;
pub mod checkpoint;
pub mod corpus;
mod error;
pub mod evaluate;
pub mod export;
pub mod fast_model;
pub mod fill;
pub mod finetune;
pub mod fixes;
pub mod history;
pub mod learner;
pub mod masking;
pub mod naive_bayes;
pub mod pretrain;
pub mod wordpiece;

/// What each head looks at: chapter 5's measurements, under the name used here.
pub mod heads {
    pub use bert_attention::Attentions;
    pub use bert_attention::profile::{HeadProfile, SpecialIds, profile};
    pub use bert_attention::translation::*;
}

pub use bert_attention::nouns;
pub use corpus::{Corpus, CorpusReport, Pair, Review, Split};
pub use error::{PretrainingError, Result};

use std::path::{Path, PathBuf};

/// The folder of the sample: a few hundred made-up sentences, laid out like the corpora
/// that the shipped models are trained on.
pub fn sample_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample")
}
