//! Pre-training: hide, guess, correct, some ten thousand times.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gradients::{Decay, Schedule};
use hub::Config;
use serde::{Deserialize, Serialize};

use crate::batches::{Batches, Mixture, Position, Sequence};
use crate::checkpoint;
use crate::learner::{Learner, LearnerOptions, MakeLearner, Start};
use crate::masking::Masking;
use training::TrainingError;
use training::parameters::Tensors;
use training::random::{Purpose, generator};

use crate::error::{PretrainingError, Result};

/// The checkpoint's name in the output folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

/// A part of the training, with so many layers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Layers; a multiple of the stage before's is best.
    pub layers: usize,
    /// How many steps it takes.
    pub steps: u64,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// What an epoch shows, instead of the recipe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixture: Option<Mixture>,
}

/// All that decides what comes out. Two runs of one recipe on one corpus give the same
/// weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The seed of everything that is drawn: first weights, order, masks, dropout.
    pub seed: u64,
    /// Width of a token's vector, `d_model`.
    pub hidden_size: usize,
    /// Heads in each layer.
    pub heads: usize,
    /// Width inside the feed-forward networks.
    pub intermediate_size: usize,
    /// The longest text that the model can read, in tokens.
    pub positions: usize,
    /// The share of hidden states and attention weights that dropout sets to 0.
    pub dropout: f64,
    /// From few layers to all (Gong et al. 2019).
    pub stages: Vec<Stage>,
    /// Steps with a rising learning rate, in each stage.
    pub warmup: u64,
    /// Tokens in a batch.
    pub batch_tokens: usize,
    /// Tokens in a sequence; longer ones are cut.
    pub sequence_tokens: usize,
    /// What an epoch shows.
    pub mixture: Mixture,
    /// How strongly AdamW pulls each weight toward 0 (its λ).
    pub weight_decay: f64,
    /// The longest that the gradients may be together.
    pub clip: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        let stage = |layers, steps, learning_rate| Stage {
            layers,
            steps,
            learning_rate,
            mixture: None,
        };
        // Sentence by sentence, at the end: with the translation beside, it can by then.
        let alone = Mixture { pairs: 1, sides: 4, english: 1, portuguese: 1 };
        Self {
            seed: 42,
            hidden_size: 192,
            heads: 12,
            intermediate_size: 768,
            positions: 512,
            dropout: 0.0,
            stages: vec![
                stage(3, 4000, 1.5e-3),
                stage(6, 4500, 1.2e-3),
                Stage { mixture: Some(alone), ..stage(6, 3000, 7e-4) },
                Stage { mixture: Some(alone), ..stage(12, 1500, 4e-4) },
            ],
            warmup: 200,
            batch_tokens: 2000,
            sequence_tokens: 64,
            mixture: Mixture::default(),
            weight_decay: 0.01,
            clip: 1.0,
        }
    }
}

impl Recipe {
    /// The model's configuration with this many layers.
    pub fn config(&self, layers: usize, vocab_size: usize) -> Config {
        Config {
            classes: vec!["BertForMaskedLM".to_owned()],
            vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: layers,
            num_attention_heads: self.heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.positions,
            hidden_dropout: self.dropout,
            attention_dropout: self.dropout,
            ..Config::bert()
        }
    }

    /// Steps of all stages.
    pub fn steps(&self) -> u64 {
        self.stages.iter().map(|stage| stage.steps).sum()
    }

    /// What an epoch of this stage shows.
    pub fn mixture(&self, stage: usize) -> Mixture {
        let own = self.stages.get(stage).and_then(|stage| stage.mixture);
        own.unwrap_or(self.mixture)
    }

    fn learner_options(&self) -> LearnerOptions {
        let Self { seed, weight_decay, clip, .. } = *self;
        LearnerOptions { seed, weight_decay, clip }
    }

    /// Checks what a model and a training can't do without.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] for the first value out of its range.
    pub fn validate(&self) -> Result<()> {
        if self.stages.is_empty() || self.stages.iter().any(|stage| stage.steps == 0) {
            let found = format!("{:?}", self.stages);
            return Err(PretrainingError::setting(
                "stages",
                found,
                "at least one step each",
            ));
        }
        for stage in &self.stages {
            let rate = stage.learning_rate;
            if !(rate > 0.0 && rate.is_finite()) {
                return Err(PretrainingError::setting(
                    "learning_rate",
                    rate,
                    "above 0",
                ));
            }
            self.config(stage.layers, 8).validate(Path::new("the recipe"))?;
        }
        if !(5..=self.positions).contains(&self.sequence_tokens) {
            let expected = format!("from 5 to the {} positions", self.positions);
            let found = self.sequence_tokens;
            return Err(PretrainingError::setting("sequence_tokens", found, expected));
        }
        Ok(())
    }
}

/// Where a training is: what it follows, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainState {
    /// What it follows.
    pub recipe: Recipe,
    /// The stage, from 0.
    pub stage: usize,
    /// Steps done in this stage.
    pub stage_steps: u64,
    /// Steps done in all.
    pub steps: u64,
    /// Tokens read in all, without padding.
    pub tokens: u64,
    /// The next batch.
    pub position: Position,
    /// How many pieces the vocabulary has.
    pub vocab_size: usize,
}

impl TrainState {
    /// At the beginning.
    pub fn beginning(recipe: Recipe, vocab_size: usize) -> Self {
        let position = Position::default();
        let (stage, stage_steps, steps, tokens) = (0, 0, 0, 0);
        Self { recipe, stage, stage_steps, steps, tokens, position, vocab_size }
    }

    /// The configuration of the model as it is now.
    pub fn config(&self) -> Config {
        let layers = self.recipe.stages.get(self.stage).map_or(1, |stage| stage.layers);
        self.recipe.config(layers, self.vocab_size)
    }

    /// The learning rate of the next step: in each stage up to the stage's own, then
    /// down in a straight line to the next stage's; after the last one, to 0.
    pub fn learning_rate(&self) -> f64 {
        let Some(stage) = self.recipe.stages.get(self.stage) else { return 0.0 };
        let next = self.recipe.stages.get(self.stage + 1);
        let floor =
            next.map_or(0.0, |next| next.learning_rate.min(stage.learning_rate));
        let (peak, total) = (stage.learning_rate, stage.steps);
        let warmup = self.recipe.warmup.min(total);
        let rate = Schedule { peak, warmup, total, decay: Decay::Linear }
            .rate(self.stage_steps);
        if self.stage_steps < warmup {
            return rate;
        }
        floor + rate * (peak - floor) / peak
    }

    fn stage_is_done(&self) -> bool {
        let stage = self.recipe.stages.get(self.stage);
        stage.is_none_or(|stage| self.stage_steps >= stage.steps)
    }
}

/// What is said of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Which, from 1.
    pub step: u64,
    /// Layers of the model.
    pub layers: usize,
    /// Before the step, in nats.
    pub loss: f64,
    /// The learning rate that the step was taken with.
    pub learning_rate: f64,
    /// Tokens read so far.
    pub tokens: u64,
    /// Epochs begun.
    pub epoch: u64,
}

/// Makes an epoch's sequences, as often as a mixture says.
pub type MakeSequences<'a> = dyn Fn(Mixture) -> Result<Vec<Sequence>> + 'a;

/// A training under way.
pub struct Pretraining<'a> {
    state: TrainState,
    learner: Box<dyn Learner>,
    batches: Batches,
    make: &'a MakeLearner<'a>,
    sequences: &'a MakeSequences<'a>,
    checkpoint: PathBuf,
}

impl std::fmt::Debug for Pretraining<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Pretraining").field("state", &self.state).finish()
    }
}

impl<'a> Pretraining<'a> {
    /// From the beginning.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if the recipe is out of range.
    pub fn begin(
        recipe: Recipe,
        sequences: &'a MakeSequences<'a>,
        vocab_size: usize,
        make: &'a MakeLearner<'a>,
        folder: &Path,
    ) -> Result<Self> {
        recipe.validate()?;
        let state = TrainState::beginning(recipe, vocab_size);
        Self::at(state, None, sequences, make, folder)
    }

    /// From the checkpoint in `folder`, as if it had never stopped.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Io`] if there is none; [`TrainingError::Setting`] if it is of
    /// another recipe or vocabulary.
    pub fn resume(
        recipe: &Recipe,
        sequences: &'a MakeSequences<'a>,
        vocab_size: usize,
        make: &'a MakeLearner<'a>,
        folder: &Path,
    ) -> Result<Self> {
        let (tensors, state): (Tensors, TrainState) =
            checkpoint::load(&folder.join(CHECKPOINT))?;
        if state.recipe != *recipe || state.vocab_size != vocab_size {
            let found = format!("{recipe:?}, {vocab_size} pieces");
            let expected = format!(
                "the checkpoint's, {:?}, {} pieces",
                state.recipe, state.vocab_size
            );
            return Err(PretrainingError::setting("recipe", found, expected));
        }
        state.recipe.validate()?;
        Self::at(state, Some(&tensors), sequences, make, folder)
    }

    fn at(
        state: TrainState,
        tensors: Option<&Tensors>,
        sequences: &'a MakeSequences<'a>,
        make: &'a MakeLearner<'a>,
        folder: &Path,
    ) -> Result<Self> {
        let batches = batches(&state, sequences)?;
        let start = tensors.map_or(Start::Fresh, Start::From);
        let learner = make(&state.config(), state.recipe.learner_options(), start)?;
        let checkpoint = folder.join(CHECKPOINT);
        Ok(Self { state, learner, batches, make, sequences, checkpoint })
    }

    /// How far it has come.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// Its batches.
    pub fn batches(&self) -> &Batches {
        &self.batches
    }

    /// What learns.
    pub fn learner(&self) -> &dyn Learner {
        &*self.learner
    }

    /// One step; `None` if there is nothing left to do.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Diverged`] if the loss isn't a number any more.
    pub fn step(&mut self) -> Result<Option<Step>> {
        while self.state.stage_is_done() {
            if self.state.stage + 1 >= self.state.recipe.stages.len() {
                return Ok(None);
            }
            self.next_stage()?;
        }
        let TrainState { steps, vocab_size, .. } = self.state;
        let seed = self.state.recipe.seed;
        let rows = self.batches.next_batch();
        let tokens: usize = rows.iter().map(|row| row.len()).sum();
        let masking = Masking::bert(u32::try_from(vocab_size).unwrap_or(u32::MAX));
        let mut random = generator(seed, Purpose::Masking, steps);
        let batch = masking.apply(&rows, &mut random)?;
        let learning_rate = self.state.learning_rate();
        let loss = if batch.labels.is_empty() {
            0.0 // only special tokens: nothing to ask
        } else {
            self.learner.step(&batch, learning_rate)?
        };
        if !loss.is_finite() {
            return Err(TrainingError::Diverged { step: steps + 1, loss }.into());
        }
        self.state.steps += 1;
        self.state.stage_steps += 1;
        self.state.tokens += tokens as u64;
        self.state.position = self.batches.position();
        Ok(Some(Step {
            step: self.state.steps,
            layers: self.state.config().num_hidden_layers,
            loss,
            learning_rate,
            tokens: self.state.tokens,
            epoch: self.state.position.epoch,
        }))
    }

    /// More layers, each a copy; a new optimizer; a new epoch, if it shows other things.
    fn next_stage(&mut self) -> Result<()> {
        let weights = self.learner.weights()?;
        let from = self.state.config().num_hidden_layers;
        let TrainState { stage, ref recipe, position, .. } = self.state;
        let other = recipe.mixture(stage) != recipe.mixture(stage + 1);
        self.state.stage += 1;
        self.state.stage_steps = 0;
        if other {
            self.state.position = Position { epoch: position.epoch + 1, batch: 0 };
            self.batches = batches(&self.state, self.sequences)?;
        }
        let config = self.state.config();
        let weights = stack(&weights, from, config.num_hidden_layers);
        let options = self.state.recipe.learner_options();
        self.learner = (self.make)(&config, options, Start::From(&weights))?;
        Ok(())
    }

    /// Writes the checkpoint.
    pub fn save(&self) -> Result<()> {
        checkpoint::save(&self.checkpoint, &self.learner.state()?, &self.state)
    }

    /// Steps until the recipe's end, `stop` or `until` steps in all, whichever is
    /// first; saves every `interval` steps and at the end. After each step `observe` is
    /// told. Returns whether the recipe is done.
    pub fn run(
        &mut self,
        until: Option<u64>,
        interval: u64,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(Step, &Self) -> Result<()>,
    ) -> Result<bool> {
        let mut done = false;
        while !stop.load(Ordering::Relaxed)
            && until.is_none_or(|n| self.state.steps < n)
        {
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
        Ok(done || self.state.steps >= self.state.recipe.steps())
    }
}

/// The batches of a stage, from where it stands.
fn batches(state: &TrainState, sequences: &MakeSequences) -> Result<Batches> {
    let TrainState { recipe, stage, position, .. } = state;
    let sequences = sequences(recipe.mixture(*stage))?;
    Batches::resume(sequences, recipe.batch_tokens, recipe.seed, *position)
}

// ANCHOR: stack
/// Progressive stacking (Gong et al. 2019): a model of more layers whose layer `i` is a
/// copy of layer `i % from`. What the lower layers do, attention to neighbors above
/// all, the new ones need too.
pub fn stack(weights: &Tensors, from: usize, to: usize) -> Tensors {
    const LAYER: &str = "bert.encoder.layer.";
    let mut stacked = Tensors::new();
    for (name, tensor) in weights {
        let Some((layer, part)) =
            name.strip_prefix(LAYER).and_then(|rest| rest.split_once('.'))
        else {
            stacked.insert(name.clone(), tensor.clone());
            continue;
        };
        let Ok(layer) = layer.parse::<usize>() else { continue };
        for copy in (layer..to).step_by(from.max(1)) {
            stacked.insert(format!("{LAYER}{copy}.{part}"), tensor.clone());
        }
    }
    stacked
}
// ANCHOR_END: stack
