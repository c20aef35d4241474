//! Checks for the exercises of chapter 3.

#![allow(clippy::float_cmp, reason = "what must not change is compared exactly")]

use ndarray::{Array1, Array2, array};

use super::asserts::{assert_close, assert_equal, assert_number};

type Loss = fn(&Array1<f64>) -> f64;

pub fn wrong_derivatives(
    wrong: impl Fn(Loss, &Array1<f64>, &Array1<f64>, (f64, f64)) -> Vec<usize>,
) {
    let assert_wrong = |loss: Loss,
                        weights: &[f64],
                        gradient: &[f64],
                        places: &[usize],
                        hint: &str| {
        let what = format!("weights {weights:?}, gradient {gradient:?}");
        let [weights, gradient] =
            [weights, gradient].map(|numbers| Array1::from(numbers.to_vec()));
        let found = wrong(loss, &weights, &gradient, (0.125, 0.01));
        assert_equal(&what, &found[..], places, hint);
    };
    // w₀² + 3 w₁: at (2, 5) the derivatives are 4 and 3.
    let loss: Loss = |w| w[0] * w[0] + 3.0 * w[1];
    let hint = "w₀² + 3 w₁ has the derivatives 4 and 3 at (2, 5). From above and from \
                below, the way is twice h; from one side alone w₀² would give 4.125";
    assert_wrong(loss, &[2.0, 5.0], &[4.0, 3.0], &[], hint);
    let hint = "here the second has the wrong sign: places count from 0";
    assert_wrong(loss, &[2.0, 5.0], &[4.0, -3.0], &[1], hint);
    let hint = "a derivative may be wrong by being too large or too small";
    assert_wrong(loss, &[2.0, 5.0], &[5.0, 2.0], &[0, 1], hint);
    let hint = "the tolerance, 0.01, is a distance: 4.005 and 2.995 are within it, 4.02 and \
                2.98 are not";
    assert_wrong(loss, &[2.0, 5.0], &[4.005, 2.995], &[], hint);
    assert_wrong(loss, &[2.0, 5.0], &[4.02, 2.98], &[0, 1], hint);
    // A product: each weight's derivative is the other weight.
    let hint = "the loss is w₀ · w₁, each derivative is the other weight: nudge one at a \
                time, and put it back before the next";
    assert_wrong(|w| w[0] * w[1], &[2.0, 3.0], &[3.0, 2.0], &[], hint);
    assert_wrong(|w| w[0] * w[1], &[2.0, 3.0], &[2.0, 2.0], &[0], hint);
    let hint = "NaN is no derivative, and no comparison with it is true";
    assert_wrong(loss, &[2.0, 5.0], &[f64::NAN, 3.0], &[0], hint);
    let hint = "without weights there is nothing to be wrong";
    assert_wrong(|_| 1.0, &[], &[], &[], hint);
}

pub fn descend(descend: impl Fn(f64, &[(f64, f64)], f64, usize) -> f64) {
    let found = descend(0.5, &[(2.0, 3.0)], 0.1, 1);
    let hint = "at w = 0.5 the error is 1 − 3 = −2 and the derivative 2 · (−2) · 2 = −8: \
                w goes to 0.5 + 0.1 · 8, against the derivative, with its 2 and its x";
    assert_number(found, 1.3, hint);
    let found = descend(0.5, &[(2.0, 3.0)], 0.1, 2);
    let hint = "the second step has the derivative of the new w: −1.6 at 1.3";
    assert_number(found, 1.46, hint);
    let found = descend(0.0, &[(1.0, 2.0), (3.0, 0.0)], 0.25, 1);
    let hint = "two examples: their derivatives at 0, −4 and 0, have the mean −2. The loss \
                is a mean, not a sum, and both examples take part in the same step";
    assert_number(found, 0.5, hint);
    let found = descend(1.0, &[(1.0, 2.0), (3.0, 0.0)], 0.1, 1);
    let hint = "at w = 1 the derivatives are −2 and 18, the mean 8: one step for both, and \
                not one for each, in which the second would see a w already moved";
    assert_number(found, 0.2, hint);
    assert_number(descend(7.0, &[(2.0, 3.0)], 0.1, 0), 7.0, "no step, no change");
    let found = descend(7.0, &[], 0.1, 3);
    assert!(found == 7.0, "no example, no change (0 / 0 is NaN): {found}");
}

pub fn logistic_gradient(
    gradient: impl Fn(&Array2<f64>, &[bool], &Array1<f64>, f64) -> (Array1<f64>, f64),
) {
    let hint = "at z = 0, p is 1/2: p − y is −1/2 if yes is right, 1/2 if no is";
    let (weights, bias) =
        gradient(&array![[2.0, -4.0]], &[true], &array![0.0, 0.0], 0.0);
    assert_number(bias, -0.5, hint);
    let own = "each weight's part is p − y times its own feature";
    assert_close(&weights, &array![-1.0, 2.0], own);
    let (weights, bias) =
        gradient(&array![[2.0, -4.0]], &[false], &array![0.0, 0.0], 0.0);
    assert_number(bias, 0.5, hint);
    assert_close(&weights, &array![1.0, -2.0], own);

    // z = ln 3: p = 3/4. With the bias alone, and with a weight alone.
    let ln3 = 3_f64.ln();
    for (x, weight, bias) in [(0.0, 0.0, ln3), (1.0, ln3, 0.0), (1.0, ln3 - 1.0, 1.0)] {
        let (_, found) = gradient(&array![[x]], &[true], &array![weight], bias);
        let hint = "z = x · weights + bias = ln 3 gives p = 1 / (1 + 1/3) = 3/4";
        assert_number(found, -0.25, hint);
    }
    let x = array![[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [0.0, 0.0]];
    let yes = [true, true, false, false];
    let (weights, bias) = gradient(&x, &yes, &array![0.0, 0.0], 0.0);
    let hint = "four examples: the mean, a quarter of the sum";
    assert_number(bias, 0.0, hint);
    assert_close(&weights, &array![0.25, 0.125], hint);
}

type Vectors<'a> = (&'a mut Array1<f64>, &'a mut Array1<f64>);

pub fn adamw_step(
    adamw_step: impl Fn(&mut Array1<f64>, &Array1<f64>, Vectors, i32, f64),
) {
    let assert_near = |found: f64, expected: f64, hint: &str| {
        let near = (found - expected).abs() < 1e-3;
        assert!(near, "expected about {expected}, but found {found}: {hint}");
    };
    // One weight at a time: (theta, m, v) after the step.
    let step = |(theta, m, v): (f64, f64, f64), gradient: f64, steps, rate| {
        let (mut theta, mut m, mut v) = (array![theta], array![m], array![v]);
        adamw_step(&mut theta, &array![gradient], (&mut m, &mut v), steps, rate);
        (theta[0], m[0], v[0])
    };

    let (theta, m, v) = step((2.0, 0.0, 0.0), 0.0, 0, 0.5);
    assert!(
        !theta.is_nan(),
        "a gradient of 0 gives 0 / 0: the first step has t = steps + 1 = 1 (1 − β⁰ is 0), \
         and ε is added to the root"
    );
    let hint = "the decay is decoupled: λ θ is no part of the gradient, and with a \
                gradient of 0 m and v stay 0";
    assert_number(m, 0.0, hint);
    assert_number(v, 0.0, hint);
    let hint = "with a gradient of 0 only the decay is left: θ − η λ θ = 2 − 0.5 · 0.01 \
                · 2, with the learning rate as a factor";
    assert_number(theta, 1.99, hint);

    let (theta, m, v) = step((0.0, 0.0, 0.0), -4.0, 0, 0.1);
    assert!(
        theta.is_finite(),
        "1 − β⁰ is 0: the first step has t = steps + 1 = 1, but found θ = {theta}"
    );
    let hint = "m is 0.9 m + 0.1 g, here 0.1 · (−4), and is kept so: only a copy is \
                divided by 1 − β₁ᵗ";
    assert_number(m, -0.4, hint);
    let hint = "v is 0.999 v + 0.001 g², here 0.001 · 16: of the square of the gradient, \
                with β₂, and kept so, as only a copy is divided by 1 − β₂ᵗ";
    assert_number(v, 0.016, hint);
    let hint = "the first step is as long as the learning rate, whatever the gradient, \
                and against it: m / (1 − β₁) is g, and v / (1 − β₂) is g². Without these \
                divisions it is three times as long; without the root, another length";
    assert_near(theta, 0.1, hint); // ε and the order of the lines: below

    let (theta, _, _) = step((10.0, 0.0, 0.0), 2.0, 0, 0.5);
    let hint = "the decay comes first, of the weight as it was: 10 − 0.5 · 0.01 · 10, and \
                only then the step of 0.5";
    assert_near(theta, 9.45, hint);

    let (theta, _, _) = step((0.0, 0.0, 0.0), 1e-8, 0, 1.0);
    let hint = "ε = 1e-8 is added to the root of the corrected v, not inside the root \
                and not before the correction: with g = 1e-8 the step is halved";
    assert_number(theta, -0.5, hint);

    // A later step: t = 3.
    let (theta, m, v) = step((1.0, 0.5, 0.04), 2.0, 2, 0.1);
    assert_number(m, 0.65, "m is 0.9 m + 0.1 g, here 0.45 + 0.2");
    assert_number(v, 0.04396, "v is 0.999 v + 0.001 g², here 0.03996 + 0.004");
    let mean = 0.65 / (1.0 - 0.9 * 0.9 * 0.9);
    let square: f64 = 0.04396 / (1.0 - 0.999 * 0.999 * 0.999);
    let hint = "after 2 steps this is the third: t = 3, and the divisions are by 1 − 0.9³ \
                and 1 − 0.999³, of m and v with this gradient taken in";
    assert_number(theta, 0.999 - 0.1 * mean / (square.sqrt() + 1e-8), hint);

    let mut theta = array![1.0, 0.0, -1.0];
    let (mut m, mut v) = (Array1::zeros(3), Array1::zeros(3));
    let gradient = array![1e3, 0.0, -1e-3];
    adamw_step(&mut theta, &gradient, (&mut m, &mut v), 0, 1e-2);
    let moved = 1e-3 / (1e-3 + 1e-8) * 1e-2;
    let expected = array![0.9999 - 1e3 / (1e3 + 1e-8) * 1e-2, 0.0, -0.9999 + moved];
    let hint = "each weight has its own m and v: a small gradient moves its weight as \
                far as a large one.";
    assert_close(&theta, &expected, hint);
}

pub fn learning_rate(learning_rate: impl Fn(u64, f64, u64, u64) -> f64) {
    let rate = |step| learning_rate(step, 2.0, 4, 12);
    let hint =
        "the first step, 0, has the rate 0: step / warmup, not (step + 1) / warmup";
    assert_number(rate(0), 0.0, hint);
    let hint = "the warm-up is peak · step / warmup: half of the peak at half of it, as \
                a division of f64, not of whole numbers, which gives 0";
    assert_number(rate(2), 1.0, hint);
    assert_number(rate(3), 1.5, hint);
    let hint = "the peak is reached at step `warmup`, and from there the way down is \
                counted: (total − step) / (total − warmup)";
    assert_number(rate(4), 2.0, hint);
    let hint = "half of the way down, at step 8 of 4 to 12, is half of the peak: a \
                straight line";
    assert_number(rate(8), 1.0, hint);
    let hint = "the way down is one straight line, an eighth of the peak each step";
    assert_number(rate(5), 1.75, hint);
    assert_number(rate(11), 0.25, hint);
    for step in [12, 13, 20] {
        let hint = "0 from step `total` on, and never negative";
        assert_number(rate(step), 0.0, hint);
    }

    for (step, expected) in [(0, 3.0), (1, 2.25), (3, 0.75), (4, 0.0)] {
        let found = learning_rate(step, 3.0, 0, 4);
        let hint = "with a warm-up of 0 the way down begins at once, with the peak at \
                    step 0: don't divide by warmup = 0";
        assert_number(found, expected, hint);
    }
    for (step, expected) in [(0, 0.0), (1, 1.5), (2, 0.0), (3, 0.0)] {
        let found = learning_rate(step, 3.0, 2, 2);
        let hint = "with warmup = total the way up is all there is, and step `total` has \
                    0: don't divide by total − warmup = 0";
        assert_number(found, expected, hint);
    }
}

pub fn clip(clip: impl Fn(&mut [Array1<f64>], f64) -> f64) {
    // PyTorch's clip_grad_norm_ divides by the length + 1e-6: that is as good.
    #[track_caller]
    fn assert_gradients(found: &[Array1<f64>], expected: &[Array1<f64>], hint: &str) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * b.abs();
        let all = |(a, b): (&Array1<f64>, &Array1<f64>)| a.iter().zip(b).all(near);
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(all),
            "expected {expected:?}, but found {found:?}: {hint}"
        );
    }
    let long = || [array![3.0, 4.0], array![-12.0]]; // √(9 + 16 + 144) = 13

    let mut gradients = long();
    let length = clip(&mut gradients, 100.0);
    let hint = "together they are 13 long, less than 100: shorter gradients are left \
                alone, not lengthened";
    assert!(gradients == long(), "{hint}. Found {gradients:?}");
    let hint = "the length is √(3² + 4² + 12²) = 13: the root of the sum of all squares, \
                not the sum of the gradients' own lengths, nor the largest number";
    assert_number(length, 13.0, hint);

    let mut gradients = long();
    let length = clip(&mut gradients, 6.5);
    let hint = "they are 13 long together, twice the limit of 6.5: all are divided by 2, \
                so that their direction stays; no gradient and no number is cut alone";
    assert_gradients(&gradients, &[array![1.5, 2.0], array![-6.0]], hint);
    let hint = "the answer is how long they were, 13, and not how long they are now";
    assert_number(length, 13.0, hint);

    let mut gradients = [array![6.0], array![6.0], array![7.0]];
    clip(&mut gradients, 10.0);
    let hint = "each is shorter than 10 alone, but together they are 11";
    let expected = [6.0, 6.0, 7.0].map(|number| array![number * 10.0 / 11.0]);
    assert_gradients(&gradients, &expected, hint);

    let mut gradients = [array![0.3], array![0.4]];
    let length = clip(&mut gradients, 0.4);
    let hint =
        "0.5 is more than 0.4, even if the square, 0.25, is not: compare the length";
    assert_gradients(&gradients, &[array![0.24], array![0.32]], hint);
    assert_number(length, 0.5, hint);

    let mut gradients = [array![0.0, 0.0], array![0.0]];
    let length = clip(&mut gradients, 1.0);
    let still = gradients.iter().flatten().all(|&number| number == 0.0);
    assert!(still && length == 0.0, "zeros stay zeros (0 / 0 is NaN): {gradients:?}");
}

pub fn masked_gradient(
    gradient: impl Fn(&Array2<f64>, &[usize], &[f64]) -> Array2<f64>,
) {
    let even = Array2::zeros((3, 2)); // p is 1/2 everywhere
    let right = [0, 1, 1];
    let hint = "with every place to be learned it is (p − y) / 3";
    let expected = array![[-0.5, 0.5], [0.5, -0.5], [0.5, -0.5]] / 3.0;
    assert_close(&gradient(&even, &right, &[1.0; 3]), &expected, hint);
    let found = gradient(&even, &right, &[1.0, 1.0, 0.0]);
    let hint = "the last place is padding: its whole row is 0, p as well as y";
    assert_close(&found.row(2).to_owned(), &array![0.0, 0.0], hint);
    let hint = "two places are left to learn from: the mean is over 2, not over 3";
    let expected = array![[-0.25, 0.25], [0.25, -0.25], [0.0, 0.0]];
    assert_close(&found, &expected, hint);

    // More padding changes nothing.
    let logits = array![[2.0, 1.0, -1.0], [7.0, 0.0, 7.0], [-3.0, 9.0, 0.5]];
    let found = gradient(&logits, &[1, 0, 0], &[1.0, 0.0, 0.0]);
    let p = self_attention::softmax(&array![[2.0, 1.0, -1.0]]);
    let expected = array![
        [p[[0, 0]], p[[0, 1]] - 1.0, p[[0, 2]]],
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0]
    ];
    let hint = "one place is left, and it learns as if it were alone: (p − y) / 1";
    assert_close(&found, &expected, hint);
    let found = gradient(&logits, &[1, 0, 0], &[0.0; 3]);
    let hint = "with nothing to learn, zeros: don't divide by 0";
    assert_close(&found, &Array2::zeros((3, 3)), hint);
    let broken =
        array![[2.0, 1.0, -1.0], [f64::NAN, 0.0, 7.0], [-3.0, f64::INFINITY, 0.5]];
    let found = gradient(&broken, &[1, 0, 0], &[1.0, 0.0, 0.0]);
    let hint = "padding may hold anything, NaN too, and NaN · 0 is NaN: write the zeros, \
                don't multiply";
    assert_close(&found, &expected, hint);
}

pub fn smoothed_loss(
    smoothed_loss: impl Fn(&Array1<f64>, usize, f64) -> (f64, Array1<f64>),
) {
    let logits = array![2.0, 1.0, -1.0];
    let p = self_attention::softmax(&array![[2.0, 1.0, -1.0]]).row(0).to_owned();
    let (loss, gradient) = smoothed_loss(&logits, 1, 0.0);
    let hint = "without smoothing it is the chapter's: −ln p, and p − y";
    assert_number(loss, -p[1].ln(), hint);
    assert_close(&gradient, &array![p[0], p[1] - 1.0, p[2]], hint);

    let (loss, gradient) = smoothed_loss(&Array1::zeros(4), 2, 0.2);
    let hint =
        "four equal logits: every p is 1/4, so −ln p is ln 4 whatever the target";
    assert_number(loss, 4_f64.ln(), hint);
    let hint = "0.2 shared out among all four, the right one too, is 0.05 each, and the \
                right one has 0.8 besides: the gradient is p − y";
    assert_close(&gradient, &array![0.2, 0.2, -0.6, 0.2], hint);

    let (loss, gradient) = smoothed_loss(&logits, 1, 0.3);
    let y = array![0.1, 0.8, 0.1];
    let expected = -(&y * &p.ln()).sum();
    let hint = "every column counts in the loss, with its share of the target";
    assert_number(loss, expected, hint);
    assert_close(&gradient, &(&p - &y), "the gradient is p − y, with the smoothed y");

    let (loss, gradient) = smoothed_loss(&array![1000.0, 0.0], 0, 0.5);
    let hint = "with 1000 nats between two logits, p of the second is rounded to 0, and \
                ln 0 is −∞: take the logarithm before the exponential, less the maximum";
    assert_number(loss, 250.0, hint);
    assert_close(&gradient, &array![0.25, -0.25], hint);
}
