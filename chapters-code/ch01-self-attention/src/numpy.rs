//! NumPy's legacy random numbers, bit for bit.
//!
//! `np.random.seed(s)` and `np.random.rand(r, c)` are a Mersenne Twister (MT19937,
//! Matsumoto and Nishimura 1998) started by `init_genrand(s)` and read by
//! `genrand_res53`. The twister is [`rand_mt`]'s; the two lines that turn its 32-bit
//! words into a number in `[0, 1)` are here.

use ndarray::Array2;
use rand_mt::Mt;

/// The stream of `numpy.random` after `numpy.random.seed(seed)`.
///
/// ```
/// use self_attention::numpy::NumpyRandom;
///
/// let mut random = NumpyRandom::seed(42);
/// assert_eq!(random.next_f64(), 0.3745401188473625);
/// assert_eq!(random.next_f64(), 0.9507143064099162);
/// ```
#[derive(Debug, Clone)]
pub struct NumpyRandom(Mt);

// ANCHOR: numpy
impl NumpyRandom {
    /// `np.random.seed(seed)`.
    pub fn seed(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// One number in `[0, 1)`: 27 bits and then 26 bits, 53 in all, the precision of an
    /// `f64`.
    pub fn next_f64(&mut self) -> f64 {
        let high = f64::from(self.0.next_u32() >> 5); // 27 bits
        let low = f64::from(self.0.next_u32() >> 6); // 26 bits
        // (high · 2²⁶ + low) / 2⁵³
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `np.random.rand(rows, columns)`: filled row by row. Shape `[rows, columns]`.
    pub fn rand(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || self.next_f64())
    }
}
// ANCHOR_END: numpy
