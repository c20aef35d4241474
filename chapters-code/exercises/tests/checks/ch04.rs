//! Checks for the exercises of chapter 4.

use std::collections::HashSet;

use ndarray::{Array1, Array2, array};

use super::asserts::{assert_close, assert_equal};

pub fn fewest_pieces(fewest_pieces: impl Fn(&str, &HashSet<&str>) -> Vec<String>) {
    let assert_pieces = |word: &str, pieces: &[&str], expected: &[&str], hint: &str| {
        let found = fewest_pieces(word, &pieces.iter().copied().collect());
        let what = format!("{word:?} with the pieces {pieces:?}");
        assert_equal(&what, &found, expected, hint);
    };
    let words = ["film", "fi", "##lm", "##l", "##m"];
    let hint = "a word that the vocabulary has whole is a single piece.";
    assert_pieces("film", &words, &["film"], hint);
    let hint = "WordPiece would take `ab` and get stuck; `a` and `##bc` reach the end.";
    assert_pieces("abc", &["ab", "a", "##bc"], &["a", "##bc"], hint);
    let pieces = ["abc", "##d", "##e", "ab", "##cde"];
    let hint = "WordPiece cuts `abc ##d ##e`; `ab ##cde` has one piece fewer.";
    assert_pieces("abcde", &pieces, &["ab", "##cde"], hint);
    let pieces = ["a", "ab", "##bcd", "##cd", "##b", "##c", "##d"];
    let hint = "two cuts of two pieces: the one whose first piece is longer, whatever \
                comes after.";
    assert_pieces("abcd", &pieces, &["ab", "##cd"], hint);
    let pieces = ["x", "##a", "##ab", "##bc", "##c", "##d", "##cd"];
    let hint = "of `x ##a ##bc ##d` and others with as many, the second piece decides \
                when the first is the same, and so on; but fewest comes first.";
    assert_pieces("xabcd", &pieces, &["x", "##ab", "##cd"], hint);
    let pieces = ["x", "##a", "##ab", "##bc", "##c", "##d"];
    assert_pieces("xabcd", &pieces, &["x", "##ab", "##c", "##d"], hint);
    let pieces = ["film", "tic", "##ti", "##c"];
    let hint = "inside a word only pieces with ## count: `tic` begins words, `##tic` goes \
                on with them.";
    assert_pieces("filmtic", &pieces, &["film", "##ti", "##c"], hint);
    let hint = "a word that no way cuts to its end is [UNK] alone.";
    assert_pieces("filmx", &["film", "fil", "##m"], &["[UNK]"], hint);
    let hint = "at the beginning of a word, a piece with ## does not count.";
    assert_pieces("tic", &["##tic", "##t"], &["[UNK]"], hint);
    let hint = "a letter may take several bytes: cut between letters.";
    assert_pieces("nação", &["na", "##ção", "##ç"], &["na", "##ção"], hint);
    let hint = "a piece may come again and again.";
    let expected = ["aa", "##aa", "##a"];
    assert_pieces("aaaaa", &["a", "aa", "##a", "##aa"], &expected, hint);
}

type Model = fn(&Array2<u32>, &Array2<u32>) -> Vec<f64>;

/// Each text's numbers added up, those that the mask shows.
fn masked_sum(ids: &Array2<u32>, mask: &Array2<u32>) -> Vec<f64> {
    (ids * mask).rows().into_iter().map(|row| f64::from(row.sum())).collect()
}

pub fn leaks(leaks: impl Fn(Model, &[Vec<u32>], u32) -> Vec<usize>) {
    let texts = [vec![2, 7, 3], vec![2, 5, 9, 8, 3], vec![2, 6, 4, 3]];
    let assert_leaks = |model: Model, pad: u32, expected: &[usize], hint: &str| {
        let found = leaks(model, &texts, pad);
        assert_equal("the texts that leak", &found[..], expected, hint);
    };
    let hint = "this model adds up what the mask shows: no text's number changes. The \
                mask has a 1 for each id of a text, a 0 for what is filled in.";
    assert_leaks(masked_sum, 0, &[], hint);
    assert_leaks(masked_sum, 9, &[], hint);
    let unmasked: Model =
        |ids, _| ids.rows().into_iter().map(|row| f64::from(row.sum())).collect();
    let hint = "this model ignores the mask: with `pad` 9 the two shorter texts change, \
                and the longest, which is not padded, does not.";
    assert_leaks(unmasked, 9, &[0, 2], hint);
    assert_leaks(
        unmasked,
        0,
        &[],
        "filled up with 0, as asked, their sums don't change",
    );
    let mean: Model = |ids, mask| {
        masked_sum(ids, mask).iter().map(|sum| sum / ids.ncols() as f64).collect()
    };
    let hint =
        "this model divides by n, padding included: alone, a text has no padding.";
    assert_leaks(mean, 0, &[0, 2], hint);
    let company: Model = |ids, mask| {
        let sums = masked_sum(ids, mask);
        sums.iter().map(|sum| sum - sums[0]).collect()
    };
    let hint = "this model takes what the first text has from all: alone, each is its own \
                first. The longest text leaks, too.";
    assert_leaks(company, 0, &[1, 2], hint);
    let last: Model =
        |ids, _| ids.column(ids.ncols() - 1).iter().map(|&id| f64::from(id)).collect();
    let hint = "this model reads the last place: the padding is at the end of a text.";
    assert_leaks(last, 1, &[0, 2], hint);
    let small: Model = |ids, mask| {
        masked_sum(ids, mask)
            .iter()
            .map(|sum| sum - 1e-6 * ids.ncols() as f64)
            .collect()
    };
    let hint = "a millionth for each place is more than 1e-9, downwards as well as up.";
    assert_leaks(small, 0, &[0, 2], hint);
    let broken: Model = |ids, mask| {
        let full = |i: usize| mask.row(i).sum() as usize == ids.ncols();
        (0..ids.nrows()).map(|i| if full(i) { 1.0 } else { f64::NAN }).collect()
    };
    let hint = "NaN in company is another answer than 1 alone; no comparison with NaN is \
                true.";
    assert_leaks(broken, 0, &[0, 2], hint);
    assert!(leaks(masked_sum, &[], 0).is_empty(), "of no text, none leaks");
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

pub fn temperature(temperature: impl Fn(&Array2<f64>, &[usize]) -> f64) {
    let assert_temperature =
        |logits: &Array2<f64>, right: &[usize], expected: f64, hint: &str| {
            let found = temperature(logits, right);
            assert!(
                (found / expected - 1.0).abs() < 1e-3,
                "logits\n{logits:.4}\nright {right:?}: expected T = {expected:.4} but \
                 found {found:.4}: {hint}"
            );
        };
    let ln3 = 3_f64.ln();
    let sure =
        array![[0.0, 2.0 * ln3], [0.0, 2.0 * ln3], [0.0, 2.0 * ln3], [0.0, 2.0 * ln3]];
    let hint = "a margin of 2 ln 3 says 9 in 10, but 3 in 4 are right: halved, it says so. \
                The logits are divided by T, not multiplied";
    assert_temperature(&sure, &[1, 1, 0, 1], 2.0, hint);
    let shy = &sure / 4.0;
    let hint = "a margin of ln 3 / 2 is too shy for 3 right in 4: T is below 1";
    assert_temperature(&shy, &[1, 1, 0, 1], 0.5, hint);
    let hint = "p is the right label's, whichever column that is, and whatever is added to \
                all logits of a row";
    let turned = array![
        [5.0 + 2.0 * ln3, 5.0],
        [0.0, 2.0 * ln3],
        [0.0, 2.0 * ln3],
        [-9.0, 2.0 * ln3 - 9.0]
    ];
    assert_temperature(&turned, &[0, 1, 0, 1], 2.0, hint);
    let three = array![[0.0, 0.0, 2.0 * 8_f64.ln()]];
    let three =
        ndarray::concatenate![ndarray::Axis(0), three, three, three, three, three];
    let hint =
        "three labels: the third, with 4 right in 5, should have 8 times the others";
    assert_temperature(&three, &[2, 2, 0, 2, 2], 2.0, hint);
    let mixed = array![[0.0, 3.0], [0.0, 1.0], [0.0, 6.0], [0.0, 2.0], [0.0, 0.5]];
    let hint = "the smallest mean of −ln p; the score that fits the mean accuracy, or the \
                smallest calibration error, is another T";
    assert_temperature(&mixed, &[1, 0, 1, 0, 1], 3.210_8, hint);
    let hint = "large logits: T is 20 at most, and exp may overflow";
    assert_temperature(&(&sure * 10_000.0), &[1, 1, 0, 1], 20.0, hint);
    let hint = "all right: the surer, the better, down to the smallest T allowed";
    assert_temperature(&sure, &[1; 4], 0.05, hint);
    let hint = "all wrong: the less sure, the better, up to the largest T allowed";
    assert_temperature(&sure, &[0; 4], 20.0, hint);
}

type Score = fn(&[&str]) -> f64;

pub fn covering_pair(covering_pair: impl Fn(&[&str], Score) -> (usize, usize)) {
    fn count(words: &[&str], word: &str) -> usize {
        words.iter().filter(|other| **other == word).count()
    }
    /// 1 if there is praise, however much.
    fn praise(words: &[&str]) -> f64 {
        f64::from(u8::from(count(words, "good") + count(words, "great") > 0))
    }
    /// 4 for each "loud", 3 if there is praise.
    fn loud(words: &[&str]) -> f64 {
        4.0 * count(words, "loud") as f64 + 3.0 * praise(words)
    }
    /// Each word's letters; nothing covers for anything.
    fn letters(words: &[&str]) -> f64 {
        words.iter().map(|word| word.len() as f64).sum()
    }
    /// 4 if "not" and "bad" are both there; 1 if "fine" or "ok" is.
    fn needs(words: &[&str]) -> f64 {
        let both = count(words, "not") > 0 && count(words, "bad") > 0;
        let praise = if both { 4.0 } else { 0.0 };
        praise + f64::from(u8::from(count(words, "fine") + count(words, "ok") > 0))
    }
    /// 1 if there is an "a" or a "d", and 1 if there is a "b" or a "c".
    fn pairs(words: &[&str]) -> f64 {
        let either = |a, b| f64::from(u8::from(count(words, a) + count(words, b) > 0));
        either("a", "d") + either("b", "c")
    }
    let assert_pair = |words: &[&str], score: Score, expected, hint: &str| {
        let found = covering_pair(words, score);
        assert_equal(&format!("{words:?}"), &found, &expected, hint);
    };
    let hint = "`good` or `great` is enough: neither falls alone, both together by 1.";
    assert_pair(&["a", "good", "and", "great", "film"], praise, (1, 3), hint);
    let hint = "leaving out `loud loud` falls most, 8, but each alone falls by 4: nothing \
                beyond. `good great` falls by 3 together, and by 0 alone.";
    assert_pair(&["loud", "good", "loud", "great"], loud, (1, 3), hint);
    let hint = "here `not bad` fall by 4 together and by 4 each: 4 − 8 is −4, not \
                covering; `fine` and `ok` fall by 1 beyond.";
    assert_pair(&["not", "bad", "fine", "ok"], needs, (2, 3), hint);
    let hint = "the same word twice covers for itself: leave out places, not words.";
    assert_pair(&["good", "old", "good"], praise, (0, 2), hint);
    let hint = "where nothing covers, all pairs are equal: the first, (0, 1).";
    assert_pair(&["a", "bb", "ccc"], letters, (0, 1), hint);
    let hint = "of equal pairs, the smallest i, then the smallest j.";
    assert_pair(&["a", "b", "c", "d"], pairs, (0, 3), hint);
}

pub fn sign_flips(sign_flips: impl Fn(&[f64]) -> f64) {
    let assert_share = |differences: &[f64], expected: f64, hint: &str| {
        let found = sign_flips(differences);
        assert!(
            (found - expected).abs() < 1e-12,
            "{differences:?}: expected {expected} but found {found}: {hint}"
        );
    };
    let hint = "two signs, four ways: 4, 2, −2 and −4. Two of them are 4 away from 0, to \
                either side; the way it is counts itself.";
    assert_share(&[3.0, 1.0], 0.5, hint);
    let hint =
        "what counts is the distance from 0: a negative sum is as far as its opposite.";
    assert_share(&[-3.0, -1.0], 0.5, hint);
    let hint = "four times 1 and once −1: the sign test's 12 of 32.";
    assert_share(&[1.0, 1.0, 1.0, 1.0, -1.0], 0.375, hint);
    let hint = "the sizes count: one large difference outweighs the small ones against it. \
                10 − 1 − 1 + 1 is 9, and 14 of the 16 ways are not nearer to 0.";
    assert_share(&[10.0, -1.0, -1.0, 1.0], 0.875, hint);
    let hint = "ten differences of one sign: 2 of 1024 ways.";
    assert_share(&[0.5; 10], 2.0 / 1024.0, hint);
    let hint = "a difference of 0 has two signs that give the same: the share stays.";
    assert_share(&[3.0, 1.0, 0.0], 0.5, hint);
    let hint = "0.1 + 0.2 − 0.1 comes out as 0.20000000000000004, and with other signs the \
                same distance comes out as 0.2: equal, but for rounding.";
    assert_share(&[0.1, 0.2, -0.1], 0.75, hint);
    assert_share(
        &[],
        1.0,
        "of no difference there is one way, and it is as far as itself",
    );
}
