//! Teaching the reverser.

use candle_nn::VarBuilder;
use gradients::{
    AdamW, AdamWOptions, Decay, Parameters, Schedule, clip_factor, gradient_norm,
};
use serde::Serialize;

use crate::error::{Result, TrainingError};
use crate::parameters::{Tensors, draw, model};
use crate::reverse::model::Reverser;
use crate::reverse::options::ReverserOptions;
use crate::reverse::strings::{
    VOCABULARY, held_out_strings, read, teach, training_strings,
};

// ANCHOR: reverser_training
/// A reverser that is being trained.
#[derive(Debug)]
pub struct ReverserTraining {
    options: ReverserOptions,
    /// The model as it is now.
    pub model: Reverser,
    parameters: Parameters,
    optimizer: AdamW,
    steps: u64,
}

impl ReverserTraining {
    /// New weights, nothing learned.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if a size or rate is out of range.
    pub fn new(options: ReverserOptions) -> Result<Self> {
        options.validate()?;
        let load = |vb: VarBuilder| Reverser::load(&vb, &options);
        let (parameters, model) = draw(options.seed, load)?;
        let optimizer = AdamW::new(&parameters, AdamWOptions::default())?;
        Ok(Self { options, model, parameters, optimizer, steps: 0 })
    }
}
// ANCHOR_END: reverser_training

// ANCHOR: reverser_step
impl ReverserTraining {
    /// One step on a batch of new strings; returns the loss before it, in nats a
    /// letter.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Diverged`] if the loss isn't a number any more.
    pub fn step(&mut self) -> Result<f64> {
        let ReverserOptions { seed, batch, learning_rate, warmup, steps, .. } =
            self.options;
        let strings = training_strings(seed, self.steps, batch);
        let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
        // 1. Answer.
        let (given, expected) = teach(&strings)?; // [batch, n]
        let logits = self.model.forward(&read(&strings)?, &given)?.logits;
        // 2. Measure: [batch, n, 28] -> [batch · n, 28]
        let logits = logits.reshape(((), VOCABULARY))?;
        let loss = candle_nn::loss::cross_entropy(&logits, &expected.flatten_all()?)?;
        let found = f64::from(loss.to_scalar::<f32>()?);
        if !found.is_finite() {
            return Err(TrainingError::Diverged { step: self.steps + 1, loss: found });
        }
        // 3. Differentiate.
        let gradients = loss.backward()?;
        // 4. Correct.
        let factor = clip_factor(gradient_norm(&self.parameters, &gradients)?, 1.0);
        let (peak, total, decay) = (learning_rate, steps, Decay::Linear);
        let rate = Schedule { peak, warmup, total, decay }.rate(self.steps);
        self.optimizer.step(&self.parameters, &gradients, rate, factor)?;
        self.steps += 1;
        Ok(found)
    }
}
// ANCHOR_END: reverser_step

impl ReverserTraining {
    /// How many numbers are learned.
    pub fn parameters(&self) -> usize {
        self.parameters.count()
    }

    /// Copies of the weights as they are now, by name.
    pub fn weights(&self) -> Result<Tensors> {
        Ok(self.parameters.tensors()?)
    }

    /// A copy of the model as it is now, which training doesn't change.
    pub fn snapshot(&self) -> Result<Reverser> {
        model(&self.weights()?, |vb| Reverser::load(&vb, &self.options))
    }
}

/// How a training went: pairs of step and value.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct History {
    /// Nats a letter, the mean over the steps since the point before.
    pub loss: Vec<(f64, f64)>,
    /// Held-out strings reversed without a fault.
    pub exact: Vec<(f64, f64)>,
}

/// A trained reverser, and how it came to be.
#[derive(Debug, Clone)]
pub struct TrainedReverser {
    /// Before training.
    pub before: Reverser,
    /// After training.
    pub after: Reverser,
    /// On the way.
    pub history: History,
}

/// Trains a reverser. After each step `observe` is told which and its loss; every
/// `interval` steps 200 held-out strings are reversed for the history.
pub fn train_reverser(
    options: ReverserOptions,
    interval: u64,
    observe: &mut dyn FnMut(u64, f64),
) -> Result<TrainedReverser> {
    let mut training = ReverserTraining::new(options)?;
    let before = training.snapshot()?;
    let held_out = held_out_strings(options.seed, 200);
    let mut history = History::default();
    let mut sum = 0.0;
    for step in 1..=options.steps {
        let loss = training.step()?;
        observe(step, loss);
        sum += loss;
        if step.is_multiple_of(interval.max(1)) {
            let at = step as f64;
            history.loss.push((at, sum / interval.max(1) as f64));
            history.exact.push((at, training.model.accuracy(&held_out)?));
            sum = 0.0;
        }
    }
    Ok(TrainedReverser { before, after: training.snapshot()?, history })
}
