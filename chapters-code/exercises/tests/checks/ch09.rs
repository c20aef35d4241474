//! Checks for the exercises of chapter 9.

use ndarray::{Array1, Array2, array, s};
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;
use whole_transformer::{mask, scaled_dot_product};

use super::asserts::{assert_close, assert_equal, assert_number};

pub fn visible(visible: impl Fn(usize, usize, usize) -> Array2<bool>) {
    let assert_visible = |[past, n, padding]: [usize; 3],
                          expected: &Array2<u8>,
                          hint: &str| {
        let found = visible(past, n, padding).mapv(u8::from);
        assert!(
            found == expected,
            "past {past}, n {n}, padding {padding}: expected (1 is true)\n{expected}\nbut \
             found\n{found}\n{hint}"
        );
    };
    let hint = "without a cache and padding it is the causal mask: a token looks at itself \
                and at those before it";
    let expected = array![[1, 0, 0], [1, 1, 0], [1, 1, 1]];
    assert_visible([0, 3, 0], &expected, hint);
    let hint = "one new token behind 3 looks at all of the cache, and at itself: it is row \
                0 of the queries, but token 3 of the text";
    assert_visible([3, 1, 0], &array![[1, 1, 1, 1]], hint);
    let hint = "query i is that of token past + i, and looks at the keys up to its own; \
                a row for each new query, [n, past + n]";
    let expected = array![[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]];
    assert_visible([2, 3, 0], &expected, hint);
    let hint = "the padding stands on the left: nobody looks at it, not even it itself. It \
                moves no token: the first token behind 2 of padding has place 2, and looks \
                at key 2";
    let expected = array![[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]];
    assert_visible([0, 4, 2], &expected, hint);
    let hint = "here the padding is the cache's first key: it is counted from the first \
                token of all, not from the first new one";
    let expected = array![[0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 1]];
    assert_visible([4, 2, 1], &expected, hint);
    let hint = "the padding reaches from the cache into the new tokens: the first of these \
                is padding itself, and looks nowhere";
    let expected = array![[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]];
    assert_visible([1, 3, 2], &expected, hint);
}

/// Random numbers from −2 to 2, `[rows, columns]`.
fn random(seed: u32, rows: usize, columns: usize) -> Array2<f64> {
    NumpyRandom::seed(seed).rand(rows, columns) * 4.0 - 2.0
}

pub fn attend_new(
    attend_new: impl Fn(
        &mut Array2<f64>,
        &mut Array2<f64>,
        &Array2<f64>,
        &Array2<f64>,
        &Array2<f64>,
    ) -> Array2<f64>,
) {
    let (n, d_k, d_v) = (6, 4, 3);
    let (q, k, v) = (random(1, n, d_k), random(2, n, d_k), random(3, n, d_v));
    let whole = scaled_dot_product(&q, &k, &v, Some(&mask::causal(n)));
    let whole = whole.expect("shapes that fit").output; // [n, d_v]
    let at_once = "the whole text at once, into an empty cache, is causal attention with \
                   the softmax of q · k / √d_k: a token looks at itself and at those before \
                   it, and not at those after it.";
    let one_by_one = "a token that comes alone looks at all of the cache and at itself: \
                      its query is row 0, but it has the last place.";
    let pieces = "several come at once behind others: query i has place past + i, so that \
                  the first of them looks at the whole cache and at itself, but not at the \
                  second. A cache doesn't make the mask needless.";
    for (cut, hint) in [
        (&[6][..], at_once),
        (&[1; 6], one_by_one),
        (&[3, 1, 2], pieces),
        (&[2, 4], pieces),
    ] {
        let (mut keys, mut values) = (Array2::zeros((0, d_k)), Array2::zeros((0, d_v)));
        let mut past = 0;
        for new in cut {
            let (all, come) = (past + new, past..past + new);
            let rows = |x: &Array2<f64>| x.slice(s![come.clone(), ..]).to_owned();
            let found =
                attend_new(&mut keys, &mut values, &rows(&q), &rows(&k), &rows(&v));
            for (name, kept, of_all) in [("keys", &keys, &k), ("values", &values, &v)] {
                let hint = format!(
                    "after {all} tokens the cache has the {name} of all of them, in the \
                     order of the text: those to come look at them."
                );
                assert_close(kept, &of_all.slice(s![..all, ..]).to_owned(), &hint);
            }
            let place =
                format!("tokens {come:?} of a text in pieces of {cut:?}: {hint}");
            assert_close(&found, &rows(&whole), &place);
            past = all;
        }
    }
}

pub fn top_p(top_p: impl Fn(&[f64], f64) -> Vec<usize>) {
    let assert_kept =
        |probabilities: &[f64], p: f64, expected: &[usize], hint: &str| {
            let what =
                format!("the tokens that remain of {probabilities:?} with p = {p}");
            assert_equal(&what, &top_p(probabilities, p), expected, hint);
        };
    let four = [0.125, 0.25, 0.5, 0.125];
    let hint = "0.5 is less than p, and 0.5 + 0.25 is more: the likeliest, from the largest \
                down, with the one that reaches p. The answer is in ascending order";
    assert_kept(&four, 0.7, &[1, 2], hint);
    let hint = "0.5 + 0.25 is p: at least p is asked for, not more than p";
    assert_kept(&four, 0.75, &[1, 2], hint);
    let hint = "all four are equal, and two have 0.5: the last two stay. Top-k kept all \
                equals at the edge; top-p keeps no more than it needs";
    assert_kept(&[0.25; 4], 0.5, &[2, 3], hint);
    let hint = "0.5 and 0.25 are too few, and one of the two 0.125 is enough: the last, \
                token 3";
    assert_kept(&four, 0.8, &[1, 2, 3], hint);
    let hint = "0 is reached by no token at all, but one stays, the likeliest, and of equals \
                the last";
    assert_kept(&four, 0.0, &[2], hint);
    assert_kept(&[0.5, 0.5], 0.0, &[1], hint);
    let hint = "1 − 1e-300 is 1 in numbers of 64 bits, and yet one token stays";
    assert_kept(&four, 1e-300, &[2], hint);
    let hint = "with p = 1 only what adds nothing goes out: a token with probability 0 isn't \
                among the fewest";
    assert_kept(&four, 1.0, &[0, 1, 2, 3], hint);
    assert_kept(&[0.5, 0.0, 0.25, 0.25], 1.0, &[0, 2, 3], hint);

    let probabilities = softmax(&random(5, 1, 40)).row(0).to_vec();
    for p in [0.1, 0.5, 0.9, 0.99] {
        let kept = top_p(&probabilities, p);
        let sum: f64 = kept.iter().map(|&token| probabilities[token]).sum();
        let least = kept.iter().map(|&token| probabilities[token]).fold(1.0, f64::min);
        assert!(
            sum >= p - 1e-12 && sum - least < p,
            "of 40 random tokens and p = {p}, {kept:?} remain, with {sum:.4} together and \
             {:.4} without the least likely: it should be p or more, and less",
            sum - least
        );
        let larger = probabilities.iter().filter(|&&other| other > least).count();
        let hint = "as many as are at least as likely as the least likely that remains";
        assert_equal("tokens that remain", &kept.len(), &(larger + 1), hint);
    }
}

pub fn tempered(tempered: impl Fn(&[f64], f64) -> Vec<f64>) {
    let assert_tempered =
        |logits: &[f64], temperature: f64, expected: Array1<f64>, hint: &str| {
            let found = Array1::from(tempered(logits, temperature));
            let hint = format!("of {logits:?} at temperature {temperature:?}: {hint}");
            assert_close(&found, &expected, &hint);
        };
    let of = |scores: [f64; 3]| softmax(&array![scores]).row(0).to_owned(); // [1, 3] -> [3]
    let logits = [1.0, -2.0, 0.5];
    assert_tempered(&logits, 1.0, of(logits), "temperature 1 is the softmax.");
    let hint =
        "logits are divided: a high temperature makes them alike, a low one unlike.";
    assert_tempered(&logits, 2.0, of([0.5, -1.0, 0.25]), hint);
    assert_tempered(&logits, 0.5, of([2.0, -4.0, 1.0]), hint);
    let hint = "the largest takes all, without 0 / 0: that is the greedy search.";
    assert_tempered(&logits, 0.0, array![1.0, 0.0, 0.0], hint);
    let hint = "the largest may be negative: the maximum doesn't begin from 0.";
    assert_tempered(&[-3.0, -1.0, -2.0], 0.0, array![0.0, 1.0, 0.0], hint);
    let hint = "at any temperature equals are equally likely, and so in the limit: they share.";
    assert_tempered(&[3.0, 1.0, 3.0], 0.0, array![0.5, 0.0, 0.5], hint);
    let hint = "0 is the limit, not a small number in its place: the larger takes all, by \
                however little it is larger.";
    assert_tempered(&[1.0, 1.0 + 1e-9], 0.0, array![0.0, 1.0], hint);
    let hint = "no exponential may overflow: subtract the largest logit first.";
    assert_tempered(&[1000.0, 1000.0, 0.0], 1.0, array![0.5, 0.5, 0.0], hint);
    let hint =
        "900 / 1e-306 overflows, and ∞ − ∞ is NaN: subtract the largest, then divide.";
    assert_tempered(&[800.0, 900.0, 900.0], 1e-306, array![0.0, 0.5, 0.5], hint);
    let hint = "−∞ is a token taken out: it gets 0, and takes nothing from the others.";
    assert_tempered(&[f64::NEG_INFINITY, 0.0, 0.0], 3.0, array![0.0, 0.5, 0.5], hint);
    assert_tempered(&[f64::NEG_INFINITY, -5.0], 0.0, array![0.0, 1.0], hint);
}

pub fn perplexity(perplexity: impl Fn(&Array2<f64>, &[usize], &str) -> (f64, f64)) {
    // Of the three rows, the first gives token 1 a half, the second token 2 an eighth.
    let logits = array![[0.125, 0.5, 0.375], [0.75, 0.125, 0.125], [0.25, 0.5, 0.25]];
    let (found, bits) = perplexity(&logits.ln(), &[0, 1, 2], "pá!");
    let hint = "row 0 gives token 1 a probability of 1/2, and row 1 gives token 2 1/8: row i \
                guesses token i + 1, token 0 is given, and what the last row guesses isn't \
                there. The mean is of the 2 guesses: the root of 2 · 8 is 4";
    assert_number(found, 4.0, hint);
    let hint = "1/2 is a bit and 1/8 are three, a sum of 4, and “pá!” has 4 bytes: the á is two \
                in UTF-8. Not by tokens, nor by characters, nor with natural logarithms";
    assert_number(bits, 1.0, hint);

    let (found, bits) = perplexity(&Array2::zeros((5, 8)), &[0, 7, 7, 1, 3], "abcdef");
    let hint = "a model that takes all 8 tokens to be equally likely hesitates among 8. Logits \
                are not probabilities yet: the softmax comes first";
    assert_number(found, 8.0, hint);
    let hint = "each of the 4 tokens is 3 bits, 12 in all, for 6 bytes";
    assert_number(bits, 2.0, hint);

    let logits = array![[1000.0, 1000.0], [-900.0, -900.0], [0.0, 0.0]];
    let (found, bits) = perplexity(&logits, &[0, 1, 0], "ab");
    let hint = "logits far from 0 must neither overflow nor vanish: subtract the largest of the row";
    assert_number(found, 2.0, hint);
    assert_number(bits, 1.0, hint);
    let (_, bits) = perplexity(&array![[0.0, -1000.0], [0.0, 0.0]], &[0, 1], "a");
    let hint = "a probability of e⁻¹⁰⁰⁰ is 0 in numbers of 64 bits, and its logarithm −∞; the \
                logarithm of the softmax, the logit less the logarithm of the sum of the \
                exponentials, is −1000";
    assert_number(bits, 1000.0 / 2.0_f64.ln(), hint);
}

/// The logarithms of probabilities, `(last, next, probability)`. What isn't named is −∞, so
/// that a row may have less than 1 in all.
fn table(steps: &[(usize, usize, f64)]) -> Array2<f64> {
    let mut table = Array2::from_elem((7, 7), f64::NEG_INFINITY);
    for &(last, next, probability) in steps {
        table[[last, next]] = probability.ln();
    }
    table
}

/// The likeliest first token, 2, leads to nothing likely.
const ALLEY: [(usize, usize, f64); 11] = [
    (0, 2, 0.6),
    (0, 3, 0.4),
    (2, 4, 0.4),
    (2, 5, 0.35),
    (2, 1, 0.25),
    (3, 1, 0.9),
    (3, 4, 0.1),
    (4, 1, 0.6),
    (4, 5, 0.4),
    (5, 1, 0.3),
    (5, 4, 0.7),
];

/// To end at once is less likely than each step of a long text, and likelier than all.
const LONG: [(usize, usize, f64); 6] =
    [(0, 1, 0.3), (0, 2, 0.7), (2, 3, 0.6), (2, 1, 0.4), (3, 1, 0.6), (3, 2, 0.4)];

/// The third likeliest first token, 4, ends for certain.
const THIRD: [(usize, usize, f64); 11] = [
    (0, 2, 0.4),
    (0, 3, 0.35),
    (0, 4, 0.25),
    (2, 1, 0.55),
    (2, 5, 0.45),
    (3, 1, 0.45),
    (3, 5, 0.55),
    (4, 1, 1.0),
    (5, 1, 0.3),
    (5, 6, 0.2),
    (6, 1, 0.5),
];

/// The likeliest text is to end at once, but after two more tokens comes a better mean.
const LEAVES: [(usize, usize, f64); 8] = [
    (0, 1, 0.5),
    (0, 2, 0.3),
    (0, 3, 0.2),
    (2, 5, 0.52),
    (2, 4, 0.48),
    (4, 1, 1.0),
    (5, 6, 0.1),
    (3, 6, 0.1),
];

/// Both of the likeliest texts of two tokens begin with 2.
const SIBLINGS: [(usize, usize, f64); 7] = [
    (0, 2, 0.8),
    (0, 3, 0.2),
    (2, 4, 0.55),
    (2, 5, 0.45),
    (3, 1, 0.9),
    (4, 1, 0.1),
    (5, 1, 1.0),
];

type BestText = (Vec<usize>, f64);

pub fn best_text(
    best_text: impl Fn(&Array2<f64>, (usize, usize), usize, usize) -> BestText,
) {
    // The expected tokens, and the probability of each.
    let assert_best = |steps: &[(usize, usize, f64)],
                       (limit, b): (usize, usize),
                       expected: &[(usize, f64)],
                       hint: &str| {
        let (tokens, likely): (Vec<usize>, Vec<f64>) = expected.iter().copied().unzip();
        let (found, score) = best_text(&table(steps), (0, 1), limit, b);
        let what = format!("the tokens of a beam of {b} and {limit} steps");
        assert_equal(&what, &found, &tokens, hint);
        let sum: f64 = likely.iter().map(|probability| probability.ln()).sum();
        let hint = format!(
            "the score of {tokens:?}, the mean of the logarithms of {likely:?}: a sum of \
             logarithms, by the number of tokens added, of which `end` is one and `start` \
             is not"
        );
        assert_number(score, sum / tokens.len() as f64, &hint);
    };
    let hint = "a beam of 1 is the greedy search: 2 has 0.6, and then 4 has 0.4. `start` isn't \
                returned, and `end` is";
    assert_best(&ALLEY, (8, 1), &[(2, 0.6), (4, 0.4), (1, 0.6)], hint);
    let hint = "with 2, start 3 end is found, with a mean logarithm of (ln 0.4 + ln 0.9) / 2: \
                the likeliest first token doesn't begin the best text";
    assert_best(&ALLEY, (8, 2), &[(3, 0.4), (1, 0.9)], hint);
    let hint = "the limit counts steps: what hasn't ended then is finished as it is";
    assert_best(&ALLEY, (2, 1), &[(2, 0.6), (4, 0.4)], hint);
    let hint = "to end at once has the larger sum, ln 0.3 against ln 0.252, but three tokens \
                have the better mean. The first text to end doesn't end the search";
    assert_best(&LONG, (8, 2), &[(2, 0.7), (3, 0.6), (1, 0.6)], hint);
    let hint = "a beam of 2 has forgotten 4, the third likeliest first token, although 4 end \
                would be better, with 0.25 · 1.0, than 2 end with 0.4 · 0.55";
    assert_best(&THIRD, (8, 2), &[(2, 0.4), (1, 0.55)], hint);
    let hint = "a beam of 3 has room for 4, the third likeliest first token";
    assert_best(&THIRD, (8, 3), &[(4, 0.25), (1, 1.0)], hint);
    let hint = "the two kept are the likeliest of all candidates, even if both go on from the \
                same text: 2 4 and 2 5";
    assert_best(&SIBLINGS, (8, 2), &[(2, 0.8), (5, 0.45), (1, 1.0)], hint);
    let hint = "start end leaves the beam, and gives its place to others: of 2 5 and 2 4 both \
                go on, and 2 4 end is the best";
    assert_best(&LEAVES, (3, 2), &[(2, 0.3), (4, 0.48), (1, 1.0)], hint);
    let mark: Vec<_> = ALLEY.map(|(a, b, p)| (a, if b == 1 { 0 } else { b }, p)).into();
    let (found, _) = best_text(&table(&mark), (0, 0), 8, 2);
    let hint = "`start` may be the same token as `end`, as in papagaio: it ends nothing at the \
                beginning";
    assert_equal("the tokens", &found, &[3, 0], hint);
}

/// Weights that say where they stand: `10 · i + j` in row `i` and column `j`.
fn labeled(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| (10 * i + j) as f64)
}

pub fn induction_score(
    induction_score: impl Fn(&Array2<f64>, &[usize]) -> Option<f64>,
) {
    let assert_score = |tokens: &[usize], expected: f64, hint: &str| {
        let found = induction_score(&labeled(tokens.len()), tokens);
        let close = found.is_some_and(|found| (found - expected).abs() <= 1e-12);
        assert!(
            close,
            "of {tokens:?}, with 10 · i + j as the weight in row i and column j: expected \
             Some({expected}), but found {found:?}: {hint}"
        );
    };
    let hint = "token 3 (from 0) is a 7, as token 0 was, and so its weight for token 1 counts, \
                31: the row is who looks, the column the one *after* the earlier occurrence. \
                The tokens without one don't count in the mean";
    assert_score(&[7, 8, 9, 7], 31.0, hint);
    let hint = "the second 7 looks at token 1 and the second 8 at token 2: the mean of 31 and \
                42";
    assert_score(&[7, 8, 9, 7, 8], 36.5, hint);
    let hint = "the third 7 looks at what came after the second, 43, and not after the first: \
                the mean of 21 and 43";
    assert_score(&[7, 8, 7, 9, 7], 32.0, hint);
    let hint = "after the first 7 came the second: it looks at itself, 11. Two of the same side \
                by side are an occurrence like any other";
    assert_score(&[7, 7], 11.0, hint);
    let hint = "the distance is not half the text: each token has its own";
    assert_score(&[4, 5, 5, 6, 4, 6], (22.0 + 41.0 + 54.0) / 3.0, hint);
    for tokens in [&[7, 8, 9][..], &[7], &[]] {
        let found = induction_score(&labeled(tokens.len()), tokens);
        let hint = "nothing repeats: there is no mean, neither 0 nor 0 / 0";
        assert_equal(&format!("of {tokens:?}"), &found, &None, hint);
    }
}

pub fn induction_circuit(
    induction_circuit: impl Fn(&[usize], usize) -> [Array2<f64>; 3],
) {
    let circuit = |tokens: &[usize], vocabulary: usize| {
        let found = induction_circuit(tokens, vocabulary);
        let n = tokens.len();
        for (matrix, columns) in found.iter().zip([n, n, vocabulary]) {
            let hint =
                "weights of head 1 and of head 2, [n, n], and guesses, [n, vocabulary]";
            assert_equal("the shape", &matrix.dim(), &(n, columns), hint);
        }
        found
    };
    let [previous, induction, guesses] = circuit(&[0, 1, 2, 3, 1], 4);
    let hint = "head 1, on 0 1 2 3 1: row i has its 1 in column i − 1, and the first, which \
                has none before it, in its own. A match must score so high that the softmax \
                leaves the others less than 1e-12.";
    let mut expected = Array2::zeros((5, 5));
    for (i, before) in [0, 0, 1, 2, 3].into_iter().enumerate() {
        expected[[i, before]] = 1.0;
    }
    assert_close(&previous, &expected, hint);
    let found = induction.row(4).to_owned();
    let hint = "head 2, on 0 1 2 3 1, the last row: the token 1 looks for where head 1 took a 1, \
                which is at the 2 in place 2. Its query is its token, and the keys are what \
                head 1 found; looking for the same token would be places 1 and 4.";
    assert_close(&found, &array![0.0, 0.0, 1.0, 0.0, 0.0], hint);
    let found = guesses.row(4).to_owned();
    let hint = "the guess after 0 1 2 3 1: the token that stands where head 2 looks, a 2, and \
                not what head 1 took there, a 1.";
    assert_close(&found, &array![0.0, 0.0, 1.0, 0.0], hint);
    let hint = "head 2, on 0 1 2 3 1: tokens 1, 2 and 3 are new where they first stand. No key \
                matches, all scores are 0, and the softmax shares alike among what the mask \
                leaves: the token itself and those before it.";
    for i in 0..4 {
        let share = if i == 0 { 1.0 } else { 1.0 / (i + 1) as f64 };
        let row = Array1::from_shape_fn(5, |j| if j <= i { share } else { 0.0 });
        assert_close(&induction.row(i).to_owned(), &row, hint);
    }
    let hint =
        "the guess at the first 3 of 0 1 2 3 1: a quarter for each token so far.";
    assert_close(&guesses.row(3).to_owned(), &array![0.25, 0.25, 0.25, 0.25], hint);

    let [_, induction, guesses] = circuit(&[0, 1, 2, 1, 2, 1, 3, 1], 6);
    let hint = "head 2, on 0 1 2 1 2 1 3 1, the last row: the 1 was followed by the tokens in \
                places 2, 4 and 6, and all three match alike.";
    let third = 1.0 / 3.0;
    let expected = array![0.0, 0.0, third, 0.0, third, 0.0, third, 0.0];
    assert_close(&induction.row(7).to_owned(), &expected, hint);
    let hint =
        "the guess after 0 1 2 1 2 1 3 1: two of three times a 2 followed, once a 3.";
    let expected = array![0.0, 0.0, 2.0 * third, third, 0.0, 0.0];
    assert_close(&guesses.row(7).to_owned(), &expected, hint);
    let [_, _, guesses] = circuit(&[0, 2, 2], 3);
    let hint = "the guess after 0 2 2: at the second 2 head 1 took a 2, and so the second 2 \
                finds itself.";
    assert_close(&guesses.row(2).to_owned(), &array![0.0, 0.0, 1.0], hint);
    let [previous, induction, guesses] = circuit(&[0], 2);
    let hint = "a single token has only itself.";
    assert_close(&previous, &array![[1.0]], hint);
    assert_close(&induction, &array![[1.0]], hint);
    assert_close(&guesses, &array![[1.0, 0.0]], hint);
}
