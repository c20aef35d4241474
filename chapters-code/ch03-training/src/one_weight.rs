//! The smallest model there is: one weight, one example.

// ANCHOR: one_weight
/// The model: `w x`.
pub fn answer(w: f64, x: f64) -> f64 {
    w * x
}

/// How wrong it is: the square of how far the answer is from the target.
pub fn squared_error(w: f64, x: f64, target: f64) -> f64 {
    (answer(w, x) - target).powi(2)
}

/// How fast the error grows with `w`: the derivative of `(w x − target)²`.
pub fn squared_error_derivative(w: f64, x: f64, target: f64) -> f64 {
    2.0 * (answer(w, x) - target) * x
}
// ANCHOR_END: one_weight
