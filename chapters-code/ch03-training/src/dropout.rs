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

    /// A tensor of the shape and type of `x`: 0 with this probability, 1 otherwise.
    fn mask(&self, x: &Tensor, probability: f64) -> Result<Tensor> {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = probability * 2_f64.powi(32); // of the numbers that `next_u32` draws
        let mut kept = || f32::from(u8::from(f64::from(random.next_u32()) >= bound));
        let draws: Vec<f32> = (0..x.elem_count()).map(|_| kept()).collect();
        Ok(Tensor::from_vec(draws, x.shape(), x.device())?.to_dtype(x.dtype())?)
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
    pub fn forward(self, x: &Tensor, rng: Option<&DropoutRng>) -> Result<Tensor> {
        match rng {
            Some(rng) if self.0 > 0.0 => {
                let kept = rng.mask(x, self.0)?; // 1 keeps, 0 loses
                Ok(((x * kept)? / (1.0 - self.0))?)
            }
            _ => Ok(x.clone()),
        }
    }
}
// ANCHOR_END: dropout
