//! Passes over all values: dropout with its residual, GELU.

use kernels::{Isa, load, math, store};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::dropout::Mask;

/// Values a task handles: half of an L1 cache with two slices.
const CHUNK: usize = 4096;

/// `x` ← dropout(x) + residual.
pub fn dropout_add(x: &mut [f32], residual: Option<&[f32]>, mask: Option<Mask>) {
    x.par_chunks_mut(CHUNK).enumerate().for_each(|(i, x)| {
        let first = i * CHUNK;
        let residual = residual.map(|all| &all[first..first + x.len()]);
        Isa::best().run(DropoutAdd { x, residual, mask, first });
    });
}

struct DropoutAdd<'a, 'o> {
    x: &'o mut [f32],
    residual: Option<&'a [f32]>,
    mask: Option<Mask>,
    first: usize,
}

impl WithSimd for DropoutAdd<'_, '_> {
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

/// `y` ← GELU(x).
pub fn gelu(x: &[f32], y: &mut [f32]) {
    x.par_chunks(CHUNK)
        .zip(y.par_chunks_mut(CHUNK))
        .for_each(|(x, y)| Isa::best().run(Gelu { x, y }));
}

struct Gelu<'a, 'o> {
    x: &'a [f32],
    y: &'o mut [f32],
}

impl WithSimd for Gelu<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        for (x, y) in self.x.chunks(lanes).zip(self.y.chunks_mut(lanes)) {
            store(simd, y, math::gelu(simd, load(simd, x)));
        }
    }
}

/// `dy` ← dx = dy · GELU′(x), and, where asked for, `y` ← GELU(x), which then need not be
/// kept from the forward pass.
pub fn gelu_backward(x: &[f32], dy: &mut [f32], y: Option<&mut [f32]>) {
    let tasks = x.par_chunks(CHUNK).zip(dy.par_chunks_mut(CHUNK));
    match y {
        Some(y) => tasks.zip(y.par_chunks_mut(CHUNK)).for_each(|((x, dy), y)| {
            Isa::best().run(Gelu { x, y });
            Isa::best().run(GeluBackward { x, dy });
        }),
        None => tasks.for_each(|(x, dy)| Isa::best().run(GeluBackward { x, dy })),
    }
}

struct GeluBackward<'a, 'o> {
    x: &'a [f32],
    dy: &'o mut [f32],
}

impl WithSimd for GeluBackward<'_, '_> {
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
