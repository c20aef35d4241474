//! LayerNorm's backward pass.

use kernels::{Isa, load, row_statistics, store};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a task; fixed, so that the sums over rows are the same on any number of threads.
const ROWS: usize = 32;

/// `dy` ← dx for y = LayerNorm(x), `dgamma` and `dbeta` ← the parameters' gradients; `x`
/// and `dy` are `[rows, width]`, the rest `[width]`.
pub fn layer_norm_backward(
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
            Isa::best().run(Rows { x, gamma, epsilon, dy, dgamma, dbeta });
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
