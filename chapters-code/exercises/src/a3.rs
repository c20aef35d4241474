//! Exercises of appendix 3, fast kernels. Replace each `todo!()`, then `cargo test -p
//! exercises a3`.

#![allow(unused_variables, clippy::missing_panics_doc)]

// ANCHOR: pack
/// Exercise 1. Packs a weight, `[outputs, k]`, into panels of `width` outputs:
/// `[panels][k][width]`. The last panel's columns beyond the last output are 0.
///
/// `weight` is made of whole rows of k values, and neither k nor `width` is 0.
pub fn pack(weight: &[f32], k: usize, width: usize) -> Vec<f32> {
    todo!("exercise 1: its statement and its hints are on the page of appendix 3")
}
// ANCHOR_END: pack

// ANCHOR: tile
/// Exercise 2. The sums of a tile, four rows of x by a panel of eight columns: of row r
/// and column c, `x[r][t] · panel[t][c]` added up from t = 0 on, each product rounded
/// before it is added. The rows of x are as long as the panel.
pub fn tile(x: [&[f32]; 4], panel: &[[f32; 8]]) -> [[f32; 8]; 4] {
    todo!("exercise 2: its statement and its hints are on the page of appendix 3")
}
// ANCHOR_END: tile

// ANCHOR: tallest
/// Exercise 3. The most rows that a tile of `vectors` vectors can have if it is to keep
/// all its sums in registers, with the line of the panel and one value of x beside
/// them. 0 if not even one row fits.
pub fn tallest(registers: usize, vectors: usize) -> usize {
    todo!("exercise 3: its statement and its hints are on the page of appendix 3")
}
// ANCHOR_END: tallest

// ANCHOR: enough_rows
/// Exercise 4. The least number of rows of x with which a product y = x Wᵀ is no longer
/// limited by the reading of W: each weight, of four bytes, is read once and does two
/// operations for each row.
///
/// `peak` are operations a second, `bandwidth` bytes a second, both above 0.
pub fn enough_rows(peak: f64, bandwidth: f64) -> usize {
    todo!("exercise 4: its statement and its hints are on the page of appendix 3")
}
// ANCHOR_END: enough_rows

// ANCHOR: shares
/// Exercise 5. The rows of each task: as few tasks as there can be with at most `most`
/// rows, as many rows in each as rounding up to whole tiles of `height` rows allows;
/// the last has what is left. `most` is a multiple of `height`, and neither is 0.
pub fn shares(rows: usize, most: usize, height: usize) -> Vec<usize> {
    todo!("exercise 5: its statement and its hints are on the page of appendix 3")
}
// ANCHOR_END: shares
