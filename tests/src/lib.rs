//! What the tests in `tests/` share.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde::de::DeserializeOwned;

/// A matrix as Python's `tolist()` writes it.
pub type Rows = Vec<Vec<f64>>;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads `tests/fixtures/NAME.json`.
///
/// # Panics
///
/// If it is missing or not what is expected; the message names it.
pub fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = root().join("tests/fixtures").join(name);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{} is not as expected: {error}", path.display())
    })
}

/// Rows as a matrix, `[rows, columns]`.
///
/// # Panics
///
/// If the rows differ in length.
pub fn matrix(rows: &Rows) -> Array2<f64> {
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    Array2::from_shape_vec(shape, rows.concat()).expect("rows of equal length")
}

/// Asserts that two matrices agree to a relative tolerance, and says where they don't.
///
/// # Panics
///
/// If they don't agree.
#[track_caller]
pub fn assert_relative(
    name: &str,
    found: &Array2<f64>,
    expected: &Array2<f64>,
    tolerance: f64,
) {
    assert_eq!(found.shape(), expected.shape(), "{name}: shapes differ");
    for ((index, found), expected) in found.indexed_iter().zip(expected) {
        let scale = expected.abs().max(f64::MIN_POSITIVE);
        assert!(
            (found - expected).abs() <= tolerance * scale,
            "{name}[{index:?}] is {found}, not {expected} (tolerance {tolerance:e})"
        );
    }
}

/// Runs a check that must refuse an answer, and returns what it says.
///
/// # Panics
///
/// If the check passes.
#[track_caller]
pub fn refusal(check: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(check)) else {
        panic!("a wrong answer passes");
    };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.expect("a panic with a message")
}
