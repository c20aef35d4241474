//! Wrong answers to chapter 6's exercises.

use ndarray::{Array1, Array2, Array3, Axis};

use super::assert_caught;
use super::checks::ch06 as check;

#[test]
fn ch06_1_wrong_glorot_limit() {
    let sum = |inputs, outputs| (inputs + outputs) as f64;
    assert_caught("not the variance", || {
        check::glorot_limit(|inputs, outputs| 2.0 / sum(inputs, outputs));
    });
    assert_caught("the deviation", || {
        check::glorot_limit(|inputs, outputs| (2.0 / sum(inputs, outputs)).sqrt());
    });
    assert_caught("inputs + outputs", || {
        check::glorot_limit(|inputs, _| (3.0 / inputs as f64).sqrt());
    });
}

fn product(x: &Array3<f64>, kernel: &Array2<f64>, bias: &Array1<f64>) -> Array3<f64> {
    let (batch, n, inputs) = x.dim();
    let rows = x.to_shape((batch * n, inputs)).unwrap().dot(kernel) + bias;
    rows.into_shape_with_order((batch, n, bias.len())).unwrap()
}

#[test]
fn ch06_2_wrong_dense() {
    assert_caught("plus the bias", || {
        check::dense(|x, kernel, bias, _| product(x, kernel, &(bias * 0.0)));
    });
    assert_caught("max(x, 0)", || {
        check::dense(|x, kernel, bias, _| product(x, kernel, bias));
    });
    assert_caught("of the sum with the bias", || {
        check::dense(|x, kernel, bias, relu| {
            if !relu {
                return product(x, kernel, bias);
            }
            product(x, kernel, &(bias * 0.0)).mapv(|x| x.max(0.0)) + bias
        });
    });
    assert_caught("in the order of the batch", || {
        check::dense(|x, kernel, bias, _| {
            let mut y = product(x, kernel, bias);
            y.invert_axis(Axis(0));
            y
        });
    });
}

#[test]
fn ch06_3_wrong_count_params() {
    let right = |v: usize, p: usize, d: usize| (v + p) * d + 11 * d * d + 8 * d + 2 * d;
    assert_caught("biases in all five", || {
        check::count_params(|v, p, d| right(v, p, d) - 8 * d);
    });
    assert_caught("both gamma and beta", || {
        check::count_params(|v, p, d| right(v, p, d) - d);
    });
    assert_caught("not the notes'", || check::count_params(|_, _, _| 6_518_784));
}

type Axes = Vec<Option<usize>>;

fn shape(a: &[Option<usize>], b: &[Option<usize>]) -> Result<Axes, String> {
    match (a, b) {
        ([others @ .., n, d], [rest @ .., d_b, m]) if d == d_b && others == rest => {
            Ok(others.iter().chain([n, m]).copied().collect())
        }
        _ => Err(format!("{a:?} {b:?}")),
    }
}

#[test]
fn ch06_4_wrong_matmul_shape() {
    assert_caught("is […, n, m]", || {
        check::matmul_shape(|a, b| {
            shape(a, b).map(|mut s| {
                s.swap(1, 2);
                s
            })
        });
    });
    assert_caught("however many they are", || {
        check::matmul_shape(|a, b| match (a, b) {
            ([batch, n, d], [_, d_b, m]) if d == d_b => Ok(vec![*batch, *n, *m]),
            _ => Err(format!("{a:?} {b:?}")),
        });
    });
    assert_caught("was the transposition forgotten", || {
        check::matmul_shape(|a, b| match (a, b) {
            ([others @ .., n, _], [.., m]) => {
                Ok(others.iter().chain([n, m]).copied().collect())
            }
            _ => Err(format!("{a:?} {b:?}")),
        });
    });
    assert_caught("the other axes must be equal", || {
        check::matmul_shape(|a, b| match (a, b) {
            ([others @ .., n, d], [.., d_b, m]) if d == d_b && a.len() == b.len() => {
                Ok(others.iter().chain([n, m]).copied().collect())
            }
            _ => Err(format!("{a:?} {b:?}")),
        });
    });
    assert_caught("the message must have", || {
        check::matmul_shape(|a, b| shape(a, b).map_err(|_| "wrong shapes".into()));
    });
}

fn losses(logits: &Array2<f64>, labels: &[usize]) -> Vec<f64> {
    let max = |row: ndarray::ArrayView1<f64>| row.fold(f64::MIN, |a, &b| a.max(b));
    let rows = logits.axis_iter(Axis(0)).zip(labels);
    rows.map(|(row, &label)| {
        let sum: f64 = row.iter().map(|x| (x - max(row)).exp()).sum();
        sum.ln() + max(row) - row[label]
    })
    .collect()
}

#[test]
fn ch06_5_wrong_cross_entropy() {
    assert_caught("and not their sum", || {
        check::cross_entropy(|logits, labels| losses(logits, labels).iter().sum());
    });
    assert_caught("natural logarithm", || {
        // Right where all logits are equal.
        check::cross_entropy(|logits, _| {
            losses(logits, &vec![0; logits.nrows()]).iter().sum::<f64>()
                / logits.nrows() as f64
        });
    });
    assert_caught("e¹⁰⁰⁰ overflows", || {
        check::cross_entropy(|logits, labels| {
            let row = |(row, &label): (ndarray::ArrayView1<f64>, &usize)| {
                -(row[label].exp() / row.mapv(f64::exp).sum()).ln()
            };
            let rows = logits.axis_iter(Axis(0)).zip(labels);
            rows.map(row).sum::<f64>() / labels.len() as f64
        });
    });
}

fn moments(m: f64, v: f64, g: f64) -> (f64, f64) {
    (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g)
}

#[test]
fn ch06_6_wrong_adam_step() {
    assert_caught("m ← 0.9 m + 0.1 g", || {
        check::adam_step(|(w, m, v), g, _, _| (w, 0.1 * m + 0.9 * g, v));
    });
    assert_caught("corrected by 1 − βᵗ", || {
        check::adam_step(|(w, m, v), g, rate, _| {
            let (m, v) = moments(m, v, g);
            (w - rate * m / (v.sqrt() + 1e-7), m, v)
        });
    });
    assert_caught("against the gradient", || {
        check::adam_step(|(w, m, v), g, rate, t| {
            let (m, v) = moments(m, v, g);
            let alpha =
                rate * (1.0 - 0.999_f64.powi(t)).sqrt() / (1.0 - 0.9_f64.powi(t));
            (w + alpha * m / (v.sqrt() + 1e-7), m, v)
        });
    });
    assert_caught("before the bias is corrected", || {
        check::adam_step(|(w, m, v), g, rate, t| {
            let (m, v) = moments(m, v, g);
            let (mean, square) =
                (m / (1.0 - 0.9_f64.powi(t)), v / (1.0 - 0.999_f64.powi(t)));
            (w - rate * mean / (square.sqrt() + 1e-7), m, v)
        });
    });
}
