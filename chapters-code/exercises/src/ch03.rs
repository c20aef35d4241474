//! Exercises of chapter 3, training. Replace each `todo!()`, then `cargo test -p
//! exercises ch03`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2};
use self_attention::softmax;

// ANCHOR: wrong_derivatives
/// Exercise 1. Which derivatives are wrong? `gradient` claims to have, for each of the
/// `weights`, the derivative of `loss` there. Returns the places, in order, of those
/// that are more than `tolerance` away from what the loss itself says, asked on both
/// sides of the weight, at a distance of `h`.
pub fn wrong_derivatives(
    loss: impl Fn(&Array1<f64>) -> f64,
    weights: &Array1<f64>,
    gradient: &Array1<f64>,
    (h, tolerance): (f64, f64),
) -> Vec<usize> {
    todo!("exercise 1: the loss knows its own slopes; ask it")
}
// ANCHOR_END: wrong_derivatives

// ANCHOR: descend
/// Exercise 2. Trains the model `w x` by gradient descent on all `examples` at once:
/// each is an `x` and its target. The loss is the *mean* of their squared errors; each
/// of the `steps` moves `w` by `rate` against its derivative. Returns the last `w`; the
/// first if there is no example.
pub fn descend(w: f64, examples: &[(f64, f64)], rate: f64, steps: usize) -> f64 {
    todo!("exercise 2: many examples, one weight, several steps")
}
// ANCHOR_END: descend

// ANCHOR: logistic
/// Exercise 3. The gradient of a yes-or-no model, the mean over the examples: with
/// respect to its weights, `[features]`, and to its bias.
///
/// `x` is `[examples, features]`. The model says yes with the probability
/// `p = 1 / (1 + e^−z)`, where `z = x · weights + bias`; `yes` says what is right. The
/// loss of an example is −ln p if yes is right, and −ln (1 − p) if not.
pub fn logistic_gradient(
    x: &Array2<f64>,
    yes: &[bool],
    weights: &Array1<f64>,
    bias: f64,
) -> (Array1<f64>, f64) {
    todo!("exercise 3: the gradient of a yes-or-no model")
}
// ANCHOR_END: logistic

// ANCHOR: adamw
/// Exercise 4. One step of AdamW: changes the weights `theta` and what is remembered of
/// their gradients, `m` and `v`, all of one length.
///
/// `rate` is η; λ = 0.01, β₁ = 0.9, β₂ = 0.999 and ε = 1e-8. `steps` were taken before
/// this one: 0 before the first, which has t = 1.
pub fn adamw_step(
    theta: &mut Array1<f64>,
    gradient: &Array1<f64>,
    (m, v): (&mut Array1<f64>, &mut Array1<f64>),
    steps: i32,
    rate: f64,
) {
    todo!("exercise 4: the four lines of AdamW's formula")
}
// ANCHOR_END: adamw

// ANCHOR: learning_rate
/// Exercise 5. The learning rate of a step, counted from 0: in a straight line from 0
/// at step 0 to `peak` at step `warmup`, then in another down to 0 at step `total`, and
/// 0 from there on. If `warmup` is 0, step 0 has `peak`; if it is `total`, none has; it
/// is never more.
pub fn learning_rate(step: u64, peak: f64, warmup: u64, total: u64) -> f64 {
    todo!("exercise 5: up in a straight line, down in another")
}
// ANCHOR_END: learning_rate

// ANCHOR: clip
/// Exercise 6. Shortens the gradients so that together, as one long vector, they are at
/// most `limit` long, and leaves shorter ones alone; returns how long they were.
pub fn clip(gradients: &mut [Array1<f64>], limit: f64) -> f64 {
    todo!("exercise 6: shorten the gradients without turning them")
}
// ANCHOR_END: clip

// ANCHOR: colleagues_gradient
/// A colleague's gradient of the loss of a batch with padding, with respect to the
/// logits, `[places, classes]`. `right` has the right column of each place; `mask` has
/// a 1 for each place that is to be learned, and a 0 for each that is padding.
pub fn colleagues_gradient(
    logits: &Array2<f64>,
    right: &[usize],
    mask: &[f64],
) -> Array2<f64> {
    let mut gradient = softmax(logits); // p
    for (place, &column) in right.iter().enumerate() {
        gradient[[place, column]] -= mask[place];
    }
    gradient / right.len() as f64
}

/// Exercise 7. The same without its two mistakes: the gradient of the mean loss over
/// the places that are to be learned, whatever stands at the others. Zeros if there is
/// no such place.
pub fn masked_gradient(
    logits: &Array2<f64>,
    right: &[usize],
    mask: &[f64],
) -> Array2<f64> {
    todo!("exercise 7: find the colleague's two mistakes, and correct them")
}
// ANCHOR_END: colleagues_gradient

// ANCHOR: smoothed_loss
/// Exercise 8. The loss of one choice with a smoothed target, in nats, and its gradient
/// with respect to the logits, `[classes]`.
///
/// The target y shares out `smoothing`, from 0 to 1, among all columns alike, and gives
/// what is left to column `right`, besides its share. The loss is −Σ y ln p. The logits
/// are finite and may be large.
pub fn smoothed_loss(
    logits: &Array1<f64>,
    right: usize,
    smoothing: f64,
) -> (f64, Array1<f64>) {
    todo!("exercise 8: a target that is not quite sure")
}
// ANCHOR_END: smoothed_loss
