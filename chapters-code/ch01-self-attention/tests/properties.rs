//! What must hold for any scores and any words.

use approx::assert_abs_diff_eq;
use ndarray::{Array2, Axis};
use proptest::collection::vec;
use proptest::prelude::*;
use self_attention::{AttentionError, SelfAttention, check_finite, matmul, softmax};

/// A matrix of up to 8 × 8 numbers from `numbers`.
fn matrices(
    numbers: impl Strategy<Value = f64> + Clone,
) -> impl Strategy<Value = Array2<f64>> {
    (1..8_usize, 1..8_usize).prop_flat_map(move |(rows, columns)| {
        vec(numbers.clone(), rows * columns).prop_map(move |values| {
            Array2::from_shape_vec((rows, columns), values)
                .expect("as many as asked for")
        })
    })
}

fn finite() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![-5.0..5.0, -1e4..1e4, -1e300..1e300, Just(f64::MAX), Just(f64::MIN)]
}

fn masked() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![3 => -1e4..1e4, 1 => Just(f64::NEG_INFINITY)]
}

proptest! {
    #[test]
    fn rows_sum_to_1_for_any_finite_scores(scores in matrices(finite())) {
        let weights = softmax(&scores);
        prop_assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight)));
        for sum in weights.sum_axis(Axis(1)) {
            assert_abs_diff_eq!(sum, 1.0, epsilon = 1e-12);
        }
    }

    #[test]
    fn rows_with_masks_sum_to_1_or_to_0(scores in matrices(masked())) {
        let weights = softmax(&scores);
        for (row, score) in weights.rows().into_iter().zip(scores.rows()) {
            let all_masked = score.iter().all(|score| score.is_infinite());
            assert_abs_diff_eq!(row.sum(), f64::from(!all_masked), epsilon = 1e-12);
            for (weight, score) in row.iter().zip(score) {
                prop_assert!(*weight == 0.0 || score.is_finite());
            }
        }
    }

    #[test]
    fn a_constant_added_to_a_row_changes_nothing(
        scores in matrices(-50.0..50.0),
        constant in -1e3..1e3,
    ) {
        let shifted = softmax(&(&scores + constant));
        assert_abs_diff_eq!(softmax(&scores), shifted, epsilon = 1e-11);
    }

    #[test]
    fn larger_scores_get_larger_weights(scores in matrices(-50.0..50.0)) {
        let weights = softmax(&scores);
        for (score, weight) in scores.rows().into_iter().zip(weights.rows()) {
            for i in 0..score.len() {
                for j in 0..score.len() {
                    prop_assert!(score[i] > score[j] || weight[i] <= weight[j]);
                }
            }
        }
    }

    #[test]
    fn shuffled_words_get_shuffled_outputs(
        x in matrices(-3.0..3.0),
        seed in any::<u32>(),
        d_k in 1..6_usize,
        rotation in 0..8_usize,
    ) {
        let layer = SelfAttention::from_numpy_seed(seed, x.ncols(), d_k);
        let n = x.nrows();
        let order: Vec<usize> = (0..n).rev().map(|i| (i + rotation) % n).collect();
        let in_order = layer.forward(&x).expect("finite");
        let shuffled = layer.forward(&x.select(Axis(0), &order)).expect("finite");
        let expected = in_order.output.select(Axis(0), &order);
        assert_abs_diff_eq!(shuffled.output, expected, epsilon = 1e-9);
        let expected = in_order.weights.select(Axis(0), &order).select(Axis(1), &order);
        assert_abs_diff_eq!(shuffled.weights, expected, epsilon = 1e-9);
    }

    #[test]
    fn outputs_stay_between_the_values(x in matrices(-3.0..3.0), seed in any::<u32>()) {
        let layer = SelfAttention::from_numpy_seed(seed, x.ncols(), 3);
        let attention = layer.forward(&x).expect("finite");
        for (output, values) in attention.output.columns().into_iter().zip(attention.v.columns()) {
            let low = values.fold(f64::INFINITY, |a, &b| a.min(b));
            let high = values.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            prop_assert!(output.iter().all(|o| (low - 1e-9..=high + 1e-9).contains(o)));
        }
    }
}

#[test]
fn a_very_long_row_still_sums_to_1() {
    let scores = Array2::from_shape_fn((1, 1_000_000), |(_, j)| (j % 100) as f64);
    assert_abs_diff_eq!(softmax(&scores).sum(), 1.0, epsilon = 1e-9);
}

#[test]
fn an_empty_matrix_has_no_weights() {
    assert_eq!(softmax(&Array2::zeros((0, 3))).shape(), [0, 3]);
    assert_eq!(softmax(&Array2::zeros((2, 0))).shape(), [2, 0]);
}

#[test]
fn mismatched_shapes_are_named() {
    let (a, b) = (Array2::zeros((2, 3)), Array2::zeros((4, 5)));
    let error = matmul(("A", &a), ("B", &b)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot multiply A [2, 3] by B [4, 5]: the columns of the first (3) must be as \
         many as the rows of the second (4)"
    );
}

#[test]
fn what_is_not_a_number_is_named_with_its_place() {
    let mut x = Array2::zeros((2, 4));
    x[[1, 2]] = f64::NAN;
    let layer = SelfAttention::from_numpy_seed(42, 4, 3);
    let error = layer.forward(&x).unwrap_err().to_string();
    assert_eq!(error, "X[1, 2] is NaN: every value must be a finite number");

    let huge = Array2::from_elem((1, 4), 1e200);
    let error = layer.forward(&huge).unwrap_err();
    assert!(
        matches!(error, AttentionError::Overflow { row: 0, column: 0, .. }),
        "{error}"
    );
}

#[test]
fn an_empty_matrix_is_refused() {
    let error = check_finite("X", &Array2::zeros((0, 4))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "X is empty (shape [0, 4]): give at least one row and one column"
    );
}
