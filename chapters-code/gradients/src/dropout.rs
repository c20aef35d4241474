//! Dropout whose mask is a function of a seed and a place, so that nothing is stored.
//!
//! Y = X ∘ M, with M 0 or 1 / (1 − p), so dX = dY ∘ M.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};
use kernels::{Isa, in_pool};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::storage::{result, slice};

/// Which values dropout loses, given by a seed; 1 / (1 − p) times as much of the others.
///
/// A value's fate is a hash of the seed and its place, so the backward pass finds the
/// same mask with nothing stored, and so does any number of threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutMask {
    keys: [u32; 2],
    /// A value is lost where its hash is below.
    threshold: u32,
    /// 1 / (1 − p)
    scale: f32,
}

impl DropoutMask {
    /// Loses values with this probability; `None` if it is 0.
    ///
    /// # Errors
    ///
    /// If it isn't at least 0 and below 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a probability times 2³²; the keys are the seed's two halves"
    )]
    pub fn new(probability: f64, seed: u64) -> Result<Option<Self>> {
        if !(0.0..1.0).contains(&probability) {
            bail!(
                "a dropout probability of {probability}: it must be at least 0 and \
                 below 1"
            )
        }
        let threshold = (probability * 2_f64.powi(32)) as u32;
        let scale = (1.0 / (1.0 - probability)) as f32;
        let keys = [seed as u32, (seed >> 32) as u32];
        Ok((threshold > 0).then_some(Self { keys, threshold, scale }))
    }

    /// What each value of a tensor of this shape is multiplied by: 0 or 1 / (1 − p).
    pub fn factors(self, shape: &Shape) -> Result<Tensor> {
        let mut factors = vec![1.0_f32; shape.elem_count()];
        in_pool(|| apply(&mut factors, None, Some(self)));
        Tensor::from_vec(factors, shape, &Device::Cpu)
    }

    /// What the value at `index` is multiplied by: 0 or 1 / (1 − p).
    #[inline(always)]
    fn factor(self, index: u32) -> f32 {
        let hash = mix(mix(index.wrapping_add(self.keys[0])) ^ self.keys[1]);
        if hash < self.threshold { 0.0 } else { self.scale }
    }

    /// Multiplies `x`, whose first value is at `index`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "indices wrap at 2³²")]
    pub(crate) fn apply(self, x: &mut [f32], index: usize) {
        for (i, x) in x.iter_mut().enumerate() {
            *x *= self.factor((index + i) as u32);
        }
    }
}

/// A bijection of 32 bits that flips each bit of the result with a probability near 1/2
/// for each bit flipped in the argument ("lowbias32", Wellons 2018).
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// The seed of one of several dropouts in a step (SplitMix64, Steele et al. 2014): their
/// masks have nothing in common.
pub fn derive_seed(seed: u64, place: u64) -> u64 {
    let mut z =
        seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Some values lost, the others larger; `torch.nn.functional.dropout`. Shape unchanged.
/// Without a mask, the tensor as it is.
///
/// # Errors
///
/// If the tensor isn't f32 on the CPU.
pub fn dropout(x: &Tensor, mask: Option<DropoutMask>) -> Result<Tensor> {
    let Some(mask) = mask else { return Ok(x.clone()) };
    x.contiguous()?.apply_op1(Dropout(mask))
}

/// [`dropout`] in candle's operations, of any type of number: what the fast one is held
/// to.
pub fn reference(x: &Tensor, mask: Option<DropoutMask>) -> Result<Tensor> {
    let Some(mask) = mask else { return Ok(x.clone()) };
    x * mask.factors(x.shape())?.to_dtype(x.dtype())?
}

struct Dropout(DropoutMask);

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut y = slice(x, layout)?.to_vec();
        in_pool(|| apply(&mut y, None, Some(self.0)));
        Ok(result(y, layout.dims()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        dropout(dy, Some(self.0)).map(Some)
    }
}

/// Values a task handles: half of an L1 cache with two slices.
const CHUNK: usize = 4096;

/// `x` ← dropout(x) + residual, of as many values.
pub(crate) fn apply(
    x: &mut [f32],
    residual: Option<&[f32]>,
    mask: Option<DropoutMask>,
) {
    x.par_chunks_mut(CHUNK).enumerate().for_each(|(i, x)| {
        let first = i * CHUNK;
        let residual = residual.map(|all| &all[first..first + x.len()]);
        Isa::current().run(Apply { x, residual, mask, first });
    });
}

struct Apply<'a, 'o> {
    x: &'o mut [f32],
    residual: Option<&'a [f32]>,
    mask: Option<DropoutMask>,
    first: usize,
}

impl WithSimd for Apply<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if let Some(mask) = self.mask {
            mask.apply(self.x, self.first);
        }
        if let Some(residual) = self.residual {
            for (x, r) in self.x.iter_mut().zip(residual) {
                *x += r;
            }
        }
    }
}
