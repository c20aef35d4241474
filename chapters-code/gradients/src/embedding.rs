//! Rows of tables, and the gradient that goes back to them.
//!
//! `Yᵢ = T[numberᵢ]`: each dYᵢ is added to the row of dT that it came from, and the other
//! rows of dT are 0. A sum's gradient goes to each of its terms.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail,
};
use kernels::in_pool;
use rayon::prelude::*;

use crate::storage::{Values, result, slice, tensor};

/// The rows of a table that `numbers` say: `[rows, width] -> [numbers, width]`;
/// `torch.nn.functional.embedding`.
///
/// # Errors
///
/// If the table isn't a matrix, is empty or has no row for a number; if there are no
/// numbers; if the table isn't f32 on the CPU.
pub fn embedding(table: &Tensor, numbers: &[u32]) -> Result<Tensor> {
    embed(&[(table, numbers)])
}

/// The sum of the rows of up to three tables, `[rows, width]`, all with as many numbers:
/// BERT's words, positions and sentences. `[numbers, width]`.
///
/// # Errors
///
/// As [`embedding`]; if there are no tables or more than three, or their widths or
/// numbers of numbers differ.
pub fn embed(tables: &[(&Tensor, &[u32])]) -> Result<Tensor> {
    check(tables)?;
    let op = Embed(tables.iter().map(|(_, numbers)| numbers.to_vec()).collect());
    match tables {
        [(a, _)] => a.contiguous()?.apply_op1(op),
        [(a, _), (b, _)] => a.contiguous()?.apply_op2(&b.contiguous()?, op),
        [(a, _), (b, _), (c, _)] => {
            a.contiguous()?.apply_op3(&b.contiguous()?, &c.contiguous()?, op)
        }
        more => bail!("embed: {} tables; at most three", more.len()),
    }
}

/// [`embed`] in candle's operations, of any type of number and of any number of tables:
/// what the fast one is held to.
pub fn reference(tables: &[(&Tensor, &[u32])]) -> Result<Tensor> {
    let mut rows = tables.iter().map(|(table, numbers)| {
        table.index_select(&Tensor::new(*numbers, table.device())?, 0)
    });
    let Some(first) = rows.next() else { bail!("embed: no tables") };
    rows.try_fold(first?, |sum, rows| sum + rows?)
}

/// That all tables have one width, as many numbers, and a row for each.
fn check(tables: &[(&Tensor, &[u32])]) -> Result<()> {
    let Some((first, numbers)) = tables.first() else { bail!("embed: no tables") };
    let width = first.dims2()?.1;
    for (table, row_numbers) in tables {
        let rows = table.dim(0)?;
        if table.dims() != [rows, width] || row_numbers.len() != numbers.len() {
            bail!(
                "embed: {} numbers of {:?} beside {} of {:?}",
                row_numbers.len(),
                table.dims(),
                numbers.len(),
                first.dims()
            )
        }
        if let Some(i) = row_numbers.iter().find(|&&i| i as usize >= rows) {
            bail!("embed: there is no row {i} in a table of {rows}")
        }
    }
    if width == 0 || numbers.is_empty() {
        bail!("embed: {} numbers of {:?}: nothing to read", numbers.len(), first.dims())
    }
    Ok(())
}

/// The numbers of each table.
struct Embed(Vec<Vec<u32>>);

impl Embed {
    fn forward(
        &self,
        tables: &[&[f32]],
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (width, n) =
            (layout.shape().dims2()?.1, self.0.first().map_or(0, Vec::len));
        let mut out = vec![0.0; n * width];
        in_pool(|| {
            for (table, numbers) in tables.iter().zip(&self.0) {
                add_rows(table, numbers, width, &mut out);
            }
        });
        Ok(result(out, (n, width)))
    }

    fn backward(
        &self,
        i: usize,
        table: &Tensor,
        dy: &Tensor,
    ) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        let (width, values) = (table.dim(1)?, Values::of(&dy)?);
        let mut dtable = vec![0.0; table.elem_count()];
        let values = &*values;
        in_pool(|| scatter_rows(values, &self.0[i], width, &mut dtable));
        Ok(Some(tensor(dtable, table.shape())?))
    }
}

impl CustomOp1 for Embed {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, a: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[slice(a, layout)?], layout)
    }

    fn bwd(&self, a: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        self.backward(0, a, dy)
    }
}

impl CustomOp2 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[slice(a, a_layout)?, slice(b, b_layout)?], a_layout)
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((self.backward(0, a, dy)?, self.backward(1, b, dy)?))
    }
}

impl CustomOp3 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let tables = [slice(a, a_layout)?, slice(b, b_layout)?, slice(c, c_layout)?];
        self.forward(&tables, a_layout)
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let back = |i, table| self.backward(i, table, dy);
        Ok((back(0, a)?, back(1, b)?, back(2, c)?))
    }
}

/// `out` += the row of `table` for each number; rows of `width` values.
fn add_rows(table: &[f32], numbers: &[u32], width: usize, out: &mut [f32]) {
    out.par_chunks_mut(width).with_min_len(64).zip(numbers).for_each(|(out, &i)| {
        let row = &table[i as usize * width..][..width];
        for (out, x) in out.iter_mut().zip(row) {
            *out += x;
        }
    });
}

/// `dtable` += each row of `dy` in the row that its number says.
///
/// A task has some rows of the table, and reads all numbers in order: rows are added in
/// the same order on any number of threads.
fn scatter_rows(dy: &[f32], numbers: &[u32], width: usize, dtable: &mut [f32]) {
    let rows = dtable.len() / width;
    let height = rows.div_ceil(4 * rayon::current_num_threads()).max(1);
    dtable.par_chunks_mut(height * width).enumerate().for_each(|(task, out)| {
        for (&i, dy) in numbers.iter().zip(dy.chunks_exact(width)) {
            let Some(i) = (i as usize).checked_sub(task * height) else { continue };
            let Some(out) = out.get_mut(i * width..(i + 1) * width) else { continue };
            for (out, x) in out.iter_mut().zip(dy) {
                *out += x;
            }
        }
    });
}
