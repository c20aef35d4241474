//! Checks for the exercises of chapter 7.

use ndarray::{Array2, Array3, array};
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;

use super::asserts::{assert_close, assert_equal, assert_number};

/// Random attention, `[heads, n, m]`, each row adding up to 1.
fn random(seed: u32, [heads, n, m]: [usize; 3]) -> Array3<f64> {
    let scores = NumpyRandom::seed(seed).rand(heads * n, m) * 6.0;
    let weights = softmax(&scores); // [heads · n, m]
    // [heads · n, m] -> [heads, n, m]
    weights.to_shape((heads, n, m)).expect("as many numbers").into_owned()
}

/// A head that gives `share` to the key that `of` names and the rest equally to all.
fn head(n: usize, share: f64, of: impl Fn(usize) -> Option<usize>) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| {
        let (named, n) = (of(i), n as f64);
        let rest = if named.is_some() { (1.0 - share) / n } else { 1.0 / n };
        rest + if named == Some(j) { share } else { 0.0 }
    })
}

pub fn look(look: impl Fn(&Array2<f64>, usize) -> &'static str) {
    let assert_from = |start, weights: &Array2<f64>, expected: &str, hint: &str| {
        let found = look(weights, start);
        assert!(
            found == expected,
            "expected {expected:?}, but found {found:?}: {hint}\n{weights:.2}"
        );
    };
    let assert_look = |weights: &Array2<f64>, name: &str, hint: &str| {
        assert_from(3, weights, name, hint);
    };
    let hint = "every token looks at token 4: its *column* is bright. Rows add up to 1 in any \
                head";
    assert_look(&head(6, 0.8, |_| Some(4)), "fan", hint);
    let hint = "row i, who looks, is bright at column i − 1, who is looked at: below the \
                diagonal";
    assert_look(&head(6, 0.9, |i| i.checked_sub(1)), "previous", hint);
    let hint = "row i is bright at column i + 1: above the diagonal";
    assert_look(&head(6, 0.9, |i| (i < 5).then_some(i + 1)), "next", hint);
    let hint =
        "tokens 0 to 2 look at 3 to 5, and these at 0 to 2: both directions count";
    assert_look(&head(6, 0.9, |i| Some((i + 3) % 6)), "across", hint);
    let hint = "each token looks at itself: that is none of the others";
    assert_look(&head(6, 0.9, Some), "spread", hint);
    let hint = "all alike: half of the attention crosses here, by chance, which is still at \
                least half";
    assert_from(4, &Array2::from_elem((8, 8), 0.125), "across", hint);
    let hint = "two of six tokens get 0.45 each: no single one gets half";
    let two = Array2::from_shape_fn((6, 6), |(_, j)| if j < 2 { 0.45 } else { 0.025 });
    assert_from(5, &two, "spread", hint);

    // Of 3 tokens, the 2 that have a previous one give it 0.55; the sum is 1.1 of 3.
    let weights = array![[0.3, 0.3, 0.4], [0.55, 0.2, 0.25], [0.0, 0.55, 0.45]];
    let hint = "the first token has no previous one: the mean is of n − 1 tokens";
    assert_look(&weights, "previous", hint);
    // Token 0 gets 0.5 of all, and tokens 1 and 2 give the previous one more than half.
    let weights =
        array![[0.25, 0.375, 0.375], [0.875, 0.125, 0.0], [0.375, 0.625, 0.0]];
    let hint = "token 0 gets 1.5 of 3, and most look at the previous one, too: the first that \
                holds, and half is enough";
    assert_look(&weights, "fan", hint);
}

pub fn hover(hover: impl Fn(&Array3<f64>, bool, usize) -> Array2<f64>) {
    let attention =
        Array3::from_shape_fn((2, 3, 4), |(h, i, j)| (100 * h + 10 * i + j) as f64);
    let found = hover(&attention, true, 1);
    assert_eq!(
        found.dim(),
        (4, 2),
        "a token on the left is one of 3 that look: it has a weight for each of the 4 \
         on the right, in each of the 2 heads, [4, 2]"
    );
    let hint = "a token on the left looks: row 1 of each head, a column of the answer for \
                each head, and nothing divided.";
    let expected = array![[10.0, 110.0], [11.0, 111.0], [12.0, 112.0], [13.0, 113.0]];
    assert_close(&found, &expected, hint);
    let found = hover(&attention, false, 3);
    assert_eq!(
        found.dim(),
        (3, 2),
        "a token on the right is looked at by the 3 on the left, in 2 heads: [3, 2]"
    );
    let hint = "a token on the right is looked at: column 3 of each head.";
    assert_close(&found, &array![[3.0, 103.0], [13.0, 113.0], [23.0, 123.0]], hint);
}

pub fn prettify(prettify: impl Fn(&[&str]) -> Vec<String>) {
    let assert_pretty = |tokens: &[&str], expected: &[&str], hint: &str| {
        assert_equal(&format!("{tokens:?}"), &prettify(tokens), expected, hint);
    };
    let hint = "BERT's tokens have none of these marks, and stay; ## is none of them.";
    let tokens = ["[CLS]", "gato", "##inho", "ção"];
    assert_pretty(&tokens, &tokens, hint);
    let hint = "Ġ becomes a space, which begins a word: it doesn't just go.";
    assert_pretty(&["O", "Ġgato"], &["O", " gato"], hint);
    let hint = "▁ (U+2581, no underscore) becomes a space, too; _ stays.";
    assert_pretty(&["▁gato", "_gato"], &[" gato", "_gato"], hint);
    let hint = "</w> goes without a space in its place.";
    assert_pretty(&["ga", "to</w>"], &["ga", "to"], hint);
    let hint = "a token may have a mark more than once, or in the middle, and bertviz \
                replaces each.";
    assert_pretty(&["ĠĠa", "a▁b", "</w>x"], &["  a", "a b", "x"], hint);
    let hint = "a token that was only a mark, or a space, stays in the list: tokens and \
                weights have the same places.";
    assert_pretty(&["Ġ", "</w>", " "], &[" ", "", " "], hint);
}

pub fn json_in_script(json_in_script: impl Fn(&str) -> String) {
    #[track_caller]
    fn assert_json(
        json_in_script: &impl Fn(&str) -> String,
        token: &str,
        expected: &str,
        hint: &str,
    ) {
        let found = json_in_script(token);
        assert!(
            found == expected,
            "the token {token:?}: expected the JSON\n{expected}\nbut found\n{found}\n{hint}"
        );
    }
    let hint = "an ordinary token stands between quotes, accents and all.";
    assert_json(&json_in_script, "São João 日本", "\"São João 日本\"", hint);
    let hint = "</script> in a token would end the script there: < and > become \\u003c \
                and \\u003e, in lower case, which JSON reads as the same characters. HTML's \
                own &lt; would be shown as it is: JavaScript doesn't read it.";
    let expected = "\"\\u003c/script\\u003e\\u003cb\\u003e\"";
    assert_json(&json_in_script, "</script><b>", expected, hint);
    let hint = "in `<!--` the < is dangerous, too, and & for those who paste the text \
                into HTML: not only a whole </script>.";
    assert_json(&json_in_script, "<!-- a & b", "\"\\u003c!-- a \\u0026 b\"", hint);
    let hint = "a quote would end the JSON string: \\\" instead, and the \\ that it brings \
                is not escaped again.";
    assert_json(&json_in_script, "\"", "\"\\\"\"", hint);
    let hint =
        "a \\ in the token is a character like any other, and JSON writes it \\\\.";
    assert_json(&json_in_script, "a\\n<\\\"", "\"a\\\\n\\u003c\\\\\\\"\"", hint);
    let hint = "JSON strings can't hold a line break or another character below U+0020 \
                as it is: \\u000a, with four digits.";
    assert_json(&json_in_script, "a\nb\u{1f}\t", "\"a\\u000ab\\u001f\\u0009\"", hint);
    let hint = "an empty token is two quotes.";
    assert_json(&json_in_script, "", "\"\"", hint);
}

pub fn moved(moved: impl Fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>) {
    let weights = array![[0.6, 0.4], [0.2, 0.8], [0.5, 0.5]];
    let values = array![[3.0, 0.0, -4.0], [0.5, 0.0, 0.0]];
    let hint = "the first value is 5 long, the root of 3² + 4², the second 0.5. So the first \
                line of token 0 carries 0.6 · 5 = 3 and the other 0.4 · 0.5 = 0.2, as shares \
                3 / 3.2 and 0.2 / 3.2: each token that looks is a row of its own";
    let expected = array![
        [3.0 / 3.2, 0.2 / 3.2],
        [1.0 / 1.4, 0.4 / 1.4],
        [2.5 / 2.75, 0.25 / 2.75]
    ];
    assert_close(&moved(&weights, &values), &expected, hint);
    let hint = "a long value that points the other way is as long: no sign, and no sum of the \
                numbers";
    assert_close(&moved(&weights, &(-&values)), &expected, hint);
    let hint = "a value of zeros carries nothing, whatever its weight; a row in which nothing is \
                carried is 0, not 0 / 0";
    let found = moved(&array![[0.9, 0.1], [1.0, 0.0]], &array![[0.0], [2.0]]);
    assert_close(&found, &array![[0.0, 1.0], [0.0, 0.0]], hint);
    let weights = random(4, [1, 3, 5]).index_axis(ndarray::Axis(0), 0).to_owned();
    let hint = "values of one length change nothing: the shares are the weights";
    assert_close(&moved(&weights, &Array2::ones((5, 7))), &weights, hint);
}

/// What a place is made of.
const PLACES: &str = "(head, from, to)";

pub fn top_pairs(
    top_pairs: impl Fn(&Array3<f64>, usize) -> Vec<(usize, usize, usize)>,
) {
    let mut attention = Array3::from_elem((2, 2, 3), 0.01);
    attention[[1, 0, 2]] = 0.9;
    attention[[0, 1, 0]] = 0.7;
    attention[[1, 1, 1]] = 0.8;
    let hint = "the largest first, among all heads: the head, then who looks (the row), \
                then who is looked at (the column).";
    let expected = [(1, 0, 2), (1, 1, 1), (0, 1, 0)];
    assert_equal(PLACES, &top_pairs(&attention, 3), &expected, hint);
    let hint = "as many as asked for.";
    assert_equal(PLACES, &top_pairs(&attention, 1), &expected[..1], hint);
    assert_equal(PLACES, &top_pairs(&attention, 0), &[(0, 0, 0); 0], hint);
    let level = Array3::from_elem((2, 1, 2), 0.5);
    let hint = "of equals the first: by head, then by who looks, then by who is looked \
                at; and of 4 weights there are no more than 4.";
    let expected = [(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1)];
    assert_equal(PLACES, &top_pairs(&level, 10), &expected, hint);
    let attention = random(11, [3, 4, 5]);
    let found = top_pairs(&attention, 12);
    let hint = "12 places of 60, the weights going down.";
    assert_eq!(found.len(), 12, "{hint}");
    let weights: Vec<f64> = found.iter().map(|&place| attention[place]).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b), "{hint} Found {weights:?}");
    let larger = attention.iter().filter(|&&weight| weight > weights[11]).count();
    assert_eq!(larger, 11, "{hint} None larger may be left out.");
}

pub fn least_weight(least_weight: impl Fn(&Array2<f64>, f64) -> f64) {
    let weights = array![[0.5, 0.25, 0.25], [0.0, 0.125, 0.875]];
    let hint = "0.875 and 0.5 are 1.375 of 2 in all, less than 0.75 × 2; with the two of \
                0.25 it is enough: the share is of the attention, not of the number of \
                lines, and of its total, 2, not of 1.";
    assert_number(least_weight(&weights, 0.75), 0.25, hint);
    let hint = "0.875 alone is less than half of 2; 0.875 and 0.5 are more. The largest \
                such weight: no lighter line is needed.";
    assert_number(least_weight(&weights, 0.5), 0.5, hint);
    let hint = "a line as heavy as the answer is kept: 0.875 is 0.4375 of 2, exactly.";
    assert_number(least_weight(&weights, 0.4375), 0.875, hint);
    let hint =
        "to keep all attention, the lightest line above 0; lines of 0 carry none.";
    assert_number(least_weight(&weights, 1.0), 0.125, hint);
    let head = random(3, [1, 6, 6]).index_axis(ndarray::Axis(0), 0).to_owned();
    let found = least_weight(&head, 0.9);
    let sum = |kept: &dyn Fn(f64) -> bool| -> f64 {
        head.iter().copied().filter(|&w| kept(w)).sum::<f64>() / head.sum()
    };
    let (with, without) = (sum(&|w| w >= found), sum(&|w| w > found));
    assert!(
        with >= 0.9 - 1e-12 && without < 0.9,
        "with the lines from {found} up, {with:.3} of the attention is kept; without \
         those of just {found}, {without:.3}: it should be 0.9 or more, and less"
    );
}

pub fn added(added: impl Fn(&Array2<f64>, &Array2<f64>, usize) -> Array3<f64>) {
    let context = array![[1.0, 2.0, 10.0, 20.0], [3.0, 0.0, 0.0, 0.0]];
    let output = array![
        [1.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0, 1.0],
        [1.0, 0.0, 0.0, 0.0],
    ];
    let found = added(&context, &output, 2);
    let hint = "head 0's columns of the context are the first two, and they meet the first \
                two rows of the output: 1 · [1 0 0 1] + 2 · [0 1 0 1] for token 0.";
    let expected = array![
        [[1.0, 2.0, 0.0, 3.0], [3.0, 0.0, 0.0, 3.0]],
        [[20.0, 0.0, 10.0, 10.0], [0.0, 0.0, 0.0, 0.0]],
    ];
    assert_close(&found, &expected, hint);
    let hint = "one head adds all: context · output.";
    let whole = context.dot(&output).insert_axis(ndarray::Axis(0));
    assert_close(&added(&context, &output, 1), &whole, hint);

    let drawn = random(8, [2, 6, 6]);
    let (context, output) = (
        drawn.index_axis(ndarray::Axis(0), 0).to_owned(),
        drawn.index_axis(ndarray::Axis(0), 1).to_owned(),
    );
    let found = added(&context, &output, 3);
    let hint = "the sum over the heads is what the attention gives.";
    assert_close(&found.sum_axis(ndarray::Axis(0)), &context.dot(&output), hint);
    let hint = "without head 1: its two columns of the context are 0, and what is missing \
                is what it adds.";
    let mut without = context.clone();
    without.slice_mut(ndarray::s![.., 2..4]).fill(0.0);
    let missing = context.dot(&output) - without.dot(&output);
    assert_close(&found.index_axis(ndarray::Axis(0), 1).to_owned(), &missing, hint);
}
