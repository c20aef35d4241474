use std::path::PathBuf;

use thiserror::Error;
use training::TrainingError;

/// What can be wrong with what is given to a model that generates.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// What candle refuses: a tensor that isn't there, or of another shape.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// What chapter 3's code refuses, a setting out of its range above all.
    #[error(transparent)]
    Layer(#[from] TrainingError),
    /// A corpus or a checkpoint that chapter 8's code refuses.
    #[error(transparent)]
    Pretraining(Box<bertinho::PretrainingError>),
    /// A batch, or weights to pack, that chapter 4's code refuses.
    #[error(transparent)]
    Batch(Box<sentiment::EncoderError>),
    /// What the kernels of the packed model refuse.
    #[error(transparent)]
    Kernel(#[from] kernels::KernelError),
    /// A model that can't be found or read.
    #[error(transparent)]
    Models(#[from] hub::ModelError),
    /// A model of another architecture than GPT-2's.
    #[error(
        "{} is of the architecture {found}: this chapter's code reads gpt2, such as gpt2 or \
         distilgpt2",
        path.display()
    )]
    Architecture {
        /// The configuration.
        path: PathBuf,
        /// Its `model_type`.
        found: String,
    },
    /// A prompt without a token.
    #[error("the prompt is empty: give at least one token to go on from")]
    EmptyPrompt,
    /// A token that the model has no vector for.
    #[error(
        "token {id} is not one of the model's {limit}, from 0: use its own tokenizer"
    )]
    Token {
        /// The token.
        id: u32,
        /// How many there are.
        limit: usize,
    },
    /// More tokens than learned positions.
    #[error(
        "{found} tokens, but the model has {limit} positions: shorten the prompt{}",
        if *found == *limit { ", so that there is room for what is to come" } else { "" }
    )]
    TooLong {
        /// How many tokens there would be.
        found: usize,
        /// How many positions there are.
        limit: usize,
    },
    /// A file that isn't what it should be.
    #[error("{} is not {what}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why it isn't.
        reason: String,
    },
}

impl GenerationError {
    /// [`TrainingError::setting`].
    pub(crate) fn setting(
        name: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        TrainingError::setting(name, found, expected).into()
    }
}

impl From<bertinho::PretrainingError> for GenerationError {
    fn from(error: bertinho::PretrainingError) -> Self {
        Self::Pretraining(Box::new(error))
    }
}

impl From<sentiment::EncoderError> for GenerationError {
    fn from(error: sentiment::EncoderError) -> Self {
        Self::Batch(Box::new(error))
    }
}

/// Loading speaks candle's errors.
impl From<GenerationError> for candle_core::Error {
    fn from(error: GenerationError) -> Self {
        match error {
            GenerationError::Tensor(error) => error,
            other => Self::wrap(other),
        }
    }
}

/// A result with this chapter's error.
pub type Result<T, E = GenerationError> = std::result::Result<T, E>;
