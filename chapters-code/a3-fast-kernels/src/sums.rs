//! In which order a long sum is added up, and what that does to its last digits.

use self_attention::numpy::NumpyRandom;

use crate::error::{FastError, Result};

// ANCHOR: by_blocks
/// The sum of `a[i] · b[i]` in f32: products one after another within a block, then the
/// blocks' sums one after another. With one block it is the sum as a loop writes it.
///
/// # Errors
///
/// [`FastError::Lengths`] unless there are as many of `a` as of `b`, [`FastError::BlockSize`]
/// if `block` is 0.
pub fn by_blocks(a: &[f32], b: &[f32], block: usize) -> Result<f32> {
    if a.len() != b.len() {
        return Err(FastError::Lengths(a.len(), b.len()));
    }
    if block == 0 {
        return Err(FastError::BlockSize);
    }
    let mut total = 0.0;
    for (a, b) in a.chunks(block).zip(b.chunks(block)) {
        let mut sum = 0.0;
        for (a, b) in a.iter().zip(b) {
            sum += a * b;
        }
        total += sum;
    }
    Ok(total)
}
// ANCHOR_END: by_blocks

/// The same sum in f64, where a product of two f32 is exact.
///
/// # Errors
///
/// [`FastError::Lengths`] unless there are as many of `a` as of `b`.
pub fn exact(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(FastError::Lengths(a.len(), b.len()));
    }
    Ok(a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum())
}

/// How far [`by_blocks`] is from [`exact`]: the root of the mean square over `draws` pairs of
/// `k` numbers between −1 and 1, drawn from a seed.
///
/// # Errors
///
/// [`FastError::BlockSize`] if `block` is 0.
pub fn error(k: usize, block: usize, draws: usize) -> Result<f64> {
    let mut random = NumpyRandom::seed(42);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the f32 nearest to it will do"
    )]
    let mut draw = || -> Vec<f32> {
        (0..k).map(|_| (2.0 * random.next_f64() - 1.0) as f32).collect()
    };
    let mut squares = 0.0;
    for _ in 0..draws {
        let (a, b) = (draw(), draw());
        squares += (f64::from(by_blocks(&a, &b, block)?) - exact(&a, &b)?).powi(2);
    }
    Ok((squares / draws as f64).sqrt())
}
