//! GELU, and what comes back through it.
//!
//! GELU(x) = x Φ(x), with the normal distribution's Φ, exact. By the product rule, with
//! Φ′ = φ(x) = e^(−x²/2) / √(2π):
//!
//! - dx = dy · (Φ(x) + x φ(x))

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use kernels::{Isa, in_pool, load, math, store};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::storage::{Values, result, slice, tensor};

/// GELU(x) = x Φ(x); `torch.nn.functional.gelu`. Shape unchanged.
///
/// # Errors
///
/// If the tensor isn't f32 on the CPU.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

/// [`gelu`] in candle's operations, of any type of number: what the fast one is held to.
pub fn reference(x: &Tensor) -> Result<Tensor> {
    x.gelu_erf()
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let mut y = vec![0.0; x.len()];
        in_pool(|| forward(x, &mut y));
        Ok(result(y, layout.dims()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = Values::of(&dy.contiguous()?)?.to_vec();
        let values = Values::of(x)?;
        let values = &*values;
        in_pool(|| backward(values, &mut dx, None));
        Ok(Some(tensor(dx, x.shape())?))
    }
}

/// Values a task handles: half of an L1 cache with two slices.
const CHUNK: usize = 4096;

/// `y` ← GELU(x), as many values.
pub(crate) fn forward(x: &[f32], y: &mut [f32]) {
    x.par_chunks(CHUNK)
        .zip(y.par_chunks_mut(CHUNK))
        .for_each(|(x, y)| Isa::current().run(Forward { x, y }));
}

/// `dy` ← dx = dy · GELU′(x), and, where asked for, `y` ← GELU(x), which then need not be
/// kept from the forward pass. All of as many values.
pub(crate) fn backward(x: &[f32], dy: &mut [f32], y: Option<&mut [f32]>) {
    let tasks = x.par_chunks(CHUNK).zip(dy.par_chunks_mut(CHUNK));
    match y {
        Some(y) => tasks.zip(y.par_chunks_mut(CHUNK)).for_each(|((x, dy), y)| {
            Isa::current().run(Forward { x, y });
            Isa::current().run(Backward { x, dy });
        }),
        None => tasks.for_each(|(x, dy)| Isa::current().run(Backward { x, dy })),
    }
}

struct Forward<'a, 'o> {
    x: &'a [f32],
    y: &'o mut [f32],
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        for (x, y) in self.x.chunks(lanes).zip(self.y.chunks_mut(lanes)) {
            store(simd, y, math::gelu(simd, load(simd, x)));
        }
    }
}

struct Backward<'a, 'o> {
    x: &'a [f32],
    dy: &'o mut [f32],
}

impl WithSimd for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        for (x, dy) in self.x.chunks(lanes).zip(self.dy.chunks_mut(lanes)) {
            let slope = math::gelu_slope(simd, load(simd, x));
            let dx = simd.mul_f32s(load(simd, dy), slope);
            store(simd, dy, dx);
        }
    }
}
