//! A matrix in memory, and its transpose.

use crate::error::{KernelError, expect_len, expect_some};

/// A matrix stored row by row, or the transpose of one.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    /// As stored.
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// `values` as `[rows, columns]`.
    ///
    /// # Errors
    /// If their number is not `rows * columns`, or that is 0.
    pub fn new(
        values: &'a [f32],
        rows: usize,
        columns: usize,
    ) -> Result<Self, KernelError> {
        expect_len("the matrix", values.len(), &[rows, columns])?;
        expect_some("the number of values", values.len())?;
        Ok(Self { values, rows, columns, transposed: false })
    }

    /// The transpose: nothing moves.
    #[must_use]
    pub fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        if self.transposed {
            (self.columns, self.rows)
        } else {
            (self.rows, self.columns)
        }
    }

    /// The rows that are stored: of the matrix, or the columns of a transpose.
    pub(crate) fn stored(&self) -> Vec<&'a [f32]> {
        self.values.chunks(self.columns).collect()
    }

    /// The values of the stored rows, one row after the other.
    pub(crate) fn values(&self) -> &'a [f32] {
        self.values
    }

    pub(crate) fn is_transposed(&self) -> bool {
        self.transposed
    }
}
