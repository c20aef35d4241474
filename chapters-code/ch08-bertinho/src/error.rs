use std::path::PathBuf;

use thiserror::Error;
use training::TrainingError;

/// What can be wrong with what is given to a training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PretrainingError {
    /// What chapter 3's code refuses: a setting, a file, a loss that runs away.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A model or a batch that chapter 4's code refuses.
    #[error(transparent)]
    Encoder(#[from] sentiment::EncoderError),
    /// A folder of corpora that lacks a file.
    #[error(
        "{} has no {file}: --corpora needs a folder with en.txt, pt.txt, \
         tatoeba.en-pt.tsv and sentiment.tsv",
        folder.display()
    )]
    NoFile {
        /// The folder.
        folder: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// A line of a corpus that isn't as it should be.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A tokenizer that can't be trained, or doesn't have what training needs.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
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

impl PretrainingError {
    /// The error of a file, with what was being done to it.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = TrainingError::io(action, path);
        move |source| error(source).into()
    }

    pub(crate) fn setting(
        name: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        TrainingError::setting(name, found, expected).into()
    }
}

impl From<candle_core::Error> for PretrainingError {
    fn from(error: candle_core::Error) -> Self {
        TrainingError::from(error).into()
    }
}

impl From<gradients::GradientError> for PretrainingError {
    fn from(error: gradients::GradientError) -> Self {
        TrainingError::from(error).into()
    }
}

impl From<hub::ModelError> for PretrainingError {
    fn from(error: hub::ModelError) -> Self {
        Self::Encoder(error.into())
    }
}

impl From<tokenizers::Error> for PretrainingError {
    fn from(error: tokenizers::Error) -> Self {
        Self::Tokenizer(error.to_string())
    }
}

/// Loading speaks candle's errors.
impl From<PretrainingError> for candle_core::Error {
    fn from(error: PretrainingError) -> Self {
        match error {
            PretrainingError::Training(error) => error.into(),
            other => Self::wrap(other),
        }
    }
}

/// A result with this chapter's error.
pub type Result<T, E = PretrainingError> = std::result::Result<T, E>;
