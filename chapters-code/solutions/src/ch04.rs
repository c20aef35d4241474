//! Exercises of chapter 4, solved.

#![allow(clippy::implicit_hasher)]

use std::collections::{HashMap, HashSet};

use ndarray::{Array1, Array2, Axis};
use self_attention::softmax;

// ANCHOR: fewest_pieces
pub fn fewest_pieces(word: &str, vocabulary: &HashSet<&str>) -> Vec<String> {
    let starts: Vec<usize> = word.char_indices().map(|(start, _)| start).collect();
    // From each byte on, the best cut of the rest: the rests from the shortest on.
    let mut best: HashMap<usize, Vec<String>> = [(word.len(), Vec::new())].into();
    for &start in starts.iter().rev() {
        let mark = if start == 0 { "" } else { "##" };
        let ends = starts.iter().copied().filter(|&end| end > start);
        let mut found: Option<Vec<String>> = None;
        for end in ends.chain([word.len()]).rev() {
            let piece = format!("{mark}{}", &word[start..end]);
            let (true, Some(rest)) =
                (vocabulary.contains(piece.as_str()), best.get(&end))
            else {
                continue;
            };
            if found.as_ref().is_none_or(|found| rest.len() + 1 < found.len()) {
                found = Some([vec![piece], rest.clone()].concat());
            }
        }
        best.extend(found.map(|found| (start, found)));
    }
    best.remove(&0).unwrap_or_else(|| vec!["[UNK]".to_owned()])
}
// ANCHOR_END: fewest_pieces

// ANCHOR: leaks
pub fn leaks(
    model: impl Fn(&Array2<u32>, &Array2<u32>) -> Vec<f64>,
    texts: &[Vec<u32>],
    pad: u32,
) -> Vec<usize> {
    let n = texts.iter().map(Vec::len).max().unwrap_or(0);
    let shape = (texts.len(), n); // [batch, n]
    let ids = Array2::from_shape_fn(shape, |(text, i)| {
        texts[text].get(i).copied().unwrap_or(pad)
    });
    let mask =
        Array2::from_shape_fn(shape, |(text, i)| u32::from(i < texts[text].len()));
    let together = model(&ids, &mask); // [batch]
    let leaks = |&text: &usize| {
        let alone =
            Array2::from_shape_fn((1, texts[text].len()), |(_, i)| texts[text][i]);
        let gap = model(&alone, &Array2::ones(alone.dim()))[0] - together[text];
        gap.abs() > 1e-9 || gap.is_nan()
    };
    (0..texts.len()).filter(leaks).collect()
}
// ANCHOR_END: leaks

// ANCHOR: mean_pool
pub fn mean_pool(hidden: &Array2<f64>, mask: &[u32]) -> Array1<f64> {
    let shown: Vec<usize> = (0..mask.len()).filter(|&i| mask[i] == 1).collect();
    let sum = hidden.select(Axis(0), &shown).sum_axis(Axis(0)); // [d_model]
    sum / shown.len() as f64
}
// ANCHOR_END: mean_pool

// ANCHOR: temperature
pub fn temperature(logits: &Array2<f64>, right: &[usize]) -> f64 {
    // In β = 1 / T the loss is a bowl: its derivative only grows.
    let derivative = |beta: f64| -> f64 {
        let p = softmax(&(logits * beta)); // [answers, labels]
        let expected = (p * logits).sum_axis(Axis(1)); // [answers]
        right
            .iter()
            .enumerate()
            .map(|(i, &label)| expected[i] - logits[[i, label]])
            .sum()
    };
    let (mut low, mut high) = (0.05, 20.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if derivative(middle) <= 0.0 { low = middle } else { high = middle }
    }
    1.0 / high
}
// ANCHOR_END: temperature

// ANCHOR: covering_pair
pub fn covering_pair(words: &[&str], score: impl Fn(&[&str]) -> f64) -> (usize, usize) {
    let fall = |left_out: &[usize]| {
        let kept = (0..words.len()).filter(|i| !left_out.contains(i));
        score(words) - score(&kept.map(|i| words[i]).collect::<Vec<&str>>())
    };
    let mut best = ((0, 1), f64::NEG_INFINITY);
    for i in 0..words.len() {
        for j in i + 1..words.len() {
            let beyond = fall(&[i, j]) - fall(&[i]) - fall(&[j]);
            if beyond > best.1 {
                best = ((i, j), beyond);
            }
        }
    }
    best.0
}
// ANCHOR_END: covering_pair

// ANCHOR: sign_flips
pub fn sign_flips(differences: &[f64]) -> f64 {
    let sum = |signs: u32| -> f64 {
        let flipped = |i: usize| signs >> i & 1 == 1;
        let signed = differences.iter().enumerate();
        signed.map(|(i, &gap)| if flipped(i) { -gap } else { gap }).sum()
    };
    let found = sum(0).abs(); // as they are
    let ways = 1_u32 << differences.len();
    let as_far = (0..ways).filter(|&signs| sum(signs).abs() > found - 1e-12).count();
    as_far as f64 / f64::from(ways)
}
// ANCHOR_END: sign_flips
