//! Checks for the exercises of chapter 5.

use ndarray::{Array2, Array4, array};

use super::asserts::{assert_close, assert_equal};

pub fn sharpest_head(sharpest_head: impl Fn(&Array4<f64>) -> (usize, usize)) {
    let mut attentions = Array4::from_elem((2, 3, 4, 4), 0.25);
    for (i, j) in [(0, 3), (1, 0), (2, 1), (3, 2)] {
        attentions.slice_mut(ndarray::s![1, 2, i, ..]).fill(0.0);
        attentions[[1, 2, i, j]] = 1.0;
    }
    let hint = "the one head that looks at one token a row has entropy 0, the least \
                there is; the others look everywhere alike. The answer is the layer and \
                then the head.";
    assert_equal("(layer, head)", &sharpest_head(&attentions), &(1, 2), hint);
    // One row with a sharp look doesn't make a head sharp.
    let mut attentions = Array4::from_elem((2, 2, 4, 4), 0.25);
    let halves = array![0.5, 0.5, 0.0, 0.0];
    for i in 0..4 {
        attentions.slice_mut(ndarray::s![1, 0, i, ..]).assign(&halves);
    }
    attentions.slice_mut(ndarray::s![0, 1, 0, ..]).assign(&array![1.0, 0.0, 0.0, 0.0]);
    let hint = "(1, 0) has 1 bit in each row; (0, 1) has 0 bits in one row and 2 in the \
                three others: compare the means over the rows, not single rows.";
    assert_equal("(layer, head)", &sharpest_head(&attentions), &(1, 0), hint);
    let level = Array4::from_elem((2, 2, 3, 3), 1.0 / 3.0);
    let hint = "of equals, the first.";
    assert_equal("(layer, head)", &sharpest_head(&level), &(0, 0), hint);
}

pub fn top_key_across(top_key_across: impl Fn(&Array2<f64>, usize) -> Vec<usize>) {
    // [CLS] o gato [SEP] the black cat [SEP]: B begins at 4.
    let mut weights = Array2::from_elem((8, 8), 0.01);
    weights[[0, 5]] = 0.9; // [CLS] looks, and doesn't count
    weights[[1, 1]] = 0.6; // its own sentence
    weights[[1, 4]] = 0.2;
    weights[[1, 7]] = 0.3; // the last [SEP]
    weights[[2, 3]] = 0.5; // the first [SEP]
    weights[[2, 6]] = 0.3;
    weights[[3, 5]] = 0.9; // [SEP] looks, and doesn't count
    weights[[4, 1]] = 0.9; // the other direction
    let found = top_key_across(&weights, 4);
    assert_eq!(
        found.len(),
        2,
        "sentence A has 2 words, at places 1 and 2: without [CLS], at 0, and [SEP], at \
         3. Found the places {found:?}"
    );
    let hint = "o looks most at the (place 4) and gato at cat (place 6), among the words \
                of B, from 4 to 6: neither its own sentence nor the last [SEP] count, \
                and places are counted from the beginning of the pair.";
    assert_equal("places", &found, &[4, 6], hint);

    let level = Array2::from_elem((7, 7), 1.0 / 7.0);
    let hint = "of equals, the first word of B.";
    assert_equal("places", &top_key_across(&level, 3), &[3], hint);
    // A longer A than B, and weights of 0.
    let mut weights = Array2::zeros((8, 8));
    weights[[2, 6]] = 1e-9;
    let hint = "A has 3 words, B has 2, at 5 and 6; the least weight above 0 is the \
                largest of its row.";
    assert_equal("places", &top_key_across(&weights, 5), &[5, 6, 5], hint);
}

pub fn without_special(without_special: impl Fn(&Array2<f64>, &[bool]) -> Array2<f64>) {
    let weights = array![
        [0.4, 0.1, 0.1, 0.4],
        [0.5, 0.2, 0.2, 0.1],
        [0.6, 0.05, 0.15, 0.2],
        [0.7, 0.1, 0.1, 0.1],
    ];
    let special = [true, false, false, true]; // [CLS] … [SEP]
    let found = without_special(&weights, &special);
    assert_eq!(
        found.shape(),
        [2, 2],
        "of 4 tokens 2 are ordinary: their rows and columns stay, [2, 2]"
    );
    let hint = "what is left of a row is divided by its own sum: 0.2 and 0.2 by 0.4, 0.05 \
                and 0.15 by 0.2.";
    assert_close(&found, &array![[0.5, 0.5], [0.25, 0.75]], hint);

    let all = array![[1.0, 0.0, 0.0], [0.0, 0.25, 0.75], [0.5, 0.5, 0.0]];
    let found = without_special(&all, &[true, false, false]);
    let hint = "a [SEP] may stand anywhere, and a row may lose half.";
    assert_close(&found, &array![[0.25, 0.75], [1.0, 0.0]], hint);
    let found = without_special(&array![[0.9, 0.1], [1.0, 0.0]], &[true, false]);
    assert!(
        found.iter().all(|weight| weight.is_finite()),
        "a row that gave all to special tokens has nothing left: 0, not 0 / 0. Found \
         {found}"
    );
    assert_close(&found, &array![[0.0]], "nothing left is all 0.");
    let hint = "without special tokens, nothing changes.";
    assert_close(&without_special(&all, &[false; 3]), &all, hint);
}

/// A sentence with `ela` at 6, a masculine noun at 1, a feminine one at 4.
const SENTENCE: [&str; 8] =
    ["o", "robô", "pegou", "a", "bola", "porque", "ela", "caiu"];

/// A head that gives 0.6 from each pronoun to the place that `chooses` names, and the
/// rest evenly.
fn pointing(
    words: &[&str],
    chooses: impl Fn(&[&str], usize) -> Option<usize>,
) -> Array2<f64> {
    let n = words.len();
    let mut weights = Array2::from_elem((n, n), 1.0 / n as f64);
    for i in 0..n {
        if let Some(to) = chooses(words, i) {
            weights.row_mut(i).fill(0.4 / n as f64);
            weights[[i, to]] += 0.6;
        }
    }
    weights
}

fn place(words: &[&str], word: &str) -> Option<usize> {
    words.iter().position(|&other| other == word)
}

pub fn reads_gender(
    reads_gender: impl Fn(
        &dyn Fn(&[&str]) -> Array2<f64>,
        &[&str],
        usize,
        usize,
        usize,
    ) -> bool,
) {
    let judge =
        |head: &dyn Fn(&[&str]) -> Array2<f64>| reads_gender(head, &SENTENCE, 6, 1, 4);
    // Reads the gender, wherever the nouns stand.
    let reader = |words: &[&str]| {
        pointing(words, |words, i| match words[i] {
            "ela" => place(words, "bola"),
            "ele" => place(words, "robô"),
            _ => None,
        })
    };
    assert!(
        judge(&reader),
        "this head looks from `ela` at the feminine noun and from `ele` at the masculine \
         one, in both orders: it reads the gender. After the nouns change places, each \
         stands where the other did; and the pronoun is written, not only thought of."
    );
    // The same, where each noun has its article.
    let strict = |words: &[&str]| {
        let article = |noun| place(words, noun).map(|at| words[at - 1]);
        if (article("bola"), article("robô")) == (Some("a"), Some("o")) {
            reader(words)
        } else {
            pointing(words, |_, _| None)
        }
    };
    assert!(
        judge(&strict),
        "this head reads the gender, too, but looks away from “o bola”, which is no \
         Portuguese: each noun takes its article with it."
    );
    let feminine = |words: &[&str]| {
        pointing(words, |words, i| {
            ["ela", "ele"].contains(&words[i]).then(|| place(words, "bola"))?
        })
    };
    assert!(
        !judge(&feminine),
        "this head looks at `bola` from `ela` and from `ele` alike: ask it with the other \
         pronoun, too."
    );
    let nearest = |words: &[&str]| pointing(words, |_, i| (i == 6).then_some(4));
    assert!(
        !judge(&nearest),
        "this head looks at the nearer noun, whoever asks: it is right for `ela` here, \
         and by the place alone."
    );
    // From `ela` the nearer noun, from `ele` the farther one: a place for each pronoun.
    let places = |words: &[&str]| {
        pointing(words, |words, i| match words[i] {
            "ela" => Some(4),
            "ele" => Some(1),
            _ => None,
        })
    };
    assert!(
        !judge(&places),
        "this head reads the pronoun but not the nouns: from `ela` it looks at place 4, \
         whatever stands there. Let the nouns change places."
    );
    let level = |words: &[&str]| pointing(words, |_, _| None);
    assert!(
        !judge(&level),
        "this head looks at all words alike: the right noun has to get *more* than the \
         wrong one."
    );
    // Most goes to another word; the two nouns are compared with each other.
    let verb = |words: &[&str]| {
        let mut weights = reader(words) * 0.5;
        weights.column_mut(2).mapv_inplace(|weight| weight + 0.5);
        weights
    };
    assert!(
        judge(&verb),
        "most of this head's attention goes to the verb, and of the two nouns the right \
         one gets more: compare the nouns with each other."
    );
    let reversed = |words: &[&str]| reader(words).reversed_axes();
    assert!(
        !judge(&reversed),
        "here the nouns look at the pronoun, not the pronoun at the nouns: the row looks, \
         the column is looked at."
    );
    let words = ["a", "rua", "viu", "o", "carro", "e", "ele", "sumiu"];
    let head = |words: &[&str]| {
        pointing(words, |words, i| match words[i] {
            "ela" => place(words, "rua"),
            "ele" => place(words, "carro"),
            _ => None,
        })
    };
    assert!(
        reads_gender(&head, &words, 6, 4, 1),
        "a sentence with `ele`, whose masculine noun is the second: the places are given."
    );
}

pub fn held_out(held_out: impl Fn(&Array2<bool>, &Array2<bool>) -> (usize, f64)) {
    let (t, f) = (true, false);
    // Head 0 hits always, and so does its control; head 1 leads in the first half; head 2
    // leads most over all, and only in the second.
    let hits = array![
        [t, t, f],
        [t, t, f],
        [t, f, f],
        [t, f, f],
        [t, f, t],
        [t, t, t],
        [t, f, t],
        [t, f, t],
    ];
    let control = Array2::from_shape_fn((8, 3), |(_, head)| head == 0);
    let (head, lead) = held_out(&hits, &control);
    let hint = "in the first half head 1 leads by 2 of 4 and the others by 0. Head 0 hits \
                always, but so does its control; head 2 leads in the second half, which \
                must have no part in the choice.";
    assert_equal("head", &head, &1, hint);
    let hint = "the chosen head's lead in the second half: 1 hit of 4, and none of its \
                control.";
    assert!((lead - 0.25).abs() < 1e-12, "expected 0.25, found {lead}: {hint}");

    // A lucky head: ahead in the half that chose it, behind in the other.
    let hits = array![[f, t], [f, t], [t, f], [t, f], [t, f], [f, f]];
    let control = array![[f, f], [f, f], [f, f], [f, t], [f, f], [f, f]];
    let (head, lead) = held_out(&hits, &control);
    let hint = "head 1 leads by 2 of 3 in the first half, head 0 by 1.";
    assert_equal("head", &head, &1, hint);
    let hint = "a lead can be below 0: in the second half head 1 has no hit, and its \
                control has 1 of 3.";
    assert!((lead + 1.0 / 3.0).abs() < 1e-12, "expected -0.3333, found {lead}: {hint}");
    let level = Array2::from_elem((4, 3), t);
    let hint = "of equals, the first head.";
    assert_equal("head", &held_out(&level, &level).0, &0, hint);
}

pub fn find_flaw(find_flaw: impl Fn(&Array2<f64>, &[bool], bool) -> &'static str) {
    let shown = [false; 3];
    let good = array![[0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]];
    let hint = "rows add up to 1, nothing is hidden and the future may be seen.";
    assert_equal("flaw", &find_flaw(&good, &shown, false), &"none", hint);
    let hint = "the same map, where a token may look back only.";
    assert_equal("flaw", &find_flaw(&good, &shown, true), &"future", hint);
    let causal = array![[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]];
    let hint = "all looks go back, or to the token itself: j ≤ i.";
    assert_equal("flaw", &find_flaw(&causal, &shown, true), &"none", hint);
    let hint = "transposed, the columns add up to 1: softmax ran over the other axis. Say \
                so before anything else.";
    let columns = good.t().to_owned();
    assert_equal("flaw", &find_flaw(&columns, &shown, true), &"columns", hint);
    let both = array![[0.5, 0.5], [0.5, 0.5]];
    let hint = "rows and columns add up to 1: rows are what counts, nothing is wrong.";
    assert_equal("flaw", &find_flaw(&both, &[false; 2], false), &"none", hint);
    let scores = array![[2.0, 0.5], [0.25, 0.1]];
    let hint = "neither rows nor columns add up to 1: no softmax at all.";
    assert_equal("flaw", &find_flaw(&scores, &[false; 2], false), &"rows", hint);
    let hint = "token 2 is hidden, and its column isn't 0: row 0 looks at it.";
    let last = [false, false, true];
    assert_equal("flaw", &find_flaw(&good, &last, true), &"padding", hint);
    let padded = array![[0.5, 0.5, 0.0], [0.2, 0.8, 0.0], [0.9, 0.1, 0.0]];
    let hint = "a hidden token is not looked at, but it may look: its column is 0, its \
                row isn't.";
    assert_equal("flaw", &find_flaw(&padded, &last, false), &"none", hint);
    let negative = array![[1.5, -0.5], [0.5, 0.5]];
    let hint = "rows add up to 1, but no weight is negative.";
    assert_equal(
        "flaw",
        &find_flaw(&negative, &[false; 2], false),
        &"no weights",
        hint,
    );
    let blind = array![[f64::NAN, f64::NAN], [0.5, 0.5]];
    let hint = "NaN: a row whose keys were all hidden. It is not less than 0, nor more \
                than 1: ask whether it is finite.";
    assert_equal("flaw", &find_flaw(&blind, &[false; 2], false), &"no weights", hint);
    let nearly = array![[0.7, 0.1, 0.2 - 5e-10], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]];
    let hint = "a computer's sums are rounded, and 1 - 5e-10 counts as 1: up to 1e-9.";
    assert_equal("flaw", &find_flaw(&nearly, &shown, false), &"none", hint);
}
