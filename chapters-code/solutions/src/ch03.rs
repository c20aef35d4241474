//! Exercises of chapter 3, solved.

use ndarray::{Array1, Array2};
use self_attention::softmax;

// ANCHOR: wrong_derivatives
pub fn wrong_derivatives(
    loss: impl Fn(&Array1<f64>) -> f64,
    weights: &Array1<f64>,
    gradient: &Array1<f64>,
    (h, tolerance): (f64, f64),
) -> Vec<usize> {
    let nudged = |i: usize, by: f64| {
        let mut weights = weights.clone();
        weights[i] += by;
        loss(&weights)
    };
    let wrong = |&i: &usize| {
        let slope = (nudged(i, h) - nudged(i, -h)) / (2.0 * h);
        let gap = (slope - gradient[i]).abs();
        gap > tolerance || gap.is_nan()
    };
    (0..weights.len()).filter(wrong).collect()
}
// ANCHOR_END: wrong_derivatives

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

// ANCHOR: masked_gradient
pub fn masked_gradient(
    logits: &Array2<f64>,
    right: &[usize],
    mask: &[f64],
) -> Array2<f64> {
    let mut gradient = softmax(logits); // p
    for (place, (&column, &learned)) in right.iter().zip(mask).enumerate() {
        if learned == 0.0 {
            gradient.row_mut(place).fill(0.0); // all of the row, whatever it holds
        } else {
            gradient[[place, column]] -= 1.0; // p − y
        }
    }
    gradient / mask.iter().sum::<f64>().max(1.0) // of the places that are learned
}
// ANCHOR_END: masked_gradient

// ANCHOR: smoothed_loss
pub fn smoothed_loss(
    logits: &Array1<f64>,
    right: usize,
    smoothing: f64,
) -> (f64, Array1<f64>) {
    let classes = logits.len();
    let mut y = Array1::from_elem(classes, smoothing / classes as f64);
    y[right] += 1.0 - smoothing;
    let maximum = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let exponentials: f64 = logits.iter().map(|z| (z - maximum).exp()).sum();
    let log_p = logits - maximum - exponentials.ln(); // [classes]
    (-y.dot(&log_p), log_p.exp() - y)
}
// ANCHOR_END: smoothed_loss
