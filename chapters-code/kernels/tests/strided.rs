//! Products of strided matrices against plain loops in f64, with every instruction set.

#[path = "../../../tests/support/values.rs"]
mod values;

use kernels::strided::{Left, Product, WeightGradient, sum_rows, weight_gradient};
use kernels::{Isa, KernelError};
use proptest::prelude::*;
use values::values;

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= tolerance, "value {i}: {found}, not {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_product_is_the_triple_loop(
        m in 1_usize..20,
        k in 1_usize..20,
        n in 1_usize..70,
        gaps in prop::array::uniform3(0_usize..5),
        transposed: bool,
        accumulate: bool,
        seed: u64,
    ) {
        let left_stride = if transposed { m } else { k } + gaps[0];
        let (right_stride, out_stride) = (n + gaps[1], n + gaps[2]);
        let left = values(m.max(k) * left_stride, seed);
        let right = values(k * right_stride, seed ^ 1);
        let before = values(m * out_stride, seed ^ 2);
        let mut expected: Vec<f64> = before.iter().map(|&x| f64::from(x)).collect();
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let products = (0..k).map(|t| {
                let place = if transposed { t * left_stride + i } else { i * left_stride + t };
                f64::from(left[place]) * f64::from(right[t * right_stride + j])
            });
            let old = if accumulate { expected[i * out_stride + j] } else { 0.0 };
            expected[i * out_stride + j] = old + 0.5 * products.sum::<f64>();
        }
        for isa in Isa::available() {
            let mut out = before.clone();
            isa.run(Product {
                left: if transposed {
                    Left::Columns(&left, left_stride)
                } else {
                    Left::Rows(&left, left_stride)
                },
                right: &right,
                right_stride,
                out: &mut out,
                out_stride,
                shape: [m, k, n],
                scale: 0.5,
                accumulate,
            });
            assert_close(&out, &expected, 5e-6); // what lies between the rows is as it was
        }
    }

    #[test]
    fn a_weights_gradient_is_the_triple_loop(
        rows in prop::sample::select(vec![1_usize, 7, 256, 300, 513]),
        outputs in 1_usize..80,
        inputs in 1_usize..80,
        seed: u64,
    ) {
        let (dy, x) = (values(rows * outputs, seed), values(rows * inputs, seed ^ 1));
        let mut expected = vec![0.0; outputs * inputs];
        let mut sums = vec![0.0; outputs];
        for (dy, x) in dy.chunks(outputs).zip(x.chunks(inputs)) {
            for (o, &dy) in dy.iter().enumerate() {
                sums[o] += f64::from(dy);
                for (i, &x) in x.iter().enumerate() {
                    expected[o * inputs + i] += f64::from(dy) * f64::from(x);
                }
            }
        }
        let mut dw = vec![f32::NAN; outputs * inputs];
        weight_gradient(&dy, &x, rows, &mut dw)?;
        assert_close(&dw, &expected, 2e-4); // up to 513 terms, up to 40
        let mut db = vec![f32::NAN; outputs];
        sum_rows(&dy, &mut db);
        assert_close(&db, &sums, 2e-4);

        let product = WeightGradient::new(&dy, &x, rows)?;
        let mut alone = vec![f32::NAN; outputs * inputs];
        for (task, out) in alone.chunks_mut(product.task()).enumerate() {
            product.compute(task, out);
        }
        prop_assert_eq!(alone, dw);
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let refused = |dy: usize, x: usize, rows, dw: usize, expected: &str| {
        let (dy, x) = (vec![0.0; dy], vec![0.0; x]);
        let found: Result<(), KernelError> =
            weight_gradient(&dy, &x, rows, &mut vec![0.0; dw]);
        let error = found.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(6, 4, 0, 6, "the number of rows is 0");
    refused(7, 4, 2, 6, "dy has 7 values");
    refused(6, 5, 2, 6, "x has 5 values");
    refused(0, 4, 2, 0, "the width of dy is 0");
    refused(6, 0, 2, 0, "the width of x is 0");
    refused(6, 4, 2, 5, "dw has 5 values");
}
