//! `compile`, `fit` and `evaluate`, with Keras' arguments and defaults.

use candle_core::{D, DType, Tensor};
use gradients::cross_entropy;
use kernels::in_pool;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::{KerasError, Result};
use crate::history::{History, Metrics};
use crate::model::Model;
use crate::optimizer::{Adam, Compiled};
use crate::progress::{Progress, Verbose};
use crate::shape::Shape;

/// `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`: the mean of
/// −ln softmax(logits)\[label\], one label for each vector of logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SparseCategoricalCrossentropy;

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
    /// The seed of that order; Keras has it from `keras.utils.set_random_seed`.
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
        self.compiled = Some(Compiled::new(optimizer, self.parameters())?);
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
