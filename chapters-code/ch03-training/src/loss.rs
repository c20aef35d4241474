//! The loss of a choice, and its gradient.

use ndarray::Array2;
use self_attention::softmax;

use crate::error::{Result, TrainingError};

// ANCHOR: cross_entropy
/// The mean of −ln p over the rows, in nats: p is what the softmax of a row of
/// `logits`, `[n, classes]`, gives to its `right` column. PyTorch's
/// `F.cross_entropy`.
///
/// # Errors
///
/// [`TrainingError::Setting`] if there is no row, not one `right` for each row, or no
/// such column.
pub fn cross_entropy(logits: &Array2<f64>, right: &[usize]) -> Result<f64> {
    check(logits, right)?;
    let mut sum = 0.0;
    for (row, &column) in logits.rows().into_iter().zip(right) {
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let exponentials: f64 = row.iter().map(|z| (z - maximum).exp()).sum();
        // −ln (exp(z − maximum) / exponentials)
        sum += exponentials.ln() - (row[column] - maximum);
    }
    Ok(sum / right.len() as f64)
}
// ANCHOR_END: cross_entropy

// ANCHOR: cross_entropy_gradient
/// The gradient of [`cross_entropy`] with respect to the logits, `[n, classes]`:
/// (p − y) / n, with y = 1 in the right column and 0 in the others.
pub fn cross_entropy_gradient(
    logits: &Array2<f64>,
    right: &[usize],
) -> Result<Array2<f64>> {
    check(logits, right)?;
    let mut gradient = softmax(logits); // p
    for (mut row, &column) in gradient.rows_mut().into_iter().zip(right) {
        row[column] -= 1.0; // p − y
    }
    Ok(gradient / right.len() as f64)
}
// ANCHOR_END: cross_entropy_gradient

fn check(logits: &Array2<f64>, right: &[usize]) -> Result<()> {
    let (n, classes) = logits.dim();
    if n == 0 || right.len() != n {
        let expected = format!("as many as the rows of the logits ({n}), at least one");
        return Err(TrainingError::setting("right columns", right.len(), expected));
    }
    match right.iter().find(|&&column| column >= classes) {
        Some(column) => {
            let expected = format!("below {classes}, the columns of the logits");
            Err(TrainingError::setting("a right column", column, expected))
        }
        None => Ok(()),
    }
}
