//! Exercises of chapter 4, solved.

#![allow(clippy::implicit_hasher)]

use std::collections::HashSet;

use ndarray::{Array1, Array2, Axis};

// ANCHOR: wordpiece
pub fn wordpiece(word: &str, vocabulary: &HashSet<&str>) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut start = 0; // in bytes
    while start < word.len() {
        let mark = if start == 0 { "" } else { "##" };
        let letters = word[start..].char_indices();
        let ends = letters.map(|(at, letter)| start + at + letter.len_utf8());
        let longest = ends
            .rev()
            .map(|end| (end, format!("{mark}{}", &word[start..end])))
            .find(|(_, piece)| vocabulary.contains(piece.as_str()));
        let Some((end, piece)) = longest else {
            return vec!["[UNK]".to_owned()];
        };
        pieces.push(piece);
        start = end;
    }
    pieces
}
// ANCHOR_END: wordpiece

// ANCHOR: pad
pub fn pad(texts: &[Vec<u32>], pad: u32) -> (Array2<u32>, Array2<u32>) {
    let n = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut ids = Array2::from_elem((texts.len(), n), pad); // [batch, n]
    let mut mask = Array2::zeros((texts.len(), n)); // [batch, n]
    for (row, text) in texts.iter().enumerate() {
        for (column, &id) in text.iter().enumerate() {
            ids[[row, column]] = id;
            mask[[row, column]] = 1;
        }
    }
    (ids, mask)
}
// ANCHOR_END: pad

// ANCHOR: mean_pool
pub fn mean_pool(hidden: &Array2<f64>, mask: &[u32]) -> Array1<f64> {
    let shown: Vec<usize> = (0..mask.len()).filter(|&i| mask[i] == 1).collect();
    let sum = hidden.select(Axis(0), &shown).sum_axis(Axis(0)); // [d_model]
    sum / shown.len() as f64
}
// ANCHOR_END: mean_pool

// ANCHOR: label_and_score
pub fn label_and_score(logits: &[f64]) -> (usize, f64) {
    let mut label = 0;
    for (i, logit) in logits.iter().enumerate() {
        if *logit > logits[label] {
            label = i;
        }
    }
    let sum: f64 = logits.iter().map(|logit| (logit - logits[label]).exp()).sum();
    (label, 1.0 / sum)
}
// ANCHOR_END: label_and_score

// ANCHOR: leave_one_out
pub fn leave_one_out(words: &[&str], score: impl Fn(&[&str]) -> f64) -> Vec<f64> {
    let whole = score(words);
    let without = |i: usize| [&words[..i], &words[i + 1..]].concat();
    (0..words.len()).map(|i| whole - score(&without(i))).collect()
}
// ANCHOR_END: leave_one_out

// ANCHOR: calibration_error
pub fn calibration_error(answers: &[(f64, bool)], bins: usize) -> f64 {
    let mut gaps = vec![0.0; bins]; // sum of scores − number right
    for &(score, right) in answers {
        let above = |border: usize| score >= border as f64 / bins as f64;
        let bin = (1..bins).filter(|&border| above(border)).count();
        gaps[bin] += score - f64::from(u8::from(right));
    }
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / answers.len() as f64
}
// ANCHOR_END: calibration_error
