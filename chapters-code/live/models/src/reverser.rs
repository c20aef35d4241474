//! Chapter 3: the reverser, trained in the page.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use training::reverse::{ReverserOptions, ReverserTraining, held_out_strings};

use crate::said;

/// Strings that the training never sees, on which it is judged: their seed, which is the page's for
/// whatever seed the reader trains with, and how many.
const JUDGED: (u64, usize) = (43, 200);

thread_local! {
    static TRAINING: RefCell<Option<(ReverserTraining, Vec<String>)>> =
        const { RefCell::new(None) };
}

#[derive(Deserialize)]
pub struct Begin {
    seed: u64,
}

#[derive(Deserialize)]
pub struct Go {
    /// How many steps to make.
    steps: u64,
    /// The word to reverse.
    word: String,
    /// Whether to judge the model on held-out words.
    judge: bool,
}

#[derive(Serialize)]
pub struct State {
    /// The loss of each step made.
    loss: Vec<f64>,
    /// What the model makes of the word.
    written: String,
    /// The share of held-out words that it reverses.
    exact: Option<f64>,
    /// `[heads, n, n]`, the letters and the end.
    shape: [usize; 3],
}

/// A model of drawn weights.
pub fn new(&Begin { seed }: &Begin) -> Result<((), Vec<f32>), String> {
    let options = ReverserOptions { seed, ..ReverserOptions::default() };
    let training = ReverserTraining::new(options).map_err(said)?;
    TRAINING.set(Some((training, held_out_strings(JUDGED.0, JUDGED.1))));
    Ok(((), Vec::new()))
}

/// Some steps of the training, and the last layer's cross-attention, `[heads, n, m]`: a row for each
/// letter that is written.
pub fn train(Go { steps, word, judge }: &Go) -> Result<(State, Vec<f32>), String> {
    TRAINING.with_borrow_mut(|training| {
        let (training, judged) = training.as_mut().ok_or("no training has begun")?;
        let loss = (0..*steps).map(|_| training.step()).collect::<Result<_, _>>();
        let model = &training.model;
        let written = model.greedy(&[word]).map_err(said)?.pop();
        let exact = judge.then(|| model.accuracy(judged)).transpose().map_err(said)?;
        let weights = model.cross_attention(word).map_err(said)?.pop();
        let weights = weights.ok_or("no layer")?; // [heads, n, m]
        let (heads, n, m) = weights.dim();
        #[expect(clippy::cast_possible_truncation, reason = "they are drawn")]
        let numbers = weights.iter().map(|&weight| weight as f32).collect();
        let state = State {
            loss: loss.map_err(said)?,
            written: written.unwrap_or_default(),
            exact,
            shape: [heads, n, m],
        };
        Ok((state, numbers))
    })
}
