//! Chapter 9: generation. A Transformer of decoder layers alone, and what is made of its guesses.
//!
//! [`config`] and [`weights`] read any checkpoint of GPT-2's architecture, [`gpt`] is the model on
//! chapter 3's layers, with a [`cache`] of keys and values, [`tokenizer`] goes from text to numbers
//! and back. [`filter`] changes what is likely, [`mod@generate`] chooses token after token, and [`beam`]
//! looks for the likeliest text; [`packed`] does
//! the same at speed; [`guess`] shows what was likely. [`texts`], [`blocks`], [`fast`] and
//! [`pretrain`] train one, [`mod@evaluate`], [`mod@translate`] and [`recite`] measure it, [`measures`]
//! keeps what they found, and [`mod@export`] writes what `transformers` reads. [`induction`] has the
//! smallest models that can go on with what they have read.
//!
//! Shapes: `batch` sequences of `n` new tokens, `m` tokens in all with those in the cache, `d_model`
//! numbers per token, `heads` heads of `d_k = d_model / heads` each.

pub mod beam;
pub mod blocks;
pub mod cache;
pub mod config;
mod error;
pub mod evaluate;
pub mod export;
pub mod fast;
pub mod filter;
pub mod generate;
pub mod gpt;
pub mod guess;
pub mod induction;
pub mod measures;
pub mod packed;
pub mod pretrain;
pub mod recite;
pub mod texts;
pub mod tokenizer;
pub mod translate;
pub mod weights;

pub use beam::{BeamOptions, Hypothesis, beam_search};
pub use cache::Cache;
pub use config::GptConfig;
pub use error::{GenerationError, Result};
pub use filter::Filters;
pub use generate::{Decoder, GenerateOptions, Generated, Stop, generate};
pub use gpt::{Gpt, GptOutput, left_padded};
pub use guess::{Guess, Place};
pub use packed::PackedGpt;
pub use tokenizer::TextTokenizer;

use hub::ModelFolder;

/// A tokenizer and a model that were made for each other.
#[derive(Debug)]
pub struct Pretrained {
    /// The name or folder that was asked for.
    pub name: String,
    /// What the model is made of.
    pub config: GptConfig,
    /// From text to numbers and back.
    pub tokenizer: TextTokenizer,
    /// From numbers to guesses.
    pub model: Gpt,
}

impl Pretrained {
    /// Reads a folder's configuration, tokenizer and weights, the weights as f32.
    ///
    /// # Errors
    ///
    /// If a file can't be read, is of another architecture, or they don't fit together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let config = GptConfig::from_folder(&folder.path)?;
        let tokenizer = TextTokenizer::from_folder(&folder.path, &config)?;
        let tensors = weights::read(&folder.checkpoint()?, &config)?;
        let model =
            training::parameters::model(&tensors, |vb| Gpt::load(&vb, &config))?;
        Ok(Self { name: folder.name.clone(), config, tokenizer, model })
    }
}
