//! Exercises of chapter 8, solved.

#![allow(clippy::missing_panics_doc)]

use std::collections::BTreeMap;

use ndarray::Array2;

// ANCHOR: hide_pieces
/// Exercise 1. What the model reads in the place of `ids`, and what is asked: for each
/// place the piece that stood there, or `None`.
///
/// `drawn` has two numbers from 0 to 1 for each place. A place is asked if its first
/// number is below 0.15 and its piece is not special (special pieces are those below
/// `first_piece`). An asked piece is shown as `mask` if the second number is below 0.8,
/// as `other[i]` at place `i` if it is from 0.8 to below 0.9, and as it is from 0.9 on.
pub fn hide_pieces(
    ids: &[u32],
    drawn: &[(f64, f64)],
    first_piece: u32,
    mask: u32,
    other: &[u32],
) -> (Vec<u32>, Vec<Option<u32>>) {
    let (mut shown, mut asked) = (ids.to_vec(), vec![None; ids.len()]);
    for (i, &(first, second)) in drawn.iter().enumerate() {
        if first >= 0.15 || ids[i] < first_piece {
            continue;
        }
        asked[i] = Some(ids[i]);
        if second < 0.8 {
            shown[i] = mask;
        } else if second < 0.9 {
            shown[i] = other[i];
        }
    }
    (shown, asked)
}
// ANCHOR_END: hide_pieces

// ANCHOR: masked_loss
/// Exercise 2. The mean cross-entropy, −ln p of the right piece, over the places that
/// are asked; 0 if none is. `logits` is `[n, vocabulary]`; p is its softmax, row by
/// row. `labels` has the right piece's column for each row that is asked.
///
/// Logits may be anything from −1000 to 1000.
pub fn masked_loss(logits: &Array2<f64>, labels: &[Option<usize>]) -> f64 {
    let (mut sum, mut asked) = (0.0, 0);
    for (row, label) in logits.rows().into_iter().zip(labels) {
        let Some(label) = *label else { continue };
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let exponentials: f64 = row.iter().map(|z| (z - maximum).exp()).sum();
        sum += exponentials.ln() - (row[label] - maximum);
        asked += 1;
    }
    if asked == 0 { 0.0 } else { sum / f64::from(asked) }
}
// ANCHOR_END: masked_loss

// ANCHOR: gained_beside
/// Exercise 3. Three shares of the pieces that were hidden, from 0 to 1: guessed alone,
/// guessed with the translation beside, and guessed only with it (right beside and
/// wrong alone). All 0 if none was hidden.
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    let share = |right: &dyn Fn(usize) -> bool| {
        let count = (0..labels.len()).filter(|&i| right(i)).count();
        count as f64 / labels.len().max(1) as f64
    };
    let right_alone = |i: usize| alone[i] == labels[i];
    let right_beside = |i: usize| beside[i] == labels[i];
    let gained = |i: usize| right_beside(i) && !right_alone(i);
    (share(&right_alone), share(&right_beside), share(&gained))
}
// ANCHOR_END: gained_beside

// ANCHOR: best_pair
/// Exercise 4. One step of learning a vocabulary: the two neighbouring pieces that come
/// together most often, in that order. Each word is cut in pieces and comes with how
/// often the text has it. Of equally frequent pairs, the first in the order of the
/// alphabet (that of Rust's strings); `None` if no word has two pieces.
pub fn best_pair(words: &[(Vec<String>, u64)]) -> Option<(String, String)> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (pieces, count) in words {
        for pair in pieces.windows(2) {
            *counts.entry((&pair[0], &pair[1])).or_default() += count;
        }
    }
    // The map is in order: of the largest counts, the last of `rev` comes first.
    let best = counts.into_iter().rev().max_by_key(|&(_, count)| count)?;
    let (left, right) = best.0;
    Some((left.to_owned(), right.to_owned()))
}
// ANCHOR_END: best_pair

// ANCHOR: stacked
/// Exercise 5. Progressive stacking: `to` layers made of the given ones, in whose order
/// they are copied, again and again, from the first; none if there is none to copy.
pub fn stacked(layers: &[Array2<f64>], to: usize) -> Vec<Array2<f64>> {
    layers
        .iter()
        .cycle()
        .take(if layers.is_empty() { 0 } else { to })
        .cloned()
        .collect()
}
// ANCHOR_END: stacked
