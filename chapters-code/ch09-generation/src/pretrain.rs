//! Training: blocks of text, guesses of each next token, one step after another.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bertinho::checkpoint;
use candle_core::Tensor;
use gradients::{
    AdamW, AdamWOptions, Decay, Parameters, Schedule, backward, clip_factor,
    gradient_norm,
};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use training::parameters::{Tensors, draw, from_tensors};
use training::random::{Purpose, generator};
use training::{Activation, TrainingError};

use crate::blocks::{Blocks, Place};
use crate::config::GptConfig;
use crate::error::{GenerationError, Result};
use crate::fast::loss;
use crate::gpt::Gpt;
use crate::texts::END_ID;

/// The checkpoint's name in the output folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

/// All that decides what comes out. Two runs of one recipe on one corpus give the same weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The seed of everything that is drawn: first weights, order, dropout.
    pub seed: u64,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of a token's vector, `d_model`.
    pub width: usize,
    /// How many layers there are.
    pub layers: usize,
    /// Heads in each layer.
    pub heads: usize,
    /// Tokens of a block, and the longest text that the model can read.
    pub positions: usize,
    /// Blocks in a batch.
    pub batch: usize,
    /// How many steps it takes.
    pub steps: u64,
    /// Steps with a rising learning rate.
    pub warmup: u64,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How strongly AdamW pulls each weight toward 0 (its λ).
    pub weight_decay: f64,
    /// The longest that the gradients may be together.
    pub clip: f64,
    /// The share of hidden states and attention weights that dropout sets to 0.
    pub dropout: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 42,
            vocab_size: 6144,
            width: 256,
            layers: 6,
            heads: 8,
            positions: 320,
            batch: 8,
            steps: 8000,
            warmup: 200,
            learning_rate: 1.5e-3,
            weight_decay: 0.05,
            clip: 1.0,
            dropout: 0.0,
        }
    }
}

impl Recipe {
    /// The model's configuration.
    pub fn config(&self) -> GptConfig {
        GptConfig {
            vocab_size: self.vocab_size,
            n_positions: self.positions,
            n_embd: self.width,
            n_layer: self.layers,
            n_head: self.heads,
            n_inner: 4 * self.width,
            activation: Activation::Gelu, // whose backward pass `gradients` has
            embd_pdrop: self.dropout,
            attn_pdrop: self.dropout,
            resid_pdrop: self.dropout,
            bos_token_id: Some(END_ID),
            eos_token_ids: vec![END_ID],
            ..GptConfig::default()
        }
    }

    /// The learning rate of a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        let Self { learning_rate: peak, warmup, steps: total, .. } = *self;
        // From step + 1, so that the first step isn't one of rate 0.
        Schedule { peak, warmup, total, decay: Decay::Linear }.rate(step + 1)
    }

    /// Checks what a model and a training can't do without.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] for the first value out of its range.
    pub fn validate(&self) -> Result<()> {
        self.config().validate()?;
        for (name, found) in [("steps", self.steps), ("batch", self.batch as u64)] {
            if found == 0 {
                return Err(GenerationError::setting(name, found, "at least 1"));
            }
        }
        let rate = self.learning_rate;
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(GenerationError::setting("learning_rate", rate, "above 0"));
        }
        Ok(())
    }
}

/// Where a training is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainState {
    /// What it follows.
    pub recipe: Recipe,
    /// Steps done.
    pub steps: u64,
    /// The next block.
    pub place: Place,
}

/// How far the training in `folder` has come, and the weights that it has made, under GPT-2's
/// names without a prefix.
///
/// # Errors
///
/// If there is no checkpoint, or it isn't one of such a training.
pub fn trained(folder: &Path) -> Result<(TrainState, Tensors)> {
    let (tensors, state): (Tensors, TrainState) =
        checkpoint::load(&folder.join(CHECKPOINT))?;
    let config = state.recipe.config();
    // The model asks for its own tensors; those of the optimizer stay behind.
    let (parameters, _) = from_tensors(&tensors, |vb| Gpt::load(&vb, &config))?;
    Ok((state, parameters.tensors().map_err(TrainingError::from)?))
}

/// What is said of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Which, from 1.
    pub step: u64,
    /// Before the step, in nats a token.
    pub loss: f64,
    /// The learning rate that the step was taken with.
    pub learning_rate: f64,
    /// Epochs begun, from 0.
    pub epoch: u64,
}

/// A training under way.
#[derive(Debug)]
pub struct Pretraining {
    state: TrainState,
    config: GptConfig,
    model: Gpt,
    parameters: Parameters,
    optimizer: AdamW,
    blocks: Blocks,
    checkpoint: PathBuf,
}

impl Pretraining {
    /// From the beginning.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if the recipe is out of range or the texts are too few.
    pub fn begin(recipe: Recipe, texts: Vec<Vec<u32>>, folder: &Path) -> Result<Self> {
        let state = TrainState { recipe, steps: 0, place: Place::default() };
        Self::at(state, None, texts, folder)
    }

    /// From the checkpoint in `folder`, as if it had never stopped.
    ///
    /// # Errors
    ///
    /// If there is none, or it is of another recipe.
    pub fn resume(
        recipe: &Recipe,
        texts: Vec<Vec<u32>>,
        folder: &Path,
    ) -> Result<Self> {
        let path = folder.join(CHECKPOINT);
        let (tensors, state): (Tensors, TrainState) = checkpoint::load(&path)?;
        if state.recipe != *recipe {
            let expected = format!("the checkpoint's, {:?}", state.recipe);
            return Err(GenerationError::setting(
                "recipe",
                format!("{recipe:?}"),
                expected,
            ));
        }
        Self::at(state, Some(&tensors), texts, folder)
    }

    fn at(
        state: TrainState,
        tensors: Option<&Tensors>,
        texts: Vec<Vec<u32>>,
        folder: &Path,
    ) -> Result<Self> {
        state.recipe.validate()?;
        let config = state.recipe.config();
        let build = |vb: candle_nn::VarBuilder| Gpt::load(&vb, &config);
        let (parameters, model) = match tensors {
            None => draw(state.recipe.seed, build)?,
            Some(tensors) => from_tensors(tensors, build)?,
        };
        let weight_decay = state.recipe.weight_decay;
        let options = AdamWOptions { weight_decay, ..AdamWOptions::default() };
        let mut optimizer =
            AdamW::new(&parameters, options).map_err(TrainingError::from)?;
        if let Some(tensors) = tensors {
            let restored = optimizer.restore(&parameters, tensors, state.steps);
            restored.map_err(TrainingError::from)?;
        }
        let Recipe { positions, seed, .. } = state.recipe;
        let blocks = Blocks::new(texts, positions, seed, state.place)?;
        let checkpoint = folder.join(CHECKPOINT);
        Ok(Self { state, config, model, parameters, optimizer, blocks, checkpoint })
    }

    /// How far it has come.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// The model, as it is now.
    pub fn model(&self) -> &Gpt {
        &self.model
    }

    /// Its weights, under GPT-2's names without a prefix.
    ///
    /// # Errors
    ///
    /// If they can't be copied.
    pub fn weights(&self) -> Result<Tensors> {
        Ok(self.parameters.tensors().map_err(TrainingError::from)?)
    }

    /// One step; `None` if there is nothing left to do.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Diverged`] if the loss isn't a number any more.
    pub fn step(&mut self) -> Result<Option<Step>> {
        let TrainState { steps, ref recipe, .. } = self.state;
        if steps >= recipe.steps {
            return Ok(None);
        }
        let (learning_rate, clip) = (recipe.rate(steps), recipe.clip);
        let noise = generator(recipe.seed, Purpose::Dropout, steps).next_u64();
        let batch: Vec<_> =
            (0..recipe.batch).map(|_| self.blocks.next_block()).collect();
        let loss = loss(&self.model, &self.config, &batch, Some(noise))?;
        let found = f64::from(loss.to_scalar::<f32>()?);
        if !found.is_finite() {
            return Err(TrainingError::Diverged { step: steps + 1, loss: found }.into());
        }
        self.descend(&loss, learning_rate, clip).map_err(TrainingError::from)?;
        self.state.steps += 1;
        self.state.place = self.blocks.place();
        let epoch = self.state.place.epoch;
        Ok(Some(Step { step: self.state.steps, loss: found, learning_rate, epoch }))
    }

    fn descend(
        &mut self,
        loss: &Tensor,
        rate: f64,
        clip: f64,
    ) -> gradients::Result<()> {
        let gradients = backward(loss)?;
        let factor = clip_factor(gradient_norm(&self.parameters, &gradients)?, clip);
        self.optimizer.step(&self.parameters, &gradients, rate, factor)
    }

    /// Writes the checkpoint.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn save(&self) -> Result<()> {
        let mut tensors = self.weights()?;
        let state =
            self.optimizer.state(&self.parameters).map_err(TrainingError::from)?;
        tensors.extend(state);
        Ok(checkpoint::save(&self.checkpoint, &tensors, &self.state)?)
    }

    /// Steps until the recipe's end or `stop`; saves every `interval` steps and at the end. After
    /// each step `observe` is told. Returns whether the recipe is done.
    ///
    /// # Errors
    ///
    /// Those of [`Pretraining::step`], [`Pretraining::save`] and `observe`.
    pub fn run(
        &mut self,
        interval: u64,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(Step, &Self) -> Result<()>,
    ) -> Result<bool> {
        let mut done = false;
        while !stop.load(Ordering::Relaxed) {
            let Some(step) = self.step()? else {
                done = true;
                break;
            };
            observe(step, self)?;
            if step.step.is_multiple_of(interval.max(1)) {
                self.save()?;
            }
        }
        self.save()?;
        Ok(done)
    }
}
