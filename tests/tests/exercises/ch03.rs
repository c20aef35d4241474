//! Wrong answers to chapter 3's exercises.

#![allow(clippy::type_complexity, reason = "the exercises' own signatures")]

use ndarray::{Array1, Array2, Axis};

use super::assert_caught;
use super::checks::ch03 as check;

/// The places whose derivative is refused, by what the loss says of each place.
fn refused(
    gradient: &Array1<f64>,
    slope: impl Fn(usize) -> f64,
    bad: impl Fn(f64) -> bool,
) -> Vec<usize> {
    (0..gradient.len()).filter(|&i| bad(slope(i) - gradient[i])).collect()
}

#[test]
fn ch03_1_wrong_derivatives() {
    type Loss = fn(&Array1<f64>) -> f64;
    let nudged = |loss: Loss, weights: &Array1<f64>, i: usize, by: f64| {
        let mut weights = weights.clone();
        weights[i] += by;
        loss(&weights)
    };
    let slope = |loss: Loss, weights: &Array1<f64>, i: usize, h: f64| {
        (nudged(loss, weights, i, h) - nudged(loss, weights, i, -h)) / (2.0 * h)
    };
    check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
        refused(
            gradient,
            |i| slope(loss, weights, i, h),
            |gap| gap.is_nan() || gap.abs() > tolerance,
        )
    });
    // From one side; over half the way.
    assert_caught("from one side alone", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            let above = |i| (nudged(loss, weights, i, h) - loss(weights)) / h;
            refused(gradient, above, |gap| gap.is_nan() || gap.abs() > tolerance)
        });
    });
    assert_caught("the way is twice h", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            let twice = |i| 2.0 * slope(loss, weights, i, h);
            refused(gradient, twice, |gap| gap.is_nan() || gap.abs() > tolerance)
        });
    });
    // Only those that are too large; relative; NaN passes; those that are right.
    assert_caught("too large or too small", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            refused(gradient, |i| slope(loss, weights, i, h), |gap| gap > tolerance)
        });
    });
    assert_caught("is a distance", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            let relative = |i: usize| {
                let slope = slope(loss, weights, i, h);
                gradient[i] + (slope - gradient[i]) / slope.abs()
            };
            refused(gradient, relative, |gap| gap.is_nan() || gap.abs() > tolerance)
        });
    });
    assert_caught("NaN is no derivative", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            refused(
                gradient,
                |i| slope(loss, weights, i, h),
                |gap| gap.abs() > tolerance,
            )
        });
    });
    assert_caught("the derivatives 4 and 3", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            refused(
                gradient,
                |i| slope(loss, weights, i, h),
                |gap| gap.abs() <= tolerance,
            )
        });
    });
    assert_caught("places count from 0", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            let bad = |gap: f64| gap.is_nan() || gap.abs() > tolerance;
            let places = refused(gradient, |i| slope(loss, weights, i, h), bad);
            places.iter().map(|place| place + 1).collect()
        });
    });
    // A weight that was nudged stays where it is.
    assert_caught("put it back before the next", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            let mut weights = weights.clone();
            let mut places = Vec::new();
            for i in 0..weights.len() {
                weights[i] += h;
                let above = loss(&weights);
                weights[i] -= 2.0 * h;
                let gap = (above - loss(&weights)) / (2.0 * h) - gradient[i];
                if gap.is_nan() || gap.abs() > tolerance {
                    places.push(i);
                }
            }
            places
        });
    });
    // All weights at once.
    assert_caught("the derivatives 4 and 3", || {
        check::wrong_derivatives(|loss, weights, gradient, (h, tolerance)| {
            let all = (loss(&(weights + h)) - loss(&(weights - h))) / (2.0 * h);
            refused(gradient, |_| all, |gap| gap.is_nan() || gap.abs() > tolerance)
        });
    });
}

/// Steps of w by what `derivative` says of it.
fn steps(mut w: f64, rate: f64, steps: usize, derivative: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..steps {
        w -= rate * derivative(w);
    }
    w
}

#[test]
fn ch03_2_wrong_descend() {
    type Examples<'a> = &'a [(f64, f64)];
    let mean = |examples: Examples, one: &dyn Fn(f64, f64) -> f64| {
        let sum: f64 = examples.iter().map(|&(x, target)| one(x, target)).sum();
        sum / examples.len().max(1) as f64
    };
    check::descend(|w, examples, rate, n| {
        steps(w, rate, n, |w| mean(examples, &|x, y| 2.0 * (w * x - y) * x))
    });
    // Without the 2, without the x, upwards.
    for (two, own, sign) in [(1.0, true, 1.0), (2.0, false, 1.0), (2.0, true, -1.0)] {
        assert_caught("with its 2 and its x", || {
            check::descend(|w, examples, rate, n| {
                steps(w, rate, n, |w| {
                    let x_of = |x| if own { x } else { 1.0 };
                    sign * mean(examples, &|x, y| two * (w * x - y) * x_of(x))
                })
            });
        });
    }
    // The derivative of the first w, always.
    assert_caught("of the new w", || {
        check::descend(|first, examples, rate, n| {
            steps(first, rate, n, |_| mean(examples, &|x, y| 2.0 * (first * x - y) * x))
        });
    });
    // The sum.
    assert_caught("a mean, not a sum", || {
        check::descend(|w, examples, rate, n| {
            steps(w, rate, n, |w| {
                examples.len() as f64 * mean(examples, &|x, y| 2.0 * (w * x - y) * x)
            })
        });
    });
    // One example after the other.
    assert_caught("in the same step", || {
        check::descend(|mut w, examples, rate, n| {
            let share = rate / examples.len().max(1) as f64;
            for _ in 0..n {
                for (x, y) in examples {
                    w -= share * 2.0 * (w * x - y) * x;
                }
            }
            w
        });
    });
    assert_caught("no step, no change", || {
        check::descend(|w, examples, rate, n| {
            steps(w, rate, n.max(1), |w| mean(examples, &|x, y| 2.0 * (w * x - y) * x))
        });
    });
    assert_caught("0 / 0 is NaN", || {
        check::descend(|w, examples, rate, n| {
            steps(w, rate, n, |w| {
                let all = examples.iter().map(|(x, y)| 2.0 * (w * x - y) * x);
                all.sum::<f64>() / examples.len() as f64
            })
        });
    });
}

#[test]
fn ch03_3_wrong_logistic_gradient() {
    type Found = (Array1<f64>, f64);
    let answer = |x: &Array2<f64>, errors: Array1<f64>| -> Found {
        (x.t().dot(&errors), errors.sum())
    };
    let y = |yes: &[bool]| -> Array1<f64> {
        yes.iter().map(|&yes| f64::from(u8::from(yes))).collect()
    };
    let sigmoid = |z: Array1<f64>| z.mapv(|z: f64| 1.0 / (1.0 + (-z).exp()));
    check::logistic_gradient(|x, yes, weights, bias| {
        answer(x, (sigmoid(x.dot(weights) + bias) - y(yes)) / yes.len() as f64)
    });
    assert_caught("p − y is −1/2", || {
        check::logistic_gradient(|x, yes, weights, bias| {
            answer(x, (y(yes) - sigmoid(x.dot(weights) + bias)) / yes.len() as f64)
        });
    });
    // The loss's own slope: of z, not of p.
    assert_caught("p − y is −1/2", || {
        check::logistic_gradient(|x, yes, weights, bias| {
            let p = sigmoid(x.dot(weights) + bias);
            let slope = &p * &(1.0 - &p);
            answer(x, (p - y(yes)) * slope / yes.len() as f64)
        });
    });
    // Every weight as the bias.
    assert_caught("times its own feature", || {
        check::logistic_gradient(|x, yes, weights, bias| {
            let errors = (sigmoid(x.dot(weights) + bias) - y(yes)) / yes.len() as f64;
            (Array1::from_elem(x.ncols(), errors.sum()), errors.sum())
        });
    });
    // Without the bias; with e^z for e^−z.
    assert_caught("z = x · weights + bias", || {
        check::logistic_gradient(|x, yes, weights, _| {
            answer(x, (sigmoid(x.dot(weights)) - y(yes)) / yes.len() as f64)
        });
    });
    assert_caught("gives p = 1 / (1 + 1/3)", || {
        check::logistic_gradient(|x, yes, weights, bias| {
            let p = sigmoid(-(x.dot(weights) + bias));
            answer(x, (p - y(yes)) / yes.len() as f64)
        });
    });
    assert_caught("a quarter of the sum", || {
        check::logistic_gradient(|x, yes, weights, bias| {
            answer(x, sigmoid(x.dot(weights) + bias) - y(yes))
        });
    });
}

/// A weight and what is remembered of its gradients: (θ, m, v).
type Weight = (f64, f64, f64);

/// The step that does to each weight, alone, what `answer` says; it is given the
/// weight, its gradient, t and η.
fn each_weight(
    answer: impl Fn(Weight, f64, i32, f64) -> Weight,
) -> impl Fn(&mut Array1<f64>, &Array1<f64>, (&mut Array1<f64>, &mut Array1<f64>), i32, f64)
{
    move |theta, gradient, (m, v), steps, rate| {
        for i in 0..theta.len() {
            (theta[i], m[i], v[i]) =
                answer((theta[i], m[i], v[i]), gradient[i], steps + 1, rate);
        }
    }
}

/// The means with a gradient taken in.
fn taken_in((m, v): (f64, f64), g: f64) -> (f64, f64) {
    (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g)
}

/// The means, corrected for t steps.
fn corrected((m, v): (f64, f64), t: i32) -> (f64, f64) {
    (m / (1.0 - 0.9_f64.powi(t)), v / (1.0 - 0.999_f64.powi(t)))
}

/// The right answer, but for the direction, made of m, v and t.
fn stepped(
    (theta, m, v): Weight,
    g: f64,
    (t, rate): (i32, f64),
    direction: impl Fn((f64, f64), i32) -> f64,
) -> Weight {
    let (m, v) = taken_in((m, v), g);
    (theta * (1.0 - 0.01 * rate) - rate * direction((m, v), t), m, v)
}

fn direction(means: (f64, f64), t: i32) -> f64 {
    let (m, v) = corrected(means, t);
    m / (v.sqrt() + 1e-8)
}

#[test]
fn ch03_4_wrong_direction() {
    check::adamw_step(each_weight(|weight, g, t, rate| {
        stepped(weight, g, (t, rate), direction)
    }));
    let assert_caught = |hint, direction: fn((f64, f64), i32) -> f64| {
        assert_caught(hint, || {
            check::adamw_step(each_weight(|weight, g, t, rate| {
                stepped(weight, g, (t, rate), direction)
            }));
        });
    };
    assert_caught("t = steps + 1 = 1", |means, t| direction(means, t - 1)); // counted late
    assert_caught("this is the third", |means, _| direction(means, 1));
    assert_caught("three times as long", |(m, v), _| m / (v.sqrt() + 1e-8));
    assert_caught("whatever the gradient", |(m, v), t| {
        corrected((m, v), t).0 / (v.sqrt() + 1e-8)
    });
    assert_caught("whatever the gradient", |(m, v), t| {
        m / (corrected((m, v), t).1.sqrt() + 1e-8)
    });
    assert_caught("without the root", |means, t| {
        let (m, v) = corrected(means, t);
        m / (v + 1e-8)
    });
    assert_caught("against it", |means, t| -direction(means, t)); // uphill
    // Without ε; ε in the root; ε before the correction; another ε.
    assert_caught("ε is added to the root", |means, t| {
        let (m, v) = corrected(means, t);
        m / v.sqrt()
    });
    for epsilon in [1e-8, 1e-16] {
        super::assert_caught("not inside the root", || {
            check::adamw_step(each_weight(|weight, g, t, rate| {
                stepped(weight, g, (t, rate), |means, t| {
                    let (m, v) = corrected(means, t);
                    m / (v + epsilon).sqrt()
                })
            }));
        });
    }
    assert_caught("not before the correction", |means, t| {
        let ((m, _), (_, v)) = (corrected(means, t), means);
        m / ((v.sqrt() + 1e-8) / (1.0 - 0.999_f64.powi(t)).sqrt())
    });
    // β · t for βᵗ: right at the first step alone.
    assert_caught("1 − 0.9³", |(m, v), t| {
        let (m, v) = (m / (1.0 - 0.9 * f64::from(t)), v / (1.0 - 0.999 * f64::from(t)));
        m / (v.abs().sqrt() + 1e-8)
    });
    // The two corrections with one β.
    assert_caught("whatever the gradient", |(m, v), t| {
        let correction = 1.0 - 0.9_f64.powi(t);
        m / correction / ((v / correction).sqrt() + 1e-8)
    });
}

#[test]
fn ch03_4_wrong_decay() {
    let assert_caught = |hint, answer: fn(Weight, f64, i32, f64) -> Weight| {
        assert_caught(hint, || check::adamw_step(each_weight(answer)));
    };
    // Adam with an L2 penalty.
    assert_caught("the decay is decoupled", |(theta, m, v), g, t, rate| {
        let (m, v) = taken_in((m, v), g + 0.01 * theta);
        (theta - rate * direction((m, v), t), m, v)
    });
    assert_caught("the learning rate as a factor", |(theta, m, v), g, t, rate| {
        let (m, v) = taken_in((m, v), g);
        (theta * 0.99 - rate * direction((m, v), t), m, v)
    });
    assert_caught("only the decay is left", |(theta, m, v), g, t, rate| {
        let (m, v) = taken_in((m, v), g);
        (theta - rate * direction((m, v), t), m, v)
    });
    assert_caught("only the decay is left", |(theta, m, v), g, t, rate| {
        let (m, v) = taken_in((m, v), g);
        (theta * (1.0 + 0.01 * rate) - rate * direction((m, v), t), m, v)
    });
    assert_caught("the decay comes first", |(theta, m, v), g, t, rate| {
        let (m, v) = taken_in((m, v), g);
        ((theta - rate * direction((m, v), t)) * (1.0 - 0.01 * rate), m, v)
    });
}

#[test]
fn ch03_4_wrong_means() {
    let assert_caught = |hint, means: fn((f64, f64), f64, i32) -> (f64, f64)| {
        assert_caught(hint, || {
            check::adamw_step(each_weight(|(theta, m, v), g, t, rate| {
                let (m, v) = means((m, v), g, t);
                (theta * (1.0 - 0.01 * rate) - rate * direction((m, v), t), m, v)
            }));
        });
    };
    assert_caught("of the square of the gradient", |(m, v), g, _| {
        (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g.abs())
    });
    assert_caught("with β₂", |(m, v), g, _| {
        (0.9 * m + 0.1 * g, 0.9 * v + 0.1 * g * g)
    });
    assert_caught("m is 0.9 m + 0.1 g", |(m, v), g, _| {
        (0.1 * m + 0.9 * g, 0.999 * v + 0.001 * g * g)
    });
    assert_caught("m is 0.9 m + 0.1 g", |(_, v), g, _| (g, 0.999 * v + 0.001 * g * g));
    assert_caught("m is 0.9 m + 0.1 g", |(m, v), g, _| {
        (0.9 * m + g, taken_in((m, v), g).1)
    });
    // What was remembered is lost.
    assert_caught("here 0.45 + 0.2", |_, g, _| taken_in((0.0, 0.0), g));
    assert_caught("here 0.03996 + 0.004", |(m, _), g, _| taken_in((m, 0.0), g));
    // The corrected means are kept.
    assert_caught("only a copy is divided by 1 − β₁ᵗ", |means, g, t| {
        corrected(taken_in(means, g), t)
    });
    assert_caught("only a copy is divided by 1 − β₂ᵗ", |means, g, t| {
        let (m, v) = taken_in(means, g);
        (m, corrected((m, v), t).1)
    });
    // One v for all weights, as if the gradient were one number.
    super::assert_caught("each weight has its own m and v", || {
        check::adamw_step(|theta, gradient, (m, v), steps, rate| {
            *m = &*m * 0.9 + gradient * 0.1;
            *v = &*v * 0.999 + gradient.pow2() * 0.001;
            let square = v.sum();
            for i in 0..theta.len() {
                theta[i] = theta[i] * (1.0 - 0.01 * rate)
                    - rate * direction((m[i], square), steps + 1);
            }
        });
    });
    // The step is taken with the means as they were.
    super::assert_caught("whatever the gradient", || {
        check::adamw_step(each_weight(|(theta, m, v), g, t, rate| {
            let theta = theta * (1.0 - 0.01 * rate) - rate * direction((m, v), t);
            let (m, v) = taken_in((m, v), g);
            (theta, m, v)
        }));
    });
}

/// The right answer, in whole steps counted as f64.
fn rate(step: f64, peak: f64, warmup: f64, total: f64) -> f64 {
    if step >= total {
        0.0
    } else if step < warmup {
        peak * step / warmup
    } else {
        peak * (total - step) / (total - warmup)
    }
}

/// Asserts that a check refuses the answer, given step, peak, warm-up and total as f64.
#[track_caller]
fn assert_rate_caught(hint: &str, answer: fn(f64, f64, f64, f64) -> f64) {
    assert_caught(hint, || {
        check::learning_rate(|step, peak, warmup, total| {
            answer(step as f64, peak, warmup as f64, total as f64)
        });
    });
}

#[test]
fn ch03_5_wrong_learning_rate() {
    check::learning_rate(|step, peak, warmup, total| {
        rate(step as f64, peak, warmup as f64, total as f64)
    });
    // From 1; both lines a step early.
    assert_rate_caught("not (step + 1) / warmup", |step, peak, warmup, total| {
        if step < warmup {
            peak * (step + 1.0) / warmup
        } else {
            rate(step, peak, warmup, total)
        }
    });
    assert_rate_caught("not (step + 1) / warmup", |step, peak, warmup, total| {
        rate(step + 1.0, peak, warmup, total)
    });
    // No warm-up; the peak forgotten; whole numbers.
    assert_rate_caught("the first step, 0, has the rate 0", |step, peak, _, total| {
        rate(step, peak, 0.0, total)
    });
    assert_rate_caught("peak · step / warmup", |step, _, warmup, total| {
        rate(step, 1.0, warmup, total)
    });
    assert_rate_caught("not of whole numbers", |step, peak, warmup, total| {
        if step < warmup {
            peak * (step / warmup).floor()
        } else {
            rate(step, peak, warmup, total)
        }
    });
    // The way down counted from step 0, or not counted from the warm-up's end.
    assert_rate_caught(
        "the peak is reached at step `warmup`",
        |step, peak, warmup, total| {
            if step < warmup {
                rate(step, peak, warmup, total)
            } else {
                rate(step, peak, 0.0, total)
            }
        },
    );
    assert_rate_caught(
        "the peak is reached at step `warmup`",
        |step, peak, warmup, total| {
            rate(step, peak, warmup, total)
                * if step < warmup { 1.0 } else { (total - step) / total }
        },
    );
    // Never 0: a floor of a tenth; never down; as if `total` came a step later.
    assert_rate_caught(
        "an eighth of the peak each step",
        |step, peak, warmup, total| {
            let rate = rate(step, peak, warmup, total);
            if step < warmup { rate } else { rate.max(0.15 * peak) }
        },
    );
    assert_rate_caught("half of the way down", |step, peak, warmup, _| {
        peak * (step / warmup).min(1.0)
    });
    assert_rate_caught("the way down is counted", |step, peak, warmup, total| {
        if step < warmup || step >= total {
            return rate(step, peak, warmup, total);
        }
        peak * (total - step) / (total - warmup + 1.0)
    });
    assert_rate_caught("0 from step `total` on", |step, peak, warmup, total| {
        let rate = rate(step, peak, warmup, total);
        if step < warmup { rate } else { rate.max(0.1 * peak) }
    });
    // A cosine.
    assert_rate_caught("one straight line", |step, peak, warmup, total| {
        if step < warmup || step >= total {
            return rate(step, peak, warmup, total);
        }
        let done = (step - warmup) / (total - warmup);
        peak * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
    });
    assert_rate_caught("never negative", |step, peak, warmup, total| {
        if step < warmup {
            peak * step / warmup
        } else {
            peak * (total - step) / (total - warmup)
        }
    });
}

#[test]
fn ch03_5_wrong_ends() {
    assert_rate_caught("don't divide by warmup = 0", |step, peak, warmup, total| {
        if step <= warmup {
            peak * step / warmup
        } else {
            rate(step, peak, warmup, total)
        }
    });
    assert_rate_caught("don't divide by warmup = 0", |step, peak, warmup, total| {
        let (up, down) = (step / warmup, (total - step) / (total - warmup));
        if step < total { peak * if up > 1.0 { down } else { up } } else { 0.0 }
    });
    // A warm-up of 0 taken for one of 1.
    assert_rate_caught("with the peak at step 0", |step, peak, warmup, total| {
        rate(step, peak, warmup.max(1.0), total)
    });
    assert_rate_caught(
        "don't divide by total − warmup = 0",
        |step, peak, warmup, total| {
            if step > total {
                0.0
            } else if step < warmup {
                peak * step / warmup
            } else {
                peak * (total - step) / (total - warmup)
            }
        },
    );
    assert_rate_caught("step `total` has 0", |step, peak, warmup, total| {
        if step < warmup {
            return peak * step / warmup;
        }
        peak * (1.0 - ((step - warmup) / (total - warmup).max(1.0)).min(1.0))
    });
}

fn length(gradients: &[Array1<f64>]) -> f64 {
    gradients.iter().flatten().map(|number| number * number).sum::<f64>().sqrt()
}

fn scale(gradients: &mut [Array1<f64>], factor: f64) {
    for gradient in gradients {
        *gradient *= factor;
    }
}

/// The right answer if `measure` is [`length`].
fn clipped(
    gradients: &mut [Array1<f64>],
    limit: f64,
    measure: fn(&[Array1<f64>]) -> f64,
) -> f64 {
    let length = measure(gradients);
    if length > limit {
        scale(gradients, limit / length);
    }
    length
}

#[test]
fn ch03_6_wrong_length() {
    check::clip(|gradients, limit| clipped(gradients, limit, length));
    // As PyTorch does it.
    check::clip(|gradients, limit| {
        let length = length(gradients);
        scale(gradients, (limit / (length + 1e-6)).min(1.0));
        length
    });
    let caught = |hint, measure: fn(&[Array1<f64>]) -> f64| {
        assert_caught(hint, || {
            check::clip(|gradients, limit| clipped(gradients, limit, measure));
        });
    };
    let each = |gradients: &[Array1<f64>]| -> Vec<f64> {
        gradients.iter().map(|gradient| gradient.pow2().sum().sqrt()).collect()
    };
    assert_caught("not the sum of the gradients' own lengths", || {
        check::clip(|gradients, limit| {
            let length = each(gradients).iter().sum::<f64>();
            if length > limit {
                scale(gradients, limit / length);
            }
            length
        });
    });
    assert_caught("nor the largest number", || {
        check::clip(|gradients, limit| {
            let length = each(gradients).into_iter().fold(0.0, f64::max);
            if length > limit {
                scale(gradients, limit / length);
            }
            length
        });
    });
    caught("nor the largest number", |gradients| {
        gradients.iter().flatten().fold(0.0, |a, b| a.max(b.abs()))
    });
    caught("the root of the sum of all squares", |gradients| {
        gradients.iter().flatten().map(|number| number.abs()).sum()
    });
    caught("less than 100", |gradients| length(gradients).powi(2)); // without the root
    // The root of the mean.
    caught("the root of the sum of all squares", |gradients| {
        length(gradients) / (gradients.iter().flatten().count() as f64).sqrt()
    });
    caught("the root of the sum of all squares", |gradients| length(&gradients[..1]));
}

#[test]
fn ch03_6_wrong_clip() {
    // Each alone.
    assert_caught("no gradient and no number is cut alone", || {
        check::clip(|gradients, limit| {
            let all = length(gradients);
            for gradient in gradients.iter_mut() {
                let own = gradient.pow2().sum().sqrt();
                if own > limit {
                    *gradient *= limit / own;
                }
            }
            all
        });
    });
    assert_caught("no gradient and no number is cut alone", || {
        check::clip(|gradients, limit| {
            let all = length(gradients);
            for gradient in gradients {
                *gradient = gradient.clamp(-limit, limit);
            }
            all
        });
    });
    // Always as long as the limit.
    assert_caught("not lengthened", || {
        check::clip(|gradients, limit| {
            let length = length(gradients);
            scale(gradients, limit / length);
            length
        });
    });
    // Shortened to a length of 1.
    assert_caught("all are divided by 2", || {
        check::clip(|gradients, limit| {
            let length = length(gradients);
            if length > limit {
                scale(gradients, 1.0 / length);
            }
            length
        });
    });
    assert_caught("not how long they are now", || {
        check::clip(|gradients, limit| {
            clipped(gradients, limit, length);
            length(gradients)
        });
    });
    assert_caught("not how long they are now", || {
        check::clip(|gradients, limit| {
            let before = clipped(gradients, limit, length);
            if before > limit { before * (limit / before) } else { before }
        });
    });
    // The square compared, then nothing done.
    assert_caught("compare the length", || {
        check::clip(|gradients, limit| {
            let length = length(gradients);
            if length * length > limit {
                scale(gradients, (limit / length).min(1.0));
            }
            length
        });
    });
    assert_caught("all are divided by 2", || {
        check::clip(|gradients, _| length(gradients));
    });
    // Only the first is shortened.
    assert_caught("all are divided by 2", || {
        check::clip(|gradients, limit| {
            let length = length(gradients);
            scale(&mut gradients[..1], (limit / length).min(1.0));
            length
        });
    });
    // Clipped when one of them alone is too long.
    assert_caught("each is shorter than 10 alone", || {
        check::clip(|gradients, limit| {
            let all = length(gradients);
            if gradients.iter().any(|gradient| gradient.pow2().sum().sqrt() > limit) {
                scale(gradients, limit / all);
            }
            all
        });
    });
    assert_caught("0 / 0 is NaN", || {
        check::clip(|gradients, limit| {
            let length = length(gradients);
            scale(gradients, limit.min(length) / length);
            length
        });
    });
}

/// p − y at each place, times `kept`; zeros where that is 0.
fn p_minus_y(
    logits: &Array2<f64>,
    right: &[usize],
    kept: impl Fn(usize) -> f64,
) -> Array2<f64> {
    let mut gradient = self_attention::softmax(logits);
    for (place, &column) in right.iter().enumerate() {
        gradient[[place, column]] -= 1.0;
        let kept = kept(place);
        let keep = |value| if kept == 0.0 { 0.0 } else { value * kept };
        gradient.row_mut(place).mapv_inplace(keep);
    }
    gradient
}

#[test]
fn ch03_7_wrong_masked_gradient() {
    let learned = |mask: &[f64]| mask.iter().sum::<f64>();
    check::masked_gradient(|logits, right, mask| {
        p_minus_y(logits, right, |place| mask[place]) / learned(mask).max(1.0)
    });
    // The colleague's.
    let colleagues = |logits: &Array2<f64>, right: &[usize], mask: &[f64]| {
        let mut gradient = self_attention::softmax(logits);
        for (place, &column) in right.iter().enumerate() {
            gradient[[place, column]] -= mask[place];
        }
        gradient
    };
    assert_caught("its whole row is 0", || {
        check::masked_gradient(|logits, right, mask| {
            colleagues(logits, right, mask) / right.len() as f64
        });
    });
    // One fault mended, the other not.
    assert_caught("its whole row is 0", || {
        check::masked_gradient(|logits, right, mask| {
            colleagues(logits, right, mask) / learned(mask).max(1.0)
        });
    });
    assert_caught("not over 3", || {
        check::masked_gradient(|logits, right, mask| {
            p_minus_y(logits, right, |place| mask[place]) / right.len() as f64
        });
    });
    // The mask turned around; none; the sum; y − p.
    assert_caught("(p − y) / 3", || {
        check::masked_gradient(|logits, right, mask| {
            p_minus_y(logits, right, |place| 1.0 - mask[place]) / learned(mask).max(1.0)
        });
    });
    assert_caught("its whole row is 0", || {
        check::masked_gradient(|logits, right, mask| {
            p_minus_y(logits, right, |_| 1.0) / learned(mask).max(1.0)
        });
    });
    for factor in [3.0, -1.0] {
        assert_caught("(p − y) / 3", || {
            check::masked_gradient(|logits, right, mask| {
                let gradient = p_minus_y(logits, right, |place| mask[place]);
                gradient * factor / learned(mask).max(1.0)
            });
        });
    }
    // The classes counted with the places.
    assert_caught("(p − y) / 3", || {
        check::masked_gradient(|logits, right, mask| {
            let gradient = p_minus_y(logits, right, |place| mask[place]);
            gradient / (learned(mask) * logits.ncols() as f64).max(1.0)
        });
    });
    // The mask as a factor.
    assert_caught("NaN · 0 is NaN", || {
        check::masked_gradient(|logits, right, mask| {
            let shown = Array1::from(mask.to_vec()).insert_axis(Axis(1));
            p_minus_y(logits, right, |_| 1.0) * shown / learned(mask).max(1.0)
        });
    });
    // Hidden logits are 0 before the softmax: p is even there, and no 0.
    assert_caught("its whole row is 0", || {
        check::masked_gradient(|logits, right, mask| {
            let shown = Array1::from(mask.to_vec()).insert_axis(Axis(1));
            p_minus_y(&(logits * &shown), right, |_| 1.0) / learned(mask).max(1.0)
        });
    });
    assert_caught("don't divide by 0", || {
        check::masked_gradient(|logits, right, mask| {
            p_minus_y(logits, right, |place| mask[place]) / learned(mask)
        });
    });
}

/// ln p, from the logits.
fn log_softmax(logits: &Array1<f64>) -> Array1<f64> {
    let maximum = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    logits - maximum - logits.mapv(|z| (z - maximum).exp()).sum().ln()
}

/// The target: a share for each column, and more for the right one.
fn target(classes: usize, right: usize, share: f64, more: f64) -> Array1<f64> {
    let mut y = Array1::from_elem(classes, share);
    y[right] += more;
    y
}

fn loss_of(logits: &Array1<f64>, y: Array1<f64>) -> (f64, Array1<f64>) {
    let log_p = log_softmax(logits);
    (-y.dot(&log_p), log_p.exp() - y)
}

#[test]
fn ch03_8_wrong_smoothed_loss() {
    let right_target = |logits: &Array1<f64>, right: usize, smoothing: f64| {
        target(logits.len(), right, smoothing / logits.len() as f64, 1.0 - smoothing)
    };
    check::smoothed_loss(|logits, right, smoothing| {
        loss_of(logits, right_target(logits, right, smoothing))
    });
    // Shared out among the others only; the right one keeps 1; `smoothing` for each.
    assert_caught("the right one too", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let share = smoothing / (logits.len() - 1) as f64;
            loss_of(logits, target(logits.len(), right, share, 1.0 - smoothing - share))
        });
    });
    assert_caught("whatever the target", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let share = smoothing / logits.len() as f64;
            loss_of(logits, target(logits.len(), right, share, 1.0))
        });
    });
    assert_caught("whatever the target", || {
        check::smoothed_loss(|logits, right, smoothing| {
            loss_of(logits, target(logits.len(), right, smoothing, 1.0 - smoothing))
        });
    });
    // The smoothed gradient, and the loss of the right column alone.
    assert_caught("every column counts", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let (_, gradient) = loss_of(logits, right_target(logits, right, smoothing));
            (-log_softmax(logits)[right], gradient)
        });
    });
    // The smoothed loss, and the gradient of the sharp one.
    assert_caught("the right one has 0.8 besides", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let (loss, _) = loss_of(logits, right_target(logits, right, smoothing));
            (loss, loss_of(logits, target(logits.len(), right, 0.0, 1.0)).1)
        });
    });
    // Upwards.
    assert_caught("and p − y", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let (loss, gradient) =
                loss_of(logits, right_target(logits, right, smoothing));
            (loss, -gradient)
        });
    });
    // The distance from the target: nothing at p = y.
    assert_caught("whatever the target", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let y = right_target(logits, right, smoothing);
            let entropy: f64 =
                y.iter().map(|&y| if y > 0.0 { -y * y.ln() } else { 0.0 }).sum();
            let (loss, gradient) = loss_of(logits, y);
            (loss - entropy, gradient)
        });
    });
    // The logarithm of a softmax; exp without the maximum.
    assert_caught("less the maximum", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let y = right_target(logits, right, smoothing);
            let p = log_softmax(logits).exp();
            (-(&y * &p.ln()).sum(), p - y)
        });
    });
    assert_caught("less the maximum", || {
        check::smoothed_loss(|logits, right, smoothing| {
            let y = right_target(logits, right, smoothing);
            let log_p = logits - logits.exp().sum().ln();
            (-y.dot(&log_p), log_p.exp() - y)
        });
    });
}
