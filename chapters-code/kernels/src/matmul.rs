//! The product of two matrices as they are, for what has no weights to pack ahead:
//! the gradients of a linear layer.

use rayon::prelude::*;

use crate::error::KernelError;
use crate::isa::Isa;
use crate::linear::PackedLinear;
use crate::matrix::Matrix;
use crate::tile::Epilogue;
use crate::unpacked::{self, FEW_ROWS};

/// `out` ← epilogue(A B), `[m, n]` for A `[m, k]` and B `[k, n]`, either of them
/// transposed or not, with the given instructions.
///
/// For a linear layer y = x Wᵀ the gradients are dx = dy W and dW = dyᵀ x.
///
/// B is packed, and A, if transposed, copied. For the same B again and again, use
/// [`PackedLinear`].
///
/// # Errors
/// If A has not as many columns as B has rows, or `out` or a residual is not `[m, n]`.
pub fn matmul(
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
    let values = if a.is_transposed() { &turned } else { a.values() };
    if m > FEW_ROWS {
        return PackedLinear::from_matrix(isa, b).forward(values, m, epilogue, out);
    }
    let (x, zeros): (Vec<&[f32]>, _) =
        (values.chunks(k).collect(), vec![0.0; b.shape().1]);
    unpacked::multiply(isa, &x, b, &zeros, epilogue, out)
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
