//! Checks for the exercises of chapter 1.

use approx::abs_diff_eq;
use ndarray::{Array2, Axis, array};
use self_attention::scaling::dot_products;
use self_attention::{SelfAttention, embeddings};

use super::assert_close;

pub fn softmax(softmax: impl Fn(&Array2<f64>) -> Array2<f64>) {
    let scores = array![[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]];
    let weights = softmax(&scores);
    let sums = weights.sum_axis(Axis(1));
    assert!(
        abs_diff_eq!(sums, array![1.0, 1.0], epsilon = 1e-12),
        "each row must sum to 1, but the rows sum to {sums:.4}: is the sum taken along the row?"
    );
    let (a, b) = (1.0_f64.exp(), 2.0_f64.exp());
    let first = array![1.0, a, b] / (1.0 + a + b);
    let expected =
        array![[first[0], first[1], first[2]], [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]];
    assert_close(
        &weights,
        &expected,
        "weight i is exp(score i) over the row's sum of exp.",
    );

    let large = softmax(&array![[1e4, 1e4 + 1.0, -1e4]]);
    assert!(
        large.iter().all(|weight| weight.is_finite()),
        "large scores give {large}: exp overflows from 710 on; subtract the row's maximum first"
    );
    let expected = array![[1.0 / (1.0 + a), a / (1.0 + a), 0.0]];
    assert_close(
        &large,
        &expected,
        "subtracting the maximum must not change the weights.",
    );

    let nowhere = f64::NEG_INFINITY;
    let masked = softmax(&array![[0.0, nowhere], [nowhere, nowhere]]);
    let hint = "−∞ gets weight 0, and a row of nothing but −∞ gets all zeros (−∞ − −∞ is NaN).";
    assert_close(&masked, &array![[1.0, 0.0], [0.0, 0.0]], hint);
}

pub fn scaled_scores(
    scaled_scores: impl Fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>,
) {
    // Square on purpose: with n = d_k, a K that is not transposed goes unnoticed by its shape.
    let q = array![[1.0, 2.0], [0.0, 1.0]];
    let k = array![[3.0, 1.0], [2.0, 4.0]]; // not symmetric
    let expected = array![[5.0, 10.0], [1.0, 4.0]] / 2.0_f64.sqrt();
    let hint = "score [i, j] is query i · key j (K is transposed), divided by √d_k.";
    assert_close(&scaled_scores(&q, &k), &expected, hint);

    let q = array![[1.0, 1.0, 1.0, 1.0]];
    let k = array![[1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 0.0, 0.0]];
    let hint = "d_k is the width of a query (here 4), not how many there are.";
    assert_close(&scaled_scores(&q, &k), &array![[2.0, 1.0]], hint);
}

pub fn attention(
    attention: impl Fn(&Array2<f64>, &Array2<f64>, &Array2<f64>) -> Array2<f64>,
) {
    let layer = SelfAttention::from_numpy_seed(42, 4, 3);
    let by_the_book = layer.forward(&embeddings()).expect("the chapter's own example");
    let output = attention(&by_the_book.q, &by_the_book.k, &by_the_book.v);
    let hint = "softmax(Q Kᵀ / √d_k) times V: if exercises 1 and 2 pass, are the values \
                mixed, not the keys?";
    assert_close(&output, &by_the_book.output, hint);

    // Values of another width than the keys, and one query that matches one key alone.
    let q = array![[1e3, 0.0]];
    let k = array![[1e3, 0.0], [0.0, 1e3]];
    let v = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let hint =
        "a query that matches one key alone gets that key's value, whatever its width.";
    assert_close(&attention(&q, &k, &v), &array![[1.0, 2.0, 3.0]], hint);
}

pub fn score_variances(score_variances: impl Fn(&[f64], usize) -> (f64, f64)) {
    let (raw, scaled) = score_variances(&[1.0, 3.0, 5.0, 7.0], 5);
    assert!(
        (raw - 5.0).abs() < 1e-12,
        "the variance of 1, 3, 5, 7 is 5 (mean 4; divide by n, not by n − 1), but found {raw}"
    );
    assert!(
        (scaled - 1.0).abs() < 1e-12,
        "dividing by √5 divides the variance by (√5)² = 5: 1, but found {scaled}"
    );
    for d_k in [16, 256] {
        let dots = dot_products(d_k, 2000, 7).to_vec();
        let (raw, scaled) = score_variances(&dots, d_k);
        let width = d_k as f64;
        assert!(
            (0.8..1.2).contains(&(raw / width)),
            "the variance of q · k grows with d_k = {d_k}, but found {raw}"
        );
        assert!(
            (0.8..1.2).contains(&scaled),
            "once divided by √d_k the variance stays near 1 for any d_k, but found {scaled}"
        );
    }
}

pub fn softmax_with_temperature(softmax: impl Fn(&Array2<f64>, f64) -> Array2<f64>) {
    let scores = array![[1.0, 2.0, 4.0]];
    let hint = "temperature 1 changes nothing (does exercise 1 pass?).";
    let expected = self_attention::softmax(&scores);
    assert_close(&softmax(&scores, 1.0), &expected, hint);
    let hint = "at temperature 2 the scores count as half.";
    let expected = self_attention::softmax(&array![[0.5, 1.0, 2.0]]);
    assert_close(&softmax(&scores, 2.0), &expected, hint);
    let cold = softmax(&scores, 1e-3);
    let hint = "near 0 the largest score takes all; scores as large as 4000 must not overflow.";
    assert_close(&cold, &array![[0.0, 0.0, 1.0]], hint);
    let hot = softmax(&scores, 1e15);
    let hint = "very high up, every word gets the same weight.";
    assert_close(&hot, &Array2::from_elem((1, 3), 1.0 / 3.0), hint);
}

pub fn unshuffle(unshuffle: impl Fn(&Array2<f64>, &[usize]) -> Array2<f64>) {
    let layer = SelfAttention::from_numpy_seed(42, 4, 3);
    let x = embeddings();
    let in_order = layer.forward(&x).expect("the chapter's own example").output;
    // Not its own inverse: a permutation applied where its inverse is due goes unnoticed otherwise.
    for order in [[2, 0, 1], [1, 2, 0], [0, 2, 1]] {
        let shuffled = layer.forward(&x.select(Axis(0), &order));
        let shuffled = shuffled.expect("the same words").output;
        let hint = format!(
            "with order {order:?}, row 0 of the shuffled output belongs to word {}.",
            order[0]
        );
        assert_close(&unshuffle(&shuffled, &order), &in_order, &hint);
    }
}
