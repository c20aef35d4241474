//! Products with a matrix that is used once: it is packed panel by panel.

use std::cell::RefCell;

use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::error::{KernelError, expect_len};
use crate::grid;
use crate::isa::Isa;
use crate::linear::PackedLinear;
use crate::matrix::Matrix;
use crate::tile::{Epilogue, Product, Width, copy_panel, interleave};

/// Rows up to which a panel is packed, used for all of them and forgotten. With more, the
/// rows themselves don't stay in cache, and packing the whole matrix first costs little.
pub(crate) const FEW_ROWS: usize = 512;

thread_local! {
    static PANEL: RefCell<Aligned> = RefCell::default();
}

/// `out` ← epilogue(x Wᵀ + b) for a weight that changes from call to call, as in a
/// training: `x` is `[rows, inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`,
/// `out` `[rows, outputs]`, as a residual is. The bits are [`PackedLinear`]'s.
///
/// `isa` are the instructions to use. With few rows a panel of the weight is packed into a buffer that stays in cache: the
/// weight is read once, and no packed copy of it is written to memory.
///
/// # Errors
/// If a slice's length disagrees with the others, or a size is 0.
pub fn linear(
    isa: Isa,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    rows: usize,
    epilogue: Epilogue<'_>,
    out: &mut [f32],
) -> Result<(), KernelError> {
    let (outputs, inputs) = (bias.len(), x.len() / rows.max(1));
    if rows > FEW_ROWS {
        let layers = [(weight, Some(bias))];
        let packed = PackedLinear::side_by_side_on(isa, &layers, inputs)?;
        return packed.forward(x, rows, epilogue, out);
    }
    let weight = Matrix::new(weight, outputs, inputs)?;
    expect_len("the input", x.len(), &[rows, inputs])?;
    let x: Vec<&[f32]> = x.chunks(inputs).collect();
    multiply(isa, &x, weight.t(), bias, epilogue, out)
}

/// `out` ← epilogue(x B + b), panel by panel: `x` is `[m, k]`, B `[k, n]`, `bias` `[n]`.
pub(crate) fn multiply(
    isa: Isa,
    x: &[&[f32]],
    b: Matrix<'_>,
    bias: &[f32],
    epilogue: Epilogue<'_>,
    out: &mut [f32],
) -> Result<(), KernelError> {
    let (k, n) = b.shape();
    expect_len("the output", out.len(), &[x.len(), n])?;
    if let Epilogue::Add(residual) = epilogue {
        expect_len("the residual", residual.len(), &[x.len(), n])?;
    }
    let width = isa.run(Width);
    let stored = b.stored();
    grid::cut(out, n, x.len(), width).into_par_iter().enumerate().for_each(
        |(p, mut rows)| {
            let first = p * width;
            PANEL.with_borrow_mut(|panel| {
                let panel = panel.scratch(width * k);
                if b.is_transposed() {
                    interleave(&stored[first..n.min(first + width)], width, panel);
                } else {
                    copy_panel(&stored, first, width, panel);
                }
                isa.run(Product {
                    k,
                    x,
                    panels: &*panel,
                    scale: 1.0,
                    bias: &bias[first..],
                    epilogue: epilogue.skip(first),
                    stride: n,
                    rows: &mut rows,
                });
            });
        },
    );
    Ok(())
}
