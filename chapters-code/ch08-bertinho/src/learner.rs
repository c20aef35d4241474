//! What learns: one step at a time.

use bert_attention::BertForMaskedLm;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use gradients::{AdamW, AdamWOptions, Parameters, clip_factor, gradient_norm};
use hub::Config;
use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use sentiment::ForwardOptions;
use training::DropoutRng;

use crate::error::Result;
use crate::fast_model::{Masked, masked_lm_loss};
use crate::masking::MaskedBatch;
use training::parameters::{Tensors, draw, from_tensors, model};
use training::random::{Purpose, generator};

/// A masked language model that learns: what pre-training needs of it, and all it
/// needs.
pub trait Learner {
    /// One step on one batch; returns the mean loss over the hidden tokens, in nats,
    /// from before the step. Nothing is learned from a loss that isn't finite.
    ///
    /// # Errors
    ///
    /// If the batch has a piece that the model doesn't know, or is too long.
    fn step(&mut self, batch: &MaskedBatch, learning_rate: f64) -> Result<f64>;

    /// The weights, by their names in transformers' `BertForMaskedLM`.
    fn weights(&self) -> Result<Tensors>;

    /// The weights and all else that the next step depends on: a learner made from it
    /// goes on as if nothing had happened.
    fn state(&self) -> Result<Tensors>;
}

/// How a learner begins.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// With new weights.
    Fresh,
    /// With a [`Learner::state`], or with [`Learner::weights`] and a new optimizer.
    From(&'a Tensors),
}

/// What a learner is told beside the model's configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerOptions {
    /// The seed of the first weights and of dropout's masks.
    pub seed: u64,
    /// How strongly AdamW pulls each weight toward 0 (its λ).
    pub weight_decay: f64,
    /// The longest that the gradients may be together.
    pub clip: f64,
}

/// Makes a learner: where another implementation is plugged in.
pub type MakeLearner<'a> =
    dyn Fn(&Config, LearnerOptions, Start) -> Result<Box<dyn Learner>> + 'a;

/// What [`AdamW`]'s number of steps is called in a state.
const STEPS: &str = "optimizer.steps";

/// Parameters, and what changes them.
#[derive(Debug)]
pub(crate) struct Trainer {
    pub parameters: Parameters,
    pub optimizer: AdamW,
    /// The longest that the gradients may be together.
    pub clip: f64,
}

impl Trainer {
    // ANCHOR: step
    /// One step against the loss's gradients, clipped; returns the loss. Nothing is
    /// learned from a loss that isn't finite.
    pub fn step(
        &mut self,
        loss: &Tensor,
        backward: impl FnOnce(&Tensor) -> Result<GradStore>,
        learning_rate: f64,
    ) -> Result<f64> {
        let found = f64::from(loss.to_scalar::<f32>()?);
        if found.is_finite() {
            let gradients = backward(loss)?;
            let norm = gradient_norm(&self.parameters, &gradients)?;
            let factor = clip_factor(norm, self.clip);
            self.optimizer.step(&self.parameters, &gradients, learning_rate, factor)?;
        }
        Ok(found)
    }
    // ANCHOR_END: step
}

/// Chapter 5's model and what trains it, however the gradients are found.
#[derive(Debug)]
struct Training {
    model: BertForMaskedLm,
    trainer: Trainer,
    seed: u64,
}

impl Training {
    fn new(config: &Config, options: LearnerOptions, start: Start) -> Result<Self> {
        let build = |vb: candle_nn::VarBuilder| BertForMaskedLm::load(&vb, config);
        let (parameters, model) = match start {
            Start::Fresh => draw(options.seed, build)?,
            Start::From(tensors) => from_tensors(tensors, build)?,
        };
        let weight_decay = options.weight_decay;
        let mut optimizer = AdamW::new(
            &parameters,
            AdamWOptions { weight_decay, ..AdamWOptions::default() },
        )?;
        if let Start::From(tensors) = start
            && let Some(steps) = tensors.get(STEPS)
        {
            let steps = steps.reshape(())?.to_dtype(DType::U32)?.to_scalar::<u32>()?;
            optimizer.restore(&parameters, tensors, steps.into())?;
        }
        let LearnerOptions { seed, clip, .. } = options;
        Ok(Self { model, trainer: Trainer { parameters, optimizer, clip }, seed })
    }

    /// Where the next step's dropout comes from: each step has its own.
    fn noise(&self) -> ChaCha8Rng {
        generator(self.seed, Purpose::Dropout, self.trainer.optimizer.steps())
    }

    fn state(&self) -> Result<Tensors> {
        let Trainer { parameters, optimizer, .. } = &self.trainer;
        let mut tensors = parameters.tensors()?;
        tensors.extend(optimizer.state(parameters)?);
        // f32, as all of a checkpoint: exact up to 2²⁴ steps.
        let steps = Tensor::new(&[optimizer.steps() as f32], &Device::Cpu)?;
        tensors.insert(STEPS.to_owned(), steps);
        Ok(tensors)
    }
}

/// Chapter 5's model through the gradients worked out by hand: what trains.
#[derive(Debug)]
pub struct FastLearner(Training);

impl FastLearner {
    /// A learner of this configuration.
    ///
    /// # Errors
    ///
    /// If the configuration and the tensors don't fit.
    pub fn new(config: &Config, options: LearnerOptions, start: Start) -> Result<Self> {
        Ok(Self(Training::new(config, options, start)?))
    }
}

impl Learner for FastLearner {
    fn step(&mut self, batch: &MaskedBatch, learning_rate: f64) -> Result<f64> {
        let noise = self.0.noise().next_u64();
        let MaskedBatch { inputs, positions, labels } = batch;
        let masked = Masked { positions: positions.clone(), targets: labels.clone() };
        let loss = masked_lm_loss(&self.0.model, inputs, &masked, Some(noise))?;
        self.0.trainer.step(&loss, |loss| Ok(gradients::backward(loss)?), learning_rate)
    }

    fn weights(&self) -> Result<Tensors> {
        Ok(self.0.trainer.parameters.tensors()?)
    }

    fn state(&self) -> Result<Tensors> {
        self.0.state()
    }
}

/// Chapter 5's model and candle's autograd: slow, and what [`FastLearner`] is measured
/// against.
#[derive(Debug)]
pub struct AutogradLearner(Training);

impl AutogradLearner {
    /// A learner of this configuration.
    ///
    /// # Errors
    ///
    /// If the configuration and the tensors don't fit.
    pub fn new(config: &Config, options: LearnerOptions, start: Start) -> Result<Self> {
        Ok(Self(Training::new(config, options, start)?))
    }

    /// The mean cross-entropy of the hidden tokens' pieces. A scalar tensor.
    pub fn loss(
        &self,
        batch: &MaskedBatch,
        noise: Option<&DropoutRng>,
    ) -> Result<Tensor> {
        let run = ForwardOptions { dropout: noise, ..ForwardOptions::default() };
        let model = &self.0.model;
        let x = model.bert.forward(&batch.inputs, run)?.last_hidden_state;
        let positions = Tensor::new(&batch.positions[..], x.device())?; // [hidden]
        // [batch, n, d_model] -> [batch · n, d_model] -> [hidden, d_model]
        let hidden = x.flatten(0, 1)?.index_select(&positions, 0)?;
        let logits = model.predict(&hidden)?; // [hidden, vocabulary]
        let labels = Tensor::new(&batch.labels[..], x.device())?; // [hidden]
        Ok(candle_nn::loss::cross_entropy(&logits, &labels)?)
    }
}

impl Learner for AutogradLearner {
    fn step(&mut self, batch: &MaskedBatch, learning_rate: f64) -> Result<f64> {
        let noise = DropoutRng::seed(self.0.noise().next_u32());
        let loss = self.loss(batch, Some(&noise))?;
        self.0.trainer.step(&loss, |loss| Ok(loss.backward()?), learning_rate)
    }

    fn weights(&self) -> Result<Tensors> {
        Ok(self.0.trainer.parameters.tensors()?)
    }

    fn state(&self) -> Result<Tensors> {
        self.0.state()
    }
}

/// [`FastLearner`] as a [`MakeLearner`].
pub fn fast(
    config: &Config,
    options: LearnerOptions,
    start: Start,
) -> Result<Box<dyn Learner>> {
    Ok(Box::new(FastLearner::new(config, options, start)?))
}

/// [`AutogradLearner`] as a [`MakeLearner`].
pub fn autograd(
    config: &Config,
    options: LearnerOptions,
    start: Start,
) -> Result<Box<dyn Learner>> {
    Ok(Box::new(AutogradLearner::new(config, options, start)?))
}

/// A learner's weights as a model to ask.
///
/// # Errors
///
/// If the configuration and the weights don't fit.
pub fn masked_lm(config: &Config, weights: &Tensors) -> Result<BertForMaskedLm> {
    Ok(model(weights, |vb| BertForMaskedLm::load(&vb, config))?)
}
