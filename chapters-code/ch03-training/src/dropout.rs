//! Dropout: numbers lost on purpose, while training.

use std::sync::{Mutex, PoisonError};

use candle_core::Tensor;
use rand_mt::Mt;

use crate::error::{Result, TrainingError};

/// Where dropout's chance comes from. With the same seed, the same numbers are lost, on
/// every machine: give a new seed at each training step.
#[derive(Debug)]
pub struct DropoutRng(Mutex<Mt>);

impl DropoutRng {
    /// A Mersenne twister, as PyTorch and NumPy have it.
    pub fn seed(seed: u32) -> Self {
        Self(Mutex::new(Mt::new(seed)))
    }
}

// ANCHOR: dropout
/// Sets each number to 0 with a probability, and scales the others up so that the mean
/// stays (Srivastava et al. 2014): PyTorch's `nn.Dropout`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout(f64);

impl Dropout {
    /// Loses each number with this probability.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Dropout`] if it isn't at least 0 and below 1.
    pub fn new(probability: f64) -> Result<Self> {
        if (0.0..1.0).contains(&probability) {
            return Ok(Self(probability));
        }
        Err(TrainingError::Dropout(probability))
    }

    /// The probability with which a number is lost.
    pub fn probability(self) -> f64 {
        self.0
    }

    /// Without a generator, `x` as it is. Shape unchanged.
    ///
    /// # Errors
    ///
    /// None that a well-formed tensor can cause.
    pub fn forward(self, x: &Tensor, rng: Option<&DropoutRng>) -> Result<Tensor> {
        let Some(rng) = rng.filter(|_| self.0 > 0.0) else {
            return Ok(x.clone());
        };
        let mut random = rng.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = || f64::from(random.next_u32()) >= self.0 * 2_f64.powi(32);
        let draws = (0..x.elem_count()).map(|_| f32::from(u8::from(kept())));
        let mask = Tensor::from_iter(draws, x.device())?; // 1 keeps, 0 loses
        let mask = mask.reshape(x.shape())?.to_dtype(x.dtype())?;
        Ok((x * mask)?.affine(1.0 / (1.0 - self.0), 0.0)?)
    }
}
// ANCHOR_END: dropout
