//! Token after token: guess, choose, append.

use candle_core::IndexOp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sentiment::Batch;

use crate::cache::Cache;
use crate::error::{GenerationError, Result};
use crate::filter::{Filters, log_probabilities, probabilities};
use crate::gpt::{Gpt, GptOutput};

/// How to go on from a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// At most so many tokens.
    pub max_new_tokens: usize,
    /// What is changed of the logits.
    pub filters: Filters,
    /// The seed of the draws; `None` always chooses the likeliest token (greedy).
    pub seed: Option<u64>,
    /// The tokens that end a text.
    pub ends: Vec<u32>,
    /// Whether keys and values are kept; without, the whole text is read again for each token.
    pub use_cache: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_new_tokens: 50,
            filters: Filters::default(),
            seed: None,
            ends: Vec::new(),
            use_cache: true,
        }
    }
}

/// Why no more tokens came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The model ended the text.
    End,
    /// As many as were asked for.
    Count,
    /// The model has no position for another token.
    Positions,
}

/// What came after a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The new tokens, the one that ends the text among them.
    pub ids: Vec<u32>,
    /// The logarithm of the probability that the model gave to each, before any filter.
    pub logprobs: Vec<f64>,
    /// Why it ended.
    pub stop: Stop,
}

/// What can go on with tokens: the model as it is taught, or on packed weights.
pub trait Decoder {
    /// What it keeps of the tokens that it has read.
    type Cache: Default;

    /// The longest text, in tokens.
    fn limit(&self) -> usize;

    /// The logits of what comes after `new`, which stands behind the tokens in the cache:
    /// `[vocabulary]`.
    ///
    /// # Errors
    ///
    /// [`GenerationError::Token`] or [`GenerationError::TooLong`] if the model has no vector for a
    /// token or its position.
    fn next_logits(&self, new: &[u32], cache: &mut Self::Cache) -> Result<Vec<f32>>;
}

impl Decoder for Gpt {
    type Cache = Cache;

    fn limit(&self) -> usize {
        Self::limit(self)
    }

    fn next_logits(&self, new: &[u32], cache: &mut Cache) -> Result<Vec<f32>> {
        next_logits(self, new, cache)
    }
}

// ANCHOR: generate
/// Goes on from the prompt, one token at a time; `observe` is given each, with its
/// probability's logarithm.
///
/// # Errors
///
/// [`GenerationError::EmptyPrompt`]; [`GenerationError::TooLong`] if the prompt leaves no position
/// for a token to come; [`TrainingError::Setting`](training::TrainingError::Setting) for a filter out of its range.
pub fn generate<D: Decoder>(
    model: &D,
    prompt: &[u32],
    options: &GenerateOptions,
    mut observe: impl FnMut(u32, f64),
) -> Result<Generated> {
    check(model, prompt, options)?;
    let mut chance = options.seed.map(ChaCha8Rng::seed_from_u64);
    let (mut text, mut logprobs) = (prompt.to_vec(), Vec::new());
    let (mut cache, mut read) = (D::Cache::default(), 0);
    let stop = loop {
        if logprobs.len() == options.max_new_tokens {
            break Stop::Count;
        }
        if text.len() == model.limit() {
            break Stop::Positions;
        }
        if !options.use_cache {
            (cache, read) = (D::Cache::default(), 0);
        }
        let mut logits = model.next_logits(&text[read..], &mut cache)?;
        read = text.len();
        let before = log_probabilities(&logits);
        options.filters.apply(&mut logits, &text);
        let token = match &mut chance {
            Some(random) => draw(&logits, random.random()),
            None => likeliest(&logits),
        };
        let logprob = before[token as usize];
        text.push(token);
        logprobs.push(logprob);
        observe(token, logprob);
        if options.ends.contains(&token) {
            break Stop::End;
        }
    };
    Ok(Generated { ids: text.split_off(prompt.len()), logprobs, stop })
}
// ANCHOR_END: generate

fn check(
    model: &impl Decoder,
    prompt: &[u32],
    options: &GenerateOptions,
) -> Result<()> {
    options.filters.validate()?;
    if prompt.is_empty() {
        return Err(GenerationError::EmptyPrompt);
    }
    let limit = model.limit();
    if prompt.len() >= limit {
        return Err(GenerationError::TooLong { found: prompt.len(), limit });
    }
    Ok(())
}

/// The logits of what comes after `new`, which stands behind the tokens in the cache:
/// `[vocabulary]`.
///
/// # Errors
///
/// As [`Gpt::forward`].
pub fn next_logits(model: &Gpt, new: &[u32], cache: &mut Cache) -> Result<Vec<f32>> {
    let batch = Batch::new(&[new.to_vec()], None, None)?; // [1, n]
    let GptOutput { last_hidden_state, .. } = model.forward(&batch, cache)?;
    let last = last_hidden_state.i((.., new.len() - 1))?; // [1, d_model]
    Ok(model.predict(&last)?.i(0)?.to_vec1()?)
}

/// The token with the largest logit, the first of equal ones.
pub fn likeliest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    u32::try_from(best).unwrap_or(u32::MAX)
}

/// The token at `at`, from 0 to 1, where each takes as much of the line as it has probability.
pub fn draw(logits: &[f32], at: f64) -> u32 {
    let probabilities = probabilities(logits);
    let mut before = 0.0;
    let mut chosen = 0;
    for (token, probability) in (0..).zip(&probabilities) {
        if *probability > 0.0 {
            chosen = token;
        }
        before += probability;
        if at < before {
            break;
        }
    }
    chosen
}
