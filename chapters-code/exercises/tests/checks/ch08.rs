//! Checks for the exercises of chapter 8.

#![allow(clippy::float_cmp, reason = "what must not change is compared exactly")]

use ndarray::{Array2, array};

use super::assert_number;

type Hidden = (Vec<u32>, Vec<Option<u32>>);

pub fn hide_pieces(
    hide_pieces: impl Fn(&[u32], &[(f64, f64)], u32, u32, &[u32]) -> Hidden,
) {
    const MASK: u32 = 4;
    const FIRST: u32 = 5; // not special itself
    let ids = [2, FIRST, 11, 12, 13, 14, 15, 3]; // [CLS] … [SEP]
    let other = [30, 31, 32, 33, 34, 35, 36, 37];
    let hide = |drawn: &[(f64, f64)]| hide_pieces(&ids, drawn, FIRST, MASK, &other);

    // Nothing is asked: 0.15 isn't below 0.15, whatever the second number is.
    let (shown, asked) =
        hide(&[0.15, 0.9, 0.3, 0.15, 0.5, 0.85, 0.99, 0.2].map(|first| (first, 0.1)));
    let hint = "only places whose first number is below 0.15 are asked";
    assert!(
        asked.iter().all(Option::is_none),
        "{hint}: here none is, but found {asked:?}"
    );
    assert_eq!(shown, ids, "a place that is not asked is shown as it is; {hint}");

    // Every place is drawn: all but the special ones are asked.
    let second = [0.1, 0.79, 0.8, 0.89, 0.9, 0.99, 0.0, 0.85];
    let (shown, asked) = hide(&second.map(|second| (0.149, second)));
    for (i, &id) in ids.iter().enumerate() {
        let special = id < FIRST;
        let not = if special { "" } else { " not" };
        assert!(
            asked.get(i).is_some_and(|asked| asked.is_none() == special),
            "piece {id} is{not} special, which are those below {FIRST}: special pieces \
             are never asked, the others wherever the first number is below 0.15, \
             whether or not they are changed. Found {asked:?}"
        );
    }
    let labels: Vec<_> = ids.map(|id| (id >= FIRST).then_some(id)).to_vec();
    assert_eq!(
        asked, labels,
        "what is asked is the piece that stood there, not what is shown"
    );
    let hint = "below 0.8 an asked piece is shown as `mask`, from there to below 0.9 as \
                `other`, from 0.9 on as it is: the second number alone decides, once";
    for (i, expected) in
        [(1, MASK), (6, MASK), (2, 32), (3, 33), (4, 13), (5, 14), (0, 2), (7, 3)]
    {
        let (found, second) = (shown[i], second[i]);
        assert!(
            !(found != expected && other.contains(&found) && other.contains(&expected)),
            "place {i} takes other[{i}] = {expected}, not {found}: `other` has one piece \
             for each place"
        );
        assert!(
            found == expected,
            "place {i}, with {second}, is shown as {expected}, but found {found}: {hint}"
        );
    }

    let drawn = [0.5, 0.1, 0.5, 0.1, 0.5, 0.5, 0.5, 0.1].map(|first| (first, 0.85));
    let (shown, asked) = hide(&drawn);
    let hint = "only places 1 and 3 are drawn and not special";
    assert_eq!(shown, [2, 31, 11, 33, 13, 14, 15, 3], "{hint}");
    let labels = [None, Some(5), None, Some(12), None, None, None, None];
    assert_eq!(asked, labels, "{hint}");
}

pub fn masked_loss(masked_loss: impl Fn(&Array2<f64>, &[Option<usize>]) -> f64) {
    let level = Array2::zeros((3, 4));
    let found = masked_loss(&level, &[Some(0), Some(3), Some(1)]);
    let hint = "with 4 equal logits, p is 1/4 and the loss −ln p = ln 4 = 1.386…: the \
                natural logarithm, with a minus, and the mean of the places, not the sum";
    assert_number(found, 4_f64.ln(), hint);

    let logits = array![[0.0, 3_f64.ln()], [0.0, 0.0], [7.0, -7.0], [0.0, 0.0]];
    let found = masked_loss(&logits, &[Some(1), None, None, Some(0)]);
    let hint = "p is 3/4 and 1/2 in the two places that are asked: the mean is over \
                these 2, not over all 4 places, and the others add nothing";
    assert_number(found, f64::midpoint((4_f64 / 3.0).ln(), 2_f64.ln()), hint);

    let found = masked_loss(&logits, &[None; 4]);
    assert!(found == 0.0, "nothing is asked: 0, not {found} (0 / 0 is NaN)");

    let large = array![[1000.0, 1000.0], [-1000.0, -1000.0]];
    for asked in [[Some(0), None], [None, Some(1)], [Some(0), Some(1)]] {
        let found = masked_loss(&large, &asked);
        let hint = "exp overflows from 710 on, and is 0 below −745: subtract each row's \
                    own maximum first";
        assert_number(found, 2_f64.ln(), hint);
    }
    let found = masked_loss(&array![[1000.0, 0.0]], &[Some(1)]);
    let hint = "p is e^−1000, which is 0 to a computer, but −ln p is 1000: don't take \
                the logarithm of a softmax, subtract logarithms";
    assert_number(found, 1000.0, hint);
    let found = masked_loss(&array![[1000.0, 999.0, 0.0]], &[Some(0)]);
    let hint = "−ln p is ln Σ exp(z − max) − (z[i] − max)";
    assert_number(found, (1.0 + (-1_f64).exp()).ln(), hint);
}

pub fn gained_beside(
    gained_beside: impl Fn(&[u32], &[u32], &[u32]) -> (f64, f64, f64),
) {
    // Right with both, right alone, right beside (twice), wrong with both (thrice), and
    // right alone again.
    let labels = [10, 11, 12, 13, 14, 15, 16, 17];
    let alone = [10, 11, 0, 0, 1, 2, 3, 17];
    let beside = [10, 0, 12, 13, 1, 3, 2, 0];
    let (right_alone, right_beside, gained) = gained_beside(&labels, &alone, &beside);
    let hint = "3 of the 8 pieces are guessed alone: a share of all pieces, from 0 to 1, \
                as a division of f64. The first of the three is alone";
    assert_number(right_alone, 3.0 / 8.0, hint);
    let hint = "3 of the 8 pieces are guessed with the translation beside";
    assert_number(right_beside, 3.0 / 8.0, hint);
    let hint = "2 of the 8 pieces are right beside and wrong alone. The difference of \
                the shares is 0 here, as 2 others were lost; those wrong both times, or \
                right both times, don't count; and the share is of all 8 pieces";
    assert_number(gained, 2.0 / 8.0, hint);

    let found = gained_beside(&[7, 8, 9, 9], &[1, 1, 1, 9], &[7, 8, 1, 1]);
    let hint = "of 4 pieces 1 is right alone, 2 are beside, and the same 2 are gained";
    assert_number(found.0, 1.0 / 4.0, hint);
    assert_number(found.1, 2.0 / 4.0, hint);
    assert_number(found.2, 2.0 / 4.0, hint);
    let found = gained_beside(&[7, 8], &[7, 1], &[1, 1]);
    let hint =
        "what is lost with the translation is not gained: a share isn't negative";
    assert_number(found.2, 0.0, hint);
    let found = gained_beside(&[], &[], &[]);
    assert!(found == (0.0, 0.0, 0.0), "none is hidden: all 0, not {found:?}");
}

pub fn best_pair(
    best_pair: impl Fn(&[(Vec<String>, u64)]) -> Option<(String, String)>,
) {
    let find = |words: &[(&str, u64)]| {
        let cut = |word: &str| word.split(' ').map(str::to_owned).collect();
        let words: Vec<_> = words.iter().map(|&(word, n)| (cut(word), n)).collect();
        best_pair(&words)
    };
    let pair = |left: &str, right: &str| Some((left.to_owned(), right.to_owned()));

    let found =
        find(&[("g ##a ##t ##o", 1), ("p ##a ##t ##o", 1), ("r ##a ##t ##o", 1)]);
    let hint = "`##a ##t` and `##t ##o` come three times each: of equals, the first in the \
                order of the alphabet";
    assert_eq!(found, pair("##a", "##t"), "{hint}");
    let found = find(&[("o ##i", 2), ("u ##i", 1), ("e ##i", 1), ("o ##i ##s", 1)]);
    let hint = "`o ##i` comes 2 + 1 times: a pair counts in every word that has it";
    assert_eq!(found, pair("o", "##i"), "{hint}");
    let found = find(&[("a ##b", 1), ("c ##b", 1), ("d ##e", 9)]);
    let hint = "`d ##e` is in one word only, but the text has that word 9 times: words \
                count as often as they come";
    assert_eq!(found, pair("d", "##e"), "{hint}");
    let found = find(&[("n ##a ##n ##a ##n ##a", 1), ("s ##o", 2)]);
    let hint = "`n ##a` begins one word, `##n ##a` comes twice in it, like `##a ##n` and \
                `s ##o`: all places of a word count, `n` and `##n` are two pieces, and of \
                equals the first comes first";
    assert_eq!(found, pair("##a", "##n"), "{hint}");
    let found = find(&[("b ##a", 1), ("a ##b", 1)]);
    let hint = "`a ##b` is not `b ##a`: the order counts, and of equals the first in the \
                order of the alphabet is taken, not the first in the text";
    assert_eq!(found, pair("a", "##b"), "{hint}");
    let found = find(&[("a", 5), ("b", 7)]);
    assert_eq!(found, None, "words of one piece have no pair");
    assert_eq!(best_pair(&[]), None, "no word has no pair");
}

pub fn stacked(stacked: impl Fn(&[Array2<f64>], usize) -> Vec<Array2<f64>>) {
    let layers = |numbers: &[u8]| -> Vec<Array2<f64>> {
        numbers.iter().map(|&n| Array2::from_elem((1, 1), f64::from(n))).collect()
    };
    for (from, to, expected) in [
        (&[1, 2, 3][..], 6, &[1, 2, 3, 1, 2, 3][..]),
        (&[1, 2], 5, &[1, 2, 1, 2, 1]),
        (&[1, 2, 3], 3, &[1, 2, 3]),
        (&[1, 2, 3], 2, &[1, 2]),
        (&[7], 3, &[7, 7, 7]),
        (&[1], 0, &[]),
        (&[], 4, &[]),
    ] {
        assert_eq!(
            stacked(&layers(from), to),
            layers(expected),
            "{to} layers of {from:?} are {expected:?}: the whole pile again on top of \
             itself, cut off at the end; not each layer twice, nor the last one repeated"
        );
    }
}
