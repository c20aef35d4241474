use ndarray::Array2;
use thiserror::Error;

/// What can be wrong with the matrices given to this chapter's functions.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AttentionError {
    /// The inner dimensions of a matrix product differ.
    #[error(
        "cannot multiply {left} {left_shape:?} by {right} {right_shape:?}: \
         the columns of the first ({}) must be as many as the rows of the second ({})",
        left_shape[1], right_shape[0]
    )]
    Shapes {
        /// Name of the matrix on the left.
        left: &'static str,
        /// Its `[rows, columns]`.
        left_shape: [usize; 2],
        /// Name of the matrix on the right.
        right: &'static str,
        /// Its `[rows, columns]`.
        right_shape: [usize; 2],
    },
    /// A matrix has no rows or no columns.
    #[error(
        "{matrix} is empty (shape {shape:?}): give at least one row and one column"
    )]
    Empty {
        /// Name of the matrix.
        matrix: &'static str,
        /// Its `[rows, columns]`.
        shape: [usize; 2],
    },
    /// The scores are too large for an `f64`.
    #[error(
        "score [{row}, {column}] is {value}: the embeddings or the weight matrices are too \
         large for an f64; scale them down"
    )]
    Overflow {
        /// Row of the first such score.
        row: usize,
        /// Its column.
        column: usize,
        /// The score: an infinity or NaN.
        value: f64,
    },
    /// A matrix holds NaN or an infinity where only finite numbers make sense.
    #[error(
        "{matrix}[{row}, {column}] is {value}: every value must be a finite number"
    )]
    NotFinite {
        /// Name of the matrix.
        matrix: &'static str,
        /// Row of the first such value.
        row: usize,
        /// Column of the first such value.
        column: usize,
        /// The value.
        value: f64,
    },
}

/// Checks that a matrix has values, and that all of them are finite.
///
/// # Errors
///
/// [`AttentionError::Empty`] and [`AttentionError::NotFinite`], naming the matrix.
pub fn check_finite(
    name: &'static str,
    matrix: &Array2<f64>,
) -> Result<(), AttentionError> {
    if matrix.is_empty() {
        let shape = [matrix.nrows(), matrix.ncols()];
        return Err(AttentionError::Empty { matrix: name, shape });
    }
    match matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => {
            Err(AttentionError::NotFinite { matrix: name, row, column, value })
        }
    }
}

/// Checks that scores, made from finite numbers, have stayed finite.
///
/// # Errors
///
/// [`AttentionError::Overflow`], with the first score that has not.
pub fn check_overflow(scores: &Array2<f64>) -> Result<(), AttentionError> {
    match scores.indexed_iter().find(|(_, score)| !score.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => {
            Err(AttentionError::Overflow { row, column, value })
        }
    }
}
