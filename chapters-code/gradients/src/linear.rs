//! Y = X Wᵀ + b, and what comes back through it.
//!
//! Yᵢₒ = Σⱼ Xᵢⱼ Wₒⱼ + bₒ, so
//!
//! - dXᵢⱼ = Σₒ dYᵢₒ Wₒⱼ: dX = dY W
//! - dWₒⱼ = Σᵢ dYᵢₒ Xᵢⱼ: dW = dYᵀ X
//! - dbₒ = Σᵢ dYᵢₒ
//!
//! The gradient of max(u, 0) is dy where u > 0, which is where y > 0, and 0 elsewhere.

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use kernels::strided::{sum_rows, weight_gradient};
use kernels::{Epilogue, Isa, Matrix, in_pool, matmul};

use crate::deferred::{Deferred, defer};
use crate::storage::{Values, result, slice, tensor, wrap};

/// Y = X Wᵀ + b; `torch.nn.functional.linear`. `x` is `[…, inputs]`, `w`
/// `[outputs, inputs]`, `b` `[outputs]`; the result `[…, outputs]`.
///
/// # Errors
///
/// If the shapes don't fit or one has no numbers; if a tensor isn't f32 on the CPU.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    apply(x, w, b, false)
}

/// max(X Wᵀ + b, 0), in one pass; the shapes of [`linear`].
pub fn linear_relu(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    apply(x, w, b, true)
}

/// [`linear`] in candle's operations, of any type of number: what the fast one is held to.
pub fn reference(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    let inputs = x.dim(D::Minus1)?;
    // […, inputs] -> [rows, inputs] · [inputs, outputs] -> [rows, outputs]
    let rows = x.reshape(((), inputs))?.matmul(&w.t()?)?;
    let mut shape = x.dims().to_vec();
    shape.pop();
    shape.push(w.dim(0)?);
    rows.broadcast_add(b)?.reshape(shape) // […, outputs]
}

fn apply(x: &Tensor, w: &Tensor, b: &Tensor, relu: bool) -> Result<Tensor> {
    let (outputs, inputs) = w.dims2()?;
    if x.dim(D::Minus1)? != inputs || b.dims() != [outputs] {
        bail!(
            "linear: x {:?} and bias {:?} don't fit a weight {:?}",
            x.dims(),
            b.dims(),
            w.dims()
        )
    }
    if x.elem_count() == 0 || outputs == 0 {
        bail!("linear: x {:?} and a weight {:?}: one is empty", x.dims(), w.dims())
    }
    x.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, Linear { relu })
}

struct Linear {
    relu: bool,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, w, b) = (slice(x, x_layout)?, slice(w, w_layout)?, slice(b, b_layout)?);
        let mut shape = x_layout.dims().to_vec();
        let rows = x.len() / shape.pop().unwrap_or(1);
        shape.push(b.len());
        let mut out = vec![0.0; rows * b.len()];
        let epilogue = if self.relu { Epilogue::Relu } else { Epilogue::None };
        in_pool(|| forward(x, w, b, rows, epilogue, &mut out))?;
        Ok(result(out, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dy = if self.relu { where_positive(y, dy)? } else { dy.contiguous()? };
        let rows = x.elem_count() / w.dim(1)?;
        let mut dx = vec![0.0; x.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        {
            let (w, dy) = (Values::of(w)?, Values::of(&dy)?);
            let (w, dy) = (&*w, &*dy);
            in_pool(|| {
                sum_rows(dy, &mut db);
                input_gradient(dy, w, rows, Epilogue::None, &mut dx)
            })?;
        }
        let (dx, db) = (tensor(dx, x.shape())?, tensor(db, b.shape())?);
        let dw = defer(y, w, Deferred::Product { dy, x: x.detach() });
        let dw = dw.map(|dw| dw.into_tensor(w)).transpose()?;
        Ok((Some(dx), dw, Some(db)))
    }
}

/// `dy` where `y` is above 0, and 0 elsewhere.
fn where_positive(y: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let dy = dy.contiguous()?;
    let du = {
        let (y, dy) = (Values::of(y)?, Values::of(&dy)?);
        y.iter().zip(&*dy).map(|(&y, &dy)| if y > 0.0 { dy } else { 0.0 }).collect()
    };
    tensor(du, y.shape())
}

/// `out` ← epilogue(X Wᵀ + b): `x` is `[rows, inputs]`, `w` `[outputs, inputs]`, `out`
/// `[rows, outputs]`.
pub(crate) fn forward(
    x: &[f32],
    w: &[f32],
    b: &[f32],
    rows: usize,
    epilogue: Epilogue,
    out: &mut [f32],
) -> Result<()> {
    let isa = Isa::chosen().map_err(|error| wrap(error.into()))?;
    kernels::linear(isa, x, w, b, rows, epilogue, out).map_err(wrap)
}

/// `dx` ← epilogue(dY W), `[rows, inputs]`: `dy` is `[rows, outputs]`.
pub(crate) fn input_gradient(
    dy: &[f32],
    w: &[f32],
    rows: usize,
    epilogue: Epilogue,
    dx: &mut [f32],
) -> Result<()> {
    let (outputs, inputs) = (dy.len() / rows, dx.len() / rows);
    let mut product = || {
        let dy = Matrix::new(dy, rows, outputs)?;
        matmul(Isa::chosen()?, dy, Matrix::new(w, outputs, inputs)?, epilogue, dx)
    };
    product().map_err(wrap)
}

/// `dw` ← dYᵀ X, `[outputs, inputs]`, and `db` ← Σ dY, `[outputs]`, over the rows.
pub(crate) fn parameter_gradients(
    dy: &[f32],
    x: &[f32],
    rows: usize,
    dw: &mut [f32],
    db: &mut [f32],
) -> Result<()> {
    sum_rows(dy, db);
    weight_gradient(dy, x, rows, dw).map_err(wrap)
}
