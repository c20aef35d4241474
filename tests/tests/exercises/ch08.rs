//! Wrong answers to chapter 8's exercises.

#![allow(clippy::type_complexity, reason = "the exercises' own signatures")]

use ndarray::{Array1, Array2, Axis};

use super::assert_caught;
use super::checks::ch08 as check;

/// What stands at a place, and what was drawn and is known there.
struct Place {
    id: u32,
    drawn: (f64, f64),
    first_piece: u32,
    mask: u32,
    other: u32,
}

impl Place {
    fn is_asked(&self) -> bool {
        self.drawn.0 < 0.15 && self.id >= self.first_piece
    }

    /// What is shown if the place is asked.
    fn shown(&self) -> u32 {
        match self.drawn.1 {
            second if second < 0.8 => self.mask,
            second if second < 0.9 => self.other,
            _ => self.id,
        }
    }

    fn right(&self) -> (u32, Option<u32>) {
        if self.is_asked() { (self.shown(), Some(self.id)) } else { (self.id, None) }
    }
}

/// The answer that gives each place what `answer` says.
fn hidden(
    answer: impl Fn(&Place) -> (u32, Option<u32>),
) -> impl Fn(&[u32], &[(f64, f64)], u32, u32, &[u32]) -> (Vec<u32>, Vec<Option<u32>>) {
    move |ids, drawn, first_piece, mask, other| {
        let place = |i| Place {
            id: ids[i],
            drawn: drawn[i],
            first_piece,
            mask,
            other: other[i],
        };
        (0..ids.len()).map(|i| answer(&place(i))).unzip()
    }
}

#[test]
fn ch08_1_wrong_places() {
    check::hide_pieces(hidden(Place::right));
    let assert_caught = |hint, is_asked: fn(&Place) -> bool| {
        assert_caught(hint, || {
            check::hide_pieces(hidden(|place| {
                if is_asked(place) {
                    (place.shown(), Some(place.id))
                } else {
                    (place.id, None)
                }
            }));
        });
    };
    let below = "whose first number is below 0.15";
    assert_caught(below, |place| {
        place.drawn.0 <= 0.15 && place.id >= place.first_piece
    });
    assert_caught(below, |place| place.drawn.1 < 0.15 && place.id >= place.first_piece);
    assert_caught(below, |place| place.id >= place.first_piece);
    let special = "special pieces are never asked";
    assert_caught(special, |place| place.drawn.0 < 0.15);
    assert_caught(special, |place| {
        place.drawn.0 < 0.15 && place.id > place.first_piece
    });
    assert_caught(special, |place| {
        place.drawn.0 < 0.15 && place.id < place.first_piece
    });
    assert_caught(special, |place| place.is_asked() && place.drawn.1 < 0.8);
}

#[test]
fn ch08_1_wrong_pieces() {
    let assert_caught = |hint, answer: fn(&Place) -> (u32, Option<u32>)| {
        assert_caught(hint, || check::hide_pieces(hidden(answer)));
    };
    // Labels everywhere.
    assert_caught("whose first number is below 0.15", |place| {
        (place.right().0, Some(place.id))
    });
    // Only what is changed is asked.
    assert_caught("whether or not they are changed", |place| {
        let (shown, asked) = place.right();
        (shown, asked.filter(|&id| id != shown))
    });
    assert_caught("not what is shown", |place| {
        let (shown, asked) = place.right();
        (shown, asked.map(|_| shown))
    });
    // Hidden wherever the second number says so.
    assert_caught("a place that is not asked is shown as it is", |place| {
        (place.shown(), place.right().1)
    });
    let asked_as = |place: &Place, shown| {
        if place.is_asked() { (shown, Some(place.id)) } else { (place.id, None) }
    };
    let hint = "the second number alone decides";
    let cases: [fn(&Place) -> u32; 7] = [
        |place| if place.drawn.1 < 0.8 { place.mask } else { place.id },
        |place| if place.drawn.1 < 0.8 { place.mask } else { place.other },
        |_| 4, // always [MASK]
        |place| if place.drawn.1 < 0.9 { place.mask } else { place.other },
        |place| if place.drawn.1 <= 0.8 { place.mask } else { place.shown() },
        |place| {
            if (0.8..=0.9).contains(&place.drawn.1) {
                place.other
            } else {
                place.shown()
            }
        },
        // The second threshold taken as a share of the rest.
        |place| match place.drawn.1 {
            second if second < 0.8 => place.mask,
            second if second < 0.8 + 0.2 * 0.9 => place.other,
            _ => place.id,
        },
    ];
    for shown in cases {
        super::assert_caught(hint, || {
            check::hide_pieces(hidden(|place| asked_as(place, shown(place))));
        });
    }
    // The first number, which is below 0.15 here, decides on both.
    super::assert_caught(hint, || {
        check::hide_pieces(hidden(|place| asked_as(place, place.mask)));
    });
    // The others used up one by one.
    super::assert_caught("`other` has one piece for each place", || {
        check::hide_pieces(|ids, drawn, first_piece, mask, other| {
            let mut next = other.iter();
            let answer = |i: usize| {
                let mut place =
                    Place { id: ids[i], drawn: drawn[i], first_piece, mask, other: 0 };
                if place.is_asked() && (0.8..0.9).contains(&place.drawn.1) {
                    place.other = *next.next().unwrap();
                }
                place.right()
            };
            (0..ids.len()).map(answer).unzip()
        });
    });
}

/// The losses of the places that are asked, each from its row and its label.
fn losses(
    logits: &Array2<f64>,
    labels: &[Option<usize>],
    loss: impl Fn(&[f64], usize) -> f64,
) -> Vec<f64> {
    let rows = logits.rows().into_iter().zip(labels);
    rows.filter_map(|(row, label)| label.map(|label| loss(&row.to_vec(), label)))
        .collect()
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len().max(1) as f64
}

/// ln Σ exp(z − shift) − (z[label] − shift).
fn shifted(row: &[f64], label: usize, shift: f64) -> f64 {
    let sum: f64 = row.iter().map(|z| (z - shift).exp()).sum();
    sum.ln() - (row[label] - shift)
}

fn largest(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn cross_entropy(row: &[f64], label: usize) -> f64 {
    shifted(row, label, largest(row))
}

#[test]
fn ch08_2_wrong_masked_loss() {
    check::masked_loss(|logits, labels| mean(&losses(logits, labels, cross_entropy)));
    // Averaged over all places.
    assert_caught("not over all 4 places", || {
        check::masked_loss(|logits, labels| {
            losses(logits, labels, cross_entropy).iter().sum::<f64>()
                / labels.len() as f64
        });
    });
    // Places that aren't asked count as if piece 0 were right.
    assert_caught("the others add nothing", || {
        check::masked_loss(|logits, labels| {
            let labels: Vec<_> = labels.iter().map(|label| label.or(Some(0))).collect();
            mean(&losses(logits, &labels, cross_entropy))
        });
    });
    assert_caught("not the sum", || {
        check::masked_loss(|logits, labels| {
            losses(logits, labels, cross_entropy).iter().sum()
        });
    });
    assert_caught("0 / 0 is NaN", || {
        check::masked_loss(|logits, labels| {
            let losses = losses(logits, labels, cross_entropy);
            losses.iter().sum::<f64>() / losses.len() as f64
        });
    });
    assert_caught("with a minus", || {
        check::masked_loss(|logits, labels| {
            -mean(&losses(logits, labels, cross_entropy))
        });
    });
    assert_caught("the natural logarithm", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, cross_entropy)) / 2_f64.ln()
        });
    });
    // The probability of a wrong answer, not its logarithm; the logit alone.
    assert_caught("−ln p", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| {
                1.0 - (-cross_entropy(row, label)).exp()
            }))
        });
    });
    assert_caught("−ln p", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| -row[label]))
        });
    });
    // A softmax down the columns.
    assert_caught("p is 1/4", || {
        check::masked_loss(|logits, labels| {
            let asked = labels.iter().enumerate();
            let loss = |(i, label): (usize, &Option<usize>)| {
                label.map(|label| cross_entropy(&logits.column(label).to_vec(), i))
            };
            mean(&asked.filter_map(loss).collect::<Vec<_>>())
        });
    });
}

#[test]
fn ch08_2_wrong_large_logits() {
    let overflow = "subtract each row's own maximum";
    assert_caught(overflow, || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| shifted(row, label, 0.0)))
        });
    });
    // The maximum of all rows, or at least 0.
    assert_caught(overflow, || {
        check::masked_loss(|logits, labels| {
            let maximum = largest(&logits.iter().copied().collect::<Vec<_>>());
            mean(&losses(logits, labels, |row, label| shifted(row, label, maximum)))
        });
    });
    assert_caught(overflow, || {
        check::masked_loss(|logits, labels| {
            let loss = |row: &[f64], label| shifted(row, label, largest(row).max(0.0));
            mean(&losses(logits, labels, loss))
        });
    });
    // The logarithm of a safe softmax.
    let softmax = |row: &[f64], label: usize| (-cross_entropy(row, label)).exp();
    assert_caught("don't take the logarithm of a softmax", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| -softmax(row, label).ln()))
        });
    });
    assert_caught("don't take the logarithm of a softmax", || {
        check::masked_loss(|logits, labels| {
            let loss = |row: &[f64], label| -softmax(row, label).max(1e-15).ln();
            mean(&losses(logits, labels, loss))
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
fn ch08_3_wrong_direction() {
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
fn ch08_3_wrong_decay() {
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
fn ch08_3_wrong_means() {
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
fn ch08_4_wrong_learning_rate() {
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
fn ch08_4_wrong_ends() {
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
fn ch08_5_wrong_length() {
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
fn ch08_5_wrong_clip() {
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

/// The share of the pieces for which `counts` says yes of (right alone, right beside).
fn share(
    (labels, alone, beside): (&[u32], &[u32], &[u32]),
    counts: impl Fn(bool, bool) -> bool,
) -> f64 {
    let yes = |&i: &usize| counts(alone[i] == labels[i], beside[i] == labels[i]);
    (0..labels.len()).filter(yes).count() as f64 / labels.len().max(1) as f64
}

#[test]
fn ch08_6_wrong_gained_beside() {
    type Guesses<'a> = (&'a [u32], &'a [u32], &'a [u32]);
    let right = |guesses: Guesses| {
        let gained = share(guesses, |alone, beside| beside && !alone);
        (share(guesses, |alone, _| alone), share(guesses, |_, beside| beside), gained)
    };
    check::gained_beside(|labels, alone, beside| right((labels, alone, beside)));
    let caught = |hint: &str, answer: &dyn Fn(Guesses) -> (f64, f64, f64)| {
        assert_caught(hint, || {
            check::gained_beside(|labels, alone, beside| {
                answer((labels, alone, beside))
            });
        });
    };
    caught("The difference of the shares is 0 here", &|guesses| {
        let (alone, beside, _) = right(guesses);
        (alone, beside, beside - alone)
    });
    caught("The difference of the shares is 0 here", &|guesses| {
        let (alone, beside, _) = right(guesses);
        (alone, beside, (beside - alone).max(0.0))
    });
    // Wrong with both; right with either; right with both; lost or gained.
    let wrong: [fn(bool, bool) -> bool; 5] = [
        |alone, beside| !alone && !beside,
        |alone, beside| alone || beside,
        |alone, beside| alone && beside,
        |alone, beside| alone != beside,
        |alone, _| !alone,
    ];
    for counts in wrong {
        caught("right beside and wrong alone", &|guesses| {
            let (alone, beside, _) = right(guesses);
            (alone, beside, share(guesses, counts))
        });
    }
    // Whether the guesses differ, even if both are wrong.
    caught("right beside and wrong alone", &|guesses| {
        let (alone, beside, _) = right(guesses);
        let (labels, one, two) = guesses;
        let differ = (0..labels.len()).filter(|&i| one[i] != two[i]).count();
        (alone, beside, differ as f64 / labels.len().max(1) as f64)
    });
    // Of those that were wrong alone.
    caught("the share is of all 8 pieces", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (alone, beside, gained / (1.0 - alone))
    });
    caught("The first of the three is alone", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (gained, beside, alone)
    });
    // Beside first: the first example has as many of both.
    caught("1 is right alone", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (beside, alone, gained)
    });
    for factor in [8.0, 100.0] {
        caught("from 0 to 1", &|guesses| {
            let (alone, beside, gained) = right(guesses);
            (factor * alone, factor * beside, factor * gained)
        });
    }
    caught("as a division of f64", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (alone.floor(), beside.floor(), gained.floor())
    });
    caught("all 0, not", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        let none = if guesses.0.is_empty() { f64::NAN } else { 1.0 };
        (alone * none, beside * none, gained * none)
    });
}

#[test]
fn ch08_7_wrong_anti_diagonal() {
    let mean = |weights: &Array2<f64>, n: usize, at: &dyn Fn(usize) -> [usize; 2]| {
        (0..n).map(|t| weights[at(t)]).sum::<f64>() / n as f64
    };
    check::anti_diagonal(|weights| {
        let n = weights.nrows() - 1;
        mean(weights, n, &|t| [t, n - 1 - t])
    });
    // Columns for rows: the same places.
    check::anti_diagonal(|weights| {
        let n = weights.nrows() - 1;
        mean(weights, n, &|t| [n - 1 - t, t])
    });
    let hint = "The last row and column are the end's";
    // With the end.
    assert_caught(hint, || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows();
            mean(weights, n, &|t| [t, n - 1 - t])
        });
    });
    assert_caught(hint, || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            mean(weights, n, &|t| [t, n - t])
        });
    });
    // The letters, and the end that looks at the end.
    assert_caught(hint, || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            mean(weights, n + 1, &|t| if t < n { [t, n - 1 - t] } else { [n, n] })
        });
    });
    for dropped in [0, 1] {
        assert_caught("the main diagonal is what copying looks at", || {
            check::anti_diagonal(|weights| {
                mean(weights, weights.nrows() - dropped, &|t| [t, t])
            });
        });
    }
    // The sum; the sum over n + 1.
    assert_caught("the mean is 0.5625", || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            n as f64 * mean(weights, n, &|t| [t, n - 1 - t])
        });
    });
    assert_caught("the mean is 0.5625", || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            n as f64 * mean(weights, n, &|t| [t, n - 1 - t]) / (n + 1) as f64
        });
    });
    // How often the letter is the first choice; the first choice's share.
    assert_caught("the mean is 0.5625", || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            let first = |t: usize| {
                weights.row(t).iter().all(|&weight| weight <= weights[[t, n - 1 - t]])
            };
            (0..n).filter(|&t| first(t)).count() as f64 / n as f64
        });
    });
    assert_caught("the mean is 0.5625", || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            let most = weights.fold_axis(Axis(1), 0.0_f64, |&a, &b| a.max(b));
            most.iter().take(n).sum::<f64>() / n as f64
        });
    });
    // Of what is left without the end.
    assert_caught("the mean is 0.5625", || {
        check::anti_diagonal(|weights| {
            let n = weights.nrows() - 1;
            let left = |t: usize| 1.0 - weights[[t, n]];
            (0..n).map(|t| weights[[t, n - 1 - t]] / left(t)).sum::<f64>() / n as f64
        });
    });
}
