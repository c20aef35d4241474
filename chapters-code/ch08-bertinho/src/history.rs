//! How a pre-training went, small enough to keep beside the book.

use std::collections::BTreeMap;

use bert_attention::profile::Measure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{PretrainingError, Result};
use crate::evaluate::Evaluation;
use crate::heads::HeadProfile;

/// Points of a loss curve.
const POINTS: usize = 150;

/// How a pre-training went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The recipe, as JSON.
    pub recipe: Value,
    /// `(step, nats)`: the mean loss since the point before.
    pub loss: Vec<(f64, f64)>,
    /// What was measured on the way.
    #[serde(rename = "exams")]
    pub points: Vec<HistoryPoint>,
}

/// What a model was at some step, on sentences that are held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// After how many steps.
    pub step: u64,
    /// Tokens read until then.
    pub tokens: u64,
    /// Hidden pieces guessed.
    pub accuracy: Evaluation,
    /// The head that most often puts a noun's translation first.
    pub translator: Specialist,
    /// For each kind of key, the head that gives it the most attention, by the names of
    /// [`HeadProfile`]'s fields.
    pub specialists: BTreeMap<String, Specialist>,
    /// How spread each head's attention is, in bits, by layer and head.
    pub entropies: Vec<Vec<f64>>,
}

/// A head and how much it does of something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Specialist {
    /// The layer, from 0.
    pub layer: usize,
    /// The head, from 0.
    pub head: usize,
    /// How much, from 0 to 1.
    #[serde(rename = "share")]
    pub rate: f64,
}

impl History {
    /// The history of the training that made the shipped `bertinho`.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../record.json"))
    }

    /// From the JSON lines that `pretrain` writes.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) if a line isn't one of `pretrain`'s.
    pub fn from_metrics(recipe: Value, metrics: &str) -> Result<Self> {
        let (mut losses, mut points) = (Vec::new(), Vec::new());
        let mut tokens = 0;
        for (number, text) in (1..).zip(metrics.lines()) {
            let wrong = || {
                let found = format!("line {number}: {text:.60}");
                PretrainingError::setting("metrics", found, "JSON lines from pretrain")
            };
            let line: Value = serde_json::from_str(text).map_err(|_| wrong())?;
            let step = line["step"].as_u64().ok_or_else(wrong)?;
            if let Some(loss) = line["loss"].as_f64() {
                tokens = line["tokens"].as_u64().ok_or_else(wrong)?;
                losses.push((step as f64, loss));
            } else if line["evaluation"].is_object() {
                let report = line["evaluation"].clone();
                let report = serde_json::from_value(report).map_err(|_| wrong())?;
                points.push(point(step, tokens, report));
            }
        }
        Ok(Self { recipe, loss: means(&losses), points })
    }

    /// One number of each point, over the steps, as a chart takes it.
    pub fn over_steps(&self, of: impl Fn(&HistoryPoint) -> f64) -> Vec<(f64, f64)> {
        self.points.iter().map(|point| (point.step as f64, of(point))).collect()
    }

    /// The last point: the shipped model's.
    pub fn last(&self) -> Option<&HistoryPoint> {
        self.points.last()
    }
}

/// The part of `pretrain`'s evaluation that is read again.
#[derive(Deserialize)]
struct EvalReport {
    accuracy: Evaluation,
    translation_heads: Vec<crate::heads::TranslationHead>,
    profiles: Vec<Vec<HeadProfile>>,
}

fn point(step: u64, tokens: u64, report: EvalReport) -> HistoryPoint {
    let EvalReport { accuracy, translation_heads, profiles } = report;
    let best = translation_heads.first().copied().unwrap_or_default();
    let translator =
        Specialist { layer: best.layer, head: best.head, rate: rounded(best.best()) };
    let kinds: [(&str, Measure); 5] = [
        ("cls", |profile| profile.cls),
        ("sep", |profile| profile.sep),
        ("itself", |profile| profile.itself),
        ("previous", |profile| profile.previous),
        ("next", |profile| profile.next),
    ];
    let specialists = kinds.map(|(name, of)| (name.to_owned(), most(&profiles, of)));
    let entropies = profiles.iter().map(|heads| {
        heads.iter().map(|profile| (100.0 * profile.entropy).round() / 100.0).collect()
    });
    HistoryPoint {
        step,
        tokens,
        accuracy,
        translator,
        specialists: specialists.into(),
        entropies: entropies.collect(),
    }
}

/// The head with the most of something.
fn most(profiles: &[Vec<HeadProfile>], of: Measure) -> Specialist {
    let mut best = Specialist { layer: 0, head: 0, rate: 0.0 };
    for (layer, heads) in profiles.iter().enumerate() {
        for (head, profile) in heads.iter().enumerate() {
            let rate = rounded(of(profile));
            if rate > best.rate {
                best = Specialist { layer, head, rate };
            }
        }
    }
    best
}

/// To four decimals.
fn rounded(value: f64) -> f64 {
    (10_000.0 * value).round() / 10_000.0
}

/// At most [`POINTS`] means of as many steps each.
fn means(losses: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let parts = losses.chunks(losses.len().div_ceil(POINTS).max(1));
    let mean = |part: &[(f64, f64)]| {
        let sum: f64 = part.iter().map(|(_, loss)| loss).sum();
        (part[part.len() - 1].0, rounded(sum / part.len() as f64))
    };
    parts.map(mean).collect()
}
