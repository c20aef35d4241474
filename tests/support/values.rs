//! Numbers for tests: `#[path = "../../../tests/support/values.rs"] mod values;` in a
//! crate's own `tests/`.
#![allow(missing_docs, reason = "tests have no readers of docs")]

/// Numbers in (−1, 1) that follow from the seed.
pub fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}
