//! What a kernel says when lengths and shapes disagree.

use thiserror::Error;

use crate::isa::IsaError;

/// Why a kernel did not run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KernelError {
    /// A slice is shorter or longer than its shape.
    #[error("{what} has {found} values; shape {shape:?} needs {}", product(.shape))]
    Length {
        /// Which argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The shape it should have.
        shape: Vec<usize>,
    },
    /// Two matrices that cannot be multiplied.
    #[error(
        "a {} x {} matrix by one of {} x {}: as many columns as rows are needed",
        .a.0, .a.1, .b.0, .b.1
    )]
    Inner {
        /// Rows and columns of the first.
        a: (usize, usize),
        /// Rows and columns of the second.
        b: (usize, usize),
    },
    /// A dimension that cannot be zero.
    #[error("{what} is 0; give at least 1")]
    Zero {
        /// Which dimension.
        what: &'static str,
    },
    /// The instructions asked for are not there.
    #[error(transparent)]
    Isa(#[from] IsaError),
}

/// The number of values in `shape`, or "more than memory holds".
fn product(shape: &[usize]) -> String {
    count(shape).map_or_else(|| "more than memory holds".into(), |n| n.to_string())
}

fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// `found` is the number of values in `shape`.
pub(crate) fn expect_len(
    what: &'static str,
    found: usize,
    shape: &[usize],
) -> Result<(), KernelError> {
    if count(shape) == Some(found) {
        return Ok(());
    }
    Err(KernelError::Length { what, found, shape: shape.to_vec() })
}

/// `dimension` is at least 1.
pub(crate) fn expect_some(
    what: &'static str,
    dimension: usize,
) -> Result<(), KernelError> {
    if dimension == 0 { Err(KernelError::Zero { what }) } else { Ok(()) }
}
