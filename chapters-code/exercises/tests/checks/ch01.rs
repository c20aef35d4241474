//! Checks for the exercises of chapter 1.

use approx::abs_diff_eq;
use ndarray::{Array2, Axis, array};
use self_attention::faults::Fault;
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::{dot_products, unit_variance};
use self_attention::{SelfAttention, embeddings};
use whole_transformer::likeliest;

use super::asserts::assert_close;

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

pub fn previous_word(previous_word: impl Fn(usize) -> (Array2<f64>, Array2<f64>)) {
    for n in [3, 2, 1, 4, 16, 100] {
        let (w_query, w_key) = previous_word(n);
        for (name, matrix) in [("W_query", &w_query), ("W_key", &w_key)] {
            assert_eq!(matrix.shape(), [n, n], "{name} for {n} words is [n, n]");
            assert!(
                matrix.iter().all(|number| number.is_finite()),
                "{name} must hold finite numbers, but found\n{matrix}"
            );
        }
        // X is the identity: row i of Q is row i of W_query.
        let scores = self_attention::scaled_scores(&w_query, &w_key);
        let weights = self_attention::softmax(&scores.expect("as wide as each other"));
        for word in (1..n).chain([0]) {
            let row = weights.row(word);
            let before = word.saturating_sub(1);
            if row[before] >= 0.99 {
                continue;
            }
            let favorite = likeliest(&row.to_owned());
            let hint = match (favorite == before, word) {
                (true, _) => {
                    "it is the right word, but the weight is too small: the scores are \
                     divided by √d_k, here √n, and each of the others, with score 0, adds 1 to the sum"
                }
                (false, 0) => "nothing comes before the first word: it looks at itself",
                (false, _) if favorite == word + 1 => {
                    "that is the word after: the row of W_query is the word that looks, \
                     and in W_key the one that is looked at"
                }
                (false, _) => {
                    "its query has to match the key of the word before it alone"
                }
            };
            panic!(
                "with {n} words, word {word} gives word {before} the weight {:.4} and \
                 looks most at word {favorite}: {hint}. The map is\n{weights:.2}",
                row[before]
            );
        }
    }
}

/// Queries and keys of `n` words, each `[n, d_k]`.
fn queries_and_keys(seed: u32, n: usize, d_k: usize) -> [Array2<f64>; 2] {
    let mut random = NumpyRandom::seed(seed);
    [(); 2].map(|()| unit_variance(&mut random, n, d_k))
}

/// The map with the fault, `[n, n]`.
pub fn wrong_map(fault: Fault, q: &Array2<f64>, k: &Array2<f64>) -> Array2<f64> {
    let softmax = self_attention::softmax;
    let raw = q.dot(&k.t());
    let scores = &raw / (q.ncols() as f64).sqrt();
    match fault {
        Fault::NotScaled => softmax(&raw),
        Fault::Columns => softmax(&scores.reversed_axes()).reversed_axes(),
        Fault::Swapped => softmax(&scores.reversed_axes()),
        Fault::AllTogether => {
            let exponentials = scores.exp();
            let sum = exponentials.sum();
            exponentials / sum
        }
    }
}

type Diagnosis = (Fault, Array2<f64>);

pub fn diagnose(
    diagnose: impl Fn(&Array2<f64>, &Array2<f64>, &Array2<f64>) -> Diagnosis,
) {
    let faults = [
        (Fault::AllTogether, "no row sums to 1, and all numbers together do"),
        (Fault::Columns, "the columns sum to 1, the rows do not"),
        (Fault::NotScaled, "rows sum to 1, but their weights are those of Q Kᵀ itself"),
        (Fault::Swapped, "row i has what the queries make of key i: K Qᵀ, not Q Kᵀ"),
    ];
    // Also a map of two words, where a softmax of 2 × 2 numbers is easily mistaken, and
    // queries so short that scaled and unscaled scores nearly agree.
    for (seed, n, d_k, length) in
        [(1, 5, 4, 1.0), (2, 3, 16, 1.0), (3, 2, 3, 1.0), (4, 4, 2, 0.1)]
    {
        let [mut q, k] = queries_and_keys(seed, n, d_k);
        q *= length;
        let right = self_attention::softmax(
            &self_attention::scaled_scores(&q, &k).expect("as wide as each other"),
        );
        for (fault, symptom) in faults {
            let weights = wrong_map(fault, &q, &k);
            let (found, mended) = diagnose(&q, &k, &weights);
            assert!(
                found == fault,
                "found {found:?}, but the fault is {fault:?}: {symptom}. The map is\n\
                 {weights:.4}"
            );
            let hint = "the map mended is softmax(Q Kᵀ / √d_k), row by row.";
            assert_close(&mended, &right, hint);
        }
    }
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
