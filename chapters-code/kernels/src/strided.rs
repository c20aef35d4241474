//! Products of small or narrow matrices where they lie: nothing is packed or transposed.
//!
//! The heads of attention are too small to be worth packing, and the gradient of a weight,
//! dW = dYᵀ X, reads both matrices along their rows already.

use std::cell::Cell;
use std::sync::LazyLock;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::buffers::{Buffer, Buffers};
use crate::error::{KernelError, expect_len, expect_some};
use crate::isa::{Isa, load, store};
use crate::tile::{
    Ahead, Height, Line, VECTORS, Width, add, load_line, step, store_line,
};

/// The left factor, `[m, k]`: rows `stride` values apart, or the transpose of such rows.
#[derive(Clone, Copy, Debug)]
pub enum Left<'a> {
    /// Row r begins at `r · stride`.
    Rows(&'a [f32], usize),
    /// Column t begins at `t · stride`.
    Columns(&'a [f32], usize),
}

/// `out` ← scale · left · right, or that added to `out`. [`Isa::run`] computes it, on one
/// thread.
///
/// Shapes are the caller's to check: a slice shorter than its shape and stride say panics.
#[derive(Debug)]
pub struct Product<'a, 'o> {
    /// `[m, k]`
    pub left: Left<'a>,
    /// `[k, n]`, rows `right_stride` apart.
    pub right: &'a [f32],
    /// At least n.
    pub right_stride: usize,
    /// `[m, n]`, rows `out_stride` apart.
    pub out: &'o mut [f32],
    /// At least n.
    pub out_stride: usize,
    /// m, k and n.
    pub shape: [usize; 3],
    /// What each sum is multiplied by.
    pub scale: f32,
    /// Whether the product is added to what `out` holds.
    pub accumulate: bool,
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.left {
            Left::Rows(..) => self.columns::<S, false>(simd),
            Left::Columns(..) => self.columns::<S, true>(simd),
        }
    }
}

impl Product<'_, '_> {
    /// Two vectors of columns at a time, or the one that is left.
    #[inline(always)]
    fn columns<S: Simd, const TRANSPOSED: bool>(mut self, simd: S) {
        let n = self.shape[2];
        for column in (0..n).step_by(2 * S::F32_LANES) {
            if n - column > S::F32_LANES {
                self.rows::<S, TRANSPOSED, 2>(simd, column);
            } else {
                self.rows::<S, TRANSPOSED, 1>(simd, column);
            }
        }
    }

    /// As many rows at a time as the registers hold the sums of, then four, then one by one.
    #[inline(always)]
    fn rows<S: Simd, const TRANSPOSED: bool, const VECTORS: usize>(
        &mut self,
        simd: S,
        column: usize,
    ) {
        let (m, mut row) = (self.shape[0], 0);
        let height = Height.with_simd(simd);
        while m - row >= height {
            match height {
                8 => self.tile::<S, TRANSPOSED, VECTORS, 8>(simd, row, column),
                6 => self.tile::<S, TRANSPOSED, VECTORS, 6>(simd, row, column),
                _ => self.tile::<S, TRANSPOSED, VECTORS, 4>(simd, row, column),
            }
            row += height;
        }
        if m - row >= 4 {
            self.tile::<S, TRANSPOSED, VECTORS, 4>(simd, row, column);
            row += 4;
        }
        while row < m {
            self.tile::<S, TRANSPOSED, VECTORS, 1>(simd, row, column);
            row += 1;
        }
    }

    /// The sums of HEIGHT rows by VECTORS vectors, in registers.
    #[inline(always)]
    fn tile<
        S: Simd,
        const TRANSPOSED: bool,
        const VECTORS: usize,
        const HEIGHT: usize,
    >(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let (k, lanes) = (self.shape[1], S::F32_LANES);
        let end = self.shape[2].min(column + VECTORS * lanes);
        let (Left::Rows(left, stride) | Left::Columns(left, stride)) = self.left;
        let rows: [&[f32]; HEIGHT] = std::array::from_fn(|r| {
            if TRANSPOSED { &[][..] } else { &left[(row + r) * stride..][..k] }
        });
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
        for t in 0..k {
            let line = &self.right[t * self.right_stride..][column..end];
            let right: [S::f32s; VECTORS] = match S::as_simd_f32s(line).0.first_chunk()
            {
                Some(whole) => *whole,
                None => std::array::from_fn(|v| load(simd, &line[v * lanes..])),
            };
            let left: [f32; HEIGHT] = if TRANSPOSED {
                let column = &left[t * stride + row..][..HEIGHT];
                std::array::from_fn(|r| column[r])
            } else {
                std::array::from_fn(|r| rows[r][t])
            };
            for r in 0..HEIGHT {
                let value = simd.splat_f32s(left[r]);
                for v in 0..VECTORS {
                    sums[r][v] = simd.mul_add_e_f32s(value, right[v], sums[r][v]);
                }
            }
        }
        let scale = simd.splat_f32s(self.scale);
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(row + r) * self.out_stride..][column..end];
            for (out, &sum) in out.chunks_mut(lanes).zip(sums) {
                let old = if self.accumulate {
                    load(simd, out)
                } else {
                    simd.splat_f32s(0.0)
                };
                store(simd, out, simd.mul_add_e_f32s(sum, scale, old));
            }
        }
    }
}

/// Rows of x and dy that are summed before the next: a task's stay in the L2 cache.
const BLOCK: usize = 256;

/// `dw` ← dYᵀ X, the gradient of a linear layer's weight: `dy` is `[rows, outputs]`, `x`
/// `[rows, inputs]`, `dw` `[outputs, inputs]`.
///
/// # Errors
///
/// As [`WeightGradient::new`]; if `dw` has another length.
pub fn weight_gradient(
    dy: &[f32],
    x: &[f32],
    rows: usize,
    dw: &mut [f32],
) -> Result<(), KernelError> {
    let product = WeightGradient::new(dy, x, rows)?;
    expect_len("dw", dw.len(), &[product.outputs, product.inputs])?;
    dw.par_chunks_mut(product.task()).enumerate().for_each(|(task, out)| {
        product.compute(task, out);
    });
    Ok(())
}

/// dYᵀ X by tasks, each some rows of it over all rows of `x`: no sum is split, so the bits
/// don't depend on the number of threads.
#[derive(Debug)]
pub struct WeightGradient<'a> {
    dy: &'a [f32],
    outputs: usize,
    inputs: usize,
    rows: usize,
    /// Rows of dW in a task.
    height: usize,
    /// `x` by blocks of rows, in each by columns of two vectors: `[inputs / width][rows of
    /// the block][width]`, in the order in which a tile reads it.
    panels: Buffer,
    width: usize,
}

/// Memory for panels, used again at each step.
static BUFFERS: LazyLock<Buffers> = LazyLock::new(Buffers::default);

thread_local! {
    /// The columns of dY that a task reads, side by side.
    static COLUMNS_OF_DY: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl<'a> WeightGradient<'a> {
    /// `dy` is `[rows, outputs]`, `x` `[rows, inputs]`.
    ///
    /// # Errors
    ///
    /// If there are no rows or no values in one, or a slice isn't made of whole rows.
    pub fn new(dy: &'a [f32], x: &[f32], rows: usize) -> Result<Self, KernelError> {
        expect_some("the number of rows", rows)?;
        let (outputs, inputs) = (dy.len() / rows, x.len() / rows);
        expect_len("dy", dy.len(), &[rows, outputs])?;
        expect_len("x", x.len(), &[rows, inputs])?;
        expect_some("the width of dy", outputs)?;
        expect_some("the width of x", inputs)?;
        let tasks = 4 * rayon::current_num_threads();
        let isa = Isa::chosen()?;
        let (width, tile) = (isa.run(Width), isa.run(Height));
        let height = outputs.div_ceil(tasks).next_multiple_of(tile).min(8 * tile);
        let across = inputs.div_ceil(width);
        let mut panels = BUFFERS.take(across * width * rows);
        let blocks = panels.par_chunks_mut(across * width * BLOCK);
        blocks.zip(x.par_chunks(inputs * BLOCK)).for_each(|(panels, x)| {
            let rows = x.len() / inputs;
            for (p, panel) in panels.chunks_mut(rows * width).enumerate() {
                for (line, row) in panel.chunks_mut(width).zip(x.chunks(inputs)) {
                    let part = &row[p * width..inputs.min((p + 1) * width)];
                    line[..part.len()].copy_from_slice(part);
                }
            }
        });
        Ok(Self { dy, outputs, inputs, rows, height, panels, width })
    }

    /// How many values of dW a task computes; the last may have fewer.
    pub fn task(&self) -> usize {
        self.height * self.inputs
    }

    /// The values of a task, counted from 0: `out` holds [`task`](Self::task) of them, or
    /// what is left for the last.
    pub fn compute(&self, task: usize, out: &mut [f32]) {
        Isa::current().run(Task { of: self, first: task * self.height, out });
    }
}

/// Some rows of dW, from `first` on.
struct Task<'a, 'o> {
    of: &'a WeightGradient<'a>,
    first: usize,
    out: &'o mut [f32],
}

impl WithSimd for Task<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match Height.with_simd(simd) {
            8 => self.blocks::<S, 8>(simd),
            6 => self.blocks::<S, 6>(simd),
            _ => self.blocks::<S, 4>(simd),
        }
    }
}

impl Task<'_, '_> {
    /// Block by block of rows of x and dy; in each, panel by panel of x.
    #[inline(always)]
    fn blocks<S: Simd, const HEIGHT: usize>(mut self, simd: S) {
        let WeightGradient { dy, outputs, inputs, width, .. } = *self.of;
        let across = inputs.div_ceil(width) * width;
        let mut columns = COLUMNS_OF_DY.take();
        for start in (0..self.of.rows).step_by(BLOCK) {
            let rows = BLOCK.min(self.of.rows - start);
            self.turn::<HEIGHT>(&dy[start * outputs..][..rows * outputs], &mut columns);
            let (columns, _) = columns.as_chunks::<HEIGHT>();
            let panels = &self.of.panels[start * across..][..rows * across];
            let (lines, _) = S::as_simd_f32s(panels);
            let (lines, _): (&[Line<S>], _) = lines.as_chunks();
            for (p, lines) in lines.chunks_exact(rows).enumerate() {
                let tiles = columns.chunks_exact(rows);
                let mut ahead = Ahead::of(&lines[rows..], tiles.len());
                for (t, columns) in tiles.enumerate() {
                    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
                    for (&line, &column) in lines.iter().zip(columns) {
                        ahead.step();
                        step(simd, line, column, &mut sums);
                    }
                    self.add(simd, &sums, t * HEIGHT, p * width, start > 0);
                }
            }
        }
        COLUMNS_OF_DY.set(columns);
    }

    /// `columns` ← the task's columns of dY, `[tiles][rows][HEIGHT]`; 0 beyond the last.
    #[inline(always)]
    fn turn<const HEIGHT: usize>(&self, dy: &[f32], columns: &mut Vec<f32>) {
        let height = self.out.len() / self.of.inputs;
        columns.clear();
        for first in (0..height).step_by(HEIGHT) {
            let end = height.min(first + HEIGHT);
            for row in dy.chunks_exact(self.of.outputs) {
                let part = &row[self.first + first..self.first + end];
                let mut column = [0.0; HEIGHT];
                column[..part.len()].copy_from_slice(part);
                columns.extend_from_slice(&column);
            }
        }
    }

    /// Adds a tile's sums to those of the blocks before, or stores the first ones.
    #[inline(always)]
    fn add<S: Simd>(
        &mut self,
        simd: S,
        sums: &[Line<S>],
        row: usize,
        column: usize,
        before: bool,
    ) {
        let inputs = self.of.inputs;
        let end = inputs.min(column + self.of.width);
        for (&sums, out) in sums.iter().zip(self.out.chunks_mut(inputs).skip(row)) {
            let out = &mut out[column..end];
            let sums =
                if before { add(simd, load_line(simd, out), sums) } else { sums };
            store_line(simd, out, sums);
        }
    }
}

/// Columns that a task sums.
const COLUMNS: usize = 64;

/// `sums` ← the sum of all rows, each as wide as `sums`: the gradient of a linear layer's
/// bias. Values beyond the last whole row are left out.
pub fn sum_rows(rows: &[f32], sums: &mut [f32]) {
    let width = sums.len();
    sums.par_chunks_mut(COLUMNS).enumerate().for_each(|(task, sums)| {
        Isa::current().run(SumRows { rows, width, first: task * COLUMNS, sums });
    });
}

struct SumRows<'a, 'o> {
    rows: &'a [f32],
    width: usize,
    first: usize,
    sums: &'o mut [f32],
}

impl WithSimd for SumRows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut total = [0.0; COLUMNS];
        let total = &mut total[..self.sums.len()];
        for row in self.rows.chunks_exact(self.width) {
            let row = &row[self.first..self.first + total.len()];
            for (total, x) in total.iter_mut().zip(row) {
                *total += x;
            }
        }
        self.sums.copy_from_slice(total);
    }
}
