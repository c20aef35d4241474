//! Exercises of chapter 3, solved.

use ndarray::{Array1, Array2};

// ANCHOR: slope
pub fn slope(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    (f(x + h) - f(x - h)) / (2.0 * h)
}
// ANCHOR_END: slope

// ANCHOR: descend
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
pub fn anti_diagonal(weights: &Array2<f64>) -> f64 {
    let n = weights.nrows() - 1;
    let shares = (0..n).map(|t| weights[[t, n - 1 - t]]);
    shares.sum::<f64>() / n as f64
}
// ANCHOR_END: anti_diagonal
