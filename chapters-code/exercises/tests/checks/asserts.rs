//! What the checks say things with, and the tests that they are for.

#![allow(dead_code, unused_macros, reason = "each chapter's checks use some of these")]

use std::fmt::Debug;

use approx::relative_eq;
use ndarray::{Array, Dimension};

/// A test for each of a chapter's exercises: its check, on the function of the same name.
macro_rules! tests {
    ($chapter:ident: $($test:ident: $exercise:ident,)+) => {
        $(#[test]
        fn $test() {
            checks::$exercise(exercises::$chapter::$exercise);
        })+
    };
}

/// Asserts that an array is the expected one to 1e-12; `hint` says what usually causes
/// otherwise.
#[track_caller]
pub fn assert_close<D: Dimension>(
    found: &Array<f64, D>,
    expected: &Array<f64, D>,
    hint: &str,
) {
    assert_eq!(found.shape(), expected.shape(), "the shape is wrong. {hint}");
    // `abs_diff_eq!` would refuse −∞ for −∞: their difference is NaN.
    assert!(
        relative_eq!(found, expected, epsilon = 1e-12, max_relative = 0.0),
        "expected\n{expected:.4}\nbut found\n{found:.4}\n{hint}"
    );
}

/// Asserts that `what` is the expected one.
#[track_caller]
pub fn assert_equal<T: PartialEq<U> + Debug + ?Sized, U: Debug + ?Sized>(
    what: &str,
    found: &T,
    expected: &U,
    hint: &str,
) {
    assert!(
        found == expected,
        "{what}: expected {expected:?}, but found {found:?}: {hint}"
    );
}

/// Asserts that a number is the expected one, to a part in 10¹².
#[track_caller]
pub fn assert_number(found: f64, expected: f64, hint: &str) {
    let scale = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= 1e-12 * scale,
        "expected {expected}, but found {found}: {hint}"
    );
}
