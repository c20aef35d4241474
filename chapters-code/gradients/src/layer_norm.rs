//! LayerNorm, and the three ways that come back through it.
//!
//! y = x̂ ∘ γ + β, row by row, with x̂ = (x − μ) r and r = 1/√(σ² + ε). With g = dy ∘ γ,
//! for a row of n values:
//!
//! - dγ = Σ dy ∘ x̂ and dβ = Σ dy, over the rows;
//! - x̂ moves with xᵢ in three ways: directly, by r; through μ, with ∂μ/∂xᵢ = 1/n; and
//!   through σ², with ∂σ²/∂xᵢ = 2(xᵢ − μ)/n, so ∂r/∂xᵢ = −r³ (xᵢ − μ)/n = −r² x̂ᵢ/n.
//!   Summed over the row: dxᵢ = r (gᵢ − mean(g) − x̂ᵢ mean(g ∘ x̂)).
//!
//! Mean and r are computed again in the backward pass rather than kept.

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use kernels::{Isa, in_pool, load, row_statistics, store};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::storage::{Values, result, slice, tensor, wrap};

/// Y = (X − mean) / √(variance + ε) ∘ γ + β, row by row over the last axis;
/// `torch.nn.functional.layer_norm`. Shape unchanged; `gamma` and `beta` are `[width]`.
///
/// # Errors
///
/// If the shapes don't fit, or a row has no numbers; if a tensor isn't f32 on the CPU.
pub fn layer_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    let width = x.dim(D::Minus1)?;
    if gamma.dims() != [width] || beta.dims() != [width] {
        bail!(
            "layer_norm: gamma {:?} and beta {:?} don't fit rows of {width}",
            gamma.dims(),
            beta.dims()
        )
    }
    #[expect(clippy::cast_possible_truncation, reason = "1e-12 is an f32 as well")]
    let op = LayerNorm { epsilon: epsilon as f32 };
    x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)
}

/// [`layer_norm`] in candle's operations, of any type of number: what the fast one is held
/// to.
pub fn reference(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?; // […, width]
    let variance = centered.sqr()?.mean_keepdim(D::Minus1)?; // […, 1]
    let normal = centered.broadcast_div(&(variance + epsilon)?.sqrt()?)?;
    normal.broadcast_mul(gamma)?.broadcast_add(beta)
}

struct LayerNorm {
    epsilon: f32,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut y = slice(x, x_layout)?.to_vec();
        let (gamma, beta) = (slice(gamma, gamma_layout)?, slice(beta, beta_layout)?);
        let norm = kernels::LayerNorm { gamma, beta, epsilon: self.epsilon };
        in_pool(|| norm.forward(&mut y, None)).map_err(wrap)?;
        Ok(result(y, x_layout.dims()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dx = Values::of(&dy.contiguous()?)?.to_vec();
        let mut dgamma = vec![0.0; gamma.elem_count()];
        let mut dbeta = vec![0.0; beta.elem_count()];
        {
            let (x, gamma, e) = (Values::of(x)?, Values::of(gamma)?, self.epsilon);
            let (x, gamma) = (&*x, &*gamma);
            let (dgamma, dbeta) = (&mut dgamma, &mut dbeta);
            in_pool(|| backward(x, gamma, e, &mut dx, dgamma, dbeta));
        }
        let (dx, dgamma) = (tensor(dx, x.shape())?, tensor(dgamma, gamma.shape())?);
        Ok((Some(dx), Some(dgamma), Some(tensor(dbeta, beta.shape())?)))
    }
}

/// Rows of a task; fixed, so that the sums over rows are the same on any number of threads.
const ROWS: usize = 32;

/// `dy` ← dx for y = LayerNorm(x), `dgamma` and `dbeta` ← the parameters' gradients; `x`
/// and `dy` are `[rows, width]`, the rest `[width]`.
pub(crate) fn backward(
    x: &[f32],
    gamma: &[f32],
    epsilon: f32,
    dy: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let width = gamma.len();
    let partial: Vec<Vec<f32>> = x
        .par_chunks(ROWS * width)
        .zip(dy.par_chunks_mut(ROWS * width))
        .map(|(x, dy)| {
            let mut sums = vec![0.0; 2 * width];
            let (dgamma, dbeta) = sums.split_at_mut(width);
            Isa::current().run(Rows { x, gamma, epsilon, dy, dgamma, dbeta });
            sums
        })
        .collect();
    dgamma.fill(0.0);
    dbeta.fill(0.0);
    for sums in &partial {
        for (total, x) in dgamma.iter_mut().chain(&mut *dbeta).zip(sums) {
            *total += x;
        }
    }
}

struct Rows<'a, 'o> {
    x: &'a [f32],
    gamma: &'a [f32],
    epsilon: f32,
    dy: &'o mut [f32],
    dgamma: &'o mut [f32],
    dbeta: &'o mut [f32],
}

impl WithSimd for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.gamma.len();
        let rows = self.x.chunks_exact(width).zip(self.dy.chunks_exact_mut(width));
        for (x, dy) in rows {
            let (mean, scale) = row_statistics(simd, x, self.epsilon);
            row(simd, x, dy, mean, scale, self.gamma, self.dgamma, self.dbeta);
        }
    }
}

/// With x̂ = (x − mean) · scale and g = dy ∘ γ:
/// dx = scale · (g − mean(g) − x̂ · mean(g ∘ x̂)).
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "what a row needs")]
fn row<S: Simd>(
    simd: S,
    x: &[f32],
    dy: &mut [f32],
    mean: f32,
    scale: f32,
    gamma: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let lanes = S::F32_LANES;
    let width = x.len() as f32;
    let (means, scales) = (simd.splat_f32s(mean), simd.splat_f32s(scale));
    let mut sum_g = simd.splat_f32s(0.0);
    let mut sum_gx = simd.splat_f32s(0.0);
    let inputs = x.chunks(lanes).zip(dy.chunks(lanes)).zip(gamma.chunks(lanes));
    let sums = dgamma.chunks_mut(lanes).zip(dbeta.chunks_mut(lanes));
    for (((x, dy), gamma), (dgamma, dbeta)) in inputs.zip(sums) {
        // Beyond the end of a row dy is loaded as 0: it adds nothing.
        let dy = load(simd, dy);
        let normal = simd.mul_f32s(simd.sub_f32s(load(simd, x), means), scales);
        let g = simd.mul_f32s(dy, load(simd, gamma));
        sum_g = simd.add_f32s(sum_g, g);
        sum_gx = simd.mul_add_e_f32s(g, normal, sum_gx);
        let sum = simd.mul_add_e_f32s(dy, normal, load(simd, dgamma));
        store(simd, dgamma, sum);
        let sum = simd.add_f32s(dy, load(simd, dbeta));
        store(simd, dbeta, sum);
    }
    let mean_g = simd.splat_f32s(simd.reduce_sum_f32s(sum_g) / width);
    let mean_gx = simd.splat_f32s(simd.reduce_sum_f32s(sum_gx) / width);
    let inputs = x.chunks(lanes).zip(gamma.chunks(lanes));
    for ((x, gamma), dy) in inputs.zip(dy.chunks_mut(lanes)) {
        let normal = simd.mul_f32s(simd.sub_f32s(load(simd, x), means), scales);
        let g = simd.mul_f32s(load(simd, dy), load(simd, gamma));
        let rest =
            simd.sub_f32s(simd.sub_f32s(g, mean_g), simd.mul_f32s(normal, mean_gx));
        store(simd, dy, simd.mul_f32s(rest, scales));
    }
}
