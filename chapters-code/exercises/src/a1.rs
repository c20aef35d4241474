//! Exercises of appendix 1, the cost of attention. Replace each `todo!()`, then `cargo
//! test -p exercises a1`.

#![allow(unused_variables, clippy::missing_panics_doc)]

// ANCHOR: absorb
/// Exercise 1. The online softmax: takes in one more block of a row's scores.
///
/// Given the largest score so far and the sum of `exp(score − maximum)` so far, (−∞, 0)
/// before the first block, returns both with the scores of `block`, finite or −∞,
/// taken in. While every score has been −∞ they stay (−∞, 0).
pub fn absorb((maximum, sum): (f64, f64), block: &[f64]) -> (f64, f64) {
    todo!("exercise 1: its statement and its hints are on the page of appendix 1")
}
// ANCHOR_END: absorb

// ANCHOR: exponent
/// Exercise 2. The exponent `p` of the power law `y = c · xᵖ` that fits the points
/// `(x, y)` best: the slope of the least squares line through the points
/// `(ln x, ln y)`. There are two points or more, and their numbers are above 0.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    todo!("exercise 2: its statement and its hints are on the page of appendix 1")
}
// ANCHOR_END: exponent
