//! A sequence reverser: chapter 2's encoder-decoder, small enough to train in a minute.
//!
//! It reads `cabide` and writes `edibac`. To write the first letter it must look at the
//! last one: its cross-attention has to become an anti-diagonal, and nobody tells it
//! so. [`training_strings`] makes its words, [`Reverser`] answers, [`ReverserTraining`]
//! teaches it, [`attention_figure`] shows where it looks.

mod figures;
mod model;
mod options;
mod seeds;
mod strings;
mod training;

pub use figures::attention_figure;
pub use model::{Reversed, Reverser};
pub use options::ReverserOptions;
pub use seeds::{LengthRecord, SeedRecord};
pub use strings::{
    LENGTHS, held_out_strings, read, strings_of, teach, training_strings,
};
pub use training::{History, ReverserTraining, TrainedReverser, train_reverser};
