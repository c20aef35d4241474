//! Keras' Adam, and what `compile` puts in a model.

use candle_core::Tensor;
use gradients::{AdamW, AdamWOptions, Parameters};

use crate::error::Result;

// ANCHOR: adam
/// `keras.optimizers.Adam(learning_rate=…)`, with Keras' other defaults: β₁ = 0.9,
/// β₂ = 0.999, ε = 1e-7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// How far a step goes.
    pub learning_rate: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3 }
    }
}

impl Adam {
    const BETA_2: f64 = 0.999;
    const EPSILON: f64 = 1e-7;

    /// With this learning rate.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate }
    }

    /// AdamW's options for step `t`, counted from 1, that make it Keras' Adam: nothing
    /// decays, and ε is added to √v before its bias is corrected, not after.
    fn options(t: u64) -> AdamWOptions {
        let correction = (1.0 - Self::BETA_2.powf(t as f64)).sqrt();
        let epsilon = Self::EPSILON / correction;
        AdamWOptions { epsilon, weight_decay: 0.0, ..AdamWOptions::default() }
    }
}
// ANCHOR_END: adam

/// What `compile` puts in a model.
#[derive(Debug)]
pub(crate) struct Compiled {
    adam: Adam,
    optimizer: AdamW,
    parameters: Parameters,
}

impl Compiled {
    /// Before the first step.
    pub(crate) fn new(adam: Adam, parameters: Parameters) -> Result<Self> {
        let optimizer = AdamW::new(&parameters, Adam::options(1))?;
        Ok(Self { adam, optimizer, parameters })
    }

    /// How many numbers the optimizer keeps: Keras makes them at the first step.
    pub(crate) fn state(&self) -> usize {
        if self.optimizer.steps() == 0 { 0 } else { 2 * self.parameters.count() + 2 }
    }

    pub(crate) fn step(&mut self, loss: &Tensor) -> Result<()> {
        self.optimizer.options = Adam::options(self.optimizer.steps() + 1);
        Ok(self.optimizer.minimize(&self.parameters, loss, self.adam.learning_rate)?)
    }
}
