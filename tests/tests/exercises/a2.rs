//! Wrong answers to appendix 2's exercises.

use ndarray::{Array1, Array2, Axis};
use self_attention::{scaled_scores, softmax};
use whole_transformer::mask::causal;

use super::assert_caught;
use super::checks::a2 as check;

#[test]
fn a2_1_wrong_sigmoid() {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    assert_caught("of the output y", || {
        check::sigmoid_backward(|dy, x| {
            dy * &x.mapv(|x| sigmoid(x) * (1.0 - sigmoid(x)))
        });
    });
    assert_caught("y (1 − y)", || {
        check::sigmoid_backward(|dy, y| dy * &(1.0 - y));
    });
    assert_caught("y (1 − y)", || check::sigmoid_backward(|dy, y| dy * y));
    assert_caught("times dy", || check::sigmoid_backward(|_, y| y * &(1.0 - y)));
}

/// The mean of each row, `[n, d] -> [n, 1]`.
fn means(x: &Array2<f64>) -> Array2<f64> {
    (x.sum_axis(Axis(1)) / x.ncols() as f64).insert_axis(Axis(1))
}

/// What the norm gives back, without the sum's own path.
fn norm_alone(
    dy: &Array2<f64>,
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    epsilon: f64,
) -> Array2<f64> {
    let r = (means(&x.pow2()) + epsilon).sqrt().recip();
    let (normal, g) = (x * &r, dy * gamma);
    let along = &normal * &means(&(&g * &normal));
    (g - along) * &r
}

#[test]
fn a2_2_wrong_residual_and_norm() {
    let refused = |hint, answer: fn(&_, &_, &_, f64) -> Array2<f64>| {
        assert_caught(hint, || check::rms_residual_backward(answer));
    };
    refused("hands dY to X as it is", norm_alone);
    refused("the path through r", |dy, x, gamma, epsilon| {
        let r = (means(&x.pow2()) + epsilon).sqrt().recip();
        dy + &(dy * gamma * &r)
    });
    refused("LayerNorm's alone", |dy, x, gamma, epsilon| {
        let r = (means(&x.pow2()) + epsilon).sqrt().recip();
        let mean = means(&(dy * gamma)) * &r;
        dy + &(norm_alone(dy, x, gamma, epsilon) - &mean)
    });
    refused("ε is inside the root", |dy, x, gamma, _| {
        dy + &norm_alone(dy, x, gamma, 0.0)
    });
    refused("γ before the mean", |dy, x, gamma, epsilon| {
        let ones = Array1::ones(gamma.len());
        dy + &(norm_alone(dy, x, &ones, epsilon) * gamma)
    });
}

/// dS of the answer, from dP and P, divided by √d_k.
fn scores_gradient(dp: &Array2<f64>, p: &Array2<f64>, d_k: usize) -> Array2<f64> {
    let mean = (dp * p).sum_axis(Axis(1)).insert_axis(Axis(1)); // [n, 1]
    p * &(dp - &mean) / (d_k as f64).sqrt()
}

fn weights(q: &Array2<f64>, k: &Array2<f64>) -> Array2<f64> {
    softmax(&(scaled_scores(q, k).unwrap() + causal(q.nrows())))
}

#[test]
fn a2_3_wrong_causal() {
    let refused = |hint, answer: fn(&_, &_, &_) -> (Array2<f64>, Array2<f64>)| {
        assert_caught(hint, || check::causal_backward(answer));
    };
    refused("mask the scores before the softmax", |dp, q, k| {
        let p = softmax(&scaled_scores(q, k).unwrap());
        let ds = scores_gradient(dp, &p, q.ncols());
        (ds.dot(k), ds.t().dot(q))
    });
    refused("adds up to 1", |dp, q, k| {
        let mut p = softmax(&scaled_scores(q, k).unwrap());
        p *= &causal(q.nrows()).mapv(f64::exp); // hidden after the softmax
        let ds = scores_gradient(dp, &p, q.ncols());
        (ds.dot(k), ds.t().dot(q))
    });
    refused("subtract from dP its mean", |dp, q, k| {
        let ds = dp * &weights(q, k) / (q.ncols() as f64).sqrt();
        (ds.dot(k), ds.t().dot(q))
    });
    refused("1.7321 times what it should be", |dp, q, k| {
        let ds = scores_gradient(dp, &weights(q, k), 1);
        (ds.dot(k), ds.t().dot(q))
    });
    refused("dQ = dS K", |dp, q, k| {
        let ds = scores_gradient(dp, &weights(q, k), q.ncols());
        (ds.t().dot(q), ds.dot(k))
    });
    refused("dK = dSᵀ Q", |dp, q, k| {
        let ds = scores_gradient(dp, &weights(q, k), q.ncols());
        (ds.dot(k), ds.dot(q))
    });
    refused("its own too", |dp, q, k| {
        let earlier =
            causal(q.nrows()) + &Array2::from_diag(&Array1::from_elem(4, -1e9));
        let p = softmax(&(scaled_scores(q, k).unwrap() + earlier));
        let ds = scores_gradient(dp, &p, q.ncols());
        (ds.dot(k), ds.t().dot(q))
    });
}
