use kernels::{IsaError, KernelError};
use rayon::ThreadPoolBuildError;
use thiserror::Error;

/// What can be wrong with what is given to this appendix's functions.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FastError {
    /// Rows whose length the tiles can't cut into blocks.
    #[error("k is {0}: give a multiple of 64 above 0")]
    Depth(usize),
    /// Values that aren't whole rows.
    #[error("{what} has {found} values: give whole rows of {k}, at least one")]
    Rows {
        /// Which values.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The length of a row.
        k: usize,
    },
    /// Two lists that should be of one length.
    #[error(
        "a sum of products of {0} numbers with {1}: give as many of one as of the other"
    )]
    Lengths(usize, usize),
    /// Blocks without numbers.
    #[error("the block size is 0: give at least 1")]
    BlockSize,
    /// The variable that chooses the instructions names others than there are.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// What the kernels refuse.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The system gives no thread.
    #[error(transparent)]
    Pool(#[from] ThreadPoolBuildError),
}

/// A result with this appendix's error.
pub type Result<T, E = FastError> = std::result::Result<T, E>;
