//! Is it the seed? What reversers of other seeds do with words of each length.

use serde::{Deserialize, Serialize};

use super::{Reverser, ReverserOptions, ReverserTraining, strings_of};
use crate::error::Result;

/// The lengths that are measured: two that training has, one below and three above.
const MEASURED: [usize; 6] = [3, 4, 12, 13, 14, 16];

/// What a reverser does with words of one length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LengthRecord {
    /// Letters in a word.
    pub length: usize,
    /// The share of words reversed without a fault, from 0 to 1.
    pub exact: f64,
    /// The share of letters that are right, given those before, from 0 to 1.
    pub letters: f64,
}

/// What the reverser of one seed does with 200 words of each length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedRecord {
    /// The seed of its training.
    pub seed: u64,
    /// One for each length, the shortest first.
    pub lengths: Vec<LengthRecord>,
}

impl SeedRecord {
    /// Trains a reverser and measures it.
    ///
    /// # Errors
    ///
    /// As [`ReverserTraining::new`].
    pub fn train(options: ReverserOptions) -> Result<Self> {
        let mut training = ReverserTraining::new(options)?;
        for _ in 0..options.steps {
            training.step()?;
        }
        Self::of(&training.model, options.seed)
    }

    /// Measures a reverser, trained with a seed.
    fn of(model: &Reverser, seed: u64) -> Result<Self> {
        let measure = |length| {
            let strings = strings_of(length, 45, 200)?;
            let exact = model.accuracy(&strings)?;
            Ok(LengthRecord { length, exact, letters: model.letters_right(&strings)? })
        };
        let lengths: Result<Vec<_>> = MEASURED.into_iter().map(measure).collect();
        Ok(Self { seed, lengths: lengths? })
    }

    /// Those of ten seeds, measured for the book's page by
    /// `cargo run -p ch03-training --example seeds`.
    pub fn recorded() -> serde_json::Result<Vec<Self>> {
        serde_json::from_str(include_str!("../../data/reverser-seeds.json"))
    }
}
