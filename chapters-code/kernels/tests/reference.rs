//! Every kernel, with every instruction set of this machine, against plain loops in
//! f64.

#[path = "../../../tests/support/values.rs"]
mod values;

use kernels::{
    Epilogue, Heads, Isa, KernelError, LayerNorm, Matrix, PackedLinear, attention,
    attention_on, matmul, softmax_on,
};
use proptest::prelude::*;
use values::values;

fn gelu(x: f64) -> f64 {
    0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2)
}

fn gelu_tanh(x: f64) -> f64 {
    let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
    0.5 * x * (1.0 + u.tanh())
}

/// Fails where two slices differ by more than `tolerance`, naming the place.
fn assert_close(isa: Isa, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs();
        assert!(error <= tolerance, "{isa:?}, value {i}: {got}, expected {expected}");
    }
}

/// x Wᵀ + b
fn linear(x: &[f32], weight: &[f32], bias: Option<&[f32]>, inputs: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for x in x.chunks(inputs) {
        for (o, w) in weight.chunks(inputs).enumerate() {
            let products = x.iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w));
            out.push(
                products.sum::<f64>() + bias.map_or(0.0, |bias| f64::from(bias[o])),
            );
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_linear_layer_is_the_triple_loop(
        rows in 0_usize..70,
        inputs in 1_usize..90,
        outputs in 1_usize..110,
        with_bias: bool,
        seed: u64,
    ) {
        let x = values(rows * inputs, seed);
        let weight = values(outputs * inputs, seed ^ 1);
        let bias = values(outputs, seed ^ 2);
        let bias = with_bias.then_some(bias.as_slice());
        let residual = values(rows * outputs, seed ^ 3);
        let sums = linear(&x, &weight, bias, inputs);
        let map = |f: fn(f64) -> f64| sums.iter().map(|&y| f(y)).collect::<Vec<_>>();
        let added: Vec<f64> =
            sums.iter().zip(&residual).map(|(y, &r)| y + f64::from(r)).collect();
        let cases = [
            (Epilogue::None, sums.clone()),
            (Epilogue::Gelu, map(gelu)),
            (Epilogue::GeluTanh, map(gelu_tanh)),
            (Epilogue::Relu, map(|y| y.max(0.0))),
            (Epilogue::Add(&residual), added),
        ];
        for isa in Isa::available() {
            let layer = PackedLinear::side_by_side_on(isa, &[(&weight, bias)], inputs)?;
            for (epilogue, expected) in &cases {
                let mut out = vec![f32::NAN; rows * outputs];
                layer.forward(&x, rows, *epilogue, &mut out)?;
                assert_close(isa, &out, expected, 1e-5);
            }
        }
    }

    #[test]
    fn a_weight_used_once_gives_the_bits_of_a_packed_one(
        rows in 1_usize..600,
        inputs in 1_usize..90,
        outputs in 1_usize..90,
        seed: u64,
    ) {
        let x = values(rows * inputs, seed);
        let weight = values(outputs * inputs, seed ^ 1);
        let bias = values(outputs, seed ^ 2);
        let residual = values(rows * outputs, seed ^ 3);
        for isa in Isa::available() {
            let layers = [(&*weight, Some(&*bias))];
            let packed = PackedLinear::side_by_side_on(isa, &layers, inputs)?;
            for epilogue in [Epilogue::None, Epilogue::Relu, Epilogue::Add(&residual)] {
                let mut expected = vec![f32::NAN; rows * outputs];
                packed.forward(&x, rows, epilogue, &mut expected)?;
                let mut found = vec![f32::NAN; rows * outputs];
                kernels::linear(isa, &x, &weight, &bias, rows, epilogue, &mut found)?;
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn matmul_is_the_triple_loop(
        m in prop_oneof![7 => 1_usize..40, 1 => 510_usize..520], // from 513 on, B is packed
        k in 1_usize..70,
        n in 1_usize..70,
        a_transposed: bool,
        b_transposed: bool,
        seed: u64,
    ) {
        let (a, b) = (values(m * k, seed), values(k * n, seed ^ 1));
        // B is [k, n]: linear() takes its transpose.
        let expected = linear(&a, &transpose(&b, n), None, k);
        let stored_a = if a_transposed { transpose(&a, k) } else { a };
        let stored_b = if b_transposed { transpose(&b, n) } else { b };
        let matrix = |values, rows, columns, transposed| {
            if transposed {
                Matrix::new(values, columns, rows).map(Matrix::t)
            } else {
                Matrix::new(values, rows, columns)
            }
        };
        let a = matrix(&stored_a, m, k, a_transposed)?;
        let b = matrix(&stored_b, k, n, b_transposed)?;
        prop_assert_eq!((a.shape(), b.shape()), ((m, k), (k, n)));
        for isa in Isa::available() {
            let mut out = vec![f32::NAN; m * n];
            matmul(isa, a, b, Epilogue::None, &mut out)?;
            assert_close(isa, &out, &expected, 1e-5);
        }
    }

    #[test]
    fn attention_is_its_formula(
        batch in 1_usize..3,
        tokens in 1_usize..75,
        heads in 1_usize..4,
        d_k in 1_usize..70,
        masking in 0_usize..3,
        seed: u64,
    ) {
        let shape = Heads { batch, tokens, heads, d_k };
        let qkv = values(batch * tokens * 3 * heads * d_k, seed);
        let mask: Vec<f32> = values(batch * tokens, seed ^ 1)
            .iter()
            .map(|&v| match masking {
                1 if v < 0.0 => f32::NEG_INFINITY,
                2 => f32::NEG_INFINITY,
                _ => v,
            })
            .collect();
        let mask = (seed % 4 != 0).then_some(mask.as_slice());
        let (expected_weights, expected) = attend(&qkv, shape, mask);
        for isa in Isa::available() {
            let mut context = vec![f32::NAN; batch * tokens * heads * d_k];
            let mut weights = vec![f32::NAN; batch * heads * tokens * tokens];
            attention_on(isa, &qkv, shape, mask, &mut context, Some(&mut weights))?;
            assert_close(isa, &weights, &expected_weights, 2e-6);
            assert_close(isa, &context, &expected, 5e-6);

            let mut alone = vec![f32::NAN; context.len()];
            attention_on(isa, &qkv, shape, mask, &mut alone, None)?;
            prop_assert_eq!(alone, context);
        }
    }

    #[test]
    fn softmax_is_its_formula(
        rows in 1_usize..4,
        width in 1_usize..100,
        scale in prop::sample::select(vec![1.0_f32, 30.0, 1e4, 1e30]),
        seed: u64,
    ) {
        let x: Vec<f32> = values(rows * width, seed).iter().map(|v| v * scale).collect();
        let exact: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let expected: Vec<f64> = exact.chunks(width).flat_map(softmax).collect();
        for isa in Isa::available() {
            let mut got = x.clone();
            softmax_on(isa, &mut got, width)?;
            assert_close(isa, &got, &expected, 5e-7);
        }
    }

    #[test]
    fn layer_norm_is_its_formula(
        rows in 1_usize..5,
        width in 2_usize..100,
        mean in prop::sample::select(vec![0.0_f32, 3.0, 100.0]),
        with_residual: bool,
        seed: u64,
    ) {
        let x: Vec<f32> = values(rows * width, seed).iter().map(|v| v + mean).collect();
        let residual = values(rows * width, seed ^ 1);
        let residual = with_residual.then_some(residual.as_slice());
        let (gamma, beta) = (values(width, seed ^ 2), values(width, seed ^ 3));
        let epsilon = 1e-3;
        let mut expected = Vec::new();
        for (r, x) in x.chunks(width).enumerate() {
            // The sum is rounded to f32, as the kernel's: with a mean of 100 that is
            // most of the error, and not one of the formula.
            let x: Vec<f64> = x
                .iter()
                .enumerate()
                .map(|(i, &v)| f64::from(v + residual.map_or(0.0, |all| all[r * width + i])))
                .collect();
            let mean = x.iter().sum::<f64>() / width as f64;
            let variance =
                x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / width as f64;
            let deviation = (variance + f64::from(epsilon)).sqrt();
            expected.extend(x.iter().enumerate().map(|(i, v)| {
                (v - mean) / deviation * f64::from(gamma[i]) + f64::from(beta[i])
            }));
        }
        for isa in Isa::available() {
            let mut got = x.clone();
            let norm = LayerNorm { gamma: &gamma, beta: &beta, epsilon };
            norm.forward_on(isa, &mut got, residual)?;
            // A rounding of the mean, 100 / 2²⁴, over the smallest deviation.
            let tolerance = if mean > 10.0 { 1e-3 } else { 2e-5 };
            assert_close(isa, &got, &expected, tolerance);
        }
    }
}

/// `[columns, rows]` from `[rows, columns]`.
fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| x.iter().skip(c).step_by(columns).copied()).collect()
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return vec![0.0; x.len()];
    }
    let exps: Vec<f64> = x.iter().map(|x| (x - max).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.iter().map(|e| e / sum).collect()
}

/// The weights and the context, by the formula.
fn attend(qkv: &[f32], shape: Heads, mask: Option<&[f32]>) -> (Vec<f64>, Vec<f64>) {
    let Heads { batch, tokens, heads, d_k } = shape;
    let at = |b: usize, t: usize, part: usize, h: usize| {
        let start = ((b * tokens + t) * 3 + part) * heads * d_k + h * d_k;
        &qkv[start..start + d_k]
    };
    let mut all_weights = Vec::new();
    let mut context = vec![0.0; batch * tokens * heads * d_k];
    for (b, h) in (0..batch).flat_map(|b| (0..heads).map(move |h| (b, h))) {
        for i in 0..tokens {
            let scores: Vec<f64> = (0..tokens)
                .map(|j| {
                    let pairs = at(b, i, 0, h).iter().zip(at(b, j, 1, h));
                    let dot: f64 =
                        pairs.map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
                    let added = mask.map_or(0.0, |mask| mask[b * tokens + j]);
                    dot / (d_k as f64).sqrt() + f64::from(added)
                })
                .collect();
            let weights = softmax(&scores);
            for (j, &weight) in weights.iter().enumerate() {
                for (c, &v) in at(b, j, 2, h).iter().enumerate() {
                    context[((b * tokens + i) * heads + h) * d_k + c] +=
                        weight * f64::from(v);
                }
            }
            all_weights.extend(weights);
        }
    }
    (all_weights, context)
}

/// Large enough that rows and columns are cut into several tasks.
#[test]
fn a_layer_of_many_tasks_is_the_triple_loop() -> Result<(), KernelError> {
    let (rows, inputs, outputs) = (300, 40, 700);
    let x = values(rows * inputs, 1);
    let weight = values(outputs * inputs, 2);
    let bias = values(outputs, 3);
    let residual = values(rows * outputs, 4);
    let expected: Vec<f64> = linear(&x, &weight, Some(&bias), inputs)
        .iter()
        .zip(&residual)
        .map(|(y, &r)| y + f64::from(r))
        .collect();
    for isa in Isa::available() {
        let layer =
            PackedLinear::side_by_side_on(isa, &[(&weight, Some(&bias))], inputs)?;
        let mut out = vec![f32::NAN; rows * outputs];
        layer.forward(&x, rows, Epilogue::Add(&residual), &mut out)?;
        assert_close(isa, &out, &expected, 1e-5);
    }
    Ok(())
}

/// Every set adds in one order, bit by bit: products one after another, a block of 64 at a
/// time, then the bias. (Scalar code rounds a product before it is added.)
#[test]
fn a_long_sum_is_added_by_blocks_in_order() -> Result<(), KernelError> {
    for (rows, inputs) in [(1, 63), (2, 64), (5, 65), (13, 769), (20, 1544)] {
        let outputs = 37; // the last panel has columns to spare with every set
        let (x, weight) = (values(rows * inputs, 1), values(outputs * inputs, 2));
        let bias = values(outputs, 3);
        for isa in Isa::available() {
            let fused = isa.name() != "scalar";
            let add = |sum: f32, (&x, &w): (&f32, &f32)| {
                if fused { x.mul_add(w, sum) } else { x * w + sum }
            };
            let mut expected = Vec::new();
            for x in x.chunks(inputs) {
                for (w, bias) in weight.chunks(inputs).zip(&bias) {
                    let blocks = x.chunks(64).zip(w.chunks(64));
                    let sums = blocks.map(|(x, w)| x.iter().zip(w).fold(0.0, add));
                    expected
                        .push(sums.reduce(|total, sum| total + sum).unwrap() + bias);
                }
            }
            let layers = [(&*weight, Some(&*bias))];
            let layer = PackedLinear::side_by_side_on(isa, &layers, inputs)?;
            let mut out = vec![f32::NAN; rows * outputs];
            layer.forward(&x, rows, Epilogue::None, &mut out)?;
            assert_eq!(out, expected, "{isa:?}, {rows} rows of {inputs}");
        }
    }
    Ok(())
}

/// The same bits on one thread and on seven, alone and among other rows, and for layers
/// packed side by side.
#[test]
fn results_depend_on_nothing_else() -> Result<(), Box<dyn std::error::Error>> {
    let (rows, inputs) = (270, 64);
    let x = values(rows * inputs, 1);
    let weights: Vec<Vec<f32>> =
        [33, 50, 7].iter().map(|outputs| values(outputs * inputs, 5)).collect();
    let bias = values(50, 6);
    let parts = [
        (weights[0].as_slice(), None),
        (weights[1].as_slice(), Some(bias.as_slice())),
        (weights[2].as_slice(), None),
    ];
    for isa in Isa::available() {
        let together = PackedLinear::side_by_side_on(isa, &parts, inputs)?;
        assert_eq!((together.inputs(), together.outputs()), (inputs, 90));
        let run = |threads: usize| -> Result<Vec<f32>, Box<dyn std::error::Error>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            let mut out = vec![f32::NAN; rows * 90];
            pool.install(|| together.forward(&x, rows, Epilogue::Gelu, &mut out))?;
            Ok(out)
        };
        let out = run(1)?;
        assert_eq!(out, run(2)?);
        assert_eq!(out, run(7)?);

        let mut first = 0;
        for part in parts {
            let layer = PackedLinear::side_by_side_on(isa, &[part], inputs)?;
            let width = layer.outputs();
            for (r, x) in x.chunks(inputs).enumerate().step_by(89) {
                let mut alone = vec![f32::NAN; width];
                layer.forward(x, 1, Epilogue::Gelu, &mut alone)?;
                assert_eq!(alone, out[r * 90 + first..r * 90 + first + width]);
            }
            first += width;
        }
    }
    Ok(())
}

#[test]
fn softmax_of_what_is_not_a_number_or_not_there() -> Result<(), KernelError> {
    let none = f32::NEG_INFINITY;
    for isa in Isa::available() {
        for width in [1, 5, 16, 40] {
            let mut x = vec![none; width];
            softmax_on(isa, &mut x, width)?;
            assert_eq!(x, vec![0.0; width]);

            let mut x = vec![none; width];
            x[width - 1] = -1e30;
            softmax_on(isa, &mut x, width)?;
            assert_eq!(x[width - 1].to_bits(), 1.0_f32.to_bits());
            assert!(x[..width - 1].iter().all(|&x| x == 0.0));

            for bad in [f32::NAN, f32::INFINITY] {
                let mut x = vec![0.5; width];
                x[width / 2] = bad;
                softmax_on(isa, &mut x, width)?;
                assert!(x[width / 2].is_nan(), "{isa:?}: {bad} was lost: {x:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn wrong_lengths_are_errors() {
    let message = |result: Result<(), KernelError>| result.unwrap_err().to_string();
    let ten = [0.0; 10];
    let huge = format!("shape [{}, 2] needs more than memory holds", usize::MAX);
    for (weight, bias, inputs, outputs, expected) in [
        (&ten[..], None, 3, 4, "the weight has 10 values; shape [4, 3] needs 12"),
        (&ten, Some(&ten[..]), 5, 2, "the bias has 10 values; shape [2] needs 2"),
        (&ten, None, 2, usize::MAX, &format!("the weight has 10 values; {huge}")),
        (&[], None, 0, 3, "the number of inputs is 0; give at least 1"),
    ] {
        let error = PackedLinear::new(weight, bias, inputs, outputs).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert!(PackedLinear::side_by_side(&[], 3).is_err());
    assert!(PackedLinear::side_by_side(&[(&ten, None)], 3).is_err());

    let layer = PackedLinear::new(&ten, None, 5, 2).expect("the lengths agree");
    let mut out = [0.0; 4];
    assert!(layer.forward(&ten[..9], 2, Epilogue::None, &mut out).is_err());
    assert!(layer.forward(&ten, 2, Epilogue::None, &mut out[..3]).is_err());
    assert_eq!(
        message(layer.forward(&ten, 2, Epilogue::Add(&ten), &mut out)),
        "the residual has 10 values; shape [2, 2] needs 4"
    );

    assert!(Matrix::new(&ten, 3, 4).is_err());
    assert!(Matrix::new(&[], 0, 4).is_err());
    let two_by_five = Matrix::new(&ten, 2, 5).expect("the lengths agree");
    let (isa, mut square) = (Isa::current(), [0.0; 4]);
    assert_eq!(
        message(matmul(isa, two_by_five, two_by_five, Epilogue::None, &mut square)),
        "a 2 x 5 matrix by one of 2 x 5: as many columns as rows are needed"
    );
    assert!(
        matmul(isa, two_by_five, two_by_five.t(), Epilogue::None, &mut square).is_ok()
    );
    assert!(
        matmul(isa, two_by_five.t(), two_by_five, Epilogue::None, &mut square).is_err()
    );

    let shape = Heads { batch: 1, tokens: 2, heads: 1, d_k: 1 };
    let (mut context, mut weights) = ([0.0; 2], [0.0; 4]);
    let qkv = &ten[..6];
    let mut run = |qkv: &[f32], shape, mask: Option<&[f32]>, n: usize, m: usize| {
        attention(qkv, shape, mask, &mut context[..n], Some(&mut weights[..m]))
    };
    assert!(run(qkv, shape, Some(&[0.0; 2]), 2, 4).is_ok());
    assert!(run(&ten, shape, None, 2, 4).is_err());
    assert!(run(qkv, shape, Some(&[0.0; 3]), 2, 4).is_err());
    assert!(run(qkv, shape, None, 1, 4).is_err());
    assert!(run(qkv, shape, None, 2, 3).is_err());
    assert!(run(&[], Heads { tokens: 0, ..shape }, None, 0, 0).is_err());
    assert!(run(&[], Heads { batch: 0, ..shape }, None, 0, 0).is_ok());
    let none = Heads { batch: 0, tokens: usize::MAX, heads: usize::MAX, ..shape };
    assert!(run(&[], none, None, 0, 0).is_ok());
    let huge = Heads { tokens: usize::MAX, heads: 2, ..shape };
    assert!(run(qkv, huge, None, 2, 4).is_err());

    let norm = LayerNorm { gamma: &ten, beta: &ten[1..], epsilon: 1e-5 };
    assert_eq!(
        message(norm.forward(&mut [0.0; 20], None)),
        "beta has 9 values; shape [10] needs 10"
    );
    let norm = LayerNorm { gamma: &ten, beta: &ten, epsilon: 1e-5 };
    assert!(norm.forward(&mut [0.0; 15], None).is_err());
    assert!(norm.forward(&mut [0.0; 20], Some(&ten)).is_err());
    assert!(norm.forward(&mut [0.0; 20], Some(&[])).is_err());
    assert!(norm.forward(&mut [0.0; 20], None).is_ok());
}
