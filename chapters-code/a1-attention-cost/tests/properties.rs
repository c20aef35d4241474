//! What must hold for any scores, any masks and any blocks.

use approx::assert_abs_diff_eq;
use attention_cost::cost::{Cost, TOKENS, exponent};
use attention_cost::parallel::Parallel;
use attention_cost::{
    attention_in_threads, blockwise_attention, online_softmax, recurrence,
};
use ndarray::{Array2, array, s};
use proptest::collection::vec;
use proptest::prelude::*;
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;
use whole_transformer::{mask, scaled_dot_product};

/// Numbers in `[-2, 2)`, `[n, 8]`.
fn words(seed: u32, n: usize) -> Array2<f64> {
    NumpyRandom::seed(seed).rand(n, 8) * 4.0 - 2.0
}

/// Up to 9 × 9 scores: ordinary, huge, and −∞; some rows of nothing but −∞.
fn scores() -> impl Strategy<Value = Array2<f64>> {
    let score = prop_oneof![
        3 => -5.0..5.0,
        2 => -1e4..1e4,
        1 => Just(1e4),
        1 => Just(-1e4),
        2 => Just(f64::NEG_INFINITY),
    ];
    (1..10_usize, 1..10_usize, any::<bool>()).prop_flat_map(move |(n, m, hide)| {
        vec(score.clone(), n * m).prop_map(move |values| {
            let mut scores = Array2::from_shape_vec((n, m), values).unwrap();
            if hide {
                scores.row_mut(n / 2).fill(f64::NEG_INFINITY);
            }
            scores
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn online_softmax_is_softmax(scores in scores(), block in 1..12_usize) {
        let online = online_softmax(&scores, block).unwrap();
        assert_abs_diff_eq!(online, softmax(&scores), epsilon = 1e-12);
    }

    #[test]
    fn blockwise_attention_is_attention(
        seed in any::<u32>(), mask in scores(), block in 1..12_usize, d_k in 1..5_usize,
        scale in prop_oneof![Just(1.0), Just(100.0)],
    ) {
        let (n, m) = mask.dim();
        let mut random = NumpyRandom::seed(seed);
        let mut matrix = |rows, columns| random.rand(rows, columns) * 2.0 - 1.0;
        let (q, k) = (matrix(n, d_k) * scale, matrix(m, d_k) * scale); // scores to 1e4
        let v = matrix(m, 3);
        let expected = scaled_dot_product(&q, &k, &v, Some(&mask)).unwrap();
        let found = blockwise_attention(&q, &k, &v, |i, j| mask[[i, j]], block);
        assert_abs_diff_eq!(found.unwrap(), expected.output, epsilon = 1e-12);
        let expected = scaled_dot_product(&q, &k, &v, None).unwrap();
        let found = blockwise_attention(&q, &k, &v, |_, _| 0.0, block).unwrap();
        assert_abs_diff_eq!(found, expected.output, epsilon = 1e-12);
    }
}

#[test]
fn what_is_not_a_number_is_named_with_its_place() {
    let mut x = words(1, 3);
    x[[2, 5]] = f64::NAN;
    let error = blockwise_attention(&x, &x, &x, |_, _| 0.0, 2).unwrap_err().to_string();
    assert_eq!(error, "Q[2, 5] is NaN: every value must be a finite number");

    let huge = Array2::from_elem((3, 1), 1e200);
    let mut keys = Array2::zeros((3, 1));
    keys[[2, 0]] = 1e200;
    let error = blockwise_attention(&huge, &keys, &keys, |_, _| 0.0, 2).unwrap_err();
    let message = "scores[0, 2] is inf: every value must be a finite number";
    assert_eq!(error.to_string(), message);
}

#[test]
fn masks_that_are_not_masks_are_named_with_their_place() {
    let x = words(1, 3);
    for bad in [f64::NAN, f64::INFINITY] {
        let mut wrong = mask::causal(3);
        wrong[[2, 1]] = bad;
        let message = format!(
            "mask[2, 1] is {bad}: use 0 to show a key to a query and −∞ to hide it"
        );
        let found = blockwise_attention(&x, &x, &x, |i, j| wrong[[i, j]], 2);
        assert_eq!(found.unwrap_err().to_string(), message);
    }
}

#[test]
fn blocks_without_rows_are_refused() {
    let x = words(1, 3);
    let message = "the block size is 0: give at least 1";
    let error = online_softmax(&x, 0).unwrap_err();
    assert_eq!(error.to_string(), message);
    let error = blockwise_attention(&x, &x, &x, |_, _| 0.0, 0).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(online_softmax(&x, usize::MAX).unwrap(), softmax(&x), "one block");
    let whole = blockwise_attention(&x, &x, &x, |_, _| 0.0, usize::MAX).unwrap();
    let expected = scaled_dot_product(&x, &x, &x, None).unwrap().output;
    assert_abs_diff_eq!(whole, expected, epsilon = 1e-12);
    let empty = online_softmax(&Array2::zeros((2, 0)), 4).unwrap();
    assert_eq!(empty.dim(), (2, 0));
}

#[test]
fn the_book_s_measurements_are_whole() {
    let cost = Cost::of_the_book().unwrap();
    for way in [&cost.whole, &cost.blockwise] {
        let tokens: Vec<usize> = way.iter().map(|one| one.tokens).collect();
        assert_eq!(tokens, TOKENS);
        assert!(way.iter().all(|one| one.seconds > 0.0 && one.bytes > 0));
    }
}

#[test]
fn attention_is_the_same_in_any_number_of_threads() {
    let (q, k) = (words(1, 7), words(2, 5));
    let v = words(3, 5).slice(s![.., ..3]).to_owned();
    let whole = scaled_dot_product(&q, &k, &v, None).unwrap().output;
    for threads in [1, 2, 3, 7, 20] {
        let found = attention_in_threads(&q, &k, &v, threads).unwrap();
        assert_abs_diff_eq!(found, whole, epsilon = 1e-12);
    }
    let error = attention_in_threads(&q, &k, &v, 0).unwrap_err();
    assert_eq!(error.to_string(), "the number of threads is 0: give at least 1");
    let error = attention_in_threads(&q, &k, &words(3, 4), 2).unwrap_err().to_string();
    assert!(error.contains('V'), "{error}");
}

#[test]
fn a_recurrence_s_states_follow_one_another() {
    let x = array![[0.5, -1.0], [0.0, 0.25]];
    let u = array![[0.0, 2.0], [1.0, 0.0]];
    let first = [0.5_f64.tanh(), (-1.0_f64).tanh()];
    let second = [(2.0 * first[1]).tanh(), (first[0] + 0.25).tanh()];
    let states = recurrence(&x, &u).unwrap();
    assert_abs_diff_eq!(states, array![first, second], epsilon = 1e-12);
    let error = recurrence(&x, &words(1, 2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "U has shape [2, 8], but words of 2 numbers need [2, 2]"
    );
}

#[test]
fn the_book_s_times_are_whole() {
    let parallel = Parallel::of_the_book().unwrap();
    assert!(
        parallel.threads > 1 && parallel.together > 0.0 && parallel.one_by_one > 0.0
    );
    assert!(!parallel.times.is_empty());
    for one in &parallel.times {
        assert!(
            [one.recurrence, one.one_thread, one.all_threads].iter().all(|&t| t > 0.0)
        );
    }
}

#[test]
fn a_power_law_has_its_exponent() {
    let points = [1.0, 2.0, 4.0, 16.0].map(|x: f64| (x, 7.0 * x.powf(1.5)));
    assert_abs_diff_eq!(exponent(&points), 1.5, epsilon = 1e-12);
    assert!(exponent(&points[..1]).is_nan());
}
