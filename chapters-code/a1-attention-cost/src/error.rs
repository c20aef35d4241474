use self_attention::AttentionError;
use thiserror::Error;
use whole_transformer::TransformerError;

/// What can be wrong with what is given to this appendix's functions.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CostError {
    /// A matrix or a mask that chapter 2 refuses.
    #[error(transparent)]
    Transformer(#[from] TransformerError),
    /// Blocks without rows.
    #[error("the block size is 0: give at least 1")]
    BlockSize,
    /// A recurrence whose matrix doesn't fit its words.
    #[error(
        "U has shape {found:?}, but words of {expected} numbers need [{expected}, {expected}]"
    )]
    Recurrence {
        /// The matrix' `[rows, columns]`.
        found: [usize; 2],
        /// Numbers per word.
        expected: usize,
    },
    /// Nobody to do the work.
    #[error("the number of threads is 0: give at least 1")]
    Threads,
}

impl From<AttentionError> for CostError {
    fn from(error: AttentionError) -> Self {
        Self::Transformer(error.into())
    }
}

/// A result with this appendix's error.
pub type Result<T, E = CostError> = std::result::Result<T, E>;
