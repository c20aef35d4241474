//! The product of two matrices as they are, for what has no weights to pack ahead:
//! the gradients of a linear layer.

use rayon::prelude::*;

use crate::error::{KernelError, expect_len, expect_some};
use crate::once::{self, FEW_ROWS};
use crate::{Epilogue, Isa, PackedLinear};

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

    pub(crate) fn is_transposed(&self) -> bool {
        self.transposed
    }
}

/// `out` ← epilogue(A B), `[m, n]` for A `[m, k]` and B `[k, n]`, either of them
/// transposed or not.
///
/// For a linear layer y = x Wᵀ the gradients are dx = dy W and dW = dyᵀ x:
/// [`Epilogue::Accumulate`] adds the latter to what earlier steps left.
///
/// B is packed, and A, if transposed, copied. For the same B again and again, use
/// [`PackedLinear`].
///
/// # Errors
/// If A has not as many columns as B has rows, or `out` or a residual is not `[m, n]`.
pub fn matmul(
    a: Matrix<'_>,
    b: Matrix<'_>,
    epilogue: Epilogue<'_>,
    out: &mut [f32],
) -> Result<(), KernelError> {
    matmul_on(Isa::chosen()?, a, b, epilogue, out)
}

/// [`matmul`] with the given instructions: for tests.
///
/// # Errors
/// As [`matmul`].
pub fn matmul_on(
    isa: Isa,
    a: Matrix<'_>,
    b: Matrix<'_>,
    epilogue: Epilogue<'_>,
    out: &mut [f32],
) -> Result<(), KernelError> {
    let (m, k) = a.shape();
    if b.shape().0 != k {
        return Err(KernelError::Inner { a: (m, k), b: b.shape() });
    }
    let turned = if a.is_transposed() { transpose(&a.stored(), m) } else { Vec::new() };
    let values = if a.is_transposed() { &turned } else { a.values };
    if m > FEW_ROWS {
        return PackedLinear::from_matrix(isa, b).forward(values, m, epilogue, out);
    }
    let (x, zeros): (Vec<&[f32]>, _) =
        (values.chunks(k).collect(), vec![0.0; b.shape().1]);
    once::multiply(isa, &x, b, &zeros, epilogue, out)
}

/// `[m, k]` from k rows of m values, some columns at a time: whole cache lines are
/// read.
fn transpose(rows: &[&[f32]], m: usize) -> Vec<f32> {
    const COLUMNS: usize = 16;
    let k = rows.len();
    let mut out = vec![0.0; m * k];
    out.par_chunks_mut(COLUMNS * k).enumerate().for_each(|(i, out)| {
        for (t, row) in rows.iter().enumerate() {
            for (value, &x) in out[t..].iter_mut().step_by(k).zip(&row[i * COLUMNS..]) {
                *value = x;
            }
        }
    });
    out
}
