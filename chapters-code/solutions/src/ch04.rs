//! Exercises of chapter 4, solved.

#![allow(clippy::missing_panics_doc, clippy::implicit_hasher)]

use std::collections::HashSet;

use ndarray::{Array1, Array2, Axis};

// ANCHOR: wordpiece
/// Exercise 1. The pieces of a word: from the left, always the longest that the
/// vocabulary has. All but the first are in the vocabulary with `##` before them, and
/// in the answer too.
///
/// If somewhere no piece fits, the answer is `[UNK]` alone: there is no going back to
/// try a shorter piece before it.
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
/// Exercise 2. A batch from texts of different lengths: the ids, the shorter texts
/// filled up with `pad` at their ends, and the mask, 1 for each id of a text and 0 for
/// each that was filled in. Both `[batch, n]`, with `n` the length of the longest text.
///
/// There is at least one text. A text may hold the number `pad` itself.
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
/// Exercise 3. One vector for a text, the mean of its tokens' vectors: `[n, d_model] ->
/// [d_model]`. The mask has a 1 for each token that counts, at least one, and a 0 for
/// each that doesn't, whatever its vector holds.
pub fn mean_pool(hidden: &Array2<f64>, mask: &[u32]) -> Array1<f64> {
    let shown: Vec<usize> = (0..mask.len()).filter(|&i| mask[i] == 1).collect();
    let sum = hidden.select(Axis(0), &shown).sum_axis(Axis(0)); // [d_model]
    sum / shown.len() as f64
}
// ANCHOR_END: mean_pool

// ANCHOR: label_and_score
/// Exercise 4. The likeliest label, of equals the first, and its score: its share of
/// the softmax of the logits, which are finite, two or more, and may be large.
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
/// Exercise 5. How much the score falls without each word: `score` of all the words,
/// minus `score` of the others in their order. One number per word; below 0 if the
/// score rises.
pub fn leave_one_out(words: &[&str], score: impl Fn(&[&str]) -> f64) -> Vec<f64> {
    let whole = score(words);
    let without = |i: usize| [&words[..i], &words[i + 1..]].concat();
    (0..words.len()).map(|i| whole - score(&without(i))).collect()
}
// ANCHOR_END: leave_one_out

// ANCHOR: calibration_error
/// Exercise 6. The expected calibration error of answers, each a score from 0 to 1 and
/// whether it was right.
///
/// The answers go by their scores into `bins` ranges of equal width from 0 to 1; a
/// score on a border goes up, and 1 into the last. A range's gap is the distance
/// between the mean of its scores and the share of it that was right. The error is the
/// mean of the gaps, in which a range counts as often as it has answers.
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
