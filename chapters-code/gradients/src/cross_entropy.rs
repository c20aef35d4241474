//! The loss of a classification, and its gradient where the logits were.
//!
//! Lᵢ = −ln softmax(xᵢ)ₜ = ln Σⱼ e^(xᵢⱼ) − xᵢₜ, and L is the mean over the rows. With
//! ∂ ln Σ e^x / ∂xⱼ = softmax(x)ⱼ,
//!
//! - dxᵢⱼ = (softmax(xᵢ)ⱼ − \[j = t\]) / rows · dL
//!
//! which is known at once in the forward pass.

use std::sync::Mutex;

use candle_core::{
    CpuStorage, CustomOp1, CustomOp3, D, DType, Layout, Result, Shape, Tensor, bail,
};
use kernels::{Epilogue, Isa, in_pool, math};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::linear::{self, input_gradient, parameter_gradients};
use crate::storage::{Values, keep, result, slice, take, tensor};

/// The mean over rows of `−ln softmax(row)[target]`, a scalar;
/// `torch.nn.functional.cross_entropy`. `logits` are `[rows, classes]`, with as many
/// targets.
///
/// # Errors
///
/// If there are no rows, or not as many targets, or a target isn't a class; if the logits
/// aren't f32 on the CPU.
pub fn cross_entropy(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    check_targets(rows, classes, targets)?;
    let op = CrossEntropy { targets: targets.to_vec(), gradient: Mutex::default() };
    logits.contiguous()?.apply_op1(op)
}

/// [`cross_entropy`] of logits H Wᵀ + b: with the table of word embeddings as W, `[classes,
/// width]`, it is the masked-LM decoder and its loss; `h` is `[rows, width]`, of the
/// masked positions only.
///
/// As one operation, neither the logits (rows × vocabulary, the largest tensor of the
/// model) nor their gradient are copied on the way.
pub fn linear_cross_entropy(
    h: &Tensor,
    w: &Tensor,
    b: &Tensor,
    targets: &[u32],
) -> Result<Tensor> {
    let ((rows, width), classes) = (h.dims2()?, w.dim(0)?);
    if w.dims() != [classes, width] || b.dims() != [classes] || width == 0 {
        bail!("linear_cross_entropy: h {:?} and a weight {:?}", h.dims(), w.dims())
    }
    check_targets(rows, classes, targets)?;
    let op =
        LinearCrossEntropy { targets: targets.to_vec(), gradient: Mutex::default() };
    h.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, op)
}

/// [`cross_entropy`] in candle's operations, of any type of number: what the fast one is
/// held to.
pub fn reference(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let max = logits.max_keepdim(D::Minus1)?.detach(); // [rows, 1]
    let shifted = logits.broadcast_sub(&max)?;
    let sums = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?; // [rows, 1]
    let targets = Tensor::new(targets, logits.device())?.unsqueeze(1)?; // [rows, 1]
    (sums - shifted.gather(&targets.to_dtype(DType::U32)?, 1)?)?.mean_all()
}

fn check_targets(rows: usize, classes: usize, targets: &[u32]) -> Result<()> {
    if rows == 0 || targets.len() != rows {
        bail!("cross_entropy: {rows} rows and {} targets; give one each", targets.len())
    }
    if let Some(target) = targets.iter().find(|&&target| target as usize >= classes) {
        bail!("cross_entropy: target {target} isn't one of {classes} classes")
    }
    Ok(())
}

struct CrossEntropy {
    targets: Vec<u32>,
    /// The logits' gradient: made in the forward pass, taken in the backward.
    gradient: Mutex<Option<Vec<f32>>>,
}

#[expect(clippy::cast_possible_truncation, reason = "a loss in f32, as all tensors")]
impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut logits = slice(logits, layout)?.to_vec();
        let classes = layout.shape().dims2()?.1;
        let loss = in_pool(|| forward(&mut logits, &self.targets, classes));
        keep(&self.gradient, logits);
        Ok(result(vec![loss as f32], ()))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        _: &Tensor,
        dloss: &Tensor,
    ) -> Result<Option<Tensor>> {
        let gradient = take(&self.gradient, self.name())?;
        let gradient = tensor(gradient, logits.shape())?;
        Ok(Some(gradient.affine(f64::from(dloss.to_scalar::<f32>()?), 0.0)?))
    }
}

struct LinearCrossEntropy {
    targets: Vec<u32>,
    /// The logits' gradient: made in the forward pass, taken in the backward.
    gradient: Mutex<Option<Vec<f32>>>,
}

#[expect(clippy::cast_possible_truncation, reason = "a loss in f32, as all tensors")]
impl CustomOp3 for LinearCrossEntropy {
    fn name(&self) -> &'static str {
        "linear_cross_entropy"
    }

    fn cpu_fwd(
        &self,
        h: &CpuStorage,
        h_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (h, w, b) = (slice(h, h_layout)?, slice(w, w_layout)?, slice(b, b_layout)?);
        let rows = self.targets.len();
        let mut logits = vec![0.0; rows * b.len()];
        let loss = in_pool(|| -> Result<f64> {
            linear::forward(h, w, b, rows, Epilogue::None, &mut logits)?;
            Ok(forward(&mut logits, &self.targets, b.len()))
        })?;
        keep(&self.gradient, logits);
        Ok(result(vec![loss as f32], ()))
    }

    fn bwd(
        &self,
        h: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dloss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dlogits = take(&self.gradient, self.name())?;
        let scale = dloss.to_scalar::<f32>()?;
        if scale.to_bits() != 1.0_f32.to_bits() {
            for x in &mut dlogits {
                *x *= scale;
            }
        }
        let rows = self.targets.len();
        let mut dh = vec![0.0; h.elem_count()];
        let mut dw = vec![0.0; w.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        {
            let (h, w) = (Values::of(h)?, Values::of(w)?);
            let (h, w) = (&*h, &*w);
            in_pool(|| {
                parameter_gradients(&dlogits, h, rows, &mut dw, &mut db)?;
                input_gradient(&dlogits, w, rows, Epilogue::None, &mut dh)
            })?;
        }
        let (dh, dw) = (tensor(dh, h.shape())?, tensor(dw, w.shape())?);
        Ok((Some(dh), Some(dw), Some(tensor(db, b.shape())?)))
    }
}

/// The mean over rows of −ln softmax(row)[target]; `logits`, `[rows, classes]`, become
/// the loss's gradient.
///
/// Summed in f64, in the rows' order.
fn forward(logits: &mut [f32], targets: &[u32], classes: usize) -> f64 {
    let share = 1.0 / targets.len() as f32;
    let losses: Vec<f64> = logits
        .par_chunks_mut(classes)
        .zip(targets)
        .map(|(row, &target)| {
            Isa::current().run(Row { logits: row, target: target as usize, share })
        })
        .collect();
    losses.iter().sum::<f64>() / targets.len() as f64
}

struct Row<'o> {
    logits: &'o mut [f32],
    target: usize,
    /// 1 / rows
    share: f32,
}

impl WithSimd for Row<'_> {
    /// −ln softmax(row)[target] = ln Σ e^(x − max) + max − x[target]
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { logits: row, target, share } = self;
        let chosen = row[target];
        let (vectors, tail) = S::as_mut_simd_f32s(row);
        let mut max = simd.splat_f32s(f32::NEG_INFINITY);
        for &mut v in &mut *vectors {
            max = simd.max_f32s(max, v);
        }
        let max = tail.iter().fold(simd.reduce_max_f32s(max), |max, &x| max.max(x));
        let maxes = simd.splat_f32s(max);
        let mut sum = simd.splat_f32s(0.0);
        for v in &mut *vectors {
            *v = math::exp(simd, simd.sub_f32s(*v, maxes));
            sum = simd.add_f32s(sum, *v);
        }
        for x in &mut *tail {
            *x = (*x - max).exp();
        }
        let sum = simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>();
        let scale = share / sum;
        for x in &mut *row {
            *x *= scale;
        }
        row[target] -= share;
        f64::from(sum).ln() + f64::from(max) - f64::from(chosen)
    }
}
