//! Checks for the exercises of chapter 5.

use ndarray::{Array1, Array2, Array3, Array4, Axis, array};
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;

use super::{assert_close, assert_equal};

/// A head that gives all its attention to one place a row.
fn pointing(to: &[usize]) -> Array2<f64> {
    let n = to.len();
    Array2::from_shape_fn((n, n), |(i, j)| if to[i] == j { 1.0 } else { 0.0 })
}

/// Random attention, `[layers, heads, n, n]`, each row adding up to 1.
fn random(seed: u32, shape: [usize; 4]) -> Array4<f64> {
    let [layers, heads, n, m] = shape;
    let scores = NumpyRandom::seed(seed).rand(layers * heads * n, m) * 6.0;
    let weights = softmax(&scores); // [layers · heads · n, m]
    // [layers · heads · n, m] -> [layers, heads, n, m]
    weights.to_shape(shape).expect("as many numbers").into_owned()
}

pub fn share_to_previous(share_to_previous: impl Fn(&Array3<f64>) -> Array1<f64>) {
    // Head 0 looks back, head 1 ahead, head 2 at itself; the ends look where they can.
    let heads = [pointing(&[0, 0, 1, 2]), pointing(&[1, 2, 3, 3]), Array2::eye(4)];
    let heads = ndarray::stack(Axis(0), &heads.each_ref().map(|h| h.view()));
    let heads = heads.expect("heads of one size");
    let found = share_to_previous(&heads);
    assert_eq!(found.len(), 3, "one number for each of the 3 heads");
    assert!(
        found[2].abs() < 1e-12,
        "head 2 looks at itself, never at the token before, but found {}: the one \
         before i is i − 1, below the diagonal.",
        found[2]
    );
    assert!(
        found[1].abs() < 1e-12,
        "head 1 looks at the token after, never at the one before, but found {}. The \
         row looks, the column is looked at: the one before i is [i, i − 1].",
        found[1]
    );
    let hint = "head 0 gives all to the token before, and so its share is 1: the first \
                token has none before it and doesn't count, so divide by n − 1.";
    assert_close(&found, &array![1.0, 0.0, 0.0], hint);

    let weights = random(42, [1, 2, 5, 5]).index_axis(Axis(0), 0).to_owned();
    let expected = Array1::from_shape_fn(2, |h| {
        (0..4).map(|i| weights[[h, i + 1, i]]).sum::<f64>() / 4.0
    });
    let hint =
        "the mean of the weights themselves, of [1, 0], [2, 1], [3, 2] and [4, 3].";
    assert_close(&share_to_previous(&weights), &expected, hint);
}

pub fn entropy(entropy: impl Fn(&Array2<f64>) -> Array1<f64>) {
    let weights = array![[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]];
    let found = entropy(&weights);
    assert!(
        found.iter().all(|bits| !bits.is_nan()),
        "0 · log 0 is NaN for a computer, and 0 here: leave the weights of 0 out. Found \
         {found}"
    );
    let hint = "two equal choices are 1 bit, one choice alone is 0 bits: log₂, not ln, \
                one number a row, and nothing added to the weights.";
    assert_close(&found, &array![1.0, 0.0], hint);
    let level = Array2::from_elem((2, 8), 0.125);
    let hint = "eight equal weights are log₂ 8 = 3 bits, whatever the number of rows: \
                the sum over the row, not its mean.";
    assert_close(&entropy(&level), &array![3.0, 3.0], hint);
    let tiny = array![[1.0 - 1e-9, 1e-9]];
    let expected = -(1.0 - 1e-9) * (1.0_f64 - 1e-9).log2() - 1e-9 * 1e-9_f64.log2();
    let found = entropy(&tiny);
    assert!(
        (found[0] - expected).abs() < 1e-15,
        "a small weight counts as it is, without anything added to it: expected \
         {expected:e}, found {:e}",
        found[0]
    );
    let weights = random(1, [1, 1, 6, 6]);
    let weights = weights.to_shape((6, 6)).expect("one head").into_owned();
    let expected = weights.map_axis(Axis(1), |row| {
        -row.iter().map(|w| w * w.ln()).sum::<f64>() / 2.0_f64.ln()
    });
    let hint = "−Σ w · log₂ w over each row.";
    assert_close(&entropy(&weights), &expected, hint);
}

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

pub fn rollout(rollout: impl Fn(&Array4<f64>) -> Array2<f64>) {
    let stacked = |heads: &[Array2<f64>], layers: usize| {
        let n = heads[0].nrows();
        let per_layer = heads.len() / layers;
        Array4::from_shape_fn((layers, per_layer, n, n), |(l, h, i, j)| {
            heads[l * per_layer + h][[i, j]]
        })
    };
    let one = stacked(&[pointing(&[1, 1])], 1);
    let hint = "one layer, one head: half of the head's weights, half the identity.";
    assert_close(&rollout(&one), &array![[0.5, 0.5], [0.0, 1.0]], hint);
    let heads = stacked(&[pointing(&[1, 1]), pointing(&[0, 0])], 1);
    let hint = "of two heads, the mean: the rows still add up to 1.";
    assert_close(&rollout(&heads), &array![[0.75, 0.25], [0.25, 0.75]], hint);
    // Layer 0: 1 reads 0. Layer 1: 0 reads 1.
    let layers = stacked(&[pointing(&[0, 0]), pointing(&[1, 1])], 2);
    let hint = "a later layer reads what the earlier ones have mixed: layer 1's mix \
                times layer 0's, in this order.";
    assert_close(&rollout(&layers), &array![[0.75, 0.25], [0.5, 0.5]], hint);

    let attentions = random(7, [3, 2, 4, 4]);
    let mixed = |layer: usize| {
        let layer = attentions.index_axis(Axis(0), layer);
        let mean = layer.mean_axis(Axis(0)).expect("two heads"); // [n, n]
        (mean + Array2::<f64>::eye(4)) / 2.0
    };
    let expected = mixed(2).dot(&mixed(1)).dot(&mixed(0));
    let hint = "three layers of two heads: (½A₂ + ½I)(½A₁ + ½I)(½A₀ + ½I), where Aₗ is \
                the mean of the layer's heads.";
    assert_close(&rollout(&attentions), &expected, hint);
}
