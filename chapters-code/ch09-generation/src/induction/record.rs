//! Is it the seed? One layer and two, with ten seeds.

use std::panic::resume_unwind;
use std::thread;

use sentiment::Head;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Result;
use crate::induction::circuit::{Ablation, Circuit};
use crate::induction::composition::{Composition, composition};
use crate::induction::scores::{HeadScores, copying, uniform_scores};
use crate::induction::train::{Losses, Point, Recipe, train};

/// What `--bin induction` wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the trainings followed, other seeds and numbers of layers aside.
    pub recipe: Recipe,
    /// The loss of a guess that knows nothing.
    pub chance: f64,
    /// What a head scores that looks at all tokens alike.
    pub uniform: HeadScores,
    /// One for each seed.
    pub seeds: Vec<SeedRecord>,
}

/// What the models of one seed became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedRecord {
    /// The seed.
    pub seed: u64,
    /// How the model of one layer went.
    pub one_layer: Vec<Point>,
    /// How the model of two layers went.
    pub two_layers: Vec<Point>,
    /// The losses at the end on the sequences of the next fields.
    pub losses: [Losses; 2],
    /// The head of the two layers' first that looks most at the token before.
    pub previous: Head,
    /// The head of their second with the highest prefix matching.
    pub induction: Head,
    /// How much each head copies, alone.
    pub copying: Vec<(Head, f64)>,
    /// What taking heads out of the two layers removes, by zeros.
    pub zero: Removed,
    /// The same, by means.
    pub mean: Removed,
    /// Where the induction head looks if the previous-token head looks two tokens back.
    pub composition: Composition,
}

/// The share of the gain over chance that is lost without some heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    /// Without one.
    pub singles: Vec<(Head, f64)>,
    /// Without two.
    pub pairs: Vec<([Head; 2], f64)>,
    /// Without the second layer's heads whose prefix matching is over one half.
    pub all_induction: f64,
}

/// Sequences that the circuits are measured on.
const MEASURED: usize = 128;

impl Record {
    /// That of the book.
    ///
    /// # Errors
    ///
    /// None while the file is in step with this type: a test reads it.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../../induction.json"))
    }

    /// Trains and measures models of the seeds from 1 to `seeds`, two at a time; `observe` is told
    /// each.
    ///
    /// # Errors
    ///
    /// As [`train`](fn@train).
    pub fn of_seeds(
        recipe: &Recipe,
        seeds: u64,
        mut observe: impl FnMut(&SeedRecord),
    ) -> Result<Self> {
        let mut record = Self {
            recipe: *recipe,
            chance: (recipe.task.vocabulary as f64).ln(),
            uniform: uniform_scores(&recipe.held_out(MEASURED)?)?,
            seeds: Vec::new(),
        };
        let seeds: Vec<u64> = (1..=seeds).collect();
        for two in seeds.chunks(2) {
            let done: Vec<Result<SeedRecord>> = thread::scope(|scope| {
                let begin = |&seed| {
                    scope.spawn(move || SeedRecord::of(&Recipe { seed, ..*recipe }))
                };
                let begun: Vec<_> = two.iter().map(begin).collect();
                let end = |seed: thread::ScopedJoinHandle<Result<SeedRecord>>| {
                    seed.join().unwrap_or_else(|panic| resume_unwind(panic))
                };
                begun.into_iter().map(end).collect()
            });
            for seed in done {
                let seed = seed?;
                observe(&seed);
                record.seeds.push(seed);
            }
        }
        Ok(record)
    }

    /// As JSON with four decimals.
    ///
    /// # Errors
    ///
    /// If it has a number that JSON hasn't.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut value = serde_json::to_value(self)?;
        round(&mut value);
        Ok(format!("{value}\n"))
    }
}

impl SeedRecord {
    fn of(recipe: &Recipe) -> Result<Self> {
        let one = train(&Recipe { layers: 1, ..*recipe }, |_| ())?;
        let two = train(&Recipe { layers: 2, ..*recipe }, |_| ())?;
        let sequences = recipe.held_out(MEASURED)?;
        let (model, previous, induction) =
            (&two.model, two.previous_head(), two.induction_head());
        let circuit = Circuit::of(model, &sequences)?;
        let all_induction = two.heads_of_prefix_matching(0.5);
        let removed = |ablation| Removed::of(&circuit, &all_induction, ablation);
        let copying = |head| Ok((head, copying(model, head)?));
        Ok(Self {
            seed: recipe.seed,
            losses: [Circuit::of(&one.model, &sequences)?.whole, circuit.whole],
            previous,
            induction,
            copying: model.heads().into_iter().map(copying).collect::<Result<_>>()?,
            zero: removed(Ablation::Zero)?,
            mean: removed(Ablation::Mean)?,
            composition: composition(model, &sequences, [previous, induction], 2)?,
            one_layer: one.history,
            two_layers: two.history,
        })
    }
}

impl Removed {
    fn of(
        circuit: &Circuit,
        all_induction: &[Head],
        ablation: Ablation,
    ) -> Result<Self> {
        Ok(Self {
            singles: circuit.singles(ablation)?,
            pairs: circuit.pairs(ablation)?,
            all_induction: circuit.lost(all_induction, ablation)?,
        })
    }
}

/// Every number that isn't whole, to four decimals.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let found = number.as_f64().unwrap_or_default();
            *value = Value::from((10_000.0 * found).round() / 10_000.0);
        }
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => (),
    }
}
