//! The matrix product, by tiles: what linear layers and attention both stand on.
//!
//! out = x · wᵀ is cut into tiles of a few rows by two vectors of columns, small enough
//! that all the sums of a tile stay in registers while k runs over the inputs. `w` is
//! packed by groups of columns, "panels", in the order in which a tile reads it:
//!
//! ```text
//! w packed: [panels][k][width]
//! ```
//!
//! Each step of k loads two vectors of the panel, and for each row multiplies them by
//! one value of x: 2 loads and HEIGHT broadcasts for 2 · HEIGHT vector multiply-adds,
//! so arithmetic is the limit, not memory (Goto and van de Geijn, "Anatomy of
//! High-Performance Matrix Multiplication", 2008).

use pulp::{Simd, WithSimd};

use crate::isa::{load, store};
use crate::math;

/// Vectors side by side in a panel.
const VECTORS: usize = 2;

/// Columns in a panel: 32 with AVX-512.
pub(crate) struct Width;

impl WithSimd for Width {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        VECTORS * S::F32_LANES
    }
}

/// Rows in a tile, for a matrix of this many rows: its sums fill at most half of the
/// registers, and a single row is not computed eight times.
pub(crate) struct Height(pub usize);

impl WithSimd for Height {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        let most = if S::REGISTER_COUNT >= 32 { 8 } else { 4 };
        self.0.next_power_of_two().min(most)
    }
}

/// Interleaves up to `width` rows of equal length k, `[k][width]`: a panel of a weight
/// stored as PyTorch does, `[outputs, k]`. A panel's columns beyond the last output are
/// left as they are: what comes of them is never stored.
pub(crate) fn interleave(rows: &[&[f32]], width: usize, packed: &mut [f32]) {
    for (r, row) in rows.iter().enumerate() {
        for (line, &x) in packed.chunks_exact_mut(width).zip(*row) {
            line[r] = x;
        }
    }
}

/// A panel of a matrix stored `[k, outputs]`, from column `first` on.
pub(crate) fn copy_panel(
    rows: &[&[f32]],
    first: usize,
    width: usize,
    panel: &mut [f32],
) {
    for (row, line) in rows.iter().zip(panel.chunks_exact_mut(width)) {
        let row = &row[first..row.len().min(first + width)];
        line[..row.len()].copy_from_slice(row);
    }
}

/// What happens to a sum before it is stored, while it is still in a register.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue<'a> {
    /// The sum is stored as it is.
    None,
    /// The exact GELU, as BERT has it (`hidden_act: "gelu"`).
    Gelu,
    /// GELU by its tanh approximation (`"gelu_new"`, `"gelu_pytorch_tanh"`).
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// A residual of the output's shape is added.
    Add(&'a [f32]),
}

impl Epilogue<'_> {
    /// The same for an output that starts `offset` values later.
    pub(crate) fn skip(self, offset: usize) -> Self {
        match self {
            Self::Add(residual) => Self::Add(&residual[offset..]),
            other => other,
        }
    }
}

/// What a step of k reads of a panel.
type Line<S> = [<S as Simd>::f32s; VECTORS];

/// `rows` ← epilogue(x · panels · scale + bias).
pub(crate) struct Product<'a, 'o> {
    /// The length of each sum.
    pub k: usize,
    /// The rows of x, of k values each, as many as `rows`.
    pub x: &'a [&'a [f32]],
    pub height: usize,
    /// `[panels][k][width]`
    pub panels: &'a [f32],
    pub scale: f32,
    /// One value a column.
    pub bias: &'a [f32],
    pub epilogue: Epilogue<'a>,
    /// From a row of the epilogue's residual to the next.
    pub stride: usize,
    /// The rows of the output, or the part of each that this product computes.
    pub rows: &'a mut [&'o mut [f32]],
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.height {
            8 => self.run::<S, 8>(simd),
            4 => self.run::<S, 4>(simd),
            2 => self.run::<S, 2>(simd),
            _ => self.run::<S, 1>(simd),
        }
    }
}

impl Product<'_, '_> {
    /// Panels outside, rows inside: a panel comes from memory once and stays in cache
    /// while all the rows use it. Meanwhile the next one is asked for, a share with
    /// each tile, so that the first rows do not wait for it.
    #[inline(always)]
    fn run<S: Simd, const HEIGHT: usize>(mut self, simd: S) {
        let columns = self.rows.first().map_or(0, |row| row.len());
        let pace = size_of::<Line<S>>() / self.rows.len().div_ceil(HEIGHT).max(1);
        let lines: &[Line<S>] = S::as_simd_f32s(self.panels).0.as_chunks().0;
        for (p, column) in (0..columns).step_by(VECTORS * S::F32_LANES).enumerate() {
            let (panel, next) = lines[p * self.k..].split_at(self.k);
            let mut ahead = Ahead { place: next.as_ptr().cast(), pace };
            for row in (0..self.rows.len()).step_by(HEIGHT) {
                // Where rows are too few for the last tile, it repeats the last one.
                let x =
                    std::array::from_fn(|r| self.x[(row + r).min(self.rows.len() - 1)]);
                let sums = multiply::<S, HEIGHT>(simd, panel, x, ahead);
                self.store(simd, &sums, row, column);
                ahead.place = ahead.place.wrapping_add(pace * self.k);
            }
        }
    }

    /// Finishes a tile and stores as much of it as the output has.
    #[inline(always)]
    fn store<S: Simd>(
        &mut self,
        simd: S,
        sums: &[[S::f32s; VECTORS]],
        first_row: usize,
        first_column: usize,
    ) {
        let scale = simd.splat_f32s(self.scale);
        for (r, sums) in sums.iter().enumerate() {
            let Some(row) = self.rows.get_mut(first_row + r) else { return };
            for (v, &sum) in sums.iter().enumerate() {
                let start = first_column + v * S::F32_LANES;
                let end = (start + S::F32_LANES).min(row.len());
                if start >= end {
                    break;
                }
                let bias = load(simd, &self.bias[start..end]);
                let sum = simd.mul_add_e_f32s(sum, scale, bias);
                let value = match self.epilogue {
                    Epilogue::None => sum,
                    Epilogue::Gelu => math::gelu(simd, sum),
                    Epilogue::GeluTanh => math::gelu_tanh(simd, sum),
                    Epilogue::Relu => math::relu(simd, sum),
                    Epilogue::Add(residual) => {
                        let at = (first_row + r) * self.stride;
                        let old = load(simd, &residual[at + start..at + end]);
                        simd.add_f32s(sum, old)
                    }
                };
                store(simd, &mut row[start..end], value);
            }
        }
    }
}

/// Products added up before their sum joins the others. A sum of k products one after
/// another is off by about √k roundings of its largest partial sum; by blocks it is off
/// by those of a block and of a few sums of blocks.
const BLOCK: usize = 64;

/// The microkernel: the sums of one tile, HEIGHT rows by two vectors, in registers.
#[inline(always)]
fn multiply<S: Simd, const HEIGHT: usize>(
    simd: S,
    panel: &[Line<S>],
    x: [&[f32]; HEIGHT],
    ahead: Ahead,
) -> [[S::f32s; VECTORS]; HEIGHT] {
    let mut totals = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
    for (block, lines) in panel.chunks(BLOCK).enumerate() {
        let start = block * BLOCK;
        // As long as the block, so that the compiler checks it here and not at each step.
        let x = x.map(|row| &row[start..start + lines.len()]);
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
        for (t, &weights) in lines.iter().enumerate() {
            ahead.prefetch(start + t);
            for r in 0..HEIGHT {
                let value = simd.splat_f32s(x[r][t]);
                for v in 0..VECTORS {
                    sums[r][v] = simd.mul_add_e_f32s(value, weights[v], sums[r][v]);
                }
            }
        }
        for r in 0..HEIGHT {
            for v in 0..VECTORS {
                totals[r][v] = simd.add_f32s(totals[r][v], sums[r][v]);
            }
        }
    }
    totals
}

/// Memory that will be read after this tile.
#[derive(Clone, Copy)]
struct Ahead {
    place: *const i8,
    /// Bytes at each step of k.
    pace: usize,
}

impl Ahead {
    /// Asks for the step's bytes to be brought to the L2 cache, and does not wait.
    /// Processors see by themselves that memory is read in order, but not early enough.
    #[inline(always)]
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "neither Rust nor pulp has a safe prefetch")
    )]
    fn prefetch(self, step: usize) {
        let place = self.place.wrapping_add(step * self.pace);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint that reads nothing, for which any address will do, even one
        // past the end; all x86-64 processors have it.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T1>(place);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = place;
    }
}
