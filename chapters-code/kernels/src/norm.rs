//! Layer normalization, in place, with an optional residual added first.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::error::{KernelError, expect_len, expect_some};
use crate::grid::PARALLEL_FROM;
use crate::isa::{Isa, load, store};

/// A LayerNorm's parameters; `torch.nn.LayerNorm`.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// The scale γ, `[width]`.
    pub gamma: &'a [f32],
    /// The shift β, `[width]`.
    pub beta: &'a [f32],
    /// Added to the variance: 1e-12 in BERT.
    pub epsilon: f32,
}

impl LayerNorm<'_> {
    /// `x` ← LayerNorm(x + residual), with rows of `gamma.len()` values; the residual,
    /// where there is one, has `x`'s shape.
    ///
    /// # Errors
    /// If gamma is empty, beta is longer or shorter than it, `x` is not made of whole
    /// rows, or the residual has another length.
    pub fn forward(
        &self,
        x: &mut [f32],
        residual: Option<&[f32]>,
    ) -> Result<(), KernelError> {
        self.forward_on(Isa::chosen()?, x, residual)
    }

    /// [`LayerNorm::forward`] with the given instructions: for tests.
    pub fn forward_on(
        &self,
        isa: Isa,
        x: &mut [f32],
        residual: Option<&[f32]>,
    ) -> Result<(), KernelError> {
        let width = self.gamma.len();
        expect_some("the width of gamma", width)?;
        expect_len("beta", self.beta.len(), &[width])?;
        expect_len("x", x.len(), &[x.len() / width, width])?;
        if let Some(residual) = residual {
            expect_len("the residual", residual.len(), &[x.len()])?;
        }
        x.par_chunks_exact_mut(width)
            .enumerate()
            .with_min_len(PARALLEL_FROM.div_ceil(width))
            .for_each(|(row, x)| {
                let residual = residual.map(|all| &all[row * width..(row + 1) * width]);
                isa.run(Row { norm: *self, x, residual });
            });
        Ok(())
    }
}

struct Row<'a> {
    norm: LayerNorm<'a>,
    x: &'a mut [f32],
    residual: Option<&'a [f32]>,
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { norm, x, residual } = self;
        let lanes = S::F32_LANES;
        if let Some(residual) = residual {
            for (x, r) in x.chunks_mut(lanes).zip(residual.chunks(lanes)) {
                let sum = simd.add_f32s(load(simd, x), load(simd, r));
                store(simd, x, sum);
            }
        }
        let (mean, scale) = row_statistics(simd, x, norm.epsilon);
        let (means, scale) = (simd.splat_f32s(mean), simd.splat_f32s(scale));

        let parameters = norm.gamma.chunks(lanes).zip(norm.beta.chunks(lanes));
        for (x, (gamma, beta)) in x.chunks_mut(lanes).zip(parameters) {
            let d = simd.sub_f32s(load(simd, x), means);
            let gamma = simd.mul_f32s(load(simd, gamma), scale);
            let y = simd.mul_add_e_f32s(d, gamma, load(simd, beta));
            store(simd, x, y);
        }
    }
}

/// A row's mean and 1 / √(variance + ε), `[width]` to two numbers: what LayerNorm needs,
/// forward and backward.
///
/// Two passes, for the mean and for the variance about it: the one-pass formula
/// `E[x²] − E[x]²` loses all its digits when the mean is large.
#[inline(always)]
pub fn row_statistics<S: Simd>(simd: S, x: &[f32], epsilon: f32) -> (f32, f32) {
    let width = x.len() as f32;
    let (vectors, tail) = S::as_simd_f32s(x);
    let mut sum = simd.splat_f32s(0.0);
    for &v in vectors {
        sum = simd.add_f32s(sum, v);
    }
    let mean = (simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>()) / width;
    let means = simd.splat_f32s(mean);
    let mut squares = simd.splat_f32s(0.0);
    for &v in vectors {
        let d = simd.sub_f32s(v, means);
        squares = simd.mul_add_e_f32s(d, d, squares);
    }
    let squares = simd.reduce_sum_f32s(squares)
        + tail.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>();
    (mean, 1.0 / (squares / width + epsilon).sqrt())
}
