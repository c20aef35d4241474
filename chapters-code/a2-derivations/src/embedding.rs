//! Rows of a table.

use ndarray::{Array2, Axis};

use crate::error::{DerivationError, Result, check_shape};

// ANCHOR: embedding
/// The rows of the table that `numbers` say: `[rows, d] -> [n, d]`.
///
/// # Errors
///
/// [`DerivationError::Missing`] if the table has no such row.
pub fn embedding(table: &Array2<f64>, numbers: &[usize]) -> Result<Array2<f64>> {
    check_rows(numbers, table.nrows())?;
    Ok(table.select(Axis(0), numbers))
}

/// dT, `[rows, d]`: each row of dY, `[n, d]`, is added where it was read.
///
/// # Errors
///
/// [`DerivationError`] if there aren't n numbers, or if one is not below `rows`.
pub fn embedding_backward(
    dy: &Array2<f64>,
    numbers: &[usize],
    rows: usize,
) -> Result<Array2<f64>> {
    check_shape("numbers", &[numbers.len()], &[dy.nrows()])?;
    check_rows(numbers, rows)?;
    let mut dtable = Array2::zeros((rows, dy.ncols()));
    for (dy, &number) in dy.rows().into_iter().zip(numbers) {
        let mut row = dtable.row_mut(number);
        row += &dy;
    }
    Ok(dtable)
}
// ANCHOR_END: embedding

/// Checks that a table of `count` rows has those that `numbers` say.
///
/// # Errors
///
/// [`DerivationError::Missing`] with the first that it lacks.
pub fn check_rows(numbers: &[usize], count: usize) -> Result<()> {
    match numbers.iter().find(|&&number| number >= count) {
        None => Ok(()),
        Some(&number) => Err(DerivationError::Missing { what: "row", number, count }),
    }
}
