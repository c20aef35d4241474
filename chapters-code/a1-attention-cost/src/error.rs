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
}

impl From<AttentionError> for CostError {
    fn from(error: AttentionError) -> Self {
        Self::Transformer(error.into())
    }
}

/// A result with this appendix's error.
pub type Result<T, E = CostError> = std::result::Result<T, E>;
