//! Is a model as sure as it is right? (Guo et al. 2017)

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A score that the model gave, and whether its label was right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// From 0 to 1.
    pub score: f64,
    /// Whether the label was right.
    pub right: bool,
}

// ANCHOR: bin
/// The answers whose scores are within a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many there are.
    pub count: usize,
    /// How many of them were right.
    pub right: usize,
    /// The mean of their scores.
    pub score: f64,
}

impl Bin {
    /// The share that was right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.count as f64
    }
}
// ANCHOR_END: bin

// ANCHOR: reliability
/// The answers sorted by score into ranges of equal width from `from` to 1, the empty
/// ranges left out. A score on a border goes up; one below `from` into the first range.
pub fn reliability(answers: &[Answer], from: f64, bins: usize) -> Vec<Bin> {
    let border = |bin: usize| from + (1.0 - from) * bin as f64 / bins as f64;
    let within = |bin: usize, score: f64| {
        (bin == 0 || score >= border(bin))
            && (bin + 1 == bins || score < border(bin + 1))
    };
    let gather = |bin: usize| {
        let inside = answers.iter().filter(|answer| within(bin, answer.score));
        let inside: Vec<&Answer> = inside.collect();
        let count = inside.len();
        let right = inside.iter().filter(|answer| answer.right).count();
        let sum: f64 = inside.iter().map(|answer| answer.score).sum();
        Bin { count, right, score: sum / count as f64 }
    };
    (0..bins).map(gather).filter(|bin| bin.count > 0).collect()
}
// ANCHOR_END: reliability

// ANCHOR: calibration_error
/// The expected calibration error: how far, on average over the answers, each bin's
/// mean score is from its accuracy. 0 to 1.
pub fn calibration_error(bins: &[Bin]) -> f64 {
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    let gap = |bin: &Bin| (bin.score - bin.accuracy()).abs() * bin.count as f64;
    bins.iter().map(gap).sum::<f64>() / total as f64
}
// ANCHOR_END: calibration_error

/// What a model answered to sentences that it had not been trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The model's name.
    pub model: String,
    /// SHA-256 of its `model.safetensors`.
    pub weights: String,
    /// Where the sentences are from.
    pub sentences: String,
    /// For each sentence, in their order, the margin of the right label: its logit minus
    /// the other's, to 4 decimals. Above 0, the answer was right.
    pub margins: Vec<f64>,
}

impl HeldOut {
    /// The record that the book shows: `held-out.json`, made by the example `held_out`.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../held-out.json"))
    }

    /// What [`HeldOut::weights`] says of a file: its SHA-256, in hexadecimal.
    pub fn fingerprint(weights: &[u8]) -> String {
        Sha256::digest(weights).iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    /// How many sentences there were, and to how many the answer was right.
    pub fn totals(&self) -> (usize, usize) {
        let right = self.margins.iter().filter(|&&margin| margin > 0.0).count();
        (self.margins.len(), right)
    }
}

// ANCHOR: answers_at
/// The answers, from the margins of the right label: right if a margin is above 0, with
/// the score of the margin's size, divided by a temperature. With 1 it is the model's.
pub fn answers_at(margins: &[f64], temperature: f64) -> Vec<Answer> {
    let answer = |margin: &f64| Answer {
        score: sigmoid(margin.abs() / temperature),
        right: *margin > 0.0,
    };
    margins.iter().map(answer).collect()
}

/// The mean of −ln p, in nats, of the probability p that the right labels get.
pub fn mean_loss_at(margins: &[f64], temperature: f64) -> f64 {
    let loss = |margin: &f64| -sigmoid(margin / temperature).ln();
    margins.iter().map(loss).sum::<f64>() / margins.len() as f64
}

fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}
// ANCHOR_END: answers_at
