//! Both passes on slices, head by head where they lie.

use std::cell::Cell;

use kernels::strided::{Left, Product};
use kernels::{Isa, math};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::dropout::DropoutMask;

/// The sizes of an attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionShape {
    /// How many sequences.
    pub(crate) batch: usize,
    /// Queries in each.
    pub(crate) queries: usize,
    /// Keys and values in each.
    pub(crate) keys: usize,
    /// How many heads.
    pub(crate) heads: usize,
    /// The width of a head.
    pub(crate) d_k: usize,
}

/// Queries, keys and values, and which weights there are between them.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a> {
    pub(crate) shape: AttentionShape,
    /// `[batch · queries, heads · d_k]`, and so for `k` and `v`: rows `stride` apart.
    pub(crate) q: &'a [f32],
    pub(crate) k: &'a [f32],
    pub(crate) v: &'a [f32],
    pub(crate) stride: usize,
    /// `[batch, keys]`, added to the scores.
    pub(crate) mask: Option<&'a [f32]>,
    /// Query i sees the keys up to i.
    pub(crate) causal: bool,
    /// Which weights are left out, in a training.
    pub(crate) dropout: Option<DropoutMask>,
}

/// Where the gradients of a sequence lie in its part of a buffer: they begin at `offsets`
/// (q, k, v), with rows `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    pub(crate) offsets: [usize; 3],
    pub(crate) stride: usize,
    /// The length of a sequence's part.
    pub(crate) len: usize,
}

impl<'a> Operands<'a> {
    /// Those that stand side by side in each row of `qkv`, `[batch, tokens, 3 · d_model]`.
    pub(crate) fn packed(qkv: &'a [f32], shape: AttentionShape) -> Self {
        let d_model = shape.heads * shape.d_k;
        Self {
            shape,
            q: qkv,
            k: &qkv[d_model..],
            v: &qkv[2 * d_model..],
            stride: 3 * d_model,
            mask: None,
            causal: false,
            dropout: None,
        }
    }

    /// Gradients as [`Operands::packed`] has its operands.
    pub(crate) fn packed_places(shape: AttentionShape) -> Places {
        let d_model = shape.heads * shape.d_k;
        let stride = 3 * d_model;
        let offsets = [0, d_model, 2 * d_model];
        Places { offsets, stride, len: shape.queries * stride }
    }

    /// Gradients one after another: of q, of k, of v.
    pub(crate) fn separate_places(shape: AttentionShape) -> Places {
        let d_model = shape.heads * shape.d_k;
        let (queries, keys) = (shape.queries * d_model, shape.keys * d_model);
        let offsets = [0, queries, queries + keys];
        Places { offsets, stride: d_model, len: queries + 2 * keys }
    }

    /// `context` ← dropout(softmax(Q Kᵀ / √d_k + mask)) V, `[batch, queries, heads · d_k]`.
    pub(crate) fn forward(self, context: &mut [f32]) {
        let AttentionShape { queries, heads, d_k, .. } = self.shape;
        let context = context.par_chunks_mut(queries * heads * d_k);
        context.enumerate().for_each(|(sequence, context)| {
            let mut scratch = SCRATCH.take();
            Isa::current().run(Forward {
                at: self,
                sequence,
                context,
                scratch: &mut scratch,
            });
            SCRATCH.set(scratch);
        });
    }

    /// `gradients` ← those of q, k and v, given that of the context. The weights are
    /// computed again: cheaper than to keep them.
    pub(crate) fn backward(
        self,
        dcontext: &[f32],
        gradients: &mut [f32],
        places: Places,
    ) {
        let AttentionShape { queries, heads, d_k, .. } = self.shape;
        let dcontext = dcontext.par_chunks(queries * heads * d_k);
        let tasks = dcontext.zip(gradients.par_chunks_mut(places.len)).enumerate();
        tasks.for_each(|(sequence, (dcontext, gradients))| {
            let mut scratch = SCRATCH.take();
            Isa::current().run(Backward {
                at: self,
                sequence,
                dcontext,
                gradients,
                places,
                scratch: &mut scratch,
            });
            SCRATCH.set(scratch);
        });
    }

    fn query(self, sequence: usize, head: usize) -> &'a [f32] {
        let first = sequence * self.shape.queries * self.stride;
        &self.q[first + head * self.shape.d_k..]
    }

    fn key(self, sequence: usize, head: usize) -> &'a [f32] {
        let first = sequence * self.shape.keys * self.stride;
        &self.k[first + head * self.shape.d_k..]
    }

    fn value(self, sequence: usize, head: usize) -> &'a [f32] {
        let first = sequence * self.shape.keys * self.stride;
        &self.v[first + head * self.shape.d_k..]
    }
}

thread_local! {
    /// Kept from one sequence to the next.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// What is computed of one head at a time. Rows of keys are filled up to whole vectors.
#[derive(Default)]
struct Scratch {
    /// Kᵀ or Vᵀ, `[d_k, padded]`
    transposed: Vec<f32>,
    /// What is added to the scores, `[padded]`: −∞ where there is no key.
    mask: Vec<f32>,
    /// The softmax's results, `[queries, padded]`
    weights: Vec<f32>,
    /// The same after dropout, `[queries, padded]`
    dropped: Vec<f32>,
    /// The gradient of the weights, then of the scores, `[queries, padded]`
    dweights: Vec<f32>,
}

impl Scratch {
    fn fit(&mut self, shape: AttentionShape, padded: usize) {
        let AttentionShape { queries, d_k, .. } = shape;
        self.transposed.resize(d_k * padded, 0.0);
        self.mask.resize(padded, 0.0);
        for buffer in [&mut self.weights, &mut self.dropped, &mut self.dweights] {
            buffer.resize(queries * padded, 0.0);
        }
    }

    fn set_mask(&mut self, given: Option<&[f32]>, keys: usize) {
        let (here, beyond) = self.mask.split_at_mut(keys);
        match given {
            Some(given) => here.copy_from_slice(given),
            None => here.fill(0.0),
        }
        beyond.fill(f32::NEG_INFINITY);
    }
}

/// `transposed` ← the transpose of `keys` rows of `d_k` values, `[d_k, padded]`.
#[inline(always)]
fn transpose(
    rows: &[f32],
    stride: usize,
    [keys, d_k]: [usize; 2],
    padded: usize,
    transposed: &mut [f32],
) {
    for t in 0..keys {
        let row = &rows[t * stride..][..d_k];
        for (line, &x) in transposed.chunks_exact_mut(padded).zip(row) {
            line[t] = x;
        }
    }
    for line in transposed.chunks_exact_mut(padded) {
        line[keys..].fill(0.0);
    }
}

/// A head's weights, before and after dropout, left in `scratch`.
#[inline(always)]
fn weights<S: Simd>(
    simd: S,
    at: Operands,
    sequence: usize,
    head: usize,
    padded: usize,
    scratch: &mut Scratch,
) {
    let AttentionShape { queries, keys, heads, d_k, .. } = at.shape;
    let Scratch { transposed, mask, weights, dropped, .. } = scratch;
    let size = [keys, d_k];
    transpose(at.key(sequence, head), at.stride, size, padded, transposed);
    Product {
        left: Left::Rows(at.query(sequence, head), at.stride),
        right: transposed,
        right_stride: padded,
        out: weights,
        out_stride: padded,
        shape: [queries, d_k, padded],
        scale: 1.0 / (d_k as f32).sqrt(),
        accumulate: false,
    }
    .with_simd(simd);
    for (i, row) in weights.chunks_exact_mut(padded).enumerate() {
        let last = if at.causal { i + 1 } else { keys };
        row[last.min(keys)..].fill(f32::NEG_INFINITY);
        softmax(simd, row, mask);
    }
    dropped.copy_from_slice(weights);
    if let Some(dropout) = at.dropout {
        let first = (sequence * heads + head) * queries;
        for (i, row) in dropped.chunks_exact_mut(padded).enumerate() {
            dropout.apply(&mut row[..keys], (first + i) * keys);
        }
    }
}

/// softmax(row + mask), in place; a row of only −∞ becomes zeros.
#[inline(always)]
fn softmax<S: Simd>(simd: S, row: &mut [f32], mask: &[f32]) {
    let (row, _) = S::as_mut_simd_f32s(row);
    let (mask, _) = S::as_simd_f32s(mask);
    let mut max = simd.splat_f32s(f32::NEG_INFINITY);
    for (x, &mask) in row.iter_mut().zip(mask) {
        *x = simd.add_f32s(*x, mask);
        max = simd.max_f32s(max, *x);
    }
    let max = simd.reduce_max_f32s(max).max(f32::MIN);
    let max = simd.splat_f32s(max);
    let mut sum = simd.splat_f32s(0.0);
    for x in &mut *row {
        *x = math::exp(simd, simd.sub_f32s(*x, max));
        sum = simd.add_f32s(sum, *x);
    }
    let sum = simd.reduce_sum_f32s(sum);
    let scale = simd.splat_f32s(if sum == 0.0 { 0.0 } else { 1.0 / sum });
    for x in row {
        *x = simd.mul_f32s(*x, scale);
    }
}

struct Forward<'a, 'o> {
    at: Operands<'a>,
    sequence: usize,
    context: &'o mut [f32],
    scratch: &'o mut Scratch,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { at, sequence, context, scratch } = self;
        let AttentionShape { queries, keys, heads, d_k, .. } = at.shape;
        let padded = keys.next_multiple_of(S::F32_LANES);
        scratch.fit(at.shape, padded);
        scratch.set_mask(at.mask.map(|all| &all[sequence * keys..][..keys]), keys);
        for head in 0..heads {
            weights(simd, at, sequence, head, padded, scratch);
            Product {
                left: Left::Rows(&scratch.dropped, padded),
                right: at.value(sequence, head),
                right_stride: at.stride,
                out: &mut context[head * d_k..],
                out_stride: heads * d_k,
                shape: [queries, keys, d_k],
                scale: 1.0,
                accumulate: false,
            }
            .with_simd(simd);
        }
    }
}

struct Backward<'a, 'o> {
    at: Operands<'a>,
    sequence: usize,
    /// The gradient of this sequence's context.
    dcontext: &'a [f32],
    /// The gradients of this sequence's queries, keys and values.
    gradients: &'o mut [f32],
    places: Places,
    scratch: &'o mut Scratch,
}

impl WithSimd for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let keys = self.at.shape.keys;
        let padded = keys.next_multiple_of(S::F32_LANES);
        self.scratch.fit(self.at.shape, padded);
        let mask = self.at.mask.map(|all| &all[self.sequence * keys..][..keys]);
        self.scratch.set_mask(mask, keys);
        for head in 0..self.at.shape.heads {
            weights(simd, self.at, self.sequence, head, padded, self.scratch);
            self.scores(simd, head, padded);
            self.operands(simd, head, padded);
        }
    }
}

impl Backward<'_, '_> {
    /// The gradient of the scores, dS = P ∘ (dP − rowsum(P ∘ dP)), where dP is that of the
    /// weights, dO Vᵀ, after dropout's mask.
    #[inline(always)]
    fn scores<S: Simd>(&mut self, simd: S, head: usize, padded: usize) {
        let Self { at, sequence, dcontext, .. } = *self;
        let AttentionShape { queries, keys, heads, d_k, .. } = at.shape;
        let Scratch { transposed, weights, dweights, .. } = &mut *self.scratch;
        let size = [keys, d_k];
        transpose(at.value(sequence, head), at.stride, size, padded, transposed);
        Product {
            left: Left::Rows(&dcontext[head * d_k..], heads * d_k),
            right: transposed,
            right_stride: padded,
            out: dweights,
            out_stride: padded,
            shape: [queries, d_k, padded],
            scale: 1.0,
            accumulate: false,
        }
        .with_simd(simd);
        if let Some(dropout) = at.dropout {
            let first = (sequence * heads + head) * queries;
            for (i, row) in dweights.chunks_exact_mut(padded).enumerate() {
                dropout.apply(&mut row[..keys], (first + i) * keys);
            }
        }
        let rows = weights.chunks_exact(padded).zip(dweights.chunks_exact_mut(padded));
        for (p, dp) in rows {
            let (p, _) = S::as_simd_f32s(p);
            let (dp, _) = S::as_mut_simd_f32s(dp);
            let mut sum = simd.splat_f32s(0.0);
            for (&p, &dp) in p.iter().zip(&*dp) {
                sum = simd.mul_add_e_f32s(p, dp, sum);
            }
            let sum = simd.splat_f32s(simd.reduce_sum_f32s(sum));
            for (&p, dp) in p.iter().zip(dp) {
                *dp = simd.mul_f32s(p, simd.sub_f32s(*dp, sum));
            }
        }
    }

    /// dV = Pᵀ dO, dQ = dS K / √d_k, dK = dSᵀ Q / √d_k.
    #[inline(always)]
    fn operands<S: Simd>(&mut self, simd: S, head: usize, padded: usize) {
        let Self { at, sequence, dcontext, places, .. } = *self;
        let AttentionShape { queries, keys, heads, d_k, .. } = at.shape;
        let Scratch { dropped, dweights, .. } = &*self.scratch;
        let scale = 1.0 / (d_k as f32).sqrt();
        let (q, k) = (at.query(sequence, head), at.key(sequence, head));
        let products = [
            (Left::Rows(dweights, padded), k, at.stride, [queries, keys], scale),
            (Left::Columns(dweights, padded), q, at.stride, [keys, queries], scale),
            (
                Left::Columns(dropped, padded),
                &dcontext[head * d_k..],
                heads * d_k,
                [keys, queries],
                1.0,
            ),
        ];
        for (offset, product) in places.offsets.into_iter().zip(products) {
            let (left, right, right_stride, [rows, sums], scale) = product;
            Product {
                left,
                right,
                right_stride,
                out: &mut self.gradients[offset + head * d_k..],
                out_stride: places.stride,
                shape: [rows, sums, d_k],
                scale,
                accumulate: false,
            }
            .with_simd(simd);
        }
    }
}
