use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with what is given to a training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A model, a tensor or a batch that chapter 4's code refuses.
    #[error(transparent)]
    Encoder(#[from] sentiment::EncoderError),
    /// What candle refuses.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// What the optimizer or a gradient refuses.
    #[error(transparent)]
    Gradients(#[from] gradients::GradientError),
    /// A file that can't be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`…
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
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
    /// A setting out of its range.
    #[error("{name} is {found}: it must be {expected}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// A model that learned to infinity.
    #[error(
        "the loss is {loss} at step {step}: the weights have run away; lower the \
         learning rate, or lengthen the warm-up"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// A figure that can't be drawn.
    #[error(transparent)]
    Figure(#[from] figures::FigureError),
}

impl TrainingError {
    /// The error of a file, with what was being done to it.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a number or a literal")]
    pub(crate) fn setting(
        name: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Setting { name, found: found.to_string(), expected: expected.into() }
    }
}

impl From<models::ModelError> for TrainingError {
    fn from(error: models::ModelError) -> Self {
        Self::Encoder(error.into())
    }
}

impl From<tokenizers::Error> for TrainingError {
    fn from(error: tokenizers::Error) -> Self {
        Self::Tokenizer(error.to_string())
    }
}

/// Loading speaks candle's errors.
impl From<TrainingError> for candle_core::Error {
    fn from(error: TrainingError) -> Self {
        match error {
            TrainingError::Tensor(error) => error,
            other => Self::wrap(other),
        }
    }
}

/// A result with this chapter's error.
pub type Result<T, E = TrainingError> = std::result::Result<T, E>;
