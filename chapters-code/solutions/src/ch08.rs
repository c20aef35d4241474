//! Exercises of chapter 8, solved.

use std::collections::BTreeMap;

use ndarray::Array2;

// ANCHOR: hide_pieces
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
pub fn stacked(layers: &[Array2<f64>], to: usize) -> Vec<Array2<f64>> {
    layers
        .iter()
        .cycle()
        .take(if layers.is_empty() { 0 } else { to })
        .cloned()
        .collect()
}
// ANCHOR_END: stacked
