//! The right column of `src/python-to-rust.md`, held to the left one: what Python gives is in
//! `tests/fixtures/python-to-rust.json`, made by `tests/reference/python_to_rust.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use book_tests::{fixture, root};
use candle_core::{D, Device, Tensor, Var};
use ndarray::{Array2, ArrayView, Axis, Dimension, array, concatenate, s};
use self_attention::numpy::NumpyRandom;
use serde::Deserialize;

/// What Python gives: numbers row after row, none for −∞.
#[derive(Deserialize)]
struct Value {
    shape: Vec<usize>,
    values: Vec<Option<f64>>,
}

/// What Python gives, by name, and which of it was compared.
struct Python {
    values: BTreeMap<String, Value>,
    seen: BTreeSet<String>,
}

impl Python {
    fn read() -> Self {
        Self { values: fixture("python-to-rust.json"), seen: BTreeSet::new() }
    }

    #[track_caller]
    fn same(&mut self, name: &str, shape: &[usize], values: &[f64], tolerance: f64) {
        let python = &self.values[name];
        assert_eq!(shape, python.shape, "{name}");
        assert_eq!(values.len(), python.values.len(), "{name}");
        for (&found, expected) in values.iter().zip(&python.values) {
            let expected = expected.unwrap_or(f64::NEG_INFINITY);
            let equal = found.total_cmp(&expected).is_eq()
                || (found - expected).abs() <= tolerance * expected.abs();
            assert!(equal, "{name}: {found}, not {expected}");
        }
        self.seen.insert(name.into());
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    fn array<D: Dimension>(&mut self, name: &str, found: ArrayView<'_, f64, D>) {
        let values: Vec<f64> = found.iter().copied().collect();
        self.same(name, found.shape(), &values, 1e-12);
    }

    #[track_caller]
    fn tensor(&mut self, name: &str, found: &Tensor) -> candle_core::Result<()> {
        let values =
            found.flatten_all()?.to_dtype(candle_core::DType::F64)?.to_vec1()?;
        self.same(name, found.dims(), &values, 1e-6);
        Ok(())
    }

    /// The names in the given library's half: all of them were compared, and the page shows
    /// each in both languages.
    fn all_seen(&self, page: &str) {
        for name in &self.seen {
            for file in
                ["tests/tests/python_to_rust.rs", "tests/reference/python_to_rust.py"]
            {
                let line = format!("{{{{#include ../{file}:{name}}}}}");
                assert!(page.contains(&line), "{name} of {file} is not on the page");
            }
        }
    }
}

#[test]
fn both_columns_give_the_same() -> Result<(), Box<dyn Error>> {
    let mut python = Python::read();
    numpy(&mut python)?;
    pytorch(&mut python)?;
    assert!(python.seen.iter().eq(python.values.keys()), "{:?}", python.seen);
    python.all_seen(&std::fs::read_to_string(root().join("src/python-to-rust.md"))?);
    Ok(())
}

fn numpy(python: &mut Python) -> Result<(), Box<dyn Error>> {
    let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let w = array![[0.5, -1.0], [1.0, 0.25], [2.0, 1.0]];
    let b = array![10.0, 20.0];
    let z = Array2::from_shape_fn((2, 6), |(i, j)| (6 * i + j) as f64);

    // ANCHOR: product
    let product = x.dot(&w); // [2, 3] · [3, 2] -> [2, 2]
    // ANCHOR_END: product
    python.array("product", product.view());

    // ANCHOR: transposed
    let transposed = x.t(); // a view: [3, 2]
    // ANCHOR_END: transposed
    python.array("transposed", transposed);

    // ANCHOR: with_bias
    let with_bias = &product + &b; // [2, 2] + [2]
    // ANCHOR_END: with_bias
    python.array("with_bias", with_bias.view());

    // ANCHOR: part
    let part = x.slice(s![.., 1..]); // a view: [2, 2]
    // ANCHOR_END: part
    python.array("part", part);

    // ANCHOR: rows
    let rows = w.select(Axis(0), &[2, 0]); // [2, 2]
    // ANCHOR_END: rows
    python.array("rows", rows.view());

    // ANCHOR: row_sums
    let row_sums = x.sum_axis(Axis(1)).insert_axis(Axis(1)); // [2, 1]
    // ANCHOR_END: row_sums
    python.array("row_sums", row_sums.view());

    // ANCHOR: normalized
    let mean = x.mean_axis(Axis(1)).ok_or("no columns")?.insert_axis(Axis(1));
    let deviation = x.std_axis(Axis(1), 0.0).insert_axis(Axis(1)); // divides by n
    let normalized = (&x - &mean) / &deviation; // [2, 3]
    // ANCHOR_END: normalized
    python.array("normalized", normalized.view());

    // ANCHOR: softmax
    let softmax = self_attention::softmax(&x);
    // ANCHOR_END: softmax
    python.array("softmax", softmax.view());

    // ANCHOR: heads
    let heads = z.to_shape((2, 2, 3))?.permuted_axes([1, 0, 2]);
    // ANCHOR_END: heads
    python.array("heads", heads.view());

    // ANCHOR: causal
    let causal = Array2::from_shape_fn((3, 3), |(query, key)| {
        if key > query { f64::NEG_INFINITY } else { 0.0 }
    });
    // ANCHOR_END: causal
    python.array("causal", causal.view());

    // ANCHOR: clipped
    let clipped = x.mapv(|x| if x > 3.0 { -1.0 } else { x });
    // ANCHOR_END: clipped
    python.array("clipped", clipped.view());

    // ANCHOR: largest
    let largest = x.map_axis(Axis(1), |row| {
        let values = row.iter().enumerate().rev(); // of equal ones, the first
        values.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i)
    });
    // ANCHOR_END: largest
    python.array("largest", largest.mapv(|i| i as f64).view());

    // ANCHOR: stacked
    let stacked = concatenate![Axis(0), x, x]; // [4, 3]
    // ANCHOR_END: stacked
    python.array("stacked", stacked.view());

    // ANCHOR: random
    let random = NumpyRandom::seed(42).rand(2, 2);
    // ANCHOR_END: random
    python.array("random", random.view());
    Ok(())
}

fn pytorch(python: &mut Python) -> Result<(), Box<dyn Error>> {
    let device = &Device::Cpu;
    let t = Tensor::new(&[[1_f32, 2.0, 3.0], [4.0, 5.0, 6.0]], device)?;
    let weight = Tensor::new(&[[0.5_f32, 1.0, 2.0], [-1.0, 0.25, 1.0]], device)?;
    let bias = Tensor::new(&[10_f32, 20.0], device)?;

    // ANCHOR: linear
    let linear = t.matmul(&weight.t()?)?.broadcast_add(&bias)?;
    // ANCHOR_END: linear
    python.tensor("linear", &linear)?;

    // ANCHOR: probabilities
    let probabilities = candle_nn::ops::softmax(&t, D::Minus1)?;
    // ANCHOR_END: probabilities
    python.tensor("probabilities", &probabilities)?;

    // ANCHOR: masked_fill
    let filling = Tensor::full(-1_f32, t.shape(), device)?;
    let masked_fill = t.gt(3_f32)?.where_cond(&filling, &t)?;
    // ANCHOR_END: masked_fill
    python.tensor("masked_fill", &masked_fill)?;

    // ANCHOR: split
    let split = t.reshape((2, 3, 1))?.transpose(0, 1)?;
    // ANCHOR_END: split
    python.tensor("split", &split)?;

    // ANCHOR: batch
    let batch = t.unsqueeze(0)?;
    // ANCHOR_END: batch
    python.tensor("batch", &batch)?;

    // ANCHOR: joined
    let joined = Tensor::cat(&[&t, &t], 1)?;
    // ANCHOR_END: joined
    python.tensor("joined", &joined)?;

    // ANCHOR: embedded
    let ids = Tensor::new(&[1_u32, 0, 1], device)?;
    let embedded = t.index_select(&ids, 0)?;
    // ANCHOR_END: embedded
    python.tensor("embedded", &embedded)?;

    // ANCHOR: guesses
    let guesses = t.argmax(D::Minus1)?;
    // ANCHOR_END: guesses
    python.tensor("guesses", &guesses)?;

    // ANCHOR: norm
    let gamma = Tensor::ones(3, t.dtype(), device)?;
    let beta = Tensor::zeros(3, t.dtype(), device)?;
    let norm = candle_nn::ops::layer_norm(&t, &gamma, &beta, 1e-5)?;
    // ANCHOR_END: norm
    python.tensor("norm", &norm)?;

    // ANCHOR: loss
    let targets = Tensor::new(&[2_u32, 0], device)?;
    let loss = candle_nn::loss::cross_entropy(&t, &targets)?;
    // ANCHOR_END: loss
    python.tensor("loss", &loss)?;

    // ANCHOR: gradient
    let v = Var::new(&[2_f32, 3.0], device)?;
    let gradients = v.sqr()?.sum_all()?.backward()?;
    let gradient = gradients.get(&v).ok_or("v is in no sum")?;
    // ANCHOR_END: gradient
    python.tensor("gradient", gradient)?;
    Ok(())
}
