use self_attention::AttentionError;
use thiserror::Error;

/// What can be wrong with what is given to this appendix's functions.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum DerivationError {
    /// Matrices that can't be multiplied, or numbers that aren't finite.
    #[error(transparent)]
    Matrix(#[from] AttentionError),
    /// An array of another shape than the one it goes with.
    #[error("{name} has the shape {found:?}: it must be {expected:?}")]
    Shape {
        /// Name of the array.
        name: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that fits.
        expected: Vec<usize>,
    },
    /// A number without a row in the table, or without a column in the logits.
    #[error("there is no {what} {number}: there are {count}, from 0")]
    Missing {
        /// What was looked for: a row or a class.
        what: &'static str,
        /// Which one.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// A probability of losing a value that isn't at least 0 and below 1.
    #[error("a dropout probability of {0}: it must be at least 0 and below 1")]
    Probability(f64),
}

/// A result with this appendix's error.
pub type Result<T, E = DerivationError> = std::result::Result<T, E>;

/// Checks that the array called `name` has the shape that it must have.
///
/// # Errors
///
/// [`DerivationError::Shape`] otherwise, with both shapes.
pub fn check_shape(
    name: &'static str,
    found: &[usize],
    expected: &[usize],
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.to_vec(), expected.to_vec());
    Err(DerivationError::Shape { name, found, expected })
}
