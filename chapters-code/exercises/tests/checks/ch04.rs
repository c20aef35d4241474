//! Checks for the exercises of chapter 4.

use std::collections::HashSet;

use ndarray::{Array1, Array2, array};

use super::{assert_close, assert_equal};

pub fn wordpiece(wordpiece: impl Fn(&str, &HashSet<&str>) -> Vec<String>) {
    let assert_pieces = |word: &str, pieces: &[&str], expected: &[&str], hint: &str| {
        let found = wordpiece(word, &pieces.iter().copied().collect());
        let what = format!("{word:?} with the pieces {pieces:?}");
        assert_equal(&what, &found, expected, hint);
    };
    let words = ["film", "fi", "##lm", "##l", "##m"];
    let hint = "a word that the vocabulary has whole is a single piece.";
    assert_pieces("film", &words, &["film"], hint);
    let pieces = ["fan", "fantas", "##tas", "##tastic", "##t", "##tic", "##ic", "f"];
    let hint =
        "always the longest piece, from the left, and the ## stays in the answer.";
    assert_pieces("fantastic", &pieces, &["fantas", "##tic"], hint);
    let pieces = ["film", "tic", "##ti", "##c"];
    let hint = "inside a word only pieces with ## count: `tic` begins words, `##tic` goes \
                on with them.";
    assert_pieces("filmtic", &pieces, &["film", "##ti", "##c"], hint);
    let hint = "at the beginning of a word, a piece with ## does not count.";
    assert_pieces("tic", &["##tic", "##t"], &["[UNK]"], hint);
    let hint = "a word that can't be cut to its end is [UNK] alone, without the pieces \
                found before.";
    assert_pieces("filmx", &["film", "##m"], &["[UNK]"], hint);
    let hint = "WordPiece doesn't go back: after the longest piece, `ab`, no piece fits, \
                even if `a` and `##bc` would have.";
    assert_pieces("abc", &["ab", "a", "##bc"], &["[UNK]"], hint);
    let hint = "a letter may take several bytes: cut between letters.";
    assert_pieces("nação", &["na", "##ção", "##ç"], &["na", "##ção"], hint);
    assert_pieces("日本", &["日", "##本"], &["日", "##本"], hint);
    let hint = "a piece may come again and again.";
    let expected = ["a", "##a", "##a", "##a"];
    assert_pieces("aaaa", &["a", "##a"], &expected, hint);
}

/// Asserts that ids or a mask are the expected ones.
#[track_caller]
fn assert_rows(name: &str, found: &Array2<u32>, expected: &Array2<u32>, hint: &str) {
    assert!(
        found == expected,
        "{name}: expected\n{expected}\nbut found\n{found}\n{hint}"
    );
}

pub fn pad(pad: impl Fn(&[Vec<u32>], u32) -> (Array2<u32>, Array2<u32>)) {
    let (ids, mask) = pad(&[vec![2, 7, 3], vec![2, 5, 9, 8, 3]], 0);
    assert_eq!(
        (ids.dim(), mask.dim()),
        ((2, 5), (2, 5)),
        "two texts, the longest of 5 ids, are [batch, n] = [2, 5], wherever it stands"
    );
    let hint = "the ids of a text come first, then as many pads as it lacks.";
    assert_rows("ids", &ids, &array![[2, 7, 3, 0, 0], [2, 5, 9, 8, 3]], hint);
    let hint = "1 for what the text has, 0 for what was filled in.";
    assert_rows("mask", &mask, &array![[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], hint);

    let (ids, mask) = pad(&[vec![2, 1, 4, 3], vec![2, 3]], 1);
    let hint = "fill up with `pad`, which is 1 here.";
    assert_rows("ids", &ids, &array![[2, 1, 4, 3], [2, 3, 1, 1]], hint);
    let hint = "the first text has a 1 of its own, which is no padding: the mask follows \
                the lengths, not the numbers.";
    assert_rows("mask", &mask, &array![[1, 1, 1, 1], [1, 1, 0, 0]], hint);

    let (ids, mask) = pad(&[vec![6, 6]], 0);
    let hint = "a text alone needs no padding.";
    assert_rows("ids", &ids, &array![[6, 6]], hint);
    assert_rows("mask", &mask, &array![[1, 1]], hint);
}

pub fn mean_pool(mean_pool: impl Fn(&Array2<f64>, &[u32]) -> Array1<f64>) {
    let hidden = array![[1.0, 10.0, -1.0], [3.0, 30.0, 1.0], [100.0, 1000.0, 5.0]];
    let hint = "with every token shown, it is the mean of each column: one number per \
                column, d_model of them.";
    let expected = array![104.0, 1040.0, 5.0] / 3.0;
    assert_close(&mean_pool(&hidden, &[1, 1, 1]), &expected, hint);
    let hint = "the last token is padding: it is not added, and the division is by the 2 \
                tokens that are left, not by 3.";
    assert_close(&mean_pool(&hidden, &[1, 1, 0]), &array![2.0, 20.0, 0.0], hint);
    let hint = "the mask says which tokens count; here the first doesn't.";
    let expected = array![51.5, 515.0, 3.0];
    assert_close(&mean_pool(&hidden, &[0, 1, 1]), &expected, hint);

    let mut hidden = hidden;
    hidden.row_mut(2).fill(f64::NAN);
    let found = mean_pool(&hidden, &[1, 1, 0]);
    assert!(
        found.iter().all(|number| number.is_finite()),
        "found {found} where the hidden token's vector is NaN: 0 · NaN is NaN. Leave the \
         token out instead of multiplying it by its mask."
    );
}

pub fn label_and_score(label_and_score: impl Fn(&[f64]) -> (usize, f64)) {
    let assert_answer = |logits: &[f64], expected: (usize, f64), hint: &str| {
        let (label, score) = label_and_score(logits);
        assert!(
            label == expected.0 && (score - expected.1).abs() < 1e-12,
            "logits {logits:?}: expected label {} with score {:.6} but found {label} with \
             {score:.6}: {hint}",
            expected.0,
            expected.1
        );
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let hint = "the score is exp(largest) over the sum of all exponentials.";
    assert_answer(&[1.0, 3.0], (1, sigmoid(2.0)), hint);
    let hint = "the score is the likeliest label's, here label 0's.";
    assert_answer(&[1.5, -2.0], (0, sigmoid(3.5)), hint);
    let hint = "with all logits below 0 too, the largest wins: don't compare with 0.";
    assert_answer(&[-5.0, -3.0], (1, sigmoid(2.0)), hint);
    let hint = "of equal logits, the first label (`max_by` gives the last).";
    assert_answer(&[0.5, 0.5], (0, 0.5), hint);
    let hint = "there may be more than two labels.";
    let sum = 1.0 + (-3.0_f64).exp() + (-1.5_f64).exp();
    assert_answer(&[2.0, -1.0, 0.5], (0, 1.0 / sum), hint);
    let hint = "exp overflows from 710 on: subtract the largest logit before exp.";
    assert_answer(&[1000.0, 1001.0], (1, sigmoid(1.0)), hint);
    assert_answer(&[-1000.0, -1002.0], (0, sigmoid(2.0)), hint);
}

type Score = fn(&[&str]) -> f64;

pub fn leave_one_out(leave_one_out: impl Fn(&[&str], Score) -> Vec<f64>) {
    /// 1 if there is a "good", turned around if there is a "not".
    fn praise(words: &[&str]) -> f64 {
        let sign = if words.contains(&"not") { -1.0 } else { 1.0 };
        if words.contains(&"good") { sign } else { 0.0 }
    }
    fn count(words: &[&str]) -> f64 {
        words.len() as f64
    }
    /// The letters of each word times its place, from 1.
    fn placed(words: &[&str]) -> f64 {
        words.iter().zip(1..).map(|(word, i)| (word.len() * i) as f64).sum()
    }
    let leave_one_out =
        |words: &[&str], score: Score| Array1::from(leave_one_out(words, score));
    let hint = "the score of all words minus the score without the word, in that order: \
                without `good`, 1 falls to 0.";
    let found = leave_one_out(&["a", "good", "film"], praise);
    assert_close(&found, &array![0.0, 1.0, 0.0], hint);
    let hint = "without `not`, the score rises from −1 to 1, a fall of −2; without `good`, \
                it rises to 0.";
    let found = leave_one_out(&["not", "good"], praise);
    assert_close(&found, &array![-2.0, -1.0], hint);
    let hint = "this score counts the words: each time exactly one must be missing, and \
                nothing put in its place.";
    let found = leave_one_out(&["very", "very", "very", "good"], count);
    assert_close(&found, &array![1.0, 1.0, 1.0, 1.0], hint);
    let hint = "the other words stay in their order, and only one place is empty at a \
                time.";
    let found = leave_one_out(&["a", "bb", "ccc", "dddd"], placed);
    assert_close(&found, &array![10.0, 11.0, 13.0, 16.0], hint);
}

pub fn calibration_error(calibration_error: impl Fn(&[(f64, bool)], usize) -> f64) {
    let assert_error = |answers: &[(f64, bool)], bins, expected: f64, hint: &str| {
        let found = calibration_error(answers, bins);
        assert!(
            (found - expected).abs() < 1e-12,
            "{answers:?} in {bins} ranges: expected {expected:.6} but found {found:.6}: \
             {hint}"
        );
    };
    let sure = [(0.92, true), (0.92, false)];
    let hint = "a single range has answers: its mean score is 0.92, and half of it was \
                right. The empty ranges don't count (0 / 0 is NaN).";
    assert_error(&sure, 10, 0.42, hint);
    let hint =
        "the gap of a range is between means: an answer alone is never half right.";
    assert_error(&[(0.5, true), (0.5, false)], 10, 0.0, hint);
    let answers = [(0.9, false), (0.1, true)];
    let hint = "gaps don't cancel: each is an absolute value, 0.9 here and there.";
    assert_error(&answers, 2, 0.9, hint);
    let hint = "with a single range, all answers are in it.";
    assert_error(&answers, 1, 0.0, hint);
    let answers = [(0.92, true), (0.92, false), (0.65, true)];
    let hint = "a range counts as often as it has answers: (2 · 0.42 + 1 · 0.35) / 3.";
    assert_error(&answers, 10, (2.0 * 0.42 + 0.35) / 3.0, hint);
    let hint =
        "a score of 1 belongs to the last range, which has no other border above.";
    assert_error(&[(1.0, false), (0.9, true)], 5, 0.45, hint);
    let hint = "a score on a border goes up: 0.5 belongs with 0.9, not with 0.1.";
    assert_error(&[(0.5, false), (0.9, true), (0.1, false)], 2, 0.5 / 3.0, hint);
}
