//! What is read: random tokens that repeat themselves, each time at another distance.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use training::random::{Purpose, generator};

use crate::error::{GenerationError, Result};

/// A sequence with a block that repeats itself to the end: `start` tokens, a copy of `period`
/// tokens, and that copy again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// All tokens, `[n]`.
    pub tokens: Vec<u32>,
    /// Where the first copy begins.
    pub start: usize,
    /// How many tokens it has.
    pub period: usize,
}

impl Repeated {
    /// Where the second copy begins: from here on, what comes next has been seen.
    pub fn repeats_from(&self) -> usize {
        self.start + self.period
    }

    /// The same with one more token before it, such as the one that begins a GPT's texts.
    #[must_use]
    pub fn behind(&self, token: u32) -> Self {
        let tokens = [&[token], &self.tokens[..]].concat();
        Self { tokens, start: self.start + 1, period: self.period }
    }
}

/// What sequences are drawn from.
///
/// The period is another for each sequence, and so is where its first copy begins: whoever looks
/// back a fixed number of places, as positions let one layer do, is mostly wrong. In a period no
/// token comes twice, so that what comes next is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// How many tokens there are.
    pub vocabulary: usize,
    /// Tokens of a sequence, `n`.
    pub length: usize,
    /// The shortest period.
    pub shortest: usize,
    /// The longest period; two copies of it fit into the sequence.
    pub longest: usize,
}

impl Task {
    /// Checks that such sequences can be drawn.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) for the first value out of its
    /// range.
    pub fn validate(&self) -> Result<()> {
        let Self { vocabulary, length, shortest, longest } = *self;
        let half = vocabulary.min(length / 2);
        for (name, found, least, most) in [
            ("vocabulary", vocabulary, 2, 1 << 20),
            ("length", length, 4, 4096),
            ("longest", longest, 2, half), // no token twice, two copies
            ("shortest", shortest, 2, longest),
        ] {
            if !(least..=most).contains(&found) {
                let expected = format!("from {least} to {most}");
                return Err(GenerationError::setting(name, found, expected));
            }
        }
        Ok(())
    }

    /// One sequence: the period, the first copy's place and all tokens are drawn evenly, those of
    /// the period without putting back.
    #[expect(clippy::cast_possible_truncation, reason = "the vocabulary is checked")]
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Repeated {
        let period = random.random_range(self.shortest..=self.longest);
        let start = random.random_range(0..=self.length - 2 * period);
        let mut tokens: Vec<u32> = (0..start).map(|_| self.token(random)).collect();
        let copy = rand::seq::index::sample(random, self.vocabulary, period);
        tokens.extend(copy.iter().map(|token| token as u32));
        while tokens.len() < self.length {
            tokens.push(tokens[tokens.len() - period]);
        }
        Repeated { tokens, start, period }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the vocabulary is checked")]
    fn token(&self, random: &mut ChaCha8Rng) -> u32 {
        random.random_range(0..self.vocabulary as u32)
    }

    /// The sequences of a training's step: no two steps have the same, so nothing can be learned
    /// by heart.
    ///
    /// # Errors
    ///
    /// As [`Task::validate`].
    pub fn of_step(&self, seed: u64, step: u64, count: usize) -> Result<Vec<Repeated>> {
        self.batch(&mut generator(seed, Purpose::Strings, step), count)
    }

    /// Sequences to measure with, which no training reads.
    ///
    /// # Errors
    ///
    /// As [`Task::validate`].
    pub fn held_out(&self, seed: u64, count: usize) -> Result<Vec<Repeated>> {
        self.batch(&mut generator(seed, Purpose::Evaluation, 0), count)
    }

    fn batch(&self, random: &mut ChaCha8Rng, count: usize) -> Result<Vec<Repeated>> {
        self.validate()?;
        if count == 0 {
            return Err(GenerationError::setting("sequences", count, "at least 1"));
        }
        Ok((0..count).map(|_| self.draw(random)).collect())
    }

    /// Tokens as many as those of `sequences`, all drawn anew, that repeat nothing: a control.
    pub fn unrepeated(&self, seed: u64, sequences: &[Repeated]) -> Vec<Vec<u32>> {
        let mut random = generator(seed, Purpose::Evaluation, 1);
        let mut anew =
            |n: usize| (0..n).map(|_| self.token(&mut random)).collect::<Vec<_>>();
        sequences.iter().map(|sequence| anew(sequence.tokens.len())).collect()
    }
}
