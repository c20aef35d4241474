//! The loss of a classification, from the logits on.

use ndarray::Array2;
use self_attention::{check_finite, softmax};

use crate::error::{DerivationError, Result, check_shape};

// ANCHOR: cross_entropy
/// The mean over the rows of −ln p, with p the softmax's share of the row's target.
/// Logits are `[n, classes]`, with n targets.
///
/// # Errors
///
/// [`DerivationError`] if the logits are empty or not finite, if there aren't as many
/// targets, or if one isn't a class.
pub fn cross_entropy(logits: &Array2<f64>, targets: &[usize]) -> Result<f64> {
    check_targets(logits, targets)?;
    let mut loss = 0.0;
    for (row, &target) in logits.rows().into_iter().zip(targets) {
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = row.iter().map(|logit| (logit - maximum).exp()).sum();
        loss += sum.ln() + maximum - row[target]; // −ln (e^target / Σ e^logit)
    }
    Ok(loss / targets.len() as f64)
}

/// (p − one-hot) / n, `[n, classes]`: the gradient of [`cross_entropy`] in the logits.
pub fn cross_entropy_backward(
    logits: &Array2<f64>,
    targets: &[usize],
) -> Result<Array2<f64>> {
    check_targets(logits, targets)?;
    let mut dx = softmax(logits);
    for (mut row, &target) in dx.rows_mut().into_iter().zip(targets) {
        row[target] -= 1.0;
    }
    Ok(dx / targets.len() as f64)
}
// ANCHOR_END: cross_entropy

/// Checks that the logits are finite and that each row, at least one, has a target.
///
/// # Errors
///
/// [`DerivationError`] otherwise, naming what doesn't fit.
pub fn check_targets(logits: &Array2<f64>, targets: &[usize]) -> Result<()> {
    check_finite("logits", logits)?;
    check_shape("targets", &[targets.len()], &[logits.nrows()])?;
    let count = logits.ncols();
    match targets.iter().find(|&&target| target >= count) {
        None => Ok(()),
        Some(&number) => Err(DerivationError::Missing { what: "class", number, count }),
    }
}
