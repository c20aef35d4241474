//! Exercises of chapter 8, bertinho. Replace each `todo!()`, then `cargo test -p
//! exercises ch08`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use std::collections::{BTreeMap, HashSet};

// ANCHOR: asked_words
/// Exercise 1. Whole words: which places are asked, if a word is asked with all its
/// pieces or not at all. `pieces` are a sequence's, by name: `##` begins those that
/// go on a word.
///
/// `drawn` has a number from 0 to 1 for each place. A word is asked if that of its
/// *first* piece is below 0.15. `[CLS]` and `[SEP]` are never asked, and a word
/// doesn't go on across them: a `##` after one begins a word.
pub fn asked_words(pieces: &[&str], drawn: &[f64]) -> Vec<bool> {
    todo!("exercise 1: for each place, whether it is asked")
}
// ANCHOR_END: asked_words

// ANCHOR: best_trial
/// Exercise 2. Which training to repeat, and for how many epochs: `(trial, epochs)`,
/// the epochs counted from 1.
///
/// A trial has a learning rate, and the loss after each epoch on what it learned from
/// and on what was held out. The best is the lowest loss that says something of new
/// texts; of equals, the one with fewer epochs, and then with the smaller rate. A
/// loss that isn't finite is never the best; `None` if there is no other.
pub fn best_trial(trials: &[(f64, Vec<f64>, Vec<f64>)]) -> Option<(usize, usize)> {
    todo!("exercise 2: the trial's place and its epochs")
}
// ANCHOR_END: best_trial

// ANCHOR: gained_beside
/// Exercise 3. Three shares of the pieces that were hidden, from 0 to 1: guessed
/// alone, guessed with the translation beside, and guessed only with it (right beside
/// and wrong alone). All 0 if none was hidden.
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    todo!("exercise 3: the three shares of the pieces")
}
// ANCHOR_END: gained_beside

// ANCHOR: best_pair
/// Exercise 4. One step of learning a vocabulary: the two neighboring pieces that
/// come together most often, in that order. Each word is cut in pieces and comes with
/// how often the text has it. Of equally frequent pairs, the first in the order of
/// the alphabet (that of Rust's strings); `None` if no word has two pieces.
pub fn best_pair(words: &[(Vec<String>, u64)]) -> Option<(String, String)> {
    todo!("exercise 4: the pair to be merged")
}
// ANCHOR_END: best_pair

// ANCHOR: merge
/// Exercise 5. What exercise 4 is followed by: the pieces of a word with the pair
/// made one piece, wherever it stands, from left to right. A piece just made doesn't
/// take part again. `g` and `##a` make `ga`, `##a` and `##t` make `##at`.
pub fn merge(pieces: &[&str], pair: (&str, &str)) -> Vec<String> {
    todo!("exercise 5: the pieces after the merge")
}
// ANCHOR_END: merge

// ANCHOR: leaks
/// Exercise 6. The places of the held-out pairs that training gives away: those of
/// which at least one of the two texts stands in a training pair, in whichever
/// column.
///
/// Texts are the same if they are in lower case, apart from spaces, of which any
/// number counts as one and none counts at the ends, and from `.`, `!` and `?` at the
/// end.
pub fn leaks(train: &[(&str, &str)], held_out: &[(&str, &str)]) -> Vec<usize> {
    todo!("exercise 6: the places of what was seen before")
}
// ANCHOR_END: leaks
