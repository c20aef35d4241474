//! Beam search: several texts side by side, the likeliest kept.

use candle_core::IndexOp;
use sentiment::Batch;

use crate::cache::Cache;
use crate::error::{GenerationError, Result};
use crate::filter::log_probabilities;
use crate::gpt::{Gpt, GptOutput};

/// How to search.
#[derive(Debug, Clone, PartialEq)]
pub struct BeamOptions {
    /// How many texts go on side by side.
    pub beams: usize,
    /// At most so many tokens.
    pub max_new_tokens: usize,
    /// A text's score is its log-probability by this power of its length: above 0, long texts are
    /// not worse for being long.
    pub length_penalty: f64,
    /// The tokens that end a text.
    pub ends: Vec<u32>,
}

impl Default for BeamOptions {
    fn default() -> Self {
        Self { beams: 4, max_new_tokens: 50, length_penalty: 1.0, ends: Vec::new() }
    }
}

/// A text that may come after the prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// The new tokens, the one that ends the text among them.
    pub ids: Vec<u32>,
    /// The sum of their log-probabilities, by [`BeamOptions::length_penalty`].
    pub score: f64,
}

/// A text that goes on.
#[derive(Debug, Clone)]
struct Beam {
    ids: Vec<u32>,
    /// The sum of the tokens' log-probabilities.
    total: f64,
}

/// One more token behind a beam.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    beam: usize,
    token: u32,
    total: f64,
}

/// The best `beams` texts after the prompt, the best first: what `transformers`' `generate` finds
/// with `num_beams` and its other defaults.
///
/// # Errors
///
/// As [`generate`](crate::generate()); [`TrainingError::Setting`](training::TrainingError::Setting) for no beam, more beams than half of
/// the tokens, or a penalty that isn't a number.
pub fn beam_search(
    model: &Gpt,
    prompt: &[u32],
    options: &BeamOptions,
) -> Result<Vec<Hypothesis>> {
    let steps = check(model, prompt, options)?;
    let mut running = vec![Beam { ids: Vec::new(), total: 0.0 }];
    let mut finished: Vec<Hypothesis> = Vec::new();
    let mut cache = Cache::new();
    let mut new = vec![prompt.to_vec()];
    for step in 1..=steps {
        let candidates = candidates(model, &new, &running, &mut cache, options.beams)?;
        let mut next = Vec::new();
        for (rank, candidate) in candidates.iter().enumerate() {
            let ends = options.ends.contains(&candidate.token) || step == steps;
            let ids = [&running[candidate.beam].ids[..], &[candidate.token]].concat();
            if !ends {
                next.push((candidate.beam, Beam { ids, total: candidate.total }));
            } else if rank < options.beams {
                let score = score(candidate.total, step, options.length_penalty);
                finished.push(Hypothesis { ids, score });
            }
        }
        finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        finished.truncate(options.beams);
        next.truncate(options.beams);
        let Some((_, best)) = next.first() else { break };
        let hoped = score(best.total, step, options.length_penalty);
        let full = finished.len() == options.beams;
        if full && finished.last().is_some_and(|worst| hoped <= worst.score) {
            break; // what goes on can't become better than what is finished
        }
        let rows: Vec<u32> =
            next.iter().filter_map(|(row, _)| u32::try_from(*row).ok()).collect();
        cache = cache.select(&rows)?;
        running = next.into_iter().map(|(_, beam)| beam).collect();
        new = running.iter().map(|beam| beam.ids[step - 1..].to_vec()).collect();
    }
    Ok(finished)
}

/// How many tokens can come.
fn check(model: &Gpt, prompt: &[u32], options: &BeamOptions) -> Result<usize> {
    if prompt.is_empty() {
        return Err(GenerationError::EmptyPrompt);
    }
    let (limit, most) = (model.limit(), model.vocabulary() / 2);
    if !(1..=most).contains(&options.beams) {
        let expected = format!("1 to {most}, half of the model's tokens");
        return Err(GenerationError::setting("beams", options.beams, expected));
    }
    if !options.length_penalty.is_finite() {
        let found = options.length_penalty;
        return Err(GenerationError::setting("length_penalty", found, "a number"));
    }
    if prompt.len() >= limit {
        return Err(GenerationError::TooLong { found: prompt.len(), limit });
    }
    Ok(options.max_new_tokens.min(limit - prompt.len()))
}

fn score(total: f64, length: usize, penalty: f64) -> f64 {
    total / (length as f64).powf(penalty)
}

// ANCHOR: candidates
/// The likeliest `2 · beams` ways to go on, the likeliest first: should half of them
/// end, as many beams as before go on. `new` are the tokens that the cache doesn't
/// hold, a row a beam.
fn candidates(
    model: &Gpt,
    new: &[Vec<u32>],
    running: &[Beam],
    cache: &mut Cache,
    beams: usize,
) -> Result<Vec<Candidate>> {
    let batch = Batch::new(new, None, None)?;
    let GptOutput { last_hidden_state, .. } = model.forward(&batch, cache)?;
    let last = last_hidden_state.i((.., batch.n() - 1))?; // [beams, d_model]
    let logits: Vec<Vec<f32>> = model.predict(&last)?.to_vec2()?; // [beams, vocabulary]
    let mut found = Vec::new();
    for (beam, (logits, before)) in logits.iter().zip(running).enumerate() {
        let one_more = (0..).zip(log_probabilities(logits)).map(|(token, logprob)| {
            let total = before.total + logprob;
            Candidate { beam, token, total }
        });
        found.extend(one_more);
    }
    found.sort_by(|a, b| b.total.total_cmp(&a.total));
    found.truncate(2 * beams);
    Ok(found)
}
// ANCHOR_END: candidates
