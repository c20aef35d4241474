//! Multi-head attention, from the projected queries, keys and values to the context.

use std::cell::Cell;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::error::{KernelError, expect_len, expect_some};
use crate::grid;
use crate::isa::Isa;
use crate::softmax::softmax_row;
use crate::tile::{Epilogue, Product, Width, copy_panel, interleave};

/// Query rows computed together: their scores stay in the L2 cache between the two
/// products.
const BLOCK: usize = 64;

thread_local! {
    /// Kept between calls: allocated at each, it would be cleared at each.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

#[derive(Default)]
struct Scratch {
    keys: Aligned,
    values: Aligned,
    weights: Aligned,
}

impl Scratch {
    /// Packs Kᵀ in panels of keys, `[panels][d_k][panel]`, and V in panels of its
    /// columns, `[panels][tokens][panel]`.
    fn pack(&mut self, keys: &[&[f32]], values: &[&[f32]], panel: usize) {
        let (tokens, d_k) = (keys.len(), keys[0].len());
        let packed = self.keys.scratch(tokens.next_multiple_of(panel) * d_k);
        for (keys, packed) in
            keys.chunks(panel).zip(packed.chunks_exact_mut(panel * d_k))
        {
            interleave(keys, panel, packed);
        }
        let packed = self.values.scratch(d_k.next_multiple_of(panel) * tokens);
        for (p, packed) in packed.chunks_exact_mut(panel * tokens).enumerate() {
            copy_panel(values, p * panel, panel, packed);
        }
    }
}

/// The sizes of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// How many sequences there are.
    pub batch: usize,
    /// Tokens in each sequence, padding included.
    pub tokens: usize,
    /// How many heads share a token's vector.
    pub heads: usize,
    /// The width of a head, and of its values as well.
    pub d_k: usize,
}

/// softmax(Q Kᵀ / √d_k + mask) V for every head of every sequence.
///
/// - `qkv`: `[batch, tokens, 3 * heads * d_k]`, each row a token's queries, keys and
///   values side by side, as [`PackedLinear::side_by_side`] computes them; a head is
///   read where it lies.
/// - `mask`: `[batch, tokens]`, added to the scores of each key: 0 where a token
///   counts, −∞ (or a very negative number) where it is padding. A query that sees no
///   key at all gets weights and context 0.
/// - `context`: `[batch, tokens, heads * d_k]`.
/// - `weights`: `[batch, heads, tokens, tokens]`, the softmax's results; without it
///   they are computed by blocks and forgotten.
///
/// [`PackedLinear::side_by_side`]: crate::PackedLinear::side_by_side
///
/// # Errors
/// If a slice's length disagrees with `shape`, or a size other than `batch` is 0.
pub fn attention(
    qkv: &[f32],
    shape: Heads,
    mask: Option<&[f32]>,
    context: &mut [f32],
    weights: Option<&mut [f32]>,
) -> Result<(), KernelError> {
    attention_on(Isa::chosen()?, qkv, shape, mask, context, weights)
}

/// [`attention`] with the given instructions: for tests.
pub fn attention_on(
    isa: Isa,
    qkv: &[f32],
    shape: Heads,
    mask: Option<&[f32]>,
    context: &mut [f32],
    weights: Option<&mut [f32]>,
) -> Result<(), KernelError> {
    let Heads { batch, tokens, heads, d_k } = shape;
    expect_some("the number of tokens", tokens)?;
    expect_some("the number of heads", heads)?;
    expect_some("the width of a head", d_k)?;
    expect_len(
        "the queries, keys and values",
        qkv.len(),
        &[batch, tokens, 3, heads, d_k],
    )?;
    expect_len("the context", context.len(), &[batch, tokens, heads, d_k])?;
    if let Some(mask) = mask {
        expect_len("the mask", mask.len(), &[batch, tokens])?;
    }
    if let Some(weights) = &weights {
        expect_len("the weights", weights.len(), &[batch, heads, tokens, tokens])?;
    }

    if batch == 0 {
        return Ok(());
    }

    // One task per head of each sequence.
    let contexts = grid::cut(context, heads * d_k, tokens, d_k);
    let weights: Vec<Option<&mut [f32]>> = match weights {
        Some(all) => all.chunks_mut(tokens * tokens).map(Some).collect(),
        None => contexts.iter().map(|_| None).collect(),
    };
    contexts.into_par_iter().zip(weights).enumerate().for_each(
        |(task, (context, weights))| {
            let (sequence, head) = (task / heads, task % heads);
            let row = 3 * heads * d_k;
            let rows = &qkv[sequence * tokens * row..][..tokens * row];
            let part = |which: usize| -> Vec<&[f32]> {
                let start = (which * heads + head) * d_k;
                rows.chunks_exact(row).map(|row| &row[start..start + d_k]).collect()
            };
            isa.run(Head {
                queries: part(0),
                keys: part(1),
                values: part(2),
                mask: mask.map(|mask| &mask[sequence * tokens..][..tokens]),
                context,
                weights,
            });
        },
    );
    Ok(())
}

/// One head of one sequence.
struct Head<'a, 'o> {
    queries: Vec<&'a [f32]>,
    keys: Vec<&'a [f32]>,
    values: Vec<&'a [f32]>,
    mask: Option<&'a [f32]>,
    context: Vec<&'o mut [f32]>,
    /// `[tokens, tokens]`
    weights: Option<&'o mut [f32]>,
}

impl WithSimd for Head<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (tokens, d_k) = (self.keys.len(), self.keys[0].len());
        let panel = Width.with_simd(simd);
        let mut scratch = SCRATCH.take();

        scratch.pack(&self.keys, &self.values, panel);
        // The mask is what a bias is to a linear layer: one value added to a column.
        let mut mask = vec![0.0; tokens];
        let no_bias = vec![0.0; d_k];
        if let Some(given) = self.mask {
            mask.copy_from_slice(given);
        }

        for (block, context) in self.context.chunks_mut(BLOCK).enumerate() {
            let (first, rows) = (block * BLOCK, context.len());
            let weights = scratch.weights.scratch(rows * tokens);

            // scores = Q Kᵀ / √d_k + mask   [rows, tokens]
            simd.vectorize(Product {
                k: d_k,
                x: &self.queries[first..first + rows],
                panels: scratch.keys.as_slice(),
                scale: 1.0 / (d_k as f32).sqrt(),
                bias: &mask,
                epilogue: Epilogue::None,
                stride: tokens,
                rows: &mut weights.chunks_mut(tokens).collect::<Vec<_>>(),
            });
            for row in weights.chunks_exact_mut(tokens) {
                softmax_row(simd, row);
            }
            if let Some(all) = &mut self.weights {
                all[first * tokens..][..rows * tokens].copy_from_slice(weights);
            }
            // context = weights V   [rows, d_k]
            simd.vectorize(Product {
                k: tokens,
                x: &weights.chunks(tokens).collect::<Vec<_>>(),
                panels: scratch.values.as_slice(),
                scale: 1.0,
                bias: &no_bias,
                epilogue: Epilogue::None,
                stride: d_k,
                rows: context,
            });
        }
        SCRATCH.set(scratch);
    }
}
