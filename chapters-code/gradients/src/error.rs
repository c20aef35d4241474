use std::path::PathBuf;

use thiserror::Error;

/// What can go wrong while training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GradientError {
    /// What candle refuses.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// A parameter that the loss doesn't depend on, or not visibly.
    #[error(
        "the parameter {name} has no gradient: the loss doesn't depend on it, or an \
         operation without a backward pass lies between"
    )]
    NoGradient {
        /// The parameter.
        name: String,
    },
    /// A parameter of another model.
    #[error(
        "the parameter {name} is unknown to the other model, the optimizer or the \
             file: use those of the same model"
    )]
    Unknown {
        /// The parameter.
        name: String,
    },
    /// A gradient that isn't a number.
    #[error(
        "the gradients' norm is {0}: the loss has overflowed; use a lower learning rate"
    )]
    NotFinite(f64),
    /// A file that can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that isn't what it should be.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// A result with this crate's error.
pub type Result<T, E = GradientError> = std::result::Result<T, E>;
