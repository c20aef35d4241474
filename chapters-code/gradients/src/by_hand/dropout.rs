//! Dropout whose mask is a function of a seed and a place: nothing to store.

/// Which values are lost: the same seed loses the same ones, in the backward pass as in
/// the forward, on any number of threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    keys: [u32; 2],
    /// A value is lost where its hash is below.
    threshold: u32,
    /// 1 / (1 − p)
    scale: f32,
}

impl Mask {
    /// Loses values with this probability, at least 0 and below 1; `None` if it is 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a probability times 2³²; the keys are the seed's two halves"
    )]
    pub fn new(probability: f64, seed: u64) -> Option<Self> {
        let threshold = (probability * 2_f64.powi(32)) as u32;
        let scale = (1.0 / (1.0 - probability)) as f32;
        let keys = [seed as u32, (seed >> 32) as u32];
        (threshold > 0).then_some(Self { keys, threshold, scale })
    }

    /// What the value at `index` is multiplied by: 0 or 1 / (1 − p).
    #[inline(always)]
    pub fn factor(self, index: u32) -> f32 {
        let hash = mix(mix(index.wrapping_add(self.keys[0])) ^ self.keys[1]);
        if hash < self.threshold { 0.0 } else { self.scale }
    }

    /// Multiplies `x`, whose first value is at `index`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "indices wrap at 2³²")]
    pub fn apply(self, x: &mut [f32], index: usize) {
        for (i, x) in x.iter_mut().enumerate() {
            *x *= self.factor((index + i) as u32);
        }
    }
}

/// A bijection of 32 bits that flips each bit of the result with a probability near 1/2
/// for each bit flipped in the argument ("lowbias32", Wellons 2018).
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// The seed of the `place`-th dropout of a step (SplitMix64, Steele et al. 2014).
pub fn derive(seed: u64, place: u64) -> u64 {
    let mut z =
        seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
