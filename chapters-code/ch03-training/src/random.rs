//! Chance that can be had again.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What chance is drawn for. Each purpose has generators of its own, so that one more
/// draw for a mask doesn't change how the sentences are shuffled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first weights.
    Weights,
    /// The order of the batches.
    Shuffle,
    /// Which tokens are hidden.
    Masking,
    /// Dropout's masks.
    Dropout,
    /// The reverser's strings.
    Strings,
    /// The masks of the evaluation.
    Evaluation,
}

/// The generator of a purpose's draws number `index`: of an epoch's shuffle, a step's
/// masks.
///
/// ChaCha enciphers a counter, and has 2⁶⁴ streams for each seed. So there is no state
/// to save: seed, purpose and index say it all, and step 10,000's masks are drawn
/// without drawing those of the steps before.
pub fn generator(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ ((purpose as u64) << 56));
    random.set_stream(index);
    random
}
