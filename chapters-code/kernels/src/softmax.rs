//! Softmax, row by row, in place.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::error::{KernelError, expect_len, expect_some};
use crate::grid::PARALLEL_FROM;
use crate::isa::{Isa, load, store};
use crate::math;

/// Softmax of each row of `x`, rows of `width` values, in place, with the given instructions.
///
/// A row of only −∞ becomes zeros: nothing to attend to, no weight.
///
/// # Errors
/// If `width` is 0 or `x` is not made of whole rows.
pub fn softmax_on(isa: Isa, x: &mut [f32], width: usize) -> Result<(), KernelError> {
    expect_some("the width of a row", width)?;
    expect_len("x", x.len(), &[x.len() / width, width])?;
    x.par_chunks_exact_mut(width)
        .with_min_len(PARALLEL_FROM.div_ceil(width))
        .for_each(|row| isa.run(Row(row)));
    Ok(())
}

struct Row<'a>(&'a mut [f32]);

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        softmax_row(simd, self.0);
    }
}

/// Softmax of one row: the maximum; e^(x − maximum) and its sum; the division. Each row
/// is read three times, from the L1 cache.
#[inline(always)]
pub(crate) fn softmax_row<S: Simd>(simd: S, row: &mut [f32]) {
    let (vectors, tail) = S::as_simd_f32s(row);
    let mut max = simd.splat_f32s(f32::NEG_INFINITY);
    for &v in vectors {
        max = simd.max_f32s(max, v);
    }
    let max = tail.iter().fold(simd.reduce_max_f32s(max), |max, &x| max.max(x));
    if max == f32::NEG_INFINITY && !row.iter().any(|x| x.is_nan()) {
        row.fill(0.0);
        return;
    }

    let (vectors, tail) = S::as_mut_simd_f32s(row);
    let max = simd.splat_f32s(max);
    let mut sum = simd.splat_f32s(0.0);
    for v in &mut *vectors {
        *v = math::exp(simd, simd.sub_f32s(*v, max));
        sum = simd.add_f32s(sum, *v);
    }
    let last = math::exp(simd, simd.sub_f32s(load(simd, tail), max));
    store(simd, tail, last);
    let sum = simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>();

    let scale = 1.0 / sum;
    for v in vectors {
        *v = simd.mul_f32s(*v, simd.splat_f32s(scale));
    }
    for x in tail {
        *x *= scale;
    }
}
