//! Wrong answers to chapter 1's exercises.

use ndarray::{Array2, Axis};
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

fn scores(q: &Array2<f64>, k: &Array2<f64>) -> Array2<f64> {
    q.dot(&k.t()) / (q.ncols() as f64).sqrt()
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

#[test]
fn ch01_2_wrong_scores() {
    assert_caught("divided by √d_k", || {
        check::scaled_scores(|q, k| q.dot(&k.t()));
    });
    assert_caught("K is transposed", || {
        check::scaled_scores(|q, k| {
            let k = if q.ncols() == k.nrows() { k.clone() } else { k.t().to_owned() };
            q.dot(&k) / (q.ncols() as f64).sqrt()
        });
    });
    assert_caught("divided by √d_k", || {
        check::scaled_scores(|q, k| q.dot(&k.t()) / q.ncols() as f64);
    });
    assert_caught("the width of a query", || {
        check::scaled_scores(|q, k| q.dot(&k.t()) / (k.nrows() as f64).sqrt());
    });
}

#[test]
fn ch01_3_wrong_attention() {
    assert_caught("mixed, not the keys", || {
        check::attention(|q, k, _| softmax(&scores(q, k)).dot(k));
    });
    assert_caught("softmax(Q Kᵀ / √d_k) times V", || {
        check::attention(|q, k, v| softmax(&q.dot(&k.t())).dot(v));
    });
    assert_caught("softmax(Q Kᵀ / √d_k) times V", || {
        check::attention(|q, k, v| softmax_over_columns(&scores(q, k)).dot(v));
    });
    assert_caught("softmax(Q Kᵀ / √d_k) times V", || {
        check::attention(|q, k, v| scores(q, k).dot(v));
    });
    assert_caught("a query that matches one key alone", || {
        check::attention(|q, k, v| naive_softmax(&scores(q, k)).dot(v));
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
