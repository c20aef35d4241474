//! `compile`, `fit` and `evaluate`, with Keras' arguments and defaults.

use candle_core::{D, DType, Tensor};
use gradients::{AdamW, AdamWOptions, Parameters, cross_entropy};
use kernels::in_pool;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::progress::Progress;
use crate::{KerasError, Model, Result, Shape};

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

/// `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`: the mean of
/// −ln softmax(logits)\[label\], one label for each vector of logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SparseCategoricalCrossentropy;

/// What `compile` puts in a model.
#[derive(Debug)]
pub(crate) struct Compiled {
    adam: Adam,
    optimizer: AdamW,
    parameters: Parameters,
}

impl Compiled {
    /// How many numbers the optimiser keeps: Keras makes them at the first step.
    pub(crate) fn state(&self) -> usize {
        if self.optimizer.steps() == 0 { 0 } else { 2 * self.parameters.count() + 2 }
    }

    fn step(&mut self, loss: &Tensor) -> Result<()> {
        self.optimizer.options = Adam::options(self.optimizer.steps() + 1);
        Ok(self.optimizer.minimize(&self.parameters, loss, self.adam.learning_rate)?)
    }
}

/// The arguments of [`Model::fit`], with Keras' names and defaults.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Examples in a step.
    pub batch_size: usize,
    /// How often each example is seen.
    pub epochs: usize,
    /// What to evaluate after each epoch: ids and labels.
    pub validation_data: Option<(Tensor, Tensor)>,
    /// Whether the examples are in another order in each epoch.
    pub shuffle: bool,
    /// Of that order; Keras takes it from `keras.utils.set_random_seed`.
    pub seed: u64,
    /// What is said meanwhile.
    pub verbose: Verbose,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            batch_size: 32,
            epochs: 1,
            validation_data: None,
            shuffle: true,
            seed: 0,
            verbose: Verbose::Bar,
        }
    }
}

/// Keras' `verbose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbose {
    /// 0: nothing.
    Silent,
    /// 1: a bar that moves, on the standard error of a terminal.
    Bar,
    /// 2: a line an epoch, on standard output, without times: it is the same each time.
    Lines,
}

/// The mean loss, and how many labels were the likeliest class (from 0 to 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// −ln of the label's probability.
    pub loss: f64,
    /// From 0 to 1.
    pub accuracy: f64,
}

/// What [`Model::fit`] saw, an entry an epoch: `history.history`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Means over the epoch's steps, while the weights change.
    pub train: Vec<Metrics>,
    /// After the epoch; empty without `validation_data`.
    pub validation: Vec<Metrics>,
}

impl History {
    /// The losses in training and in validation, epoch by epoch from 1: two curves.
    pub fn losses(&self) -> [Vec<(f64, f64)>; 2] {
        self.curves(|metrics| metrics.loss)
    }

    /// The same of the accuracies.
    pub fn accuracies(&self) -> [Vec<(f64, f64)>; 2] {
        self.curves(|metrics| metrics.accuracy)
    }

    fn curves(&self, of: impl Fn(&Metrics) -> f64) -> [Vec<(f64, f64)>; 2] {
        [&self.train, &self.validation]
            .map(|part| (1..).map(f64::from).zip(part.iter().map(&of)).collect())
    }
}

/// A sum of metrics, weighted by examples.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: Metrics,
    count: f64,
}

impl Mean {
    fn add(&mut self, metrics: Metrics, count: usize) {
        let n = count as f64;
        self.sum.loss += metrics.loss * n;
        self.sum.accuracy += metrics.accuracy * n;
        self.count += n;
    }

    fn value(self) -> Metrics {
        let n = self.count.max(1.0);
        Metrics { loss: self.sum.loss / n, accuracy: self.sum.accuracy / n }
    }
}

impl Model {
    /// Says how to train: `model.compile(optimizer, loss, metrics=["accuracy"])`.
    ///
    /// # Errors
    ///
    /// [`KerasError::Setting`] if the learning rate isn't above 0.
    pub fn compile(
        &mut self,
        optimizer: Adam,
        loss: SparseCategoricalCrossentropy,
    ) -> Result<()> {
        let SparseCategoricalCrossentropy = loss;
        let rate = optimizer.learning_rate;
        if !(rate > 0.0 && rate.is_finite()) {
            let value = rate.to_string();
            let (name, expected) = ("learning_rate", "above 0");
            return Err(KerasError::Setting { name, value, expected });
        }
        let parameters = self.parameters();
        let steps = AdamW::new(&parameters, Adam::options(1))?;
        self.compiled =
            Some(Compiled { adam: optimizer, optimizer: steps, parameters });
        Ok(())
    }

    // ANCHOR: fit
    /// Trains on ids `[examples, …]` and their labels: `model.fit(x, y, …)`.
    ///
    /// # Errors
    ///
    /// [`KerasError::NotCompiled`] before [`Model::compile`], [`KerasError::Labels`] if
    /// the labels don't go with the outputs, and those of [`Model::call`].
    pub fn fit(&mut self, x: &Tensor, y: &Tensor, fit: &Fit) -> Result<History> {
        let examples = check_examples(x, y)?;
        check_settings(fit)?;
        let mut history = History::default();
        for epoch in 0..fit.epochs {
            let order = order(examples, fit, epoch)?;
            let steps = examples.div_ceil(fit.batch_size);
            let progress = Progress::new(fit.verbose, [epoch + 1, fit.epochs], steps);
            let mut mean = Mean::default();
            for batch in order.chunks(fit.batch_size) {
                let rows = Tensor::new(batch, x.device())?;
                let (x, y) = (x.index_select(&rows, 0)?, y.index_select(&rows, 0)?);
                mean.add(self.train_on_batch(&x, &y)?, batch.len());
                progress.step(mean.value());
            }
            history.train.push(mean.value());
            let validation = fit.validation_data.as_ref();
            let validation =
                validation.map(|(x, y)| self.evaluate(x, y)).transpose()?;
            history.validation.extend(validation);
            progress.end(mean.value(), validation);
        }
        Ok(history)
    }

    /// One step: forward, backward, and each weight a little further down.
    ///
    /// # Errors
    ///
    /// As [`Model::fit`].
    pub fn train_on_batch(&mut self, x: &Tensor, y: &Tensor) -> Result<Metrics> {
        check_examples(x, y)?;
        if self.compiled.is_none() {
            return Err(KerasError::NotCompiled { call: "fit" });
        }
        self.check_home()?;
        in_pool(|| self.step(x, y))
    }

    fn step(&mut self, x: &Tensor, y: &Tensor) -> Result<Metrics> {
        let (logits, labels) = flattened(&self.call(x)?, y)?;
        let loss = cross_entropy(&logits, &labels)?;
        self.forget_packed();
        if let Some(compiled) = &mut self.compiled {
            compiled.step(&loss)?;
        }
        metrics(&loss, &logits, &labels)
    }
    // ANCHOR_END: fit

    /// The loss and the accuracy on examples: `model.evaluate(x, y)`, in batches of 32.
    ///
    /// # Errors
    ///
    /// As [`Model::fit`].
    pub fn evaluate(&mut self, x: &Tensor, y: &Tensor) -> Result<Metrics> {
        let examples = check_examples(x, y)?;
        if self.compiled.is_none() {
            return Err(KerasError::NotCompiled { call: "evaluate" });
        }
        let mut mean = Mean::default();
        for start in (0..examples).step_by(32) {
            let count = 32.min(examples - start);
            let (x, y) = (x.narrow(0, start, count)?, y.narrow(0, start, count)?);
            let (logits, labels) = flattened(&self.predict(&x)?, &y)?;
            let loss = cross_entropy(&logits, &labels)?;
            mean.add(metrics(&loss, &logits, &labels)?, count);
        }
        Ok(mean.value())
    }
}

fn check_settings(fit: &Fit) -> Result<()> {
    for (name, value) in [("batch_size", fit.batch_size), ("epochs", fit.epochs)] {
        if value == 0 {
            let (value, expected) = (value.to_string(), "at least 1");
            return Err(KerasError::Setting { name, value, expected });
        }
    }
    Ok(())
}

/// How many examples there are, as many of each.
fn check_examples(x: &Tensor, y: &Tensor) -> Result<usize> {
    let count = |tensor: &Tensor| tensor.dims().first().copied().unwrap_or(0);
    let (ids, labels) = (count(x), count(y));
    if ids == 0 || ids != labels {
        let expected =
            format!("as many labels as rows of ids, {ids}, and at least one");
        return Err(KerasError::Input { expected, found: format!("{labels} labels") });
    }
    Ok(ids)
}

fn order(examples: usize, fit: &Fit, epoch: usize) -> Result<Vec<u32>> {
    let count = u32::try_from(examples).map_err(candle_core::Error::wrap)?;
    let mut order: Vec<u32> = (0..count).collect();
    if fit.shuffle {
        let mut random = ChaCha8Rng::seed_from_u64(fit.seed);
        random.set_stream(epoch as u64);
        order.shuffle(&mut random);
    }
    Ok(order)
}

/// The logits as rows, `[…, classes] -> [rows, classes]`, and a label for each.
fn flattened(logits: &Tensor, y: &Tensor) -> Result<(Tensor, Vec<u32>)> {
    let outputs = || Shape::from(logits.dims());
    let wrong =
        |labels, remedy| KerasError::Labels { outputs: outputs(), labels, remedy };
    let classes = logits.dim(D::Minus1)?;
    let rows = logits.elem_count() / classes.max(1);
    if y.elem_count() != rows {
        let labels = y.elem_count().to_string();
        return Err(wrong(labels, ": give one for each vector of logits"));
    }
    let labels: Vec<u32> = y.flatten_all()?.to_dtype(DType::U32)?.to_vec1()?;
    if let Some(label) = labels.iter().find(|&&label| label as usize >= classes) {
        let labels = format!("{label} among the");
        return Err(wrong(labels, ": a label is a class, counted from 0"));
    }
    Ok((logits.reshape((rows, classes))?, labels))
}

fn metrics(loss: &Tensor, logits: &Tensor, labels: &[u32]) -> Result<Metrics> {
    let likeliest: Vec<u32> = logits.detach().argmax(D::Minus1)?.to_vec1()?;
    let right = likeliest.iter().zip(labels).filter(|(a, b)| a == b).count();
    let accuracy = right as f64 / labels.len() as f64;
    Ok(Metrics { loss: f64::from(loss.to_scalar::<f32>()?), accuracy })
}
