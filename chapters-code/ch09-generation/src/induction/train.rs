//! Teaching it, and what is to be seen on the way.

use candle_core::{DType, Tensor};
use gradients::{
    AdamW, AdamWOptions, Attention, Decay, Schedule, attention, backward, clip_factor,
    embed, gradient_norm, linear, linear_cross_entropy,
};
use sentiment::Head;
use serde::{Deserialize, Serialize};
use training::TrainingError;
use training::parameters::{Tensors, draw, model};

use crate::error::{GenerationError, Result};
use crate::induction::model::{AttentionLayer, AttentionOnly, no_bias};
use crate::induction::scores::{HeadScores, scores};
use crate::induction::sequences::{Repeated, Task};

/// All that decides what comes out: two runs of one recipe give the same weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The seed of the first weights and of the sequences.
    pub seed: u64,
    /// How many layers there are.
    pub layers: usize,
    /// Heads in each.
    pub heads: usize,
    /// Width of a token's vector, `d_model`.
    pub width: usize,
    /// What is read.
    pub task: Task,
    /// Sequences in a batch.
    pub batch: usize,
    /// How many steps it takes.
    pub steps: u64,
    /// Steps with a rising learning rate.
    pub warmup: u64,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// The standard deviation of the tokens' first vectors.
    pub word_spread: f64,
    /// Steps from one point of the history to the next.
    pub interval: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 42,
            layers: 2,
            heads: 2,
            width: 64,
            task: Task { vocabulary: 32, length: 48, shortest: 8, longest: 20 },
            batch: 32,
            steps: 600,
            warmup: 50,
            learning_rate: 1e-2,
            word_spread: 1.0,
            interval: 20,
        }
    }
}

impl Recipe {
    /// Checks what a model and a training can't do without.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] for the first value out of its range.
    pub fn validate(&self) -> Result<()> {
        self.task.validate()?;
        for (name, found, most) in [
            ("layers", self.layers as u64, 16),
            ("width", self.width as u64, 1024),
            ("heads", self.heads as u64, self.width as u64),
            ("batch", self.batch as u64, 4096),
            ("steps", self.steps, u64::MAX),
            ("interval", self.interval, u64::MAX),
        ] {
            if !(1..=most).contains(&found) {
                let expected = match most {
                    u64::MAX => "at least 1".to_owned(),
                    _ => format!("from 1 to {most}"),
                };
                return Err(GenerationError::setting(name, found, expected));
            }
        }
        training::attention::head_width(self.width, self.heads)?;
        for (name, found) in
            [("learning_rate", self.learning_rate), ("word_spread", self.word_spread)]
        {
            if !(found > 0.0 && found.is_finite()) {
                return Err(GenerationError::setting(name, found, "above 0"));
            }
        }
        Ok(())
    }

    /// The learning rate of a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        let Self { learning_rate: peak, warmup, steps: total, .. } = *self;
        Schedule { peak, warmup, total, decay: Decay::Linear }.rate(step + 1)
    }

    /// Sequences of this recipe's task that its training doesn't read.
    ///
    /// # Errors
    ///
    /// As [`Task::validate`].
    pub fn held_out(&self, count: usize) -> Result<Vec<Repeated>> {
        self.task.held_out(self.seed, count)
    }
}

/// The loss of guesses, in nats, where nothing is known of what comes next and where it has been
/// seen. Chance is ln(vocabulary).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// To the end of the first copy: what comes is drawn, and no guess is better than chance.
    pub first: f64,
    /// In the copies after it.
    pub repeated: f64,
}

/// What a model was at some step, on sequences that are held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// After how many steps.
    pub step: u64,
    /// What its guesses were worth.
    pub losses: Losses,
    /// What its heads looked at, by layer and head.
    pub scores: Vec<Vec<HeadScores>>,
}

/// A training that is over.
#[derive(Debug, Clone)]
pub struct Run {
    /// What it followed.
    pub recipe: Recipe,
    /// What came out.
    pub model: AttentionOnly,
    /// From step 0 to the last, every [`Recipe::interval`].
    pub history: Vec<Point>,
}

impl Run {
    /// The last point of its history.
    pub fn last(&self) -> Option<&Point> {
        self.history.last()
    }

    /// The head of the first layer that looks most at the token before.
    pub fn previous_head(&self) -> Head {
        self.most(0, |scores| scores.previous)
    }

    /// The head of the last layer with the highest prefix matching.
    pub fn induction_head(&self) -> Head {
        self.most(self.recipe.layers - 1, |scores| scores.prefix)
    }

    fn most(&self, layer: usize, of: fn(&HeadScores) -> f64) -> Head {
        let mut best = (Head { layer, head: 0 }, 0.0);
        let scores = self.last().and_then(|point| point.scores.get(layer));
        for (head, scores) in scores.into_iter().flatten().enumerate() {
            if of(scores) > best.1 {
                best = (Head { layer, head }, of(scores));
            }
        }
        best.0
    }

    /// All heads whose prefix matching is over `least` at the end.
    pub fn heads_of_prefix_matching(&self, least: f64) -> Vec<Head> {
        let matches = |head: &Head| {
            let scores = self.last().map(|point| &point.scores);
            let found = scores.and_then(|all| all.get(head.layer)?.get(head.head));
            found.is_some_and(|found| found.prefix > least)
        };
        self.model.heads().into_iter().filter(matches).collect()
    }
}

/// Sequences that a point of the history is measured on.
const MEASURED: usize = 64;

/// Trains a model of attention alone; `observe` is told each point of the history.
///
/// # Errors
///
/// [`TrainingError::Setting`] if the recipe is out of range, [`TrainingError::Diverged`] if the
/// loss isn't a number any more.
pub fn train(recipe: &Recipe, mut observe: impl FnMut(&Point)) -> Result<Run> {
    recipe.validate()?;
    let (parameters, learner) =
        draw(recipe.seed, |vb| AttentionOnly::load(&vb, recipe))?;
    let options = AdamWOptions { weight_decay: 0.0, ..AdamWOptions::default() };
    let mut optimizer =
        AdamW::new(&parameters, options).map_err(TrainingError::from)?;
    let held_out = recipe.held_out(MEASURED)?;
    let mut history = Vec::new();
    for step in 0..=recipe.steps {
        if step.is_multiple_of(recipe.interval) || step == recipe.steps {
            let point = point(&learner, &held_out, step)?;
            observe(&point);
            history.push(point);
        }
        if step < recipe.steps {
            let batch = recipe.task.of_step(recipe.seed, step, recipe.batch)?;
            let loss = fast_loss(&learner, &batch)?;
            check(&loss, step + 1)?;
            let gradients = backward(&loss).map_err(TrainingError::from)?;
            let norm =
                gradient_norm(&parameters, &gradients).map_err(TrainingError::from)?;
            let (rate, factor) = (recipe.rate(step), clip_factor(norm, 1.0));
            optimizer
                .step(&parameters, &gradients, rate, factor)
                .map_err(TrainingError::from)?;
        }
    }
    let weights: Tensors = parameters.tensors().map_err(TrainingError::from)?;
    let model = model(&weights, |vb| AttentionOnly::load(&vb, recipe))?;
    Ok(Run { recipe: *recipe, model, history })
}

fn check(loss: &Tensor, step: u64) -> Result<()> {
    let loss = f64::from(loss.to_scalar::<f32>()?);
    if loss.is_finite() {
        return Ok(());
    }
    Err(TrainingError::Diverged { step, loss }.into())
}

fn point(model: &AttentionOnly, sequences: &[Repeated], step: u64) -> Result<Point> {
    let trace = model.forward(&tokens(sequences), &[])?;
    Ok(Point {
        step,
        losses: losses(&trace.logits, sequences)?,
        scores: scores(&trace.weights, sequences)?,
    })
}

/// The sequences' tokens alone, `[batch][n]`.
pub(super) fn tokens(sequences: &[Repeated]) -> Vec<Vec<u32>> {
    sequences.iter().map(|sequence| sequence.tokens.clone()).collect()
}

/// What `logits`, `[batch, n, vocabulary]`, are worth on these sequences.
///
/// # Errors
///
/// If they are those of others.
pub fn losses(logits: &Tensor, sequences: &[Repeated]) -> Result<Losses> {
    let logits = logits.to_dtype(DType::F64)?;
    let nats = candle_nn::ops::log_softmax(&logits, 2)?.neg()?; // [batch, n, vocabulary]
    let nats: Vec<Vec<Vec<f64>>> = nats.to_vec3()?;
    let (mut first, mut repeated) = (Vec::new(), Vec::new());
    for (nats, sequence) in nats.iter().zip(sequences) {
        for (t, &next) in sequence.tokens.iter().enumerate().skip(1) {
            // The token at t is guessed at the one before it.
            let of =
                if t > sequence.repeats_from() { &mut repeated } else { &mut first };
            of.push(nats[t - 1][next as usize]);
        }
    }
    Ok(Losses { first: mean(&first), repeated: mean(&repeated) })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The mean loss of all guesses, through the operations of `gradients`: the same numbers as
/// [`AttentionOnly::forward`]'s, with backward passes of their own.
///
/// # Errors
///
/// If a token or position is unknown.
pub fn fast_loss(
    model: &AttentionOnly,
    sequences: &[Repeated],
) -> candle_core::Result<Tensor> {
    let batch = sequences.len();
    let n = sequences.first().map_or(0, |sequence| sequence.tokens.len());
    let guesses = n.saturating_sub(1);
    let ids: Vec<u32> =
        sequences.iter().flat_map(|row| row.tokens[..guesses].to_vec()).collect();
    let targets: Vec<u32> =
        sequences.iter().flat_map(|row| row.tokens[1..].to_vec()).collect();
    let places: Vec<u32> = sequences.iter().flat_map(|_| (0..).take(guesses)).collect();
    // [batch · (n − 1), d_model]
    let mut x = embed(&[(&model.words, &ids), (&model.positions, &places)])?;
    for layer in &model.layers {
        x = (&x + fast_layer(layer, &x, batch)?)?;
    }
    linear_cross_entropy(&x, &model.decoder, &no_bias(model.words.dim(0)?)?, &targets)
}

/// What a layer adds to `x`, `[batch · n, d_model]`.
fn fast_layer(
    layer: &AttentionLayer,
    x: &Tensor,
    batch: usize,
) -> candle_core::Result<Tensor> {
    let d_model = x.dim(1)?;
    let none = no_bias(d_model)?;
    // [batch · n, d_model] -> [batch, n, d_model]
    let part = |weight| linear(x, weight, &none)?.reshape((batch, (), d_model));
    let options =
        Attention { heads: layer.heads, mask: None, causal: true, dropout: None };
    let found = attention(
        &part(&layer.query)?,
        &part(&layer.key)?,
        &part(&layer.value)?,
        &options,
    )?;
    // [batch, n, d_model] -> [batch · n, d_model]
    linear(&found.reshape(((), d_model))?, &layer.output, &none)
}
