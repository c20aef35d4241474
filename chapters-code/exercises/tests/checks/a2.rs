//! Checks for the exercises of appendix 2.

use derivations::{finite_differences, gradient_error, relative_difference};
use ndarray::{Array1, Array2, Axis, array};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use self_attention::{scaled_scores, softmax};
use whole_transformer::mask::causal;

use super::asserts::assert_close;

/// Asserts that a gradient is what finite differences give, to 1e-7 of its largest
/// number.
#[track_caller]
fn assert_slopes(error: derivations::Result<f64>, hint: &str) {
    let error = error.expect("the answer has the right shape");
    assert!(
        error < 1e-7,
        "finite differences give another gradient (relative difference {error:.1e}): \
         {hint}"
    );
}

pub fn sigmoid_backward(backward: impl Fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>) {
    let one = array![[1.0, 1.0]];
    let hint = "the slope is y (1 − y), of the output y: 1/4 where y is 1/2. The sigmoid \
                need not be computed again.";
    let found = backward(&one, &array![[0.5, 0.1]]);
    assert_close(&found, &array![[0.25, 0.09]], hint);
    let hint =
        "the slope says how much y grows with x; times dy, how much the loss does.";
    let found = backward(&array![[-2.0, 3.0]], &array![[0.5, 0.1]]);
    assert_close(&found, &array![[-0.5, 0.27]], hint);

    let mut random = NumpyRandom::seed(1);
    let x = unit_variance(&mut random, 3, 4) * 2.0;
    let dy = unit_variance(&mut random, 3, 4);
    let sigmoid = |x: &Array2<f64>| x.mapv(|x| 1.0 / (1.0 + (-x).exp()));
    let dx = backward(&dy, &sigmoid(&x));
    let error = gradient_error(|x| Ok(sigmoid(x)), &x, &dy, &dx);
    assert_slopes(error, "dx = dy ∘ y ∘ (1 − y), number by number.");
}

/// X + (X r) ∘ γ, with r = 1 / √(mean of x² + ε).
fn rms_residual(x: &Array2<f64>, gamma: &Array1<f64>, epsilon: f64) -> Array2<f64> {
    let mean = x.pow2().sum_axis(Axis(1)) / x.ncols() as f64; // [n, d] -> [n]
    let r = (mean + epsilon).sqrt().recip().insert_axis(Axis(1)); // [n] -> [n, 1]
    x + &(x * &r * gamma)
}

pub fn rms_residual_backward(
    backward: impl Fn(&Array2<f64>, &Array2<f64>, &Array1<f64>, f64) -> Array2<f64>,
) {
    let x = array![[1.0, 2.0, -2.0, -1.0], [-3.0, 1.0, 1.0, 1.0]]; // of mean 0
    let dy = array![[0.5, -1.0, 2.0, 0.0], [1.0, 1.0, -1.0, 3.0]];
    let hint = "with γ = 0 only the sum is left: it hands dY to X as it is.";
    assert_close(&backward(&dy, &x, &Array1::zeros(4), 1e-5), &dy, hint);

    let ones = Array1::ones(4);
    let hint = "twice the row is normalized to the same row, so nothing comes back along \
                it (here dY = X, and ε is 0): that is what the path through r takes away.";
    assert_close(&backward(&x, &x, &ones, 0.0), &x, hint);

    // mean of x² = 1, and g ∘ x̂ has mean 0.
    let (x, dy) = (array![[1.0, -1.0, 1.0, -1.0]], array![[1.0, 1.0, 1.0, 1.0]]);
    let hint = "RMSNorm has no mean to subtract: the mean's path is LayerNorm's alone.";
    assert_close(&backward(&dy, &x, &ones, 0.0), &array![[2.0, 2.0, 2.0, 2.0]], hint);

    let mut random = NumpyRandom::seed(2);
    for (n, d, epsilon) in [(1, 3, 1e-5), (4, 5, 0.5), (5, 4, 1e-3)] {
        let (x, dy) =
            (unit_variance(&mut random, n, d), unit_variance(&mut random, n, d));
        let gamma = unit_variance(&mut random, 1, d).remove_axis(Axis(0)); // [d]
        let dx = backward(&dy, &x, &gamma, epsilon);
        let f = |x: &Array2<f64>| Ok(rms_residual(x, &gamma, epsilon));
        let hint = "with g = dy ∘ γ and x̂ = x r, the norm gives back r (g − x̂ mean(g ∘ \
                    x̂)), row by row; ε is inside the root, and γ before the mean.";
        assert_slopes(gradient_error(f, &x, &dy, &dx), hint);
    }
}

/// P = softmax(Q Kᵀ / √d_k + mask), where query i sees the keys up to i.
fn causal_weights(
    q: &Array2<f64>,
    k: &Array2<f64>,
) -> derivations::Result<Array2<f64>> {
    Ok(softmax(&(scaled_scores(q, k)? + causal(q.nrows()))))
}

type CausalBackward =
    fn(&Array2<f64>, &Array2<f64>, &Array2<f64>) -> (Array2<f64>, Array2<f64>);

pub fn causal_backward(backward: CausalBackward) {
    let mut random = NumpyRandom::seed(3);
    let (q, k) = (unit_variance(&mut random, 4, 3), unit_variance(&mut random, 4, 3));
    let level = Array2::from_elem((4, 4), 5.0);
    let (dq, dk) = backward(&level, &q, &k);
    let hint = "each row of P adds up to 1, so a dP that is the same everywhere moves \
                nothing: subtract from dP its mean with the weights P.";
    assert_close(&dq, &Array2::zeros((4, 3)), hint);
    assert_close(&dk, &Array2::zeros((4, 3)), hint);

    let dp = unit_variance(&mut random, 4, 4);
    let (dq, dk) = backward(&dp, &q, &k);
    let hidden = &dp + &Array2::from_shape_fn((4, 4), |(i, j)| 9.0 * f64::from(j > i));
    let (dq_hidden, dk_hidden) = backward(&hidden, &q, &k);
    let hint = "what dP holds for a key that the query doesn't see must not count: mask \
                the scores before the softmax.";
    assert_close(&dq_hidden, &dq, hint);
    assert_close(&dk_hidden, &dk, hint);
    let weighted = |p: derivations::Result<Array2<f64>>| Ok((p? * &dp).sum());
    let slopes = finite_differences(|q| weighted(causal_weights(q, &k)), &q, 1e-5);
    let slopes = slopes.expect("matrices that fit");
    let times = (&dq * &slopes).sum() / slopes.pow2().sum();
    let other_length = (times - 1.0).abs() > 1e-7;
    assert!(
        !(other_length && relative_difference(&(&dq / times), &slopes) < 1e-7),
        "dQ is right but for its length, {times:.4} times what it should be: the scores \
         are divided by √d_k, so dS is, too, once."
    );
    let hint = "dQ = dS K: each query moves by the keys that it sees, its own too.";
    assert_slopes(gradient_error(|q| causal_weights(q, &k), &q, &dp, &dq), hint);
    let hint = "dK = dSᵀ Q: each key moves by the queries that looked at it.";
    assert_slopes(gradient_error(|k| causal_weights(&q, k), &k, &dp, &dk), hint);
}
