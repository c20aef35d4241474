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
pub(crate) const VECTORS: usize = 2;

/// Columns in a panel: 32 with AVX-512.
pub(crate) struct Width;

impl WithSimd for Width {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        VECTORS * S::F32_LANES
    }
}

/// Rows in a tile: the sums of 8 by two vectors fill half of AVX-512's 32 registers, those
/// of 6 by two 12 of AVX2's 16, which leaves two for the panel and one for x. A browser
/// may run on 16 registers, too, and its products are no fused ones: 4 by two are fastest
/// there. Without vectors, two columns a panel, four rows are enough.
pub(crate) struct Height;

impl WithSimd for Height {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        match (S::F32_LANES, S::REGISTER_COUNT) {
            (1, _) => 4,
            _ if cfg!(target_family = "wasm") => 4,
            (_, 32..) => 8,
            _ => 6,
        }
    }
}

/// Interleaves up to `width` rows of equal length k, `[k][width]`: a panel of a weight
/// stored as PyTorch does, `[outputs, k]`. A panel's columns beyond the last output are
/// left as they are: what comes of them is never stored.
pub(crate) fn interleave(rows: &[&[f32]], width: usize, packed: &mut [f32]) {
    // Eight lines at a time: they stay in the L1 cache while all rows write to them.
    let starts = (0..).step_by(8);
    for (start, lines) in starts.zip(packed.chunks_mut(8 * width)) {
        for (r, row) in rows.iter().enumerate() {
            for (line, &x) in lines.chunks_exact_mut(width).zip(&row[start..]) {
                line[r] = x;
            }
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

    /// What becomes of a line of sums, of which the output has `width`.
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, mut sums: Line<S>, width: usize) -> Line<S> {
        if let Self::Add(residual) = self {
            return add(simd, sums, load_line(simd, &residual[..width]));
        }
        for sum in &mut sums {
            *sum = match self {
                Self::None | Self::Add(_) => *sum,
                Self::Gelu => math::gelu(simd, *sum),
                Self::GeluTanh => math::gelu_tanh(simd, *sum),
                Self::Relu => math::relu(simd, *sum),
            };
        }
        sums
    }
}

/// What a step of k reads of a panel.
pub(crate) type Line<S> = [<S as Simd>::f32s; VECTORS];

/// A line from `values`, one for each of its columns or fewer. (Loops and no closures here:
/// a closure that the compiler doesn't inline is one compiled without vector instructions.)
#[inline(always)]
pub(crate) fn load_line<S: Simd>(simd: S, values: &[f32]) -> Line<S> {
    if let Some(whole) = S::as_simd_f32s(values).0.first_chunk() {
        return *whole;
    }
    let mut line = [simd.splat_f32s(0.0); VECTORS];
    for (vector, values) in line.iter_mut().zip(values.chunks(S::F32_LANES)) {
        *vector = load(simd, values);
    }
    line
}

/// Stores as much of a line as `values` hold.
#[inline(always)]
pub(crate) fn store_line<S: Simd>(simd: S, values: &mut [f32], line: Line<S>) {
    if let Some(whole) = S::as_mut_simd_f32s(values).0.first_chunk_mut() {
        *whole = line;
        return;
    }
    for (values, vector) in values.chunks_mut(S::F32_LANES).zip(line) {
        store(simd, values, vector);
    }
}

/// a + b
#[inline(always)]
pub(crate) fn add<S: Simd>(simd: S, mut a: Line<S>, b: Line<S>) -> Line<S> {
    for v in 0..VECTORS {
        a[v] = simd.add_f32s(a[v], b[v]);
    }
    a
}

/// Products added up before their sum joins the total. A sum of k products one after
/// another is off by about √k roundings of its largest partial sum; by blocks it is off by
/// those of a block and of a few sums of blocks.
const BLOCK: usize = 64;

/// `rows` ← epilogue(x · panels · scale + bias).
pub(crate) struct Product<'a, 'o> {
    /// The length of each sum.
    pub k: usize,
    /// The rows of x, of k values each, as many as `rows`.
    pub x: &'a [&'a [f32]],
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

    /// Panels outside, rows inside: a panel comes from memory once and stays in cache while
    /// all the rows use it. Meanwhile the next one is asked for, a share with each tile, so
    /// that the first rows do not wait for it.
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let columns = self.rows.first().map_or(0, |row| row.len());
        let height = Height.with_simd(simd);
        let tiles = self.rows.len().div_ceil(height);
        let lines: &[Line<S>] = S::as_simd_f32s(self.panels).0.as_chunks().0;
        for (p, column) in (0..columns).step_by(VECTORS * S::F32_LANES).enumerate() {
            let (lines, next) = lines[p * self.k..].split_at(self.k);
            let mut panel = Panel { lines, column, ahead: Ahead::of(next, tiles) };
            let mut row = 0;
            while row < self.rows.len() {
                row += match self.rows.len() - row {
                    1 => self.tile::<S, 1>(simd, &mut panel, row),
                    2 => self.tile::<S, 2>(simd, &mut panel, row),
                    3 | 4 => self.tile::<S, 4>(simd, &mut panel, row),
                    _ if height == 8 => self.tile::<S, 8>(simd, &mut panel, row),
                    _ if height == 6 => self.tile::<S, 6>(simd, &mut panel, row),
                    _ => self.tile::<S, 4>(simd, &mut panel, row),
                };
            }
        }
    }
}

/// A panel, the column of the output where it begins, and what comes after it.
struct Panel<'a, S: Simd> {
    lines: &'a [Line<S>],
    column: usize,
    ahead: Ahead,
}

impl Product<'_, '_> {
    /// A panel's part of HEIGHT rows, or of those that are left. Returns HEIGHT.
    #[inline(always)]
    fn tile<S: Simd, const HEIGHT: usize>(
        &mut self,
        simd: S,
        panel: &mut Panel<'_, S>,
        row: usize,
    ) -> usize {
        // Where rows are too few for the last tile, it repeats the last one.
        let last = self.rows.len() - 1;
        let x: [&[f32]; HEIGHT] =
            std::array::from_fn(|r| &self.x[(row + r).min(last)][..self.k]);
        let sums = multiply(simd, panel.lines, x, &mut panel.ahead);
        let scale = simd.splat_f32s(self.scale);
        for (r, mut sums) in sums.into_iter().enumerate().take(last + 1 - row) {
            let row = row + r;
            let out = &mut self.rows[row][panel.column..];
            let width = out.len().min(VECTORS * S::F32_LANES);
            let bias = load_line(simd, &self.bias[panel.column..][..width]);
            for v in 0..VECTORS {
                sums[v] = simd.mul_add_e_f32s(sums[v], scale, bias[v]);
            }
            let epilogue = self.epilogue.skip(row * self.stride + panel.column);
            store_line(simd, &mut out[..width], epilogue.apply(simd, sums, width));
        }
        HEIGHT
    }
}

/// The microkernel: the sums of a tile, HEIGHT rows by two vectors, in registers; `x` are
/// rows of as many values as there are lines.
#[inline(always)]
fn multiply<S: Simd, const HEIGHT: usize>(
    simd: S,
    lines: &[Line<S>],
    x: [&[f32]; HEIGHT],
    ahead: &mut Ahead,
) -> [Line<S>; HEIGHT] {
    let mut totals = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
    for (block, lines) in lines.chunks(BLOCK).enumerate() {
        let x: [&[f32]; HEIGHT] =
            std::array::from_fn(|r| &x[r][block * BLOCK..][..lines.len()]);
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
        let done = chunks::<S, HEIGHT, BLOCK>(simd, lines, x, 0, ahead, &mut sums);
        let done = chunks::<S, HEIGHT, 8>(simd, lines, x, done, ahead, &mut sums);
        chunks::<S, HEIGHT, 1>(simd, lines, x, done, ahead, &mut sums);
        for r in 0..HEIGHT {
            totals[r] = add(simd, totals[r], sums[r]);
        }
        // The totals wait in memory: the registers belong to the next block's sums.
        std::hint::black_box(&mut totals);
    }
    totals
}

/// Goes on with a tile's sums from `done` on while there are `N` lines left, a number that
/// the compiler knows: it keeps the sums in registers, and checks no index at each step.
#[inline(always)]
fn chunks<S: Simd, const HEIGHT: usize, const N: usize>(
    simd: S,
    lines: &[Line<S>],
    x: [&[f32]; HEIGHT],
    done: usize,
    ahead: &mut Ahead,
    sums: &mut [Line<S>; HEIGHT],
) -> usize {
    let (whole, _) = lines[done..].as_chunks::<N>();
    let x: [&[[f32; N]]; HEIGHT] =
        std::array::from_fn(|r| &x[r][done..].as_chunks().0[..whole.len()]);
    for (c, lines) in whole.iter().enumerate() {
        let x: [&[f32; N]; HEIGHT] = std::array::from_fn(|r| &x[r][c]);
        for t in 0..N {
            ahead.step();
            let mut column = [0.0; HEIGHT];
            for r in 0..HEIGHT {
                column[r] = x[r][t];
            }
            step(simd, lines[t], column, sums);
        }
    }
    done + whole.len() * N
}

/// What a step of k adds to a tile's sums: each of the column's values times the line.
#[inline(always)]
pub(crate) fn step<S: Simd, const HEIGHT: usize>(
    simd: S,
    line: Line<S>,
    column: [f32; HEIGHT],
    sums: &mut [Line<S>; HEIGHT],
) {
    for r in 0..HEIGHT {
        let value = simd.splat_f32s(column[r]);
        for v in 0..VECTORS {
            sums[r][v] = simd.mul_add_e_f32s(value, line[v], sums[r][v]);
        }
    }
}

/// Memory that will be read after these tiles.
pub(crate) struct Ahead {
    place: *const i8,
    /// Bytes at each step of k.
    pace: usize,
}

impl Ahead {
    /// The next panel, asked for in as many shares as there are tiles before it.
    pub(crate) fn of<Line>(panel: &[Line], tiles: usize) -> Self {
        Self { place: panel.as_ptr().cast(), pace: size_of::<Line>() / tiles.max(1) }
    }

    /// Asks for the step's bytes to be brought to the L2 cache, and does not wait.
    /// Processors see by themselves that memory is read in order, but not early enough.
    #[inline(always)]
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "neither Rust nor pulp has a safe prefetch")
    )]
    pub(crate) fn step(&mut self) {
        let place = self.place;
        self.place = place.wrapping_add(self.pace);
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
