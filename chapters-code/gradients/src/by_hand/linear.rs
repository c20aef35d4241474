//! y = x Wᵀ + b, and its gradients.

use candle_core::Result;
use kernels::{Epilogue, Matrix, matmul};

use super::product::{sum_rows, weight_gradient};
use crate::storage::wrap;

/// `out` ← epilogue(x Wᵀ + b): `x` is `[rows, inputs]`, `w` `[outputs, inputs]`.
pub fn forward(
    x: &[f32],
    w: &[f32],
    b: &[f32],
    rows: usize,
    epilogue: Epilogue,
    out: &mut [f32],
) -> Result<()> {
    kernels::linear(x, w, b, rows, epilogue, out).map_err(wrap)
}

/// `dx` ← epilogue(dY W).
pub fn input_gradient(
    dy: &[f32],
    w: &[f32],
    rows: usize,
    epilogue: Epilogue,
    dx: &mut [f32],
) -> Result<()> {
    let (outputs, inputs) = (dy.len() / rows, dx.len() / rows);
    let mut product = || {
        let dy = Matrix::new(dy, rows, outputs)?;
        matmul(dy, Matrix::new(w, outputs, inputs)?, epilogue, dx)
    };
    product().map_err(wrap)
}

/// `dw` ← dYᵀ X and `db` ← Σ dY, over the rows.
pub fn parameter_gradients(
    dy: &[f32],
    x: &[f32],
    rows: usize,
    dw: &mut [f32],
    db: &mut [f32],
) {
    weight_gradient(dy, x, rows, dw);
    sum_rows(dy, db);
}
