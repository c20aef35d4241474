//! Checks for the exercises of appendix 1.

#![allow(clippy::float_cmp, reason = "maxima are exact")]

use self_attention::numpy::NumpyRandom;

const HIDDEN: f64 = f64::NEG_INFINITY;

/// Asserts that a maximum and a sum are the expected ones, the sum to 1e-12 of itself.
#[track_caller]
fn assert_running(found: (f64, f64), expected: (f64, f64), hint: &str) {
    let (maximum, sum) = expected;
    assert!(
        found.0 == maximum && (found.1 - sum).abs() <= 1e-12 * sum,
        "expected the maximum {maximum} and the sum {sum:.6}, but found {} and {:.6}: \
         {hint}",
        found.0,
        found.1
    );
}

/// The maximum and the sum of exponentials of a whole row.
fn whole_row(scores: &[f64]) -> (f64, f64) {
    let maximum = scores.iter().fold(HIDDEN, |a, &b| a.max(b));
    (maximum, scores.iter().map(|score| (score - maximum).exp()).sum())
}

pub fn absorb(absorb: impl Fn((f64, f64), &[f64]) -> (f64, f64)) {
    let empty = (HIDDEN, 0.0);
    let first = absorb(empty, &[1.0, 3.0, 2.0]);
    let hint =
        "after one block, the block's maximum and its sum of exp(score − maximum).";
    assert_running(first, whole_row(&[1.0, 3.0, 2.0]), hint);
    let lower = absorb(first, &[0.0, 1.0]);
    let hint = "a block without a larger score leaves the maximum and adds to the sum.";
    assert_running(lower, whole_row(&[1.0, 3.0, 2.0, 0.0, 1.0]), hint);
    let higher = absorb(lower, &[4.0, 5.0]);
    let hint = "when the maximum grows, the sum so far is multiplied by exp(old maximum \
                − new maximum), as if its scores had been counted from the new one.";
    assert_running(higher, whole_row(&[1.0, 3.0, 2.0, 0.0, 1.0, 4.0, 5.0]), hint);

    let hint =
        "exp overflows from 710 on: subtract the maximum, the new one, before exp.";
    let mut running = empty;
    for block in [[-1e4, -1e4], [1e4, 1e4 + 1.0], [-1e4, 1e4 + 2.0]] {
        running = absorb(running, &block);
    }
    let expected = whole_row(&[1e4, 1e4 + 1.0, 1e4 + 2.0]);
    assert_running(running, expected, hint);

    let hint = "a first block of nothing but −∞ leaves (−∞, 0): −∞ − −∞ is NaN.";
    let hidden = absorb(empty, &[HIDDEN, HIDDEN]);
    assert_running(hidden, empty, hint);
    let hint = "what comes after −∞ alone counts as if it came first.";
    let negative = absorb(hidden, &[-2.0, -1.0]);
    assert_running(negative, whole_row(&[-2.0, -1.0]), hint);
    let hint = "a later block of nothing but −∞ changes nothing.";
    assert_running(absorb(negative, &[HIDDEN]), negative, hint);
    let hint = "−∞ among other scores adds 0.";
    assert_running(absorb(empty, &[HIDDEN, 0.5]), (0.5, 1.0), hint);

    let scores = (NumpyRandom::seed(42).rand(1, 60) * 40.0 - 20.0).into_iter();
    let scores: Vec<f64> = scores.collect();
    for size in [1, 7, 59, 60] {
        let found = scores.chunks(size).fold(empty, &absorb);
        let hint = format!("60 scores in blocks of {size} must give the whole row's.");
        assert_running(found, whole_row(&scores), &hint);
    }
}

/// Points of `y = factor · xᵖ` at the given `x`.
fn power(factor: f64, p: f64, x: &[f64]) -> Vec<(f64, f64)> {
    x.iter().map(|&x| (x, factor * x.powf(p))).collect()
}

pub fn exponent(exponent: impl Fn(&[(f64, f64)]) -> f64) {
    #[track_caller]
    fn assert_exponent(found: f64, expected: f64, hint: &str) {
        assert!(
            (found - expected).abs() < 1e-9,
            "expected the exponent {expected:.6} but found {found:.6}: {hint}"
        );
    }
    let x = [1.0, 2.0, 4.0, 16.0];
    let hint = "y = x³ is a straight line of slope 3 only after the logarithm of both \
                numbers; and mind which axis is divided by which.";
    assert_exponent(exponent(&power(1.0, 3.0, &x)), 3.0, hint);
    let hint = "the factor moves the line up or down and leaves its slope: subtract the \
                means first.";
    for factor in [1e-9, 7.0] {
        assert_exponent(exponent(&power(factor, 2.0, &x)), 2.0, hint);
    }
    let hint = "a cost that falls has an exponent of negative sign.";
    assert_exponent(exponent(&power(5.0, -1.0, &x)), -1.0, hint);
    let hint = "an exponent need not be a whole number.";
    assert_exponent(exponent(&power(2.0, 0.65, &x)), 0.65, hint);

    // Logarithms 0, 1, 2, 4 and 0, 2, 1, 3: covariance 5.5, variance of x 8.75.
    let logs = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (4.0, 3.0)];
    let points = logs.map(|(x, y): (f64, f64)| (x.exp(), y.exp()));
    let hint = "these points are not on a line: least squares weighs all of them, by \
                their distances along y.";
    assert_exponent(exponent(&points), 5.5 / 8.75, hint);
}
