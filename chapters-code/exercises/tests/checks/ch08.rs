//! Checks for the exercises of chapter 8.

use super::asserts::{assert_equal, assert_number};

pub fn asked_words(asked_words: impl Fn(&[&str], &[f64]) -> Vec<bool>) {
    let assert_asked = |row: &[(&str, f64)], expected: &[u8], hint: &str| {
        let (pieces, drawn): (Vec<&str>, Vec<f64>) = row.iter().copied().unzip();
        let expected: Vec<bool> = expected.iter().map(|&asked| asked == 1).collect();
        let what = format!("{pieces:?} with {drawn:?}");
        assert_equal(&what, &asked_words(&pieces, &drawn), &expected, hint);
    };
    let hint = "words of one piece: those below 0.15, and 0.15 itself isn't below";
    assert_asked(&[("o", 0.1), ("gato", 0.15), ("preto", 0.0)], &[1, 0, 1], hint);
    let hint =
        "`ca ##chor ##ro` is one word, and the number of `ca` decides for all three";
    let word =
        |first, rest| [("ca", first), ("##chor", rest), ("##ro", rest), ("late", 0.9)];
    assert_asked(&word(0.1, 0.9), &[1, 1, 1, 0], hint);
    let hint = "the numbers of the other pieces don't count: 0.1 there asks nothing";
    assert_asked(&word(0.9, 0.1), &[0, 0, 0, 0], hint);
    let hint = "two words side by side, each with its own number";
    let row = [
        ("ca", 0.1),
        ("##o", 0.9),
        ("ga", 0.9),
        ("##to", 0.1),
        ("g", 0.1),
        ("##o", 0.5),
    ];
    assert_asked(&row, &[1, 1, 0, 0, 1, 1], hint);
    let hint = "[CLS] and [SEP] are never asked, whatever was drawn";
    assert_asked(&[("[CLS]", 0.0), ("sim", 0.1), ("[SEP]", 0.0)], &[0, 1, 0], hint);
    let hint = "a ## after [SEP] begins a word, and its own number decides; what goes on \
                follows it";
    let row =
        [("sim", 0.9), ("[SEP]", 0.9), ("##ro", 0.1), ("##s", 0.9), ("[SEP]", 0.1)];
    assert_asked(&row, &[0, 0, 1, 1, 0], hint);
    let row = [("sim", 0.1), ("[SEP]", 0.1), ("##ro", 0.9), ("##s", 0.1)];
    assert_asked(&row, &[1, 0, 0, 0], hint);
    let hint = "so does a ## at the very beginning, and no piece is asked of no pieces";
    assert_asked(&[("##ro", 0.1), ("##s", 0.9)], &[1, 1], hint);
    assert_asked(&[], &[], hint);
}

type Trial = (f64, Vec<f64>, Vec<f64>);

pub fn best_trial(best_trial: impl Fn(&[Trial]) -> Option<(usize, usize)>) {
    let what = "(trial, epochs)";
    let trials = [
        (0.01, vec![2.0, 1.0, 0.1], vec![2.1, 1.5, 1.9]),
        (0.001, vec![2.5, 1.5, 1.2], vec![2.6, 1.6, 1.4]),
    ];
    let hint = "trial 0 has the lowest loss on what it learned from, 0.1, and 1.9 on what it \
                has not seen; the lowest held-out loss is trial 1's 1.4, after 3 epochs";
    assert_equal(what, &best_trial(&trials), &Some((1, 3)), hint);
    let hint = "alone, trial 0 was best after 2 epochs, not at its end: then it began to \
                memorize. Epochs count from 1";
    assert_equal(what, &best_trial(&trials[..1]), &Some((0, 2)), hint);

    let exploded = [
        (0.1, vec![f64::NAN, f64::NAN], vec![3.0, f64::NAN]),
        (0.2, vec![1.0], vec![f64::NEG_INFINITY]),
        (0.01, vec![2.0, 2.0], vec![f64::INFINITY, 2.5]),
    ];
    let hint =
        "NaN and infinity are never the best, and a trial counts until it explodes";
    assert_equal(what, &best_trial(&exploded), &Some((2, 2)), hint);
    assert_equal(what, &best_trial(&exploded[..2]), &Some((0, 1)), hint);
    assert_equal(what, &best_trial(&exploded[1..2]), &None, hint);
    assert_equal(what, &best_trial(&[]), &None, "there is no trial");

    let equal = [
        (0.1, vec![1.0; 3], vec![2.0, 1.5, 1.5]),
        (0.3, vec![1.0; 2], vec![1.5, 1.5]),
        (0.2, vec![1.0; 2], vec![1.5, 1.5]),
    ];
    let hint = "of equals the fewest epochs, 1; of those of 1 epoch the smaller rate, 0.2: \
                not the first in the list, nor the smallest rate of all";
    assert_equal(what, &best_trial(&equal), &Some((2, 1)), hint);
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

pub fn merge(merge: impl Fn(&[&str], (&str, &str)) -> Vec<String>) {
    let assert_merged =
        |pieces: &str, pair: (&str, &str), expected: &str, hint: &str| {
            let pieces: Vec<&str> = pieces.split(' ').collect();
            let what = format!("{pieces:?} with {pair:?}");
            let expected: Vec<&str> = expected.split(' ').collect();
            assert_equal(&what, &merge(&pieces, pair), &expected, hint);
        };
    let hint = "`##a ##t` becomes one piece, which goes on a word: `##at`, with its ## at the \
                beginning only";
    assert_merged("g ##a ##t ##o", ("##a", "##t"), "g ##at ##o", hint);
    let hint = "`g ##a` begins the word, and so does `ga`: without ##";
    assert_merged("g ##a ##t ##o", ("g", "##a"), "ga ##t ##o", hint);
    let hint = "every place where the pair stands, not the first alone";
    assert_merged("b ##a ##n ##a ##n ##a", ("##a", "##n"), "b ##an ##an ##a", hint);
    let hint =
        "from left to right, and each piece once: the third `##a` finds no partner";
    assert_merged("b ##a ##a ##a", ("##a", "##a"), "b ##aa ##a", hint);
    let hint =
        "the new `##aa` isn't merged with the next `##a`, nor with another `##aa`";
    assert_merged("b ##a ##a ##a ##a", ("##a", "##a"), "b ##aa ##aa", hint);
    let hint =
        "`a` and `##a` are two pieces, and the order counts: nothing to merge here";
    assert_merged("a ##n ##a", ("##a", "##n"), "a ##n ##a", hint);
    assert_merged("a", ("a", "##n"), "a", hint);
    assert_equal("no pieces", &merge(&[], ("a", "##b")), &[""; 0], hint);
}

pub fn leaks(leaks: impl Fn(&[(&str, &str)], &[(&str, &str)]) -> Vec<usize>) {
    let train = [
        ("The cat slept.", "O gato dormiu."),
        ("I am cold", "Estou com frio"),
        ("Is it new?", "É novo?"),
    ];
    let assert_leaks = |held_out: &[(&str, &str)], expected: &[usize], hint: &str| {
        let what = format!("of {held_out:?}");
        assert_equal(&what, &leaks(&train, held_out), expected, hint);
    };
    let new = ("The dog ran.", "O cachorro correu.");
    let hint = "the pair as it stands in training, and one that is new";
    assert_leaks(&[new, ("The cat slept.", "O gato dormiu.")], &[1], hint);
    let hint = "one of the two texts is enough: with “Estou com frio” beside it, an English \
                sentence that is new is answered already";
    assert_leaks(&[("I'm freezing.", "Estou com frio"), new], &[0], hint);
    assert_leaks(&[("The cat slept.", "A gata dormiu.")], &[0], hint);
    let hint = "in whichever column: the model read both orders";
    assert_leaks(&[new, ("O gato dormiu.", "Le chat dormait.")], &[1], hint);
    let hint = "case, spaces and the mark at the end don't make a new sentence, nor do they \
                in the training's texts";
    let varied = [("the CAT  slept", "x"), (" I am cold ! ", "y"), ("z", "é novo.")];
    assert_leaks(&varied, &[0, 1, 2], hint);
    let hint = "a part of a sentence isn't the sentence; marks inside count";
    let parts =
        [("The cat", "O gato"), ("I, am cold", "A"), ("The cat slept. Then?", "B")];
    assert_leaks(&parts, &[], hint);
    let hint = "nothing held out gives nothing away, and nothing learned neither";
    assert_leaks(&[], &[], hint);
    assert_equal("no training", &leaks(&[], &[new]), &[0_usize; 0], hint);
}
