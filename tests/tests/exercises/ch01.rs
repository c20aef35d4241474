//! Wrong answers to chapter 1's exercises.

use ndarray::{Array2, Axis};
use self_attention::faults::Fault;
use self_attention::{naive_softmax, softmax};

use super::assert_caught;
use super::checks::ch01 as check;

fn softmax_over_columns(scores: &Array2<f64>) -> Array2<f64> {
    softmax(&scores.t().to_owned()).t().to_owned()
}

fn softmax_of_everything(scores: &Array2<f64>) -> Array2<f64> {
    let exponentials = scores.mapv(f64::exp);
    let sum = exponentials.sum();
    exponentials / sum
}

fn softmax_of_masked_rows_is_nan(scores: &Array2<f64>) -> Array2<f64> {
    let maximum =
        scores.map_axis(Axis(1), |row| row.fold(f64::NEG_INFINITY, |a, &b| a.max(b)));
    naive_softmax(&(scores - &maximum.insert_axis(Axis(1))))
}

fn softmax_minus_the_global_maximum(scores: &Array2<f64>) -> Array2<f64> {
    let maximum = scores.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    naive_softmax(&scores.mapv(|score| score - maximum))
}

#[test]
fn ch01_1_wrong_softmax() {
    assert_caught("along the row", || check::softmax(softmax_over_columns));
    assert_caught("along the row", || check::softmax(softmax_of_everything));
    assert_caught("subtract the row's maximum", || check::softmax(naive_softmax));
    assert_caught("all zeros", || check::softmax(softmax_of_masked_rows_is_nan));
    assert_caught("all zeros", || check::softmax(softmax_minus_the_global_maximum));
    assert_caught("weight i is exp", || {
        check::softmax(|scores| {
            scores / &scores.sum_axis(Axis(1)).insert_axis(Axis(1))
        });
    });
}

/// A matrix with `value` where row `i` meets column `at(i)`, `[n, n]`.
fn pointing(n: usize, value: f64, at: impl Fn(usize) -> usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| if at(i) == j { value } else { 0.0 })
}

#[test]
fn ch01_2_wrong_previous_word() {
    let before = |word: usize| word.saturating_sub(1);
    check::previous_word(|n| (pointing(n, 1e4, before), Array2::eye(n)));
    check::previous_word(|n| {
        (Array2::eye(n), pointing(n, 1e4, before).reversed_axes()) // shift the keys
    });
    // The word after: the shift in the wrong matrix, or transposed.
    assert_caught("the word after", || {
        check::previous_word(|n| (Array2::eye(n), pointing(n, 1e4, before)));
    });
    assert_caught("the word after", || {
        check::previous_word(|n| {
            (pointing(n, 1e4, |word| (word + 1).min(n - 1)), Array2::eye(n))
        });
    });
    // Itself.
    assert_caught("match the key of the word before", || {
        check::previous_word(|n| (Array2::eye(n) * 1e4, Array2::eye(n)));
    });
    // Right, but not sharp: √d_k forgotten, or a score that enough words outweigh.
    assert_caught("the weight is too small", || {
        check::previous_word(|n| (pointing(n, 1.0, before), Array2::eye(n)));
    });
    assert_caught("the weight is too small", || {
        check::previous_word(|n| (pointing(n, 7.0, before), Array2::eye(n)));
    });
    assert_caught("the weight is too small", || {
        let sharp = |n: usize| 7.0 * (n as f64).sqrt();
        check::previous_word(|n| (pointing(n, sharp(n), before), Array2::eye(n)));
    });
    // The first word looks at the last, or nowhere in particular.
    assert_caught("nothing comes before the first", || {
        check::previous_word(|n| {
            (pointing(n, 1e4, |word| (word + n - 1) % n), Array2::eye(n))
        });
    });
    assert_caught("too small", || {
        check::previous_word(|n| {
            (pointing(n, 1e4, |word| word.wrapping_sub(1)), Array2::eye(n))
        });
    });
    assert_caught("finite", || {
        check::previous_word(|n| (pointing(n, f64::INFINITY, before), Array2::eye(n)));
    });
    // Always three words.
    assert_caught("[n, n]", || {
        check::previous_word(|_| (pointing(3, 1e4, before), Array2::eye(3)));
    });
}

/// The map as it should be, `[n, n]`.
fn right(q: &Array2<f64>, k: &Array2<f64>) -> Array2<f64> {
    softmax(&(q.dot(&k.t()) / (q.ncols() as f64).sqrt()))
}

/// The fault whose map is nearest to `weights` among `suspects`.
fn nearest(
    suspects: &[Fault],
    q: &Array2<f64>,
    k: &Array2<f64>,
    weights: &Array2<f64>,
) -> Fault {
    let distance =
        |&fault: &Fault| (check::wrong_map(fault, q, k) - weights).abs().sum();
    let nearer = |a: &Fault, b: &Fault| distance(a).total_cmp(&distance(b));
    suspects.iter().copied().min_by(nearer).unwrap()
}

#[test]
fn ch01_3_wrong_diagnosis() {
    use Fault::{AllTogether, Columns, NotScaled, Swapped};

    let all = [AllTogether, Columns, NotScaled, Swapped];
    check::diagnose(|q, k, weights| (nearest(&all, q, k, weights), right(q, k)));
    // One fault unknown: its map is taken for another's.
    for (unknown, symptom) in [
        (AllTogether, "all numbers together"),
        (Columns, "the columns sum to 1"),
        (NotScaled, "Q Kᵀ itself"),
        (Swapped, "K Qᵀ"),
    ] {
        let known: Vec<Fault> =
            all.into_iter().filter(|&fault| fault != unknown).collect();
        assert_caught(symptom, || {
            check::diagnose(|q, k, weights| {
                (nearest(&known, q, k, weights), right(q, k))
            });
        });
    }
    // By a symptom alone: a row that is nearly one word's must be unscaled.
    assert_caught("the fault is", || {
        check::diagnose(|q, k, weights| {
            let rows_sum =
                |row: ndarray::ArrayView1<f64>| (row.sum() - 1.0).abs() < 1e-9;
            let sharp = weights.iter().any(|&weight| weight > 0.9);
            let fault = match (weights.rows().into_iter().all(rows_sum), sharp) {
                (true, true) => NotScaled,
                (true, false) => Swapped,
                (false, _) if (weights.sum() - 1.0).abs() < 1e-9 => AllTogether,
                (false, _) => Columns,
            };
            (fault, right(q, k))
        });
    });
    // The map is not mended, or mended with another fault.
    let named = |q: &Array2<f64>, k: &Array2<f64>, weights: &Array2<f64>| {
        nearest(&all, q, k, weights)
    };
    assert_caught("the map mended", || {
        check::diagnose(|q, k, weights| (named(q, k, weights), weights.clone()));
    });
    assert_caught("the map mended", || {
        check::diagnose(|q, k, weights| (named(q, k, weights), right(k, q)));
    });
    // Only normalized again: the rows sum to 1, but the weights are others.
    assert_caught("the map mended", || {
        check::diagnose(|q, k, weights| {
            let sums = weights.sum_axis(Axis(1)).insert_axis(Axis(1));
            (named(q, k, weights), weights / &sums)
        });
    });
}

#[test]
fn ch01_4_wrong_variances() {
    let variance = |dots: &[f64], by: f64| {
        let n = dots.len() as f64;
        let mean = dots.iter().sum::<f64>() / n;
        dots.iter().map(|dot| (dot - mean).powi(2)).sum::<f64>() / by
    };
    assert_caught("mean 4", || {
        check::score_variances(|dots, d_k| {
            let unbiased = variance(dots, dots.len() as f64 - 1.0);
            (unbiased, unbiased / d_k as f64)
        });
    });
    assert_caught("divides the variance by (√5)²", || {
        check::score_variances(|dots, d_k| {
            let raw = variance(dots, dots.len() as f64);
            (raw, raw / (d_k as f64).sqrt())
        });
    });
    assert_caught("mean 4", || {
        check::score_variances(|dots, _| {
            let raw = dots.iter().map(|dot| dot * dot).sum::<f64>() / dots.len() as f64;
            (raw, raw)
        });
    });
}

#[test]
fn ch01_5_wrong_temperature() {
    assert_caught("temperature 2", || {
        check::softmax_with_temperature(|scores, temperature| {
            softmax(&(scores * temperature))
        });
    });
    assert_caught("temperature 2", || {
        check::softmax_with_temperature(|scores, _| softmax(scores));
    });
    assert_caught("temperature 2", || {
        check::softmax_with_temperature(|scores, temperature| {
            softmax(scores) / temperature
        });
    });
    assert_caught("must not overflow", || {
        check::softmax_with_temperature(|scores, t| naive_softmax(&(scores / t)));
    });
}

#[test]
fn ch01_6_wrong_unshuffle() {
    assert_caught("belongs to word", || {
        check::unshuffle(|rows, order| rows.select(Axis(0), order));
    });
    assert_caught("belongs to word", || check::unshuffle(|rows, _| rows.clone()));
}
