//! Checks for the exercises of chapter 6.

use ndarray::{Array1, Array2, Array3, array};

use super::assert_close;

pub fn glorot_limit(glorot_limit: impl Fn(usize, usize) -> f64) {
    let hint = "√(6 / (inputs + outputs)): is it the limit, and not the variance or the \
                deviation?";
    for (inputs, outputs, limit) in
        [(768, 768, 0.0625), (2, 4, 1.0), (768, 3072, 0.039_528_470_752_104_74)]
    {
        let found = Array1::from_elem(1, glorot_limit(inputs, outputs));
        assert_close(&found, &array![limit], hint);
    }
}

pub fn dense(
    dense: impl Fn(&Array3<f64>, &Array2<f64>, &Array1<f64>, bool) -> Array3<f64>,
) {
    // Two sequences of two vectors; inputs ≠ units, so a transposed kernel doesn't fit.
    let x =
        array![[[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], [[-1.0, 0.0, 1.0], [2.0, 2.0, 2.0]]];
    let kernel = array![[1.0, -1.0], [0.5, 2.0], [-2.0, 1.0]];
    let bias = array![10.0, -5.0];
    let expected = array![[[6.0, 1.0], [10.5, -3.0]], [[7.0, -3.0], [9.0, -1.0]]];
    let hint =
        "each vector times the kernel, plus the bias, in the order of the batch.";
    assert_close(&dense(&x, &kernel, &bias, false), &expected, hint);
    let hint = "relu is max(x, 0), of the sum with the bias.";
    let expected = expected.mapv(|x: f64| x.max(0.0));
    assert_close(&dense(&x, &kernel, &bias, true), &expected, hint);
}

pub fn count_params(count_params: impl Fn(usize, usize, usize) -> usize) {
    let found = count_params(20, 10, 768);
    assert_eq!(
        found, 6_518_784,
        "Keras' summary says 6,518,784: are there biases in all five Dense layers, and \
         both gamma and beta?"
    );
    assert_eq!(
        count_params(7, 5, 4),
        264,
        "the sizes that are given count, not the notes'"
    );
}

pub fn matmul_shape(
    matmul_shape: impl Fn(
        &[Option<usize>],
        &[Option<usize>],
    ) -> Result<Vec<Option<usize>>, String>,
) {
    let (batch, q) = (None, [None, Some(10), Some(768)]);
    let k_t = [None, Some(768), Some(12)];
    assert_eq!(
        matmul_shape(&q, &k_t),
        Ok(vec![batch, Some(10), Some(12)]),
        "[…, n, d] times […, d, m] is […, n, m]"
    );
    let heads = [None, Some(8), Some(10), Some(96)];
    let heads_t = [None, Some(8), Some(96), Some(10)];
    assert_eq!(
        matmul_shape(&heads, &heads_t),
        Ok(vec![batch, Some(8), Some(10), Some(10)]),
        "the axes before the last two stay, however many they are"
    );
    let refused = |a: &[Option<usize>], b: &[Option<usize>], why: &str| {
        let Err(message) = matmul_shape(a, b) else {
            panic!("{a:?} times {b:?} must be an error: {why}");
        };
        for shape in [a, b] {
            let shape = format!("{shape:?}");
            assert!(
                message.contains(&shape),
                "the message must have {shape}: {message}"
            );
        }
    };
    refused(&q, &q, "768 columns, 10 rows: was the transposition forgotten?");
    refused(&heads, &k_t, "one has heads and the other doesn't");
    let six = [None, Some(6), Some(96), Some(10)];
    refused(&heads, &six, "8 heads and 6: the other axes must be equal");
    refused(&[Some(3)], &[Some(3)], "a vector has no rows and columns");
}

pub fn cross_entropy(cross_entropy: impl Fn(&Array2<f64>, &[usize]) -> f64) {
    let one = |value: f64| Array1::from_elem(1, value);
    let even = Array2::zeros((3, 20));
    let hint = "with equal logits, every class has 1/20: the loss is ln 20 = 2.9957, the \
                mean of the rows and not their sum.";
    assert_close(&one(cross_entropy(&even, &[0, 7, 19])), &one(20.0_f64.ln()), hint);

    let logits = array![[2.0, 0.0, -1.0], [0.5, 1.5, 3.0]];
    let row =
        |x: [f64; 3], label: usize| x.map(f64::exp).iter().sum::<f64>().ln() - x[label];
    let expected = f64::midpoint(row([2.0, 0.0, -1.0], 1), row([0.5, 1.5, 3.0], 2));
    let hint = "−ln of the softmax at the row's label, natural logarithm.";
    assert_close(&one(cross_entropy(&logits, &[1, 2])), &one(expected), hint);

    let large = cross_entropy(&array![[1000.0, 0.0], [0.0, 1000.0]], &[0, 0]);
    assert!(
        large.is_finite(),
        "logits of 1000 give {large}: e¹⁰⁰⁰ overflows and ln 0 is −∞; subtract the maximum \
         and take the logarithm of the sum, not of the softmax"
    );
    assert_close(
        &one(large),
        &one(500.0),
        "the wrong one loses 1000, the right one 0.",
    );
}

pub fn adam_step(
    adam_step: impl Fn((f64, f64, f64), f64, f64, i32) -> (f64, f64, f64),
) {
    let step = |state, gradient, rate, t| {
        let (weight, m, v) = adam_step(state, gradient, rate, t);
        array![weight, m, v]
    };
    let hint = "m ← 0.9 m + 0.1 g and v ← 0.999 v + 0.001 g², from (weight, m, v).";
    let second = step((1.0, 0.2, 0.01), -0.5, 0.0, 2);
    assert_close(&second, &array![1.0, 0.13, 0.010_24], hint);

    let hint = "the first step is as long as the learning rate, whatever the gradient: are \
                both means corrected by 1 − βᵗ, and is the weight moved against the gradient?";
    let first = adam_step((1.0, 0.0, 0.0), 4.0, 0.1, 1).0;
    assert!((first - 0.9).abs() < 1e-6, "the weight is {first}, not 0.9. {hint}");

    // So small a gradient that ε counts: 1e-7 beside √v = 1e-8 · √0.001.
    let found = adam_step((0.0, 0.0, 0.0), 1e-8, 1.0, 1).0;
    let alpha = 0.001_f64.sqrt() / 0.1;
    let expected = -alpha * 1e-9 / (1e-8 * 0.001_f64.sqrt() + 1e-7);
    assert!(
        (found / expected - 1.0).abs() < 1e-6,
        "with a gradient of 1e-8 the weight is {found:e}, not {expected:e}: Keras adds \
         ε = 1e-7 to √v before the bias is corrected"
    );
}
