//! Exercises of chapter 8, solved.

#![allow(clippy::missing_panics_doc)]

use ndarray::{Array1, Array2};

// ANCHOR: hide_pieces
/// Exercise 1. What the model reads in the place of `ids`, and what is asked: for each
/// place the piece that stood there, or `None`.
///
/// `drawn` has two numbers from 0 to 1 for each place. A place is asked if its first
/// number is below 0.15 and its piece is not special (special pieces are those below
/// `first_piece`). An asked piece is shown as `mask` if the second number is below 0.8,
/// as `other[i]` at place `i` if it is from 0.8 to below 0.9, and as it is from 0.9 on.
pub fn hide_pieces(
    ids: &[u32],
    drawn: &[(f64, f64)],
    first_piece: u32,
    mask: u32,
    other: &[u32],
) -> (Vec<u32>, Vec<Option<u32>>) {
    let (mut shown, mut asked) = (ids.to_vec(), vec![None; ids.len()]);
    for (i, &(first, second)) in drawn.iter().enumerate() {
        if first >= 0.15 || ids[i] < first_piece {
            continue;
        }
        asked[i] = Some(ids[i]);
        if second < 0.8 {
            shown[i] = mask;
        } else if second < 0.9 {
            shown[i] = other[i];
        }
    }
    (shown, asked)
}
// ANCHOR_END: hide_pieces

// ANCHOR: masked_loss
/// Exercise 2. The mean cross-entropy, −ln p of the right piece, over the places that
/// are asked; 0 if none is. `logits` is `[n, vocabulary]`; p is its softmax, row by
/// row. `labels` has the right piece's column for each row that is asked.
///
/// Logits may be anything from −1000 to 1000.
pub fn masked_loss(logits: &Array2<f64>, labels: &[Option<usize>]) -> f64 {
    let (mut sum, mut asked) = (0.0, 0);
    for (row, label) in logits.rows().into_iter().zip(labels) {
        let Some(label) = *label else { continue };
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let exponentials: f64 = row.iter().map(|z| (z - maximum).exp()).sum();
        sum += exponentials.ln() - (row[label] - maximum);
        asked += 1;
    }
    if asked == 0 { 0.0 } else { sum / f64::from(asked) }
}
// ANCHOR_END: masked_loss

// ANCHOR: adamw
/// Exercise 3. One step of AdamW: changes the weights `theta` and what is remembered of
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
/// Exercise 4. The learning rate of a step, counted from 0: in a straight line from 0
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
/// Exercise 5. Shortens the gradients so that together, as one long vector, they are at
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

// ANCHOR: gained_beside
/// Exercise 6. Three shares of the pieces that were hidden, from 0 to 1: guessed alone,
/// guessed with the translation beside, and guessed only with it (right beside and
/// wrong alone). All 0 if none was hidden.
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    let share = |right: &dyn Fn(usize) -> bool| {
        let count = (0..labels.len()).filter(|&i| right(i)).count();
        count as f64 / labels.len().max(1) as f64
    };
    let right_alone = |i: usize| alone[i] == labels[i];
    let right_beside = |i: usize| beside[i] == labels[i];
    let gained = |i: usize| right_beside(i) && !right_alone(i);
    (share(&right_alone), share(&right_beside), share(&gained))
}
// ANCHOR_END: gained_beside

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
