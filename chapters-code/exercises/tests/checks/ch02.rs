//! Checks for the exercises of chapter 2.

#![allow(clippy::float_cmp, reason = "labels, masks and maxima are exact")]

use ndarray::{Array1, Array2, Array3, Axis, array};
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;
use whole_transformer::{mask, scaled_dot_product};

use super::{assert_close, assert_equal};

const HIDDEN: f64 = f64::NEG_INFINITY;

/// Words whose numbers say where they are: word `i` has `10 · i + j` in column `j`.
fn labelled(n: usize, d_model: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d_model), |(i, j)| (10 * i + j) as f64)
}

/// The heads of [`labelled`] words: `[heads, n, d_k]`.
fn labelled_heads(heads: usize, n: usize, d_k: usize) -> Array3<f64> {
    Array3::from_shape_fn((heads, n, d_k), |(h, i, c)| (10 * i + h * d_k + c) as f64)
}

pub fn split_heads(split_heads: impl Fn(&Array2<f64>, usize) -> Array3<f64>) {
    let x = labelled(4, 6);
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
    let hint = "head h gets columns h · d_k .. (h + 1) · d_k, which are neighbours: the pieces \
         of a word are [heads, d_k], not [d_k, heads].";
    assert_close(&found, &labelled_heads(2, 4, 3), hint);
    let hint = "d_k is d_model / heads: 3 heads of 6 columns have 2 each.";
    assert_close(&split_heads(&x, 3), &labelled_heads(3, 4, 2), hint);
    let hint = "a single head gets all columns.";
    assert_close(&split_heads(&x, 1), &labelled_heads(1, 4, 6), hint);
}

pub fn merge_heads(merge_heads: impl Fn(&Array3<f64>) -> Array2<f64>) {
    let found = merge_heads(&labelled_heads(2, 4, 3));
    assert_eq!(
        found.shape(),
        [4, 6],
        "2 heads of 4 words by 3 columns are [n, heads · d_k] = [4, 6]: heads go side by \
         side, not one above the other, nor added up"
    );
    let x = labelled(4, 6);
    for ((i, _), &number) in found.indexed_iter() {
        assert!(
            (0..6).any(|j| number == x[[i, j]]),
            "row {i} must have the numbers of word {i}, {}, but it is\n{}\n\
             Reshaped straight from [heads, n, d_k], a row gets several words of one \
             head: swap the axes first, [n, heads, d_k].",
            x.row(i),
            found.row(i)
        );
    }
    let hint = "head 0's columns come first, all of them, then head 1's: do not \
                interleave them.";
    assert_close(&found, &x, hint);
    let hint = "3 heads of 2 columns make 6.";
    assert_close(&merge_heads(&labelled_heads(3, 4, 2)), &x, hint);
}

pub fn causal_mask(causal_mask: impl Fn(usize) -> Array2<f64>) {
    let found = causal_mask(3);
    assert_eq!(found.shape(), [3, 3], "3 words need a mask of [n, n] = [3, 3]");
    assert!(
        !found.iter().any(|&number| number == 1.0),
        "the mask is added to the scores, and so 0 shows a key and −∞ hides it, but it \
         has ones:\n{found}"
    );
    assert!(
        found.diag().iter().all(|&number| number == 0.0),
        "every word sees itself, so the diagonal is all 0, but found\n{found}"
    );
    assert!(
        found[[2, 0]] == 0.0,
        "the last query, row 2, sees the first key, column 0, but found\n{found}\n\
         A query sees all that came before it, near or far: is the other triangle hidden?"
    );
    // What is hidden has the largest scores there are, what is not the smallest.
    let scores =
        Array2::from_shape_fn((3, 3), |(i, j)| if j > i { f64::MAX } else { f64::MIN });
    let weights = softmax(&(scores + &found));
    let expected = array![[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1.0, 1.0, 1.0]];
    let expected = &expected / &expected.sum_axis(Axis(1)).insert_axis(Axis(1));
    let hint = "these are the weights of enormous hidden scores: what is hidden must get \
                0 whatever its score. Only −∞ does that; a large finite number can be \
                beaten.";
    assert_close(&weights, &expected, hint);
    let expected =
        array![[0.0, HIDDEN, HIDDEN], [0.0, 0.0, HIDDEN], [0.0, 0.0, 0.0_f64]];
    let hint = "0 where j ≤ i, −∞ where j > i.";
    assert_close(&found, &expected, hint);
    let hint = "the size of the mask follows n.";
    assert_close(&causal_mask(1), &array![[0.0]], hint);
    assert_close(&causal_mask(6), &mask::causal(6), hint);
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

pub fn sinusoidal(sinusoidal: impl Fn(usize, usize) -> Array1<f64>) {
    let hint = "sin 0 = 0 and cos 0 = 1, by turns: even columns are sines, odd columns \
                cosines; positions count from 0.";
    assert_close(&sinusoidal(0, 6), &array![0.0, 1.0, 0.0, 1.0, 0.0, 1.0], hint);
    let found = sinusoidal(3, 2);
    let hint = "columns 0 and 1 are sin(position) and cos(position): the same angle, in \
                radians.";
    assert_close(&found, &array![3.0_f64.sin(), 3.0_f64.cos()], hint);

    let found = sinusoidal(50, 4);
    let angles = [50.0_f64, 0.5];
    let expected =
        array![angles[0].sin(), angles[0].cos(), angles[1].sin(), angles[1].cos()];
    let hint = "columns 2 and 3 are pair 1: with d_model = 4 both have the angle \
                position / 10000^(2/4), a hundredth of the position (and 2 / 4 in whole \
                numbers is 0).";
    assert_close(&found, &expected, hint);

    for (position, d_model) in [(7, 5), (1, 1), (100, 12), (63, 64)] {
        let expected = whole_transformer::sinusoidal(position + 1, d_model);
        let hint = format!(
            "position {position}, d_model = {d_model}: the angle of pair i is position / \
             10000^(2i / d_model); if d_model is odd, the last column is a sine."
        );
        let found = sinusoidal(position, d_model);
        assert_close(&found, &expected.row(position).to_owned(), &hint);
    }
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

const START: usize = 4;
const END: usize = 6;

/// Logits of 8 tokens: the likeliest is token 1 after one token, 2 after two, 3 after
/// three, and then always [`END`]. All are below 0, and token 5 is the least likely.
fn counting(tokens: &[usize]) -> Array1<f64> {
    assert!(
        tokens.first().is_some_and(|token| [START, END].contains(token)),
        "next_logits must be given all tokens so far, `start` first, but got {tokens:?}"
    );
    assert!(
        tokens.len() < 20,
        "next_logits got {} tokens, more than any limit asked for: count the chosen \
         ones, and stop at `limit`",
        tokens.len()
    );
    let likeliest = if tokens.len() < 4 { tokens.len() } else { END };
    let mut logits = Array1::from_elem(8, -5.0);
    logits[5] = -9.0;
    logits[likeliest] = -1.0;
    logits
}

pub fn greedy(
    greedy: impl Fn(fn(&[usize]) -> Array1<f64>, (usize, usize), usize) -> Vec<usize>,
) {
    let hint = "`start`, then one token: the one with the largest logit (all of them are \
                below 0). The limit counts the tokens chosen, without `start`.";
    assert_equal("tokens", &greedy(counting, (START, END), 1), &[START, 1], hint);
    let hint = "of equal logits, the first (`max_by` gives the last).";
    let level = |_: &[usize]| Array1::zeros(3);
    assert_equal("tokens", &greedy(level, (START, END), 1), &[START, 0], hint);
    let hint = "with a limit of 10, stop as soon as `end` is chosen, and keep it: \
                nothing comes after it.";
    let whole = [START, 1, 2, 3, END];
    assert_equal("tokens", &greedy(counting, (START, END), 10), &whole, hint);
    let hint = "the limit is how many tokens are chosen, `end` included if it is.";
    for limit in [0, 2, 3, 4] {
        let found = greedy(counting, (START, END), limit);
        assert_equal("tokens", &found, &whole[..=limit], hint);
    }
    let hint = "`start` is not a choice: even if it equals `end`, it doesn't end the \
                sentence.";
    assert_equal(
        "tokens",
        &greedy(counting, (END, END), 10),
        &[END, 1, 2, 3, END],
        hint,
    );
}
