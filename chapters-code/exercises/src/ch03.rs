//! Exercises of chapter 3, training. Replace each `todo!()`, then `cargo test -p
//! exercises ch03`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use ndarray::{Array1, Array2};

// ANCHOR: slope
/// Exercise 1. How fast `f` grows at `x`, from two of its values, `h` above and `h`
/// below: a central difference.
pub fn slope(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    todo!("exercise 1: the change from side to side, divided by the way between")
}
// ANCHOR_END: slope

// ANCHOR: descend
/// Exercise 2. Trains the model `w x` by gradient descent on all `examples` at once:
/// each is an `x` and its target. The loss is the *mean* of their squared errors; each
/// of the `steps` moves `w` by `rate` against its derivative. Returns the last `w`; the
/// first if there is no example.
pub fn descend(w: f64, examples: &[(f64, f64)], rate: f64, steps: usize) -> f64 {
    todo!("exercise 2: step by step, the mean of the examples' derivatives")
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
    todo!("exercise 3: p − y for each example, then what each weight had to do with it")
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
    todo!("exercise 4: the formula's four lines, in this order, with t = steps + 1")
}
// ANCHOR_END: adamw

// ANCHOR: learning_rate
/// Exercise 5. The learning rate of a step, counted from 0: in a straight line from 0
/// at step 0 to `peak` at step `warmup`, then in another down to 0 at step `total`, and
/// 0 from there on. If `warmup` is 0, step 0 has `peak`; if it is `total`, none has; it
/// is never more.
pub fn learning_rate(step: u64, peak: f64, warmup: u64, total: u64) -> f64 {
    todo!("exercise 5: two straight lines, and 0 after them; neither may divide by 0")
}
// ANCHOR_END: learning_rate

// ANCHOR: clip
/// Exercise 6. Shortens the gradients so that together, as one long vector, they are at
/// most `limit` long, and leaves shorter ones alone; returns how long they were.
pub fn clip(gradients: &mut [Array1<f64>], limit: f64) -> f64 {
    todo!("exercise 6: one length for all of them, and one factor")
}
// ANCHOR_END: clip

// ANCHOR: anti_diagonal
/// Exercise 7. The mean share of attention that the letters written give to the letter
/// they should, in a reverser's cross-attention. `weights` is `[n + 1, n + 1]`, a row
/// for each letter written: its last row and column are the end's, and don't count.
pub fn anti_diagonal(weights: &Array2<f64>) -> f64 {
    todo!("exercise 7: written letter t looks at read letter n − 1 − t")
}
// ANCHOR_END: anti_diagonal
