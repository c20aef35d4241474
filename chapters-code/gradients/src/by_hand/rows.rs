//! Rows of tables, and the gradient that goes back to them.

use rayon::prelude::*;

/// `out` += the row of `table` for each number; rows of `width` values.
pub fn add_rows(table: &[f32], numbers: &[u32], width: usize, out: &mut [f32]) {
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
pub fn scatter_rows(dy: &[f32], numbers: &[u32], width: usize, dtable: &mut [f32]) {
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
