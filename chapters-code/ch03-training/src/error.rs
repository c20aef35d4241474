use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with what is given to a layer or a training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// What candle refuses: a tensor that isn't there, or of another shape.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// What the optimizer or a gradient refuses.
    #[error(transparent)]
    Gradients(#[from] gradients::GradientError),
    /// The width can't be shared out among the heads.
    #[error(
        "{heads} heads can't share d_model = {d_model}: \
         the number of heads must be a divisor of d_model"
    )]
    Heads {
        /// How many heads were asked for.
        heads: usize,
        /// The width to share.
        d_model: usize,
    },
    /// A probability of dropout outside of 0..1.
    #[error("a dropout probability of {0}: it must be at least 0 and below 1")]
    Dropout(f64),
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
    /// A file that can't be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`…
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A figure that can't be drawn.
    #[error(transparent)]
    Figure(#[from] figures::FigureError),
}

impl TrainingError {
    /// The error of a file, with what was being done to it.
    pub fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// A setting out of its range: its name, its value, and what it may be.
    #[expect(clippy::needless_pass_by_value, reason = "a number or a literal")]
    pub fn setting(
        name: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Setting { name, found: found.to_string(), expected: expected.into() }
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
