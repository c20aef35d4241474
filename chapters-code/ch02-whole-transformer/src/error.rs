use ndarray::ShapeError;
use self_attention::AttentionError;
use thiserror::Error;

/// What can be wrong with what is given to this chapter's functions.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum TransformerError {
    /// A matrix that chapter 1 refuses: empty, not finite, or of the wrong shape.
    #[error(transparent)]
    Matrix(#[from] AttentionError),
    /// A reshape that would lose or invent numbers.
    #[error(transparent)]
    Reshape(#[from] ShapeError),
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
    /// A matrix doesn't have as many rows as another one.
    #[error(
        "{left} {left_shape:?} and {right} {right_shape:?} \
         must have the same number of rows"
    )]
    Rows {
        /// Name of the first matrix.
        left: &'static str,
        /// Its `[rows, columns]`.
        left_shape: [usize; 2],
        /// Name of the second matrix.
        right: &'static str,
        /// Its `[rows, columns]`.
        right_shape: [usize; 2],
    },
    /// A vector that goes with the columns of a matrix has another length.
    #[error(
        "{vector} has {found} numbers, but {matrix} has {expected} columns: \
         they must be as many"
    )]
    Width {
        /// Name of the vector.
        vector: &'static str,
        /// Its length.
        found: usize,
        /// Name of the matrix.
        matrix: &'static str,
        /// How many columns the matrix has.
        expected: usize,
    },
    /// A mask that doesn't have one row per query and one column per key.
    #[error(
        "the mask has shape {found:?}: with {} queries and {} keys it must be \
         {expected:?}",
        expected[0], expected[1]
    )]
    MaskShape {
        /// The mask's `[rows, columns]`.
        found: [usize; 2],
        /// `[queries, keys]`.
        expected: [usize; 2],
    },
    /// A mask holds NaN or +∞.
    #[error(
        "mask[{row}, {column}] is {value}: use 0 to show a key to a query and −∞ to \
         hide it"
    )]
    MaskValue {
        /// The query.
        row: usize,
        /// The key.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A sequence without tokens.
    #[error("the {sequence} has no tokens: give at least one")]
    NoTokens {
        /// Which sequence: source or target.
        sequence: &'static str,
    },
    /// A token that the vocabulary doesn't have.
    #[error(
        "token {token} at position {position} is not in the vocabulary: \
         it has {vocabulary} tokens, from 0"
    )]
    Token {
        /// The token.
        token: usize,
        /// Where it is in its sequence.
        position: usize,
        /// How many tokens there are.
        vocabulary: usize,
    },
    /// More tokens than learned positions.
    #[error(
        "{found} tokens, but positions were learned for {limit}: give fewer tokens"
    )]
    TooLong {
        /// How many tokens were given.
        found: usize,
        /// How many positions there are.
        limit: usize,
    },
    /// Learned positions of another width than the words'.
    #[error("the learned positions are {found} wide, but the words are {d_model}")]
    PositionWidth {
        /// Width of the positions.
        found: usize,
        /// Width of the words.
        d_model: usize,
    },
    /// PyTorch's stacked query, key and value don't have the shapes they should.
    #[error(
        "in_proj_weight {weight:?} and in_proj_bias [{bias}] don't stack three square \
         matrices: they must be [3 · d_model, d_model] and [3 · d_model]"
    )]
    InProj {
        /// `[rows, columns]` of the weight.
        weight: [usize; 2],
        /// Length of the bias.
        bias: usize,
    },
    /// A residual connection around something that changes the shape.
    #[error(
        "a residual can't add {found:?} to {expected:?}: what it goes around must keep \
         the shape"
    )]
    Residual {
        /// `[rows, columns]` of what came out.
        found: [usize; 2],
        /// `[rows, columns]` of what went in.
        expected: [usize; 2],
    },
}

/// A result with this chapter's error.
pub type Result<T, E = TransformerError> = std::result::Result<T, E>;
