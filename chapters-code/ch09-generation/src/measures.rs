//! What was measured of the shipped papagaio: the files of `measures/`, which the commands of
//! `--bin papagaio` and the scripts of `tests/reference` write.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::evaluate::Guesses;
use crate::pretrain::Recipe;
use crate::recite::Recital;

/// All that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// How the training went.
    pub training: Training,
    /// How well held-out sentences are guessed.
    pub guesses: ByLanguage<Guesses>,
    /// The same of a 5-gram model of the same tokens and text.
    pub five_grams: ByLanguage<FiveGrams>,
    /// How well held-out pairs are translated.
    pub translations: Translations,
    /// How much of what it writes stands in the training text.
    pub recitals: ByLanguage<Recitals>,
    /// How fast it writes, beside other programs with the same weights.
    pub speeds: Speeds,
}

/// How a training went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// What it followed.
    pub recipe: Recipe,
    /// Steps that were taken, of those of the recipe.
    pub steps: u64,
    /// Tokens of an epoch.
    pub tokens_in_epoch: u64,
    /// `(step, nats)`: the mean loss since the point before.
    pub loss: Vec<(f64, f64)>,
    /// `(step, bits per byte)` of the held-out sentences, on the way.
    pub bits: ByLanguage<Vec<(f64, f64)>>,
}

/// One for each language.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ByLanguage<T> {
    /// What was found in English.
    pub english: T,
    /// What was found in Portuguese.
    pub portuguese: T,
}

/// What a 5-gram model with Kneser-Ney smoothing makes of the same sentences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FiveGrams {
    /// −log₂ of the probability of all, by the bytes.
    pub bits_per_byte: f64,
}

/// Both directions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Translations {
    /// From English.
    #[serde(rename = "en-pt")]
    pub to_portuguese: Chrf,
    /// From Portuguese.
    #[serde(rename = "pt-en")]
    pub to_english: Chrf,
}

/// chrF (Popović 2015), from 0 to 100: how many of the pieces of one to six letters are those of
/// the translation in the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chrf {
    /// How many sentences were translated.
    pub sentences: usize,
    /// The model's.
    pub papagaio: f64,
    /// A dictionary's, learned from the same pairs.
    pub word_by_word: f64,
    /// Where the difference begins with 95 % confidence, drawn from the sentences again and again.
    pub difference_low: f64,
    /// Where it ends.
    pub difference_high: f64,
}

/// The model's texts beside held-out ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recitals {
    /// What it writes.
    pub papagaio: Recital,
    /// What nobody recites.
    pub held_out: Recital,
}

/// What `tests/reference/bench_generation.py` measured: 64 tokens, batch 1, f32, two threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speeds {
    /// The machine's vector instructions.
    pub set: String,
    /// Ours, then the others.
    pub programs: Vec<Speed>,
}

/// How fast one program is: medians.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Its name.
    pub program: String,
    /// Tokens per second after a prompt of 16, the prompt's reading included.
    pub after_16: f64,
    /// The same after a prompt of 256.
    pub after_256: f64,
    /// Milliseconds from the start of its process to the first token.
    pub first_token: f64,
    /// The most memory that the process has had, in MiB.
    pub peak_mib: f64,
}

impl Speeds {
    /// How many times as fast as the fastest that isn't ours the first program is.
    pub fn lead(&self, speed: fn(&Speed) -> f64) -> f64 {
        let others =
            self.programs.iter().filter(|one| !one.program.starts_with("ours"));
        let best = others.map(speed).fold(0.0, f64::max);
        self.programs.first().map_or(f64::NAN, |ours| speed(ours) / best)
    }
}

impl Measures {
    /// Those of the shipped model.
    ///
    /// # Errors
    ///
    /// None while the files are in step with these types: a test reads them.
    pub fn of_the_book() -> serde_json::Result<Self> {
        Ok(Self {
            training: serde_json::from_str(include_str!("../measures/training.json"))?,
            guesses: serde_json::from_str(include_str!("../measures/evaluate.json"))?,
            five_grams: serde_json::from_str(include_str!(
                "../measures/kneser-ney.json"
            ))?,
            translations: serde_json::from_str(include_str!(
                "../measures/translation.json"
            ))?,
            recitals: serde_json::from_str(include_str!("../measures/recite.json"))?,
            speeds: serde_json::from_str(include_str!("../measures/speed.json"))?,
        })
    }
}

impl Training {
    /// From the lines that a training writes.
    ///
    /// # Errors
    ///
    /// If a line isn't one of `train`'s.
    pub fn from_metrics(metrics: &str) -> serde_json::Result<Self> {
        let mut lines = metrics.lines().map(serde_json::from_str::<Line>);
        let (mut begun, mut losses) = (None, Vec::new());
        let mut bits = ByLanguage { english: Vec::new(), portuguese: Vec::new() };
        for line in &mut lines {
            match line? {
                Line::Begun { recipe, tokens_in_epoch } => {
                    begun = Some((recipe, tokens_in_epoch));
                }
                Line::Step { step, loss } => losses.push((step, loss)),
                Line::Exam { step, english, portuguese } => {
                    bits.english.push((step as f64, english.bits_per_byte));
                    bits.portuguese.push((step as f64, portuguese.bits_per_byte));
                }
            }
        }
        let missing = || serde_json::Error::custom("the metrics have no recipe");
        let (recipe, tokens_in_epoch) = begun.ok_or_else(missing)?;
        let steps = losses.last().map_or(0, |&(step, _)| step);
        Ok(Self { recipe, steps, tokens_in_epoch, loss: means(&losses), bits })
    }
}

/// A line of the metrics.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Begun { recipe: Recipe, tokens_in_epoch: u64 },
    Step { step: u64, loss: f64 },
    Exam { step: u64, english: Guesses, portuguese: Guesses },
}

/// Points of a loss curve.
const POINTS: usize = 120;

/// The mean of each stretch, at its last step, to four decimals.
fn means(losses: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let stretch = losses.len().div_ceil(POINTS).max(1);
    let mean = |points: &[(u64, f64)]| {
        let sum: f64 = points.iter().map(|point| point.1).sum();
        let step = points.last().map_or(0, |point| point.0) as f64;
        (step, (1e4 * sum / points.len() as f64).round() / 1e4)
    };
    losses.chunks(stretch).map(mean).collect()
}
