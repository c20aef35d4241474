//! Exercises of chapter 3, solved.

#![allow(clippy::missing_panics_doc)]

use ndarray::{Array1, Array2};

// ANCHOR: slope
/// Exercise 1. How fast `f` grows at `x`, from two of its values, `h` above and `h`
/// below: a central difference.
pub fn slope(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    (f(x + h) - f(x - h)) / (2.0 * h)
}
// ANCHOR_END: slope

// ANCHOR: descend
/// Exercise 2. Trains the model `w x` by gradient descent on all `examples` at once:
/// each is an `x` and its target. The loss is the *mean* of their squared errors; each
/// of the `steps` moves `w` by `rate` against its derivative. Returns the last `w`; the
/// first if there is no example.
pub fn descend(w: f64, examples: &[(f64, f64)], rate: f64, steps: usize) -> f64 {
    let mut w = w;
    for _ in 0..steps {
        let derivatives = examples.iter().map(|(x, target)| 2.0 * (w * x - target) * x);
        w -= rate * derivatives.sum::<f64>() / examples.len().max(1) as f64;
    }
    w
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
    let z = x.dot(weights) + bias; // [examples]
    let p = z.mapv(|z| 1.0 / (1.0 + (-z).exp()));
    let y: Array1<f64> = yes.iter().map(|&yes| f64::from(u8::from(yes))).collect();
    let errors = (p - y) / yes.len() as f64; // [examples]
    (x.t().dot(&errors), errors.sum())
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
    let t = steps + 1;
    *theta *= 1.0 - rate * 0.01;
    *m = &*m * 0.9 + gradient * 0.1;
    *v = &*v * 0.999 + gradient.pow2() * 0.001;
    let mean = &*m / (1.0 - 0.9_f64.powi(t));
    let square = &*v / (1.0 - 0.999_f64.powi(t));
    *theta -= &(mean / (square.sqrt() + 1e-8) * rate);
}
// ANCHOR_END: adamw

// ANCHOR: learning_rate
/// Exercise 5. The learning rate of a step, counted from 0: in a straight line from 0
/// at step 0 to `peak` at step `warmup`, then in another down to 0 at step `total`, and
/// 0 from there on. If `warmup` is 0, step 0 has `peak`; if it is `total`, none has; it
/// is never more.
pub fn learning_rate(step: u64, peak: f64, warmup: u64, total: u64) -> f64 {
    if step >= total {
        0.0
    } else if step < warmup {
        peak * step as f64 / warmup as f64
    } else {
        peak * (total - step) as f64 / (total - warmup) as f64
    }
}
// ANCHOR_END: learning_rate

// ANCHOR: clip
/// Exercise 6. Shortens the gradients so that together, as one long vector, they are at
/// most `limit` long, and leaves shorter ones alone; returns how long they were.
pub fn clip(gradients: &mut [Array1<f64>], limit: f64) -> f64 {
    let squares: f64 = gradients.iter().map(|gradient| gradient.pow2().sum()).sum();
    let length = squares.sqrt();
    if length > limit {
        for gradient in gradients {
            *gradient *= limit / length;
        }
    }
    length
}
// ANCHOR_END: clip

// ANCHOR: anti_diagonal
/// Exercise 7. The mean share of attention that the letters written give to the letter
/// they should, in a reverser's cross-attention. `weights` is `[n + 1, n + 1]`, a row
/// for each letter written: its last row and column are the end's, and don't count.
pub fn anti_diagonal(weights: &Array2<f64>) -> f64 {
    let n = weights.nrows() - 1;
    let shares = (0..n).map(|t| weights[[t, n - 1 - t]]);
    shares.sum::<f64>() / n as f64
}
// ANCHOR_END: anti_diagonal
