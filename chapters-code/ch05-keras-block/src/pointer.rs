//! A task that can't be done without attention.

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Result;

// ANCHOR: pointer
/// Tokens in an example.
pub const LENGTH: usize = 10;
/// Ids: 0 to 9 say a position, 10 to 19 are letters, `a` to `j`.
pub const VOCABULARY: usize = 20;

/// Examples of the pointer task: the first token is a number from 1 to 9, the others are
/// letters, and the label is the letter at the position that the number says.
///
/// `[3, d, a, h, c, …]` has the label `h`. A guess is right one time in ten. Ids are
/// `[count, 10]`, labels `[count]`.
///
/// # Errors
///
/// None on a CPU.
pub fn examples(count: usize, seed: u64) -> Result<(Tensor, Tensor)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut ids, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let pointer = random.random_range(1..10_u32);
        let letters: Vec<u32> =
            (1..LENGTH).map(|_| random.random_range(10..20)).collect();
        labels.push(letters[pointer as usize - 1]);
        ids.push(pointer);
        ids.extend(letters);
    }
    let ids = Tensor::from_vec(ids, (count, LENGTH), &Device::Cpu)?; // [count, 10]
    Ok((ids, Tensor::from_vec(labels, count, &Device::Cpu)?))
}
// ANCHOR_END: pointer

/// A token as a reader sees it: `3`, or `d`.
pub fn spell(id: u32) -> String {
    match id {
        10..20 => {
            let letter = u8::try_from(id - 10).map_or('?', |i| char::from(b'a' + i));
            letter.to_string()
        }
        other => other.to_string(),
    }
}
