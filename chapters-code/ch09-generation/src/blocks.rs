//! Texts one behind the other, cut into blocks of one length: no place is lost to padding.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use training::random::{Purpose, generator};

use crate::error::{GenerationError, Result};

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// The epoch, from 0.
    pub epoch: u64,
    /// The next block of it.
    pub block: usize,
}

/// The texts' tokens in an order drawn anew for each epoch, cut into blocks.
#[derive(Debug, Clone)]
pub struct Blocks {
    texts: Vec<Vec<u32>>,
    /// The tokens that a block asks for.
    length: usize,
    seed: u64,
    place: Place,
    /// The epoch's tokens.
    stream: Vec<u32>,
}

impl Blocks {
    /// From `place` on. A block has `length` tokens, and one more for the last one's guess.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) if the texts don't fill a block.
    pub fn new(
        texts: Vec<Vec<u32>>,
        length: usize,
        seed: u64,
        place: Place,
    ) -> Result<Self> {
        let tokens: usize = texts.iter().map(Vec::len).sum();
        if length == 0 || tokens <= length {
            let expected = format!(
                "1 to {}, the texts' tokens less one",
                tokens.saturating_sub(1)
            );
            return Err(GenerationError::setting("block", length, expected));
        }
        let mut blocks = Self { texts, length, seed, place, stream: Vec::new() };
        blocks.shuffle();
        Ok(blocks)
    }

    fn shuffle(&mut self) {
        let mut order: Vec<&Vec<u32>> = self.texts.iter().collect();
        order.shuffle(&mut generator(self.seed, Purpose::Shuffle, self.place.epoch));
        self.stream = order.into_iter().flatten().copied().collect();
    }

    /// Blocks in an epoch; the tokens behind the last are read in other epochs, where they stand
    /// elsewhere.
    pub fn in_epoch(&self) -> usize {
        (self.stream.len() - 1) / self.length
    }

    /// Where the next block is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The next block, `length + 1` tokens: each but the last asks for the one behind it.
    pub fn next_block(&mut self) -> Vec<u32> {
        if self.place.block == self.in_epoch() {
            self.place = Place { epoch: self.place.epoch + 1, block: 0 };
            self.shuffle();
        }
        let first = self.place.block * self.length;
        self.place.block += 1;
        self.stream[first..=first + self.length].to_vec()
    }
}
