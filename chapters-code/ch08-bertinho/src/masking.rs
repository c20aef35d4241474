//! What is hidden, and what is asked.

use rand::Rng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use sentiment::Batch;

use crate::batches::{Sequence, padded};
use crate::error::{PretrainingError, Result};
use crate::wordpiece::{FIRST_PIECE, MASK};

/// How tokens are hidden (Devlin et al. 2019, section 3.1, task 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Masking {
    /// The rate of masking: how much of the tokens is asked for; at least one in each
    /// sequence.
    pub rate: f64,
    /// The share of these that `[MASK]` hides.
    pub masked: f64,
    /// The share of these that another piece replaces; the rest stays as it is, and is
    /// asked for all the same.
    pub replaced: f64,
    /// How many pieces there are.
    pub vocab_size: u32,
}

/// A batch with hidden tokens, and what they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedBatch {
    /// What the model reads, `batch` texts of `n` tokens.
    pub inputs: Batch,
    /// Which tokens are asked for: their places in the `batch · n`, row after row.
    pub positions: Vec<u32>,
    /// Which pieces stood there.
    pub labels: Vec<u32>,
}

impl Masking {
    /// BERT's: 15 % are asked for; of these 80 % are hidden, 10 % replaced, 10 % left.
    pub fn bert(vocab_size: u32) -> Self {
        Self { rate: 0.15, masked: 0.8, replaced: 0.1, vocab_size }
    }

    /// 15 %, all hidden: what an evaluation asks.
    pub fn hiding(vocab_size: u32) -> Self {
        Self { masked: 1.0, replaced: 0.0, ..Self::bert(vocab_size) }
    }

    /// Hides tokens of each sequence, but never `[CLS]`, `[SEP]` and the other special
    /// ones. A sequence without other tokens isn't asked anything.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) if a rate is none; if there is no sequence.
    pub fn apply(
        &self,
        sequences: &[&Sequence],
        random: &mut ChaCha8Rng,
    ) -> Result<MaskedBatch> {
        let all = |sequence: &Sequence| (0..sequence.len()).collect();
        self.apply_where(sequences, all, random)
    }
}

impl Masking {
    /// As [`Masking::apply`], but hides only among the `allowed` places of each
    /// sequence: a pair's one side, say.
    pub fn apply_where(
        &self,
        sequences: &[&Sequence],
        allowed: impl Fn(&Sequence) -> Vec<usize>,
        random: &mut ChaCha8Rng,
    ) -> Result<MaskedBatch> {
        self.check()?;
        let n = sequences.iter().map(|sequence| sequence.len()).max().unwrap_or(0);
        let (mut rows, mut positions, mut labels) =
            (Vec::new(), Vec::new(), Vec::new());
        for (row, &sequence) in sequences.iter().enumerate() {
            let mut hidden = sequence.clone();
            for i in self.choose(sequence, &allowed(sequence), random) {
                positions.push(place(row * n + i)?);
                labels.push(sequence.ids[i]);
                hidden.ids[i] = self.shown(sequence.ids[i], random);
            }
            rows.push(hidden);
        }
        let inputs = padded(&rows.iter().collect::<Vec<_>>())?;
        Ok(MaskedBatch { inputs, positions, labels })
    }

    // ANCHOR: choose
    /// The places that are asked for, in order.
    fn choose(
        &self,
        sequence: &Sequence,
        allowed: &[usize],
        random: &mut ChaCha8Rng,
    ) -> Vec<usize> {
        let ordinary = |&&i: &&usize| sequence.ids[i] >= FIRST_PIECE;
        let candidates: Vec<usize> = allowed.iter().filter(ordinary).copied().collect();
        let wanted = candidates.len() as f64 * self.rate;
        // 2.4 are 2, and with a chance of 0.4 one more: 15 % on average, but never none.
        let more = usize::from(random.random::<f64>() < wanted.fract());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = (wanted as usize + more).max(1).min(candidates.len());
        let mut chosen = sample(random, candidates.len(), count).into_vec();
        chosen.sort_unstable();
        chosen.into_iter().map(|i| candidates[i]).collect()
    }

    /// What the model reads in the place of a piece that is asked for.
    fn shown(&self, piece: u32, random: &mut ChaCha8Rng) -> u32 {
        let chance = random.random::<f64>();
        if chance < self.masked {
            MASK
        } else if chance < self.masked + self.replaced {
            random.random_range(FIRST_PIECE..self.vocab_size)
        } else {
            piece
        }
    }
    // ANCHOR_END: choose

    fn check(&self) -> Result<()> {
        let rates = [
            ("rate", self.rate),
            ("masked", self.masked),
            ("replaced", self.replaced),
            ("masked + replaced", self.masked + self.replaced),
        ];
        for (name, found) in rates {
            if !(0.0..=1.0).contains(&found) {
                return Err(PretrainingError::setting(name, found, "between 0 and 1"));
            }
        }
        if self.vocab_size <= FIRST_PIECE {
            let expected = format!("more than the {FIRST_PIECE} special tokens");
            return Err(PretrainingError::setting(
                "vocab_size",
                self.vocab_size,
                expected,
            ));
        }
        Ok(())
    }
}

fn place(index: usize) -> Result<u32> {
    let large = || PretrainingError::setting("batch", index, "at most 2³² tokens");
    u32::try_from(index).map_err(|_| large())
}
