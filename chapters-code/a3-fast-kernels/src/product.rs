//! One product, y = x Wᵀ, as the formula says it and as a processor likes it.

use std::hint::black_box;

use kernels::{Isa, store};
use pulp::{Simd, WithSimd};

use crate::error::{FastError, Result};

/// Products added up before their sum joins the total, see [`crate::sums`].
const BLOCK: usize = 64;

/// The weight of a linear layer, `[outputs, k]`, row after row, as PyTorch stores it.
#[derive(Debug, Clone)]
pub struct Weight {
    values: Vec<f32>,
    k: usize,
}

impl Weight {
    /// `values` are `[outputs, k]`.
    ///
    /// # Errors
    ///
    /// [`FastError::Depth`] unless k is a multiple of 64, [`FastError::Rows`] without whole
    /// rows.
    pub fn new(values: Vec<f32>, k: usize) -> Result<Self> {
        if k == 0 || !k.is_multiple_of(BLOCK) {
            return Err(FastError::Depth(k));
        }
        rows("W", &values, k)?;
        Ok(Self { values, k })
    }

    /// How many outputs the layer has.
    pub fn outputs(&self) -> usize {
        self.values.len() / self.k
    }

    // ANCHOR: one_by_one
    /// y = x Wᵀ as the formula says it: `x` is `[rows, k]`, y `[rows, outputs]`.
    ///
    /// # Errors
    ///
    /// [`FastError::Rows`] unless x is whole rows.
    pub fn one_by_one(&self, x: &[f32]) -> Result<Vec<f32>> {
        rows("x", x, self.k)?;
        let mut y = Vec::new();
        for x in x.chunks(self.k) {
            for w in self.values.chunks(self.k) {
                let mut sum = 0.0;
                for (x, w) in x.iter().zip(w) {
                    sum += x * w;
                }
                y.push(sum);
            }
        }
        Ok(y)
    }
    // ANCHOR_END: one_by_one
}

/// How many rows of k there are.
fn rows(what: &'static str, values: &[f32], k: usize) -> Result<usize> {
    if values.is_empty() || !values.len().is_multiple_of(k) {
        return Err(FastError::Rows { what, found: values.len(), k });
    }
    Ok(values.len() / k)
}

// ANCHOR: packed
/// A weight in the order in which tiles read it, `[panels][k][width]`: in a panel, the
/// values of `width` outputs side by side. Columns beyond the last output are 0.
#[derive(Debug, Clone)]
pub struct Packed {
    panels: Vec<f32>,
    k: usize,
    outputs: usize,
    /// Two vectors of this machine.
    width: usize,
    isa: Isa,
}

impl Packed {
    /// Packs a weight for the fastest instructions that this machine has.
    ///
    /// # Errors
    ///
    /// [`FastError::Isa`] if `KERNELS_ISA` names instructions that it has not.
    pub fn new(weight: &Weight) -> Result<Self> {
        let isa = Isa::chosen()?;
        let (width, k, outputs) = (isa.run(Width), weight.k, weight.outputs());
        let mut panels = vec![0.0; outputs.next_multiple_of(width) * k];
        let groups = weight.values.chunks(width * k); // of `width` outputs
        for (panel, group) in panels.chunks_mut(width * k).zip(groups) {
            for (column, row) in group.chunks(k).enumerate() {
                for (t, &w) in row.iter().enumerate() {
                    panel[t * width + column] = w; // [k][width]
                }
            }
        }
        Ok(Self { panels, k, outputs, width, isa })
    }
}
// ANCHOR_END: packed

/// Columns in a panel: two vectors.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        2 * S::F32_LANES
    }
}

impl Packed {
    /// y = x Wᵀ by tiles of HEIGHT rows: `x` is `[rows, k]`, y `[rows, outputs]`.
    ///
    /// # Errors
    ///
    /// [`FastError::Rows`] unless x is whole rows.
    pub fn forward<const HEIGHT: usize>(&self, x: &[f32]) -> Result<Vec<f32>> {
        let rows = rows("x", x, self.k)?;
        let mut y = vec![0.0; rows * self.outputs];
        self.isa.run(Product::<HEIGHT> { of: self, x, y: &mut y });
        Ok(y)
    }
}

/// What [`Packed::forward`] computes, once for each set of instructions.
struct Product<'a, const HEIGHT: usize> {
    of: &'a Packed,
    x: &'a [f32],
    y: &'a mut [f32],
}

// ANCHOR: product
impl<const HEIGHT: usize> WithSimd for Product<'_, HEIGHT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Packed { k, outputs, width, .. } = *self.of;
        let x: Vec<&[f32]> = self.x.chunks(k).collect(); // [rows][k]
        let (vectors, _) = S::as_simd_f32s(&self.of.panels);
        let (lines, _) = vectors.as_chunks::<2>(); // [panels · k] of two vectors
        for (p, panel) in lines.chunks(k).enumerate() {
            for first in (0..x.len()).step_by(HEIGHT) {
                // Where rows are too few for the last tile, it repeats the last one.
                let tile_of_x: [&[f32]; HEIGHT] =
                    std::array::from_fn(|r| x[(first + r).min(x.len() - 1)]);
                let sums = tile(simd, panel, tile_of_x);
                for (r, sums) in sums.iter().enumerate().take(x.len() - first) {
                    let y = &mut self.y[(first + r) * outputs..][..outputs];
                    let columns = p * width..outputs.min((p + 1) * width);
                    let parts = y[columns].chunks_mut(S::F32_LANES);
                    for (part, &sum) in parts.zip(sums) {
                        store(simd, part, sum);
                    }
                }
            }
        }
    }
}
// ANCHOR_END: product

// ANCHOR: tile
/// The sums of a tile: HEIGHT rows of x by the two vectors of columns of a panel.
#[inline(always)]
fn tile<S: Simd, const HEIGHT: usize>(
    simd: S,
    panel: &[[S::f32s; 2]], // k lines
    x: [&[f32]; HEIGHT],    // rows of k values
) -> [[S::f32s; 2]; HEIGHT] {
    let mut totals = [[simd.splat_f32s(0.0); 2]; HEIGHT];
    for (block, lines) in panel.as_chunks::<BLOCK>().0.iter().enumerate() {
        let x: [&[f32; BLOCK]; HEIGHT] =
            std::array::from_fn(|r| &x[r].as_chunks().0[block]);
        let mut sums = [[simd.splat_f32s(0.0); 2]; HEIGHT];
        for t in 0..BLOCK {
            for r in 0..HEIGHT {
                let value = simd.splat_f32s(x[r][t]);
                for v in 0..2 {
                    sums[r][v] = simd.mul_add_e_f32s(value, lines[t][v], sums[r][v]);
                }
            }
        }
        for r in 0..HEIGHT {
            for v in 0..2 {
                totals[r][v] = simd.add_f32s(totals[r][v], sums[r][v]);
            }
        }
        black_box(&mut totals); // in memory, not in the registers of the next sums
    }
    totals
}
// ANCHOR_END: tile
