//! Checks for the exercises of chapter 2.

#![allow(clippy::float_cmp, reason = "labels, masks and maxima are exact")]

use std::ops::Range;

use ndarray::{Array1, Array2, Array3, Axis, array, s};
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;
use whole_transformer::{mask, scaled_dot_product};

use super::asserts::{assert_close, assert_equal};

const HIDDEN: f64 = f64::NEG_INFINITY;

/// Words whose numbers say where they are: word `i` has `10 · i + j` in column `j`.
fn labeled(n: usize, d_model: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d_model), |(i, j)| (10 * i + j) as f64)
}

/// The heads of [`labeled`] words: `[heads, n, d_k]`.
fn labeled_heads(heads: usize, n: usize, d_k: usize) -> Array3<f64> {
    Array3::from_shape_fn((heads, n, d_k), |(h, i, c)| (10 * i + h * d_k + c) as f64)
}

pub fn split_heads(split_heads: impl Fn(&Array2<f64>, usize) -> Array3<f64>) {
    let x = labeled(4, 6);
    let found = split_heads(&x, 2);
    assert_eq!(
        found.shape(),
        [2, 4, 3],
        "4 words of 6 numbers in 2 heads are [heads, n, d_k] = [2, 4, 3]"
    );
    for ((head, i, _), &number) in found.indexed_iter() {
        assert!(
            (0..6).any(|j| number == x[[i, j]]),
            "row {i} of every head must come from word {i}, {}, but head {head} has\n{}\n\
             Reshaped straight to [heads, n, d_k], the first head takes the first words \
             whole: cut each word in pieces, [n, heads, d_k], and then swap the axes.",
            x.row(i),
            found.index_axis(Axis(0), head)
        );
    }
    let hint = "head h gets columns h · d_k .. (h + 1) · d_k, which are neighbors: the pieces \
         of a word are [heads, d_k], not [d_k, heads].";
    assert_close(&found, &labeled_heads(2, 4, 3), hint);
    let hint = "d_k is d_model / heads: 3 heads of 6 columns have 2 each.";
    assert_close(&split_heads(&x, 3), &labeled_heads(3, 4, 2), hint);
    let hint = "a single head gets all columns.";
    assert_close(&split_heads(&x, 1), &labeled_heads(1, 4, 6), hint);
}

/// Random words, `[rows, columns]`.
fn random(seed: u32, rows: usize, columns: usize) -> Array2<f64> {
    NumpyRandom::seed(seed).rand(rows, columns) * 4.0 - 2.0
}

/// Attention of `n` queries to `m` keys, `[n, d_v]`.
fn attend(q: &Array2<f64>, k: &Array2<f64>, v: &Array2<f64>) -> Array2<f64> {
    scaled_dot_product(q, k, v, None).expect("shapes that fit").output
}

/// What the head finds whose queries are columns `q` and whose keys and values are columns
/// `kv`, `[n, d_k]`.
fn head_of(
    (queries, q): (&Array2<f64>, Range<usize>),
    (keys, values, kv): (&Array2<f64>, &Array2<f64>, Range<usize>),
) -> Array2<f64> {
    let columns =
        |x: &Array2<f64>, range: Range<usize>| x.slice(s![.., range]).to_owned();
    attend(&columns(queries, q), &columns(keys, kv.clone()), &columns(values, kv))
}

type Grouped = (usize, usize);

pub fn grouped_query(
    grouped_query: impl Fn(&Array2<f64>, &Array2<f64>, &Array2<f64>, Grouped) -> Array2<f64>,
) {
    let q = random(1, 5, 12);
    for (heads, groups, hint) in [
        (
            4,
            1,
            "with one group (multi-query), every head has its own queries, and all look \
             with them at the same keys and mix the same values.",
        ),
        (
            4,
            2,
            "heads 0 and 1 share group 0, heads 2 and 3 group 1: neighbors, not every \
             other one.",
        ),
        (6, 2, "with 6 heads in 2 groups, the first three heads share group 0."),
        (3, 3, "with as many groups as heads, it is the attention of several heads."),
        (1, 1, "one head alone has all columns."),
    ] {
        let d_k = 12 / heads;
        let [k, v] = [2, 3].map(|seed| random(seed, 7, groups * d_k)); // [m, groups · d_k]
        let found = grouped_query(&q, &k, &v, (heads, groups));
        assert_eq!(
            found.shape(),
            [5, 12],
            "{heads} heads of {d_k} columns put side by side are [n, heads · d_k] = [5, 12]"
        );
        for head in 0..heads {
            let group = head * groups / heads;
            let (mine, shared) = (head * d_k, group * d_k);
            let expected =
                head_of((&q, mine..mine + d_k), (&k, &v, shared..shared + d_k));
            let found = found.slice(s![.., mine..mine + d_k]).to_owned();
            let place = format!("{heads} heads, {groups} groups, head {head}: {hint}");
            assert_close(&found, &expected, &place);
        }
    }
}

pub fn attend_next(
    attend_next: impl Fn(
        &mut Array2<f64>,
        &mut Array2<f64>,
        &Array1<f64>,
        &Array1<f64>,
        &Array1<f64>,
    ) -> Array1<f64>,
) {
    let (n, d_k, d_v) = (5, 4, 3);
    let (q, k, v) = (random(1, n, d_k), random(2, n, d_k), random(3, n, d_v));
    let whole = scaled_dot_product(&q, &k, &v, Some(&mask::causal(n)));
    let whole = whole.expect("shapes that fit").output; // [n, d_v]
    let (mut keys, mut values) = (Array2::zeros((0, d_k)), Array2::zeros((0, d_v)));
    for i in 0..n {
        let row = |x: &Array2<f64>| x.row(i).to_owned();
        let found = attend_next(&mut keys, &mut values, &row(&q), &row(&k), &row(&v));
        for (name, kept, all) in [("keys", &keys, &k), ("values", &values, &v)] {
            let hint = format!(
                "after word {i} the {name} kept are those of words 0 to {i}, in order: the \
                 next word needs them."
            );
            assert_close(kept, &all.slice(s![..=i, ..]).to_owned(), &hint);
        }
        let hint = format!(
            "word {i} looks at itself and at all before it, and mixes their values with \
             the softmax of q · k / √d_k."
        );
        assert_close(&found, &whole.row(i).to_owned(), &hint);
    }
}

pub fn hide_padding(hide_padding: impl Fn(&Array2<f64>, &[bool]) -> Array2<f64>) {
    let open = Array2::zeros((3, 3));
    let found = hide_padding(&open, &[false, true, false]);
    assert!(
        found.iter().all(|number| !number.is_nan()),
        "0 · −∞ is NaN: put −∞ where the padding is, don't multiply by it. Found\n{found}"
    );
    assert!(
        found.column(0).iter().any(|&number| number == 0.0),
        "key 0 is not padding (`true` says that a key is), but nobody sees it:\n{found}"
    );
    let expected = array![[0.0, HIDDEN, 0.0], [0.0, HIDDEN, 0.0], [0.0, HIDDEN, 0.0]];
    let hint = "a key is a column: padding is hidden from every query by −∞, but the \
                query in its own row looks on.";
    assert_close(&found, &expected, hint);

    let causal = mask::causal(3);
    let found = hide_padding(&causal, &[true, false, false]);
    let expected =
        array![[HIDDEN, HIDDEN, HIDDEN], [HIDDEN, 0.0, HIDDEN], [HIDDEN, 0.0, 0.0]];
    let hint = "what the mask already hid stays hidden (here it is causal), even if that \
                leaves a query nothing to look at.";
    assert_close(&found, &expected, hint);

    let biased = array![[0.0, -1.5, HIDDEN, 2.0], [-1.0, 0.5, 0.0, 0.0]];
    let found = hide_padding(&biased, &[false, false, true, true]);
    let expected = array![[0.0, -1.5, HIDDEN, HIDDEN], [-1.0, 0.5, HIDDEN, HIDDEN]];
    let hint = "here 2 queries look at 4 keys, and the mask of a key that is not padding \
                stays as it is, whatever number it is.";
    assert_close(&found, &expected, hint);
}

type Attend = fn(&Array2<f64>) -> Array2<f64>;

/// Attention of the words, `[n, d]`, to themselves, without weights.
fn attention(x: &Array2<f64>, mask: Option<&Array2<f64>>) -> Array2<f64> {
    scaled_dot_product(x, x, x, mask).expect("words that are finite").output
}

/// The words, `[n, d]`, with their positions times `scale` added.
fn positioned(x: &Array2<f64>, scale: f64) -> Array2<f64> {
    x + &(whole_transformer::sinusoidal(x.nrows(), x.ncols()) * scale)
}

/// Each word, `[n, d]`, replaced by the first one.
fn all_the_first(x: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn(x.dim(), |(_, column)| x[[0, column]])
}

pub fn tells_order(tells_order: impl Fn(Attend, &Array2<f64>, &[usize]) -> bool) {
    let n = 7;
    let x = NumpyRandom::seed(42).rand(n, 4) * 4.0 - 2.0;
    let in_order: Vec<usize> = (0..n).collect();
    // None is its own inverse: one applied for the other goes unnoticed otherwise.
    let rotated: Vec<usize> = (0..n).map(|i| (i + 2) % n).collect();
    let mixed: Vec<usize> = (0..n).map(|i| (3 * i + 1) % n).collect();
    let inside = vec![0, 3, 1, 2, 4, 5, 6]; // the first words and the last stay
    let assert_told = |expected: bool, attend: Attend, order: &[usize], hint: &str| {
        let found = tells_order(attend, &x, order);
        assert!(
            found == expected,
            "with order {order:?}, expected {expected} but found {found}: {hint}"
        );
    };

    for order in [&rotated, &mixed, &inside] {
        let hint = "leaving the words as they are doesn't tell their order. Row i of \
                    the shuffled output belongs to word order[i]: compare it with that \
                    word's row, not with row i.";
        assert_told(false, Clone::clone, order, hint);
        let hint = "attention without positions doesn't tell the order: what remains is \
                    rounding, since sums are taken in another order. Equal means to 1e-9.";
        assert_told(false, |x| attention(x, None), order, hint);
        let hint = "adding positions puts other numbers in the rows, even if the sum of \
                    the rows is the same: compare number by number.";
        assert_told(true, |x| positioned(x, 1.0), order, hint);
        let hint = "attention with positions tells the order.";
        assert_told(true, |x| attention(&positioned(x, 1.0), None), order, hint);
        let hint = "causal attention tells the order, even without positions.";
        let causal: Attend = |x| attention(x, Some(&mask::causal(x.nrows())));
        assert_told(true, causal, order, hint);
        let hint = "a millionth of the positions is small, but far above rounding: the \
                    limit is 1e-9.";
        assert_told(true, |x| positioned(x, 1e-6), order, hint);
    }
    let hint = "this order shuffles nothing; was `order` used?";
    let causal: Attend = |x| attention(x, Some(&mask::causal(x.nrows())));
    assert_told(false, causal, &in_order, hint);

    let rising = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    for x in [&rising, &-&rising] {
        assert!(
            tells_order(all_the_first, x, &[1, 2, 0]),
            "a function that gives every word the first one's vector tells the order, \
             but found false: a difference may have either sign, take its absolute value"
        );
    }
}

pub fn rotate(rotate: impl Fn(&Array1<f64>, usize) -> Array1<f64>) {
    let x = array![1.0, 2.0, 3.0, -4.0, 0.5, 1.5];
    let hint = "position 0 turns nothing.";
    assert_close(&rotate(&x, 0), &x, hint);
    let (sine, cosine) = 3.0_f64.sin_cos();
    let hint = "(1, 0) turned by an angle is (cos, sin), here by 3 radians, from the first \
                coordinate toward the second; both new ones come from the old ones.";
    assert_close(&rotate(&array![1.0, 0.0], 3), &array![cosine, sine], hint);
    let hint = "(0, 1) turned by an angle is (−sin, cos).";
    assert_close(&rotate(&array![0.0, 1.0], 3), &array![-sine, cosine], hint);
    let (sine, cosine) = 0.5_f64.sin_cos();
    let hint = "columns 2 and 3 are pair 1: with d_k = 4 its angle is position / \
                10000^(2/4), a hundredth of the position. Neighbors make a pair.";
    assert_close(
        &rotate(&array![0.0, 0.0, 1.0, 0.0], 50),
        &array![0.0, 0.0, cosine, sine],
        hint,
    );
    let (q, k) = (random(5, 1, 6).row(0).to_owned(), random(6, 1, 6).row(0).to_owned());
    let expected = rotate(&q, 9).dot(&rotate(&k, 4));
    let hint = "the score of two words depends on their distance alone: positions 9 and 4, \
                25 and 20, 1005 and 1000.";
    for start in [20, 1000] {
        let found = rotate(&q, start + 5).dot(&rotate(&k, start));
        assert!((found - expected).abs() < 1e-9, "{expected} became {found}: {hint}");
    }
    let found = rotate(&x, 77);
    let lengths = [x.dot(&x), found.dot(&found)].map(f64::sqrt);
    assert!(
        (lengths[0] - lengths[1]).abs() < 1e-9,
        "turning changes no length, but {} became {}",
        lengths[0],
        lengths[1]
    );
}

pub fn layer_norm(layer_norm: impl Fn(&Array2<f64>, f64) -> Array2<f64>) {
    // The mean is 4 and the variance 5; then the same 10 times larger, and shifted.
    let x = array![[1.0, 3.0, 5.0, 7.0], [110.0, 130.0, 150.0, 170.0]];
    let found = layer_norm(&x, 0.0);
    assert!(
        found.sum_axis(Axis(1)).iter().all(|sum| sum.abs() < 1e-12),
        "the mean of each row must become 0, but found\n{found:.4}\n\
         Is the mean of the row, not of the column or of everything, subtracted?"
    );
    let row = array![-3.0, -1.0, 1.0, 3.0] / 5.0_f64.sqrt();
    let expected = ndarray::stack![Axis(0), row, row];
    let hint = "divide by the standard deviation, row by row: the root of the variance. \
                That of 1, 3, 5, 7 is 5 (divide by d_model, not by d_model − 1), and \
                epsilon is 0 here.";
    assert_close(&found, &expected, hint);

    let found = layer_norm(&array![[2.0, 2.0, 2.0]], 1e-5);
    let hint = "a row of equal numbers becomes zeros: 0 / √(0 + epsilon), not 0 / 0.";
    assert_close(&found, &array![[0.0, 0.0, 0.0]], hint);

    let found = layer_norm(&x.select(Axis(0), &[0]), 4.0);
    let hint = "epsilon goes inside the root: √(5 + 4) = 3 divides 1 − 4, 3 − 4, 5 − 4 \
                and 7 − 4.";
    assert_close(&found, &array![[-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0]], hint);

    let found = layer_norm(&(x + 1e8), 0.0);
    assert!(
        approx::abs_diff_eq!(found, expected, epsilon = 1e-6),
        "numbers shifted by 1e8 must give the same\n{expected:.4}\nbut found\n{found:.4}\n\
         Subtract the mean before squaring: mean of squares − square of the mean loses \
         every digit here."
    );
}

const START: usize = 0;
const END: usize = 1;

/// A story's next logits: a constant is added to all of them, which no softmax notices.
fn logits(tokens: &[usize], probabilities: [f64; 6], constant: f64) -> Array1<f64> {
    assert!(
        tokens.first().is_some_and(|token| [START, END].contains(token)),
        "next_logits must be given all tokens so far, `start` first, but got {tokens:?}"
    );
    assert!(
        !tokens[1..].contains(&END),
        "next_logits was asked what follows {tokens:?}, which has ended: a sentence that \
         has ended is kept as it is"
    );
    assert!(tokens.len() < 9, "next_logits got {tokens:?}: more than any limit");
    Array1::from(probabilities.map(|probability| probability.ln() + constant).to_vec())
}

/// The likeliest first word leads nowhere: 0.5 · 0.3, where the second has 0.4 · 0.9.
fn blind_alley(tokens: &[usize]) -> Array1<f64> {
    match &tokens[1..] {
        [] => logits(tokens, [0.01, 0.04, 0.5, 0.4, 0.03, 0.02], 0.0),
        [2] => logits(tokens, [0.05, 0.1, 0.15, 0.2, 0.3, 0.2], 10.0),
        [3] => logits(tokens, [0.02, 0.9, 0.03, 0.02, 0.02, 0.01], -10.0),
        _ => logits(tokens, [0.02, 0.9, 0.03, 0.02, 0.02, 0.01], 10.0),
    }
}

/// Ending at once has 0.43; going on has 0.55 · 0.95 · 0.99.
fn longer(tokens: &[usize]) -> Array1<f64> {
    match &tokens[1..] {
        [] => logits(tokens, [0.005, 0.43, 0.55, 0.006, 0.004, 0.005], 0.0),
        [2] => logits(tokens, [0.01, 0.01, 0.01, 0.95, 0.01, 0.01], 0.0),
        _ => logits(tokens, [0.002, 0.99, 0.003, 0.002, 0.002, 0.001], 0.0),
    }
}

/// Ending at once has 0.5, and whatever goes on ends below 0.4.
fn shorter(tokens: &[usize]) -> Array1<f64> {
    match &tokens[1..] {
        [] => logits(tokens, [0.01, 0.5, 0.4, 0.06, 0.02, 0.01], 0.0),
        [2] => logits(tokens, [0.02, 0.03, 0.02, 0.9, 0.02, 0.01], 0.0),
        _ => logits(tokens, [0.002, 0.99, 0.003, 0.002, 0.002, 0.001], 0.0),
    }
}

/// 0.5 · 0.5 is more than 0.3 · 0.8, and 0.5 + 0.5 is less than 0.3 + 0.8.
fn product(tokens: &[usize]) -> Array1<f64> {
    match &tokens[1..] {
        [] => logits(tokens, [0.01, 0.06, 0.5, 0.3, 0.08, 0.05], 0.0),
        [3] => logits(tokens, [0.02, 0.8, 0.06, 0.05, 0.04, 0.03], 0.0),
        _ => logits(tokens, [0.02, 0.5, 0.1, 0.18, 0.11, 0.09], 0.0),
    }
}

/// The third word to begin with, 4, would have been the best: 0.2 · 0.99.
fn third(tokens: &[usize]) -> Array1<f64> {
    match &tokens[1..] {
        [] => logits(tokens, [0.01, 0.02, 0.41, 0.34, 0.2, 0.02], 0.0),
        [4] => logits(tokens, [0.002, 0.99, 0.003, 0.002, 0.002, 0.001], 0.0),
        _ => logits(tokens, [0.1, 0.32, 0.13, 0.14, 0.15, 0.16], 0.0),
    }
}

/// Both best sentences begin with 2: 0.7 · 0.45 and 0.7 · 0.44, of which the second ends
/// better. What begins with 3 has 0.2 · 0.5.
fn siblings(tokens: &[usize]) -> Array1<f64> {
    match &tokens[1..] {
        [] => logits(tokens, [0.01, 0.02, 0.7, 0.2, 0.03, 0.04], 0.0),
        [2] => logits(tokens, [0.02, 0.03, 0.02, 0.04, 0.45, 0.44], 0.0),
        [3] => logits(tokens, [0.02, 0.03, 0.5, 0.2, 0.15, 0.1], 0.0),
        [2, 4] => logits(tokens, [0.1, 0.4, 0.13, 0.14, 0.12, 0.11], 0.0),
        _ => logits(tokens, [0.02, 0.9, 0.03, 0.02, 0.02, 0.01], 0.0),
    }
}

type NextLogits = fn(&[usize]) -> Array1<f64>;

pub fn beam(beam: impl Fn(NextLogits, (usize, usize), usize) -> Vec<usize>) {
    let ends = (START, END);
    let hint = "after one step, the likelier of the two sentences kept is start and the \
                likeliest token.";
    assert_equal("tokens", &beam(blind_alley, ends, 1), &[0, 2], hint);
    let hint = "the likeliest first token is not the likeliest sentence: 0.5 · 0.3 is less \
                than 0.4 · 0.9. Compare products of probabilities (sums of their \
                logarithms), not of logits: those of another step may all be larger.";
    assert_equal("tokens", &beam(blind_alley, ends, 2), &[0, 3, END], hint);
    assert_equal("tokens", &beam(blind_alley, ends, 8), &[0, 3, END], hint);
    let hint = "one of the two sentences ends at the first step with 0.43; the other, going \
                on, ends with 0.55 · 0.95 · 0.99: only when both have ended is it decided.";
    assert_equal("tokens", &beam(longer, ends, 8), &[0, 2, 3, END], hint);
    let hint =
        "what has ended, with 0.5, stays and competes: what goes on falls below it.";
    assert_equal("tokens", &beam(shorter, ends, 8), &[0, END], hint);
    let hint = "0.5 · 0.5 is likelier than 0.3 · 0.8: probabilities are multiplied.";
    assert_equal("tokens", &beam(product, ends, 2), &[0, 2, END], hint);
    let hint = "a beam of two has forgotten the third likeliest first token, however well \
                its sentence would have ended.";
    assert_equal("tokens", &beam(third, ends, 8), &[0, 2, END], hint);
    let hint = "the two kept are the likeliest of all candidates, even if both continue the \
                same sentence.";
    assert_equal("tokens", &beam(siblings, ends, 8), &[0, 2, 5, END], hint);
    let hint =
        "the limit counts the tokens chosen, without `start`; with 0, nothing is.";
    assert_equal("tokens", &beam(siblings, ends, 2), &[0, 2, 4], hint);
    assert_equal("tokens", &beam(siblings, ends, 0), &[0], hint);
    let hint =
        "`start` is not chosen: even if it equals `end`, it doesn't end the sentence.";
    assert_equal("tokens", &beam(blind_alley, (END, END), 8), &[END, 3, END], hint);
}

pub fn top_k(top_k: impl Fn(&Array1<f64>, usize, f64) -> Array1<f64>) {
    let softmax_of =
        |scores: Array1<f64>| softmax(&scores.insert_axis(Axis(0))).row(0).to_owned();
    let logits = array![-3.0, -1.0, -4.0, -2.0];
    let hint = "with k the whole vocabulary and temperature 1, it is the softmax.";
    assert_close(&top_k(&logits, 4, 1.0), &softmax_of(logits.clone()), hint);
    let hint = "a k larger than the vocabulary keeps all of it.";
    assert_close(&top_k(&logits, 9, 1.0), &softmax_of(logits.clone()), hint);
    let hint = "the two largest logits are −1 and −2, places 1 and 3: they share all of the \
                probability, and the others get 0.";
    let two = softmax_of(array![-1.0, -2.0]);
    let expected = array![0.0, two[0], 0.0, two[1]];
    assert_close(&top_k(&logits, 2, 1.0), &expected, hint);
    let hint =
        "at temperature 2 the logits count as half: the likeliest loses to the others.";
    let two = softmax_of(array![-0.5, -1.0]);
    let expected = array![0.0, two[0], 0.0, two[1]];
    assert_close(&top_k(&logits, 2, 2.0), &expected, hint);
    let hint = "of equal logits, the first: exactly k tokens are kept.";
    let level = array![1.0, 3.0, 3.0, 3.0];
    assert_close(&top_k(&level, 2, 1.0), &array![0.0, 0.5, 0.5, 0.0], hint);
    let hint = "k = 1 is the greedy search.";
    assert_close(&top_k(&level, 1, 5.0), &array![0.0, 1.0, 0.0, 0.0], hint);
    let hint = "near temperature 0 the likeliest takes all, and large scores must not \
                overflow.";
    let cold = top_k(&array![1.0, 2.0, 4.0], 2, 1e-3);
    assert_close(&cold, &array![0.0, 0.0, 1.0], hint);
}
