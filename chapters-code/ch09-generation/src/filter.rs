//! What is changed of the next token's logits before one is chosen.

use crate::error::{GenerationError, Result};

/// Which tokens may come next, and how much likelier the likely ones are. The default changes
/// nothing. `transformers` applies them in this order, too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filters {
    /// Divides the logits, positive ones, of tokens that stand in the text already, and multiplies
    /// negative ones (Keskar et al. 2019); 1 changes nothing.
    pub repetition_penalty: f32,
    /// Divides all logits: below 1 the likely become likelier, above 1 all become alike.
    pub temperature: f32,
    /// Only the likeliest so many (Fan et al. 2018).
    pub top_k: Option<usize>,
    /// Only the likeliest that together have at least this probability (Holtzman et al. 2019).
    pub top_p: Option<f32>,
    /// Only those at least this share as likely as the likeliest (Nguyen et al. 2024).
    pub min_p: Option<f32>,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            repetition_penalty: 1.0,
            temperature: 1.0,
            top_k: None,
            top_p: None,
            min_p: None,
        }
    }
}

impl Filters {
    /// Checks every setting's range.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) for the first out of it.
    pub fn validate(&self) -> Result<()> {
        let above_zero = |x: f32| x > 0.0 && x.is_finite();
        let share = |x: f32| x > 0.0 && x <= 1.0;
        for (name, found) in [
            ("repetition_penalty", self.repetition_penalty),
            ("temperature", self.temperature),
        ] {
            if !above_zero(found) {
                let expected =
                    "above 0 (near 0, the likeliest token is chosen: that is greedy)";
                return Err(GenerationError::setting(name, found, expected));
            }
        }
        if self.top_k == Some(0) {
            return Err(GenerationError::setting("top_k", 0, "at least 1"));
        }
        for (name, found) in [("top_p", self.top_p), ("min_p", self.min_p)] {
            if let Some(found) = found.filter(|&found| !share(found)) {
                return Err(GenerationError::setting(
                    name,
                    found,
                    "above 0 and at most 1",
                ));
            }
        }
        Ok(())
    }

    // ANCHOR: apply
    /// Changes the logits, `[vocabulary]`, given the tokens so far; those that may not
    /// come become −∞.
    pub fn apply(&self, logits: &mut [f32], so_far: &[u32]) {
        penalize(logits, so_far, self.repetition_penalty);
        for logit in &mut *logits {
            *logit /= self.temperature;
        }
        if let Some(k) = self.top_k {
            keep_top_k(logits, k);
        }
        if let Some(p) = self.top_p {
            keep_top_p(logits, p);
        }
        if let Some(p) = self.min_p {
            keep_min_p(logits, p);
        }
    }
    // ANCHOR_END: apply
}

/// Makes each token that stands in `so_far` less likely, once.
pub fn penalize(logits: &mut [f32], so_far: &[u32], penalty: f32) {
    let mut seen: Vec<_> = so_far.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for id in seen {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
        }
    }
}

/// Keeps the `k` largest, and those that are equal to the smallest of these.
pub fn keep_top_k(logits: &mut [f32], k: usize) {
    let mut sorted = logits.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let Some(&least) = sorted.get(k.min(sorted.len()).wrapping_sub(1)) else { return };
    for logit in logits {
        if *logit < least {
            *logit = f32::NEG_INFINITY;
        }
    }
}

// ANCHOR: top_p
/// Keeps the fewest of the likeliest that together have probability `p`; of equal ones
/// at the edge, the last.
pub fn keep_top_p(logits: &mut [f32], p: f32) {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[a].total_cmp(&logits[b])); // the least likely first
    let probabilities = probabilities(logits);
    let mut below = 0.0; // the probability of these and those less likely
    for (rank, &token) in order.iter().enumerate() {
        below += probabilities[token];
        let last = rank + 1 == order.len();
        if below <= 1.0 - f64::from(p) && !last {
            logits[token] = f32::NEG_INFINITY;
        }
    }
}
// ANCHOR_END: top_p

/// Keeps those at least `p` times as likely as the likeliest.
pub fn keep_min_p(logits: &mut [f32], p: f32) {
    let probabilities = probabilities(logits);
    let most = probabilities.iter().fold(0.0, |most: f64, &p| most.max(p));
    for (logit, probability) in logits.iter_mut().zip(&probabilities) {
        if *probability < f64::from(p) * most {
            *logit = f32::NEG_INFINITY;
        }
    }
}

/// The softmax of the logits.
pub fn probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().fold(f32::NEG_INFINITY, |max, &x| max.max(x));
    let exponentials: Vec<f64> =
        logits.iter().map(|&x| (f64::from(x) - f64::from(max)).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|x| x / sum).collect()
}

/// The logarithms of the softmax of the logits.
pub fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().fold(f32::NEG_INFINITY, |max, &x| max.max(x));
    let shifted = logits.iter().map(|&x| f64::from(x) - f64::from(max));
    let sum: f64 = shifted.clone().map(f64::exp).sum();
    shifted.map(|x| x - sum.ln()).collect()
}
