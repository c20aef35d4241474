//! The loss of a classification, and its gradient where the logits were.

use kernels::{Isa, math};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// The mean over rows of −ln softmax(row)[target]; `logits`, `[rows, classes]`, become
/// the loss's gradient.
///
/// Summed in f64, in the rows' order.
pub fn cross_entropy(logits: &mut [f32], targets: &[u32], classes: usize) -> f64 {
    let share = 1.0 / targets.len() as f32;
    let losses: Vec<f64> = logits
        .par_chunks_mut(classes)
        .zip(targets)
        .map(|(row, &target)| {
            Isa::best().run(Row { logits: row, target: target as usize, share })
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
