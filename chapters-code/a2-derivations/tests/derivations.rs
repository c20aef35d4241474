//! Every backward function against finite differences, on several shapes, and against the
//! operations of `gradients`, which train the book's models in f32.

#![allow(clippy::float_cmp, reason = "what is 0, or copied, is so exactly")]

use candle_core::{Device, Tensor, Var};
use derivations::{
    DerivationError, attention, attention_backward, check_shape, cross_entropy,
    cross_entropy_backward, dropout, dropout_backward, dropout_mask, embedding,
    embedding_backward, finite_differences, gelu, gelu_backward, gradient_error,
    layer_norm, layer_norm_backward, layer_norm_paths, linear, linear_backward,
    relative_difference, softmax_backward, verdict,
};
use gradients::DropoutMask;
use ndarray::{Array, Array1, Array2, Axis, Dimension, array};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use self_attention::softmax;
use whole_transformer::{LayerNorm, largest_difference, scaled_dot_product};

/// Rows and widths, the smallest and odd ones too.
const SHAPES: [[usize; 3]; 5] =
    [[1, 1, 1], [1, 7, 2], [4, 3, 5], [6, 8, 1], [3, 16, 9]];

fn vector(random: &mut NumpyRandom, n: usize) -> Array1<f64> {
    unit_variance(random, 1, n).remove_axis(Axis(0)) // [1, n] -> [n]
}

#[track_caller]
fn assert_right(what: &str, error: f64) {
    assert!(error < 1e-7, "{what}: {error:e}");
}

#[test]
fn differences_find_a_known_slope_in_each_place() {
    let x = array![[1.0, -2.0], [3.0, 0.5]];
    let f = |x: &Array2<f64>| Ok(x[[0, 0]].powi(3) + x[[0, 1]] * x[[1, 0]]);
    let found = finite_differences(f, &x, 1e-5).unwrap();
    let expected = array![[3.0, 3.0], [-2.0, 0.0]];
    assert_right("the slopes", relative_difference(&found, &expected));
    let h = 0.1; // of a cube the error is h², so the sides and the division are seen
    let found = finite_differences(f, &x, h).unwrap();
    assert!((found[[0, 0]] - 3.0 - h * h).abs() < 1e-12, "{found}");
}

#[test]
fn an_error_is_a_share_of_the_largest_number_and_nothing_passes_for_small() {
    let expected = array![2.0, -4.0];
    assert!((relative_difference(&array![2.0, -3.0], &expected) - 0.25).abs() < 1e-15);
    assert!(relative_difference(&array![f64::NAN, -4.0], &expected).is_nan());
    assert!(relative_difference(&array![2.0], &expected).is_infinite());
    assert!(relative_difference(&array![0.0], &array![0.0]) == 0.0);
    assert!(relative_difference(&array![0.1], &array![0.0]) > 1.0);
    assert_eq!(verdict(2.5e-9), "2.5e-9   right");
    assert_eq!(verdict(0.25), "2.5e-1   WRONG");
    assert!(verdict(f64::NAN).ends_with("WRONG"));
}

#[test]
fn linear_layers() {
    let mut random = NumpyRandom::seed(1);
    for [n, inputs, outputs] in SHAPES {
        let x = unit_variance(&mut random, n, inputs);
        let w = unit_variance(&mut random, outputs, inputs);
        let b = vector(&mut random, outputs);
        let dy = unit_variance(&mut random, n, outputs);
        let (dx, dw, db) = linear_backward(&dy, &x, &w).unwrap();
        let errors = [
            gradient_error(|x| linear(x, &w, &b), &x, &dy, &dx),
            gradient_error(|w| linear(&x, w, &b), &w, &dy, &dw),
            gradient_error(|b| linear(&x, &w, b), &b, &dy, &db),
        ];
        for error in errors {
            assert_right("linear", error.unwrap());
        }
    }
}

#[test]
fn the_softmax_and_the_loss_behind_it() {
    let mut random = NumpyRandom::seed(2);
    for [n, classes, _] in SHAPES {
        let x = unit_variance(&mut random, n, classes);
        if classes > 1 {
            let dy = unit_variance(&mut random, n, classes);
            let dx = softmax_backward(&dy, &softmax(&x)).unwrap();
            let error = gradient_error(|x| Ok(softmax(x)), &x, &dy, &dx).unwrap();
            assert_right("softmax", error);
            let targets: Vec<usize> = (0..n).map(|i| (2 * i + 1) % classes).collect();
            let dx = cross_entropy_backward(&x, &targets).unwrap();
            let slopes = finite_differences(|x| cross_entropy(x, &targets), &x, 1e-5);
            assert_right("loss", relative_difference(&dx, &slopes.unwrap()));
        }
    }
    // One class: always right, and nothing to learn.
    let one = array![[3.0], [-1.0]];
    assert_eq!(cross_entropy(&one, &[0, 0]).unwrap(), 0.0);
    assert_eq!(cross_entropy_backward(&one, &[0, 0]).unwrap(), array![[0.0], [0.0]]);
    // −ln p, and no overflow.
    let loss = cross_entropy(&array![[0.0, 3_f64.ln()]], &[1]).unwrap();
    assert!((loss + 0.75_f64.ln()).abs() < 1e-15, "{loss}");
    let loss = cross_entropy(&array![[1e4, 0.0]], &[1]).unwrap();
    assert!((loss - 1e4).abs() < 1e-9, "{loss}");
}

#[test]
fn layer_norms() {
    let mut random = NumpyRandom::seed(3);
    for ([n, d, _], epsilon) in SHAPES.into_iter().zip([1.0, 1e-5, 1e-3, 1e-5, 0.5]) {
        let x = unit_variance(&mut random, n, d) * 2.0;
        let (gamma, beta) = (vector(&mut random, d), vector(&mut random, d));
        let dy = unit_variance(&mut random, n, d);
        let y = layer_norm(&x, &gamma, &beta, epsilon).unwrap();
        let chapter = LayerNorm { weight: gamma.clone(), bias: beta.clone(), epsilon };
        let difference = largest_difference(&y, &chapter.forward(&x).unwrap());
        assert!(difference < 1e-12, "not chapter 2's: {difference:e}");
        let (dx, dgamma, dbeta) =
            layer_norm_backward(&dy, &x, &gamma, epsilon).unwrap();
        let errors = [
            gradient_error(|x| layer_norm(x, &gamma, &beta, epsilon), &x, &dy, &dx),
            gradient_error(|g| layer_norm(&x, g, &beta, epsilon), &gamma, &dy, &dgamma),
            gradient_error(|b| layer_norm(&x, &gamma, b, epsilon), &beta, &dy, &dbeta),
        ];
        let [dx_error, dgamma_error, dbeta_error] = errors.map(Result::unwrap);
        if d > 1 {
            // A row of one number is always its own mean: no gradient but rounding.
            assert_right("dX", dx_error);
            assert_right("dγ", dgamma_error);
        }
        assert_right("dβ", dbeta_error);
    }
}

/// What the page's control shows: without one of the paths, the check fails.
#[test]
fn a_layer_norm_without_one_of_its_paths_is_wrong() {
    let mut random = NumpyRandom::seed(4);
    let x = unit_variance(&mut random, 4, 5);
    let dy = unit_variance(&mut random, 4, 5);
    let (gamma, beta) = (vector(&mut random, 5), vector(&mut random, 5));
    let paths = layer_norm_paths(&dy, &x, &gamma, 1e-5).unwrap();
    for missing in 0..3 {
        let dx = (0..3).filter(|&i| i != missing).map(|i| &paths[i]);
        let dx = dx.fold(Array2::zeros((4, 5)), |sum, path| sum + path);
        let f = |x: &Array2<f64>| layer_norm(x, &gamma, &beta, 1e-5);
        let error = gradient_error(f, &x, &dy, &dx).unwrap();
        assert!(error > 0.02, "without path {missing}: {error:e}");
    }
}

#[test]
fn gelus() {
    let mut random = NumpyRandom::seed(5);
    for [n, d, _] in SHAPES {
        let x = unit_variance(&mut random, n, d) * 2.0;
        let dy = unit_variance(&mut random, n, d);
        let dx = gelu_backward(&dy, &x).unwrap();
        let error = gradient_error(|x| Ok(gelu(x)), &x, &dy, &dx).unwrap();
        assert_right("gelu", error);
        assert_eq!(gelu(&x), x.mapv(whole_transformer::gelu), "not chapter 2's");
    }
}

#[test]
fn attentions() {
    let mut random = NumpyRandom::seed(6);
    for ([n, m, d_k], d_v) in SHAPES[1..].iter().zip([1, 4, 2, 3]) {
        let q = unit_variance(&mut random, *n, *d_k);
        let k = unit_variance(&mut random, *m, *d_k);
        let v = unit_variance(&mut random, *m, d_v);
        let d_output = unit_variance(&mut random, *n, d_v);
        let chapter = scaled_dot_product(&q, &k, &v, None).unwrap().output;
        let difference = largest_difference(&attention(&q, &k, &v).unwrap(), &chapter);
        assert!(difference < 1e-12, "not chapter 2's: {difference:e}");
        let (dq, dk, dv) = attention_backward(&d_output, &q, &k, &v).unwrap();
        let errors = [
            gradient_error(|q| attention(q, &k, &v), &q, &d_output, &dq),
            gradient_error(|k| attention(&q, k, &v), &k, &d_output, &dk),
            gradient_error(|v| attention(&q, &k, v), &v, &d_output, &dv),
        ];
        for error in errors {
            assert_right("attention", error.unwrap());
        }
    }
}

#[test]
fn rows_of_tables() {
    let mut random = NumpyRandom::seed(7);
    for (numbers, rows) in [(vec![0], 1), (vec![2, 2, 2], 3), (vec![4, 0, 4, 1], 6)] {
        let table = unit_variance(&mut random, rows, 3);
        let dy = unit_variance(&mut random, numbers.len(), 3);
        let dtable = embedding_backward(&dy, &numbers, rows).unwrap();
        let f = |table: &Array2<f64>| embedding(table, &numbers);
        assert_right("dT", gradient_error(f, &table, &dy, &dtable).unwrap());
    }
}

#[test]
fn dropouts() {
    let mut random = NumpyRandom::seed(8);
    let (x, dy) = (unit_variance(&mut random, 9, 7), unit_variance(&mut random, 9, 7));
    let mask = dropout_mask(&mut random, (9, 7), 0.25).unwrap();
    let dx = dropout_backward(&dy, &mask).unwrap();
    let error = gradient_error(|x| dropout(x, &mask), &x, &dy, &dx).unwrap();
    assert_right("dropout", error);
    let mask = dropout_mask(&mut random, (100, 100), 0.25).unwrap();
    let kept = 1.0 / 0.75;
    assert!(mask.iter().all(|&m| m == 0.0 || m == kept));
    let lost = mask.iter().filter(|&&m| m == 0.0).count();
    assert!((2300..2700).contains(&lost), "{lost} of 10,000 lost"); // deviation 43
    let none = dropout_mask(&mut random, (2, 2), 0.0).unwrap();
    assert_eq!(none, Array2::<f64>::ones((2, 2)));
}

#[expect(clippy::cast_possible_truncation, reason = "gradients computes in f32")]
fn variable<D: Dimension>(x: &Array<f64, D>) -> Var {
    let values = x.iter().map(|&x| x as f32).collect();
    let tensor = Tensor::from_vec(values, x.shape(), &Device::Cpu).unwrap();
    Var::from_tensor(&tensor).unwrap()
}

/// Holds gradients found here to those that `gradients` finds of `loss`, in f32.
#[track_caller]
fn assert_same<D: Dimension>(loss: &Tensor, variable: &Var, expected: &Array<f64, D>) {
    let found = gradients::backward(loss).unwrap();
    let found = found.get(variable).unwrap().flatten_all().unwrap();
    let found: Vec<f64> =
        found.to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect();
    let found = Array1::from(found).into_shape_with_order(expected.raw_dim()).unwrap();
    let error = relative_difference(&found, expected);
    assert!(error < 5e-6, "{error:e}\n{found}\n{expected}");
}

/// Σ Y ∘ dY.
fn weighted(y: &Tensor, dy: &Array2<f64>) -> Tensor {
    let dy = variable(dy).reshape(y.shape()).unwrap();
    (y * dy).unwrap().sum_all().unwrap()
}

#[test]
fn the_operations_that_train_find_the_same() {
    let mut random = NumpyRandom::seed(9);
    let (x, w) = (unit_variance(&mut random, 6, 8), unit_variance(&mut random, 10, 8));
    let (b, dy) = (vector(&mut random, 10), unit_variance(&mut random, 6, 10));
    let [vx, vw] = [&x, &w].map(variable);
    let vb = variable(&b);
    let (dx, dw, db) = linear_backward(&dy, &x, &w).unwrap();
    let y = || weighted(&gradients::linear(&vx, &vw, &vb).unwrap(), &dy);
    assert_same(&y(), &vx, &dx);
    assert_same(&y(), &vw, &dw);
    assert_same(&y(), &vb, &db);

    let targets = [3, 0, 7, 7, 1, 5];
    let dx = cross_entropy_backward(&x, &targets.map(|t| t as usize)).unwrap();
    let loss = gradients::cross_entropy(&vx, &targets).unwrap();
    assert_same(&loss, &vx, &dx);

    let dy = unit_variance(&mut random, 6, 8);
    let dx = softmax_backward(&dy, &softmax(&x)).unwrap();
    assert_same(&weighted(&gradients::softmax(&vx).unwrap(), &dy), &vx, &dx);
    let dx = gelu_backward(&dy, &x).unwrap();
    assert_same(&weighted(&gradients::gelu(&vx).unwrap(), &dy), &vx, &dx);

    let (gamma, beta) = (vector(&mut random, 8), vector(&mut random, 8));
    let (dx, dgamma, dbeta) = layer_norm_backward(&dy, &x, &gamma, 1e-5).unwrap();
    let [vg, vb] = [&gamma, &beta].map(variable);
    let y = || weighted(&gradients::layer_norm(&vx, &vg, &vb, 1e-5).unwrap(), &dy);
    assert_same(&y(), &vx, &dx);
    assert_same(&y(), &vg, &dgamma);
    assert_same(&y(), &vb, &dbeta);

    let numbers = [2, 5, 2, 0];
    let dy = unit_variance(&mut random, 4, 8);
    let dtable = embedding_backward(&dy, &numbers.map(|n| n as usize), 6).unwrap();
    let y = gradients::embedding(&vx, &numbers).unwrap();
    assert_same(&weighted(&y, &dy), &vx, &dtable);
}

#[test]
fn attention_and_dropout_that_train_find_the_same() {
    let mut random = NumpyRandom::seed(10);
    let [q, k, v] = [5, 7, 7].map(|rows| unit_variance(&mut random, rows, 4));
    let d_output = unit_variance(&mut random, 5, 4);
    let (dq, dk, dv) = attention_backward(&d_output, &q, &k, &v).unwrap();
    let [vq, vk, vv] = [&q, &k, &v].map(variable);
    let options =
        gradients::Attention { heads: 1, mask: None, causal: false, dropout: None };
    let y = || {
        // [n, d] -> [1, n, d]: a batch of one
        let [q, k, v] = [&vq, &vk, &vv].map(|x| x.unsqueeze(0).unwrap());
        weighted(&gradients::attention(&q, &k, &v, &options).unwrap(), &d_output)
    };
    assert_same(&y(), &vq, &dq);
    assert_same(&y(), &vk, &dk);
    assert_same(&y(), &vv, &dv);

    let mask = DropoutMask::new(0.3, 5).unwrap().unwrap();
    let factors = mask.factors(&q.shape().into()).unwrap().flatten_all().unwrap();
    let factors: Vec<f64> =
        factors.to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect();
    let factors = Array2::from_shape_vec((5, 4), factors).unwrap();
    let dx = dropout_backward(&d_output, &factors).unwrap();
    let y = gradients::dropout(&vq, Some(mask)).unwrap();
    assert_same(&weighted(&y, &d_output), &vq, &dx);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let (a, b) = (Array2::<f64>::zeros((2, 3)), Array2::<f64>::zeros((3, 2)));
    let (two, three) = (Array1::<f64>::zeros(2), Array1::<f64>::zeros(3));
    let mut random = NumpyRandom::seed(0);
    let nan = array![[0.0, f64::NAN]];
    let refused = |error: DerivationError, words: &str| {
        assert!(error.to_string().contains(words), "{words:?} in {error}");
    };
    refused(linear(&a, &b, &three).unwrap_err(), "Wᵀ [2, 3]");
    refused(linear(&a, &a, &three).unwrap_err(), "b has the shape [3]: it must be [2]");
    refused(linear_backward(&a, &a, &a).unwrap_err(), "dY [2, 3] by W [2, 3]");
    refused(linear_backward(&b, &a, &a).unwrap_err(), "dYᵀ [2, 3] by X [2, 3]");
    refused(softmax_backward(&a, &b).unwrap_err(), "dY has the shape [2, 3]");
    refused(cross_entropy(&a, &[0]).unwrap_err(), "targets has the shape [1]");
    refused(cross_entropy(&a, &[0, 3]).unwrap_err(), "no class 3: there are 3");
    refused(cross_entropy_backward(&a, &[0, 3]).unwrap_err(), "no class 3");
    refused(cross_entropy_backward(&nan, &[0]).unwrap_err(), "logits[0, 1] is NaN");
    let empty = Array2::zeros((0, 3));
    refused(cross_entropy(&empty, &[]).unwrap_err(), "logits is empty");
    refused(layer_norm(&a, &two, &three, 0.1).unwrap_err(), "γ has the shape [2]");
    refused(layer_norm(&a, &three, &two, 0.1).unwrap_err(), "β has the shape [2]");
    refused(layer_norm_backward(&b, &a, &three, 0.1).unwrap_err(), "dY has");
    refused(layer_norm_paths(&a, &a, &two, 0.1).unwrap_err(), "γ has");
    refused(gelu_backward(&a, &b).unwrap_err(), "dY has");
    refused(attention(&a, &b, &b).unwrap_err(), "Kᵀ [2, 3]");
    refused(attention(&a, &a, &b).unwrap_err(), "P [2, 2] by V [3, 2]");
    refused(attention_backward(&a, &a, &a, &b).unwrap_err(), "dO [2, 3] by Vᵀ");
    refused(embedding(&a, &[2]).unwrap_err(), "no row 2: there are 2, from 0");
    refused(embedding_backward(&a, &[0], 2).unwrap_err(), "numbers has the shape [1]");
    refused(embedding_backward(&a, &[0, 9], 2).unwrap_err(), "no row 9");
    refused(dropout(&a, &b).unwrap_err(), "M has the shape [3, 2]");
    refused(dropout_mask(&mut random, (1, 1), 1.0).unwrap_err(), "probability of 1:");
    refused(check_shape("x", &[1], &[2]).unwrap_err(), "x has the shape [1]");
    let f = |x: &Array2<f64>| Ok(x.clone());
    refused(gradient_error(f, &a, &b, &a).unwrap_err(), "dY has the shape [3, 2]");
}
