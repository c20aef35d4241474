//! The chapter against Keras 3: `tests/reference/keras_block.py` makes the fixture.

#[path = "../../../../tests/support/sets.rs"]
mod sets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{D, Device, Tensor};
use keras_block::{
    Activation, Adam, Block, BlockOptions, Call, Dense, Input, LayerNormalization,
    LookupNetwork, LookupOptions, Model, SparseCategoricalCrossentropy,
    TokenAndPositionEmbedding, block, lookup_network,
};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Fixture {
    summary: String,
    sequential: String,
    small: Vec<Forward>,
    notes: Forward,
    initial: BTreeMap<String, Drawn>,
    #[serde(rename = "pointer")]
    lookup: Vec<LookupCase>,
}

#[derive(Deserialize)]
struct Forward {
    options: BlockOptions,
    ids: Vec<Vec<u32>>,
    paths: Vec<(String, Vec<usize>)>,
    params: usize,
    values: BTreeMap<String, Expected>,
}

/// All numbers, or for a large array some columns and sums of its rows.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Digest(Digest),
    All(Numbers),
}

impl Expected {
    #[track_caller]
    fn assert(&self, name: &str, found: &Tensor) {
        match self {
            Self::All(expected) => assert_all(name, found, expected),
            Self::Digest(expected) => assert_digest(name, found, expected),
        }
    }
}

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<usize>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Digest {
    shape: Vec<usize>,
    first: Numbers,
    last: Numbers,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

/// What Keras drew.
#[derive(Deserialize)]
struct Drawn {
    min: f64,
    max: f64,
    mean: f64,
    deviation: f64,
}

#[derive(Deserialize)]
struct LookupCase {
    options: LookupOptions,
    ids: Vec<Vec<u32>>,
    labels: Vec<u32>,
    logits: Numbers,
    steps: Vec<Step>,
    evaluated: Step,
    summary: String,
    paths: Vec<String>,
    after: BTreeMap<String, Digest>,
}

#[derive(Deserialize)]
struct Step {
    loss: f64,
    accuracy: f64,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn fixture() -> Fixture {
    let text = fs::read_to_string(fixtures().join("ch06-keras.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Numbers from −1 to 1, as the script makes them: splitmix64 of `j` and the place.
fn uniform(j: u64, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |i| {
        let mut x = ((j << 32) + i).wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        (x >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

#[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
fn set_weights(model: &mut Model) {
    let weights = (0..).zip(model.variables()).map(|(j, variable)| {
        let shape = variable.shape();
        let value: Vec<f32> = uniform(j, variable.count())
            .map(|u| match variable.path.rsplit('/').next() {
                Some("kernel") => u * (6.0 / shape.iter().sum::<usize>() as f64).sqrt(),
                Some("embeddings") => u,
                Some("gamma") => 1.0 + 0.1 * u,
                _ => 0.1 * u,
            })
            .map(|x| x as f32)
            .collect();
        Tensor::from_vec(value, shape, &Device::Cpu).unwrap()
    });
    let weights: Vec<Tensor> = weights.collect();
    model.set_weights(&weights).unwrap();
}

fn ids(rows: &[Vec<u32>]) -> Tensor {
    Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), &Device::Cpu).unwrap()
}

#[track_caller]
fn assert_close(name: &str, found: f64, expected: f64, scale: f64) {
    let difference = (found - expected).abs();
    assert!(
        difference <= TOLERANCE * scale,
        "{name}: {found}, Keras {expected}, difference {difference:e}"
    );
}

#[track_caller]
fn assert_all(name: &str, found: &Tensor, expected: &Numbers) {
    assert_eq!(found.dims(), expected.shape, "{name}");
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    for (i, (&found, &expected)) in found.iter().zip(&expected.values).enumerate() {
        assert_close(&format!("{name}[{i}]"), f64::from(found), expected, 1.0);
    }
}

#[track_caller]
fn assert_digest(name: &str, found: &Tensor, expected: &Digest) {
    assert_eq!(found.dims(), expected.shape, "{name}");
    let width = found.dims()[found.rank() - 1];
    let rows = found.reshape(((), width)).unwrap();
    for (which, start, expected) in
        [("first", 0, &expected.first), ("last", width - 4, &expected.last)]
    {
        let part = rows.narrow(1, start, 4).unwrap();
        assert_all(&format!("{name}, {which}"), &part, expected);
    }
    for (i, row) in rows.to_vec2::<f32>().unwrap().iter().enumerate() {
        let values = || row.iter().copied().map(f64::from);
        // Sums of `width` numbers that each may be off by the tolerance.
        let scale = width as f64;
        let squares: f64 = values().map(|x| x * x).sum();
        let sum = expected.sum[i];
        assert_close(&format!("{name}: sum {i}"), values().sum(), sum, scale);
        let (of, sum) = (format!("{name}: squares {i}"), expected.squares[i]);
        assert_close(&of, squares, sum, scale.max(2.0 * sum));
    }
}

fn assert_forward(case: &Forward) {
    let block = block(&case.options).unwrap();
    let mut model = Model::new(&block.ids, &block.output, 0).unwrap();
    let paths: Vec<_> =
        model.variables().map(|v| (v.path.clone(), v.shape().to_vec())).collect();
    assert_eq!(paths, case.paths);
    assert_eq!(model.count_params(), case.params);

    set_weights(&mut model);
    let Block { x, q, k, v, scores, weights, z, ff_1, ff_2, output, .. } = &block;
    let symbols = [x, q, k, v, scores, weights, z, ff_1, ff_2, output];
    let names =
        ["x", "q", "k", "v", "scores", "weights", "z", "ff_1", "ff_2", "output"];
    let ids = ids(&case.ids);
    let values = model.values(&ids, &symbols).unwrap();
    for (name, value) in names.iter().zip(&values) {
        case.values[*name].assert(name, value);
    }
    case.values["output"].assert("call", &model.call(&ids).unwrap());
    case.values["output"].assert("predict", &model.predict(&ids).unwrap());
}

#[test]
fn small_blocks_and_the_notes_compute_what_keras_computes() {
    let Fixture { small, notes, .. } = fixture();
    assert_eq!(notes.params, 6_518_784);
    small.iter().chain([&notes]).for_each(assert_forward);
}

#[test]
fn summaries_are_keras_to_the_character() {
    let fixture = fixture();
    let block = block(&BlockOptions::default()).unwrap();
    let model = Model::new(&block.ids, &block.output, 0).unwrap();
    assert_eq!(model.summary(), fixture.summary);

    let ids = Input::new([10]).symbol().unwrap();
    let x = TokenAndPositionEmbedding::new(20, 10, 64).on(&ids).unwrap();
    let x = Dense::new(256).activation(Activation::Relu).on(&x).unwrap();
    let x = LayerNormalization::new().on(&x).unwrap();
    let output = Dense::new(5).on(&x).unwrap();
    let model = Model::new(&ids, &output, 0).unwrap();
    assert_eq!(model.summary(), fixture.sequential);
}

/// Logits, losses, accuracies and the weights after six steps of Adam, without residual
/// and with one head, and with residuals, heads and two blocks.
#[test]
fn training_takes_keras_steps() {
    for case in &fixture().lookup {
        let LookupNetwork { ids: input, logits, .. } =
            lookup_network(&case.options).unwrap();
        let mut model = Model::new(&input, &logits, 0).unwrap();
        let paths: Vec<_> = model.variables().map(|v| v.path.clone()).collect();
        assert_eq!(paths, case.paths);
        set_weights(&mut model);
        let (x, y) =
            (ids(&case.ids), Tensor::new(&*case.labels, &Device::Cpu).unwrap());
        let three = x.narrow(0, 0, 3).unwrap();
        assert_all("logits", &model.call(&three).unwrap(), &case.logits);

        model.compile(Adam::new(3e-3), SparseCategoricalCrossentropy).unwrap();
        for (i, step) in case.steps.iter().enumerate() {
            let start = 8 * (i % 3);
            let x = x.narrow(0, start, 8).unwrap();
            let metrics =
                model.train_on_batch(&x, &y.narrow(0, start, 8).unwrap()).unwrap();
            assert_close(&format!("loss {i}"), metrics.loss, step.loss, 1.0);
            let accuracy = format!("accuracy {i}");
            assert_close(&accuracy, metrics.accuracy, step.accuracy, 0.1);
        }
        let metrics = model.evaluate(&x, &y).unwrap();
        assert_close("loss", metrics.loss, case.evaluated.loss, 1.0);
        assert_close("accuracy", metrics.accuracy, case.evaluated.accuracy, 0.1);
        assert_eq!(model.summary(), case.summary);
        for variable in model.variables() {
            if is_key_bias(&variable.path) {
                continue;
            }
            let value = variable.value().unwrap();
            let value = value.reshape(((), value.dim(D::Minus1).unwrap())).unwrap();
            assert_digest(&variable.path, &value, &case.after[&variable.path]);
        }
    }
}

/// The bias of a key adds the same to all scores of a query, which the softmax takes away
/// again: its gradient is 0, and what Adam makes of the rounding differs. In each block
/// the key is the second of five Dense layers.
fn is_key_bias(path: &str) -> bool {
    let number = path.strip_prefix("dense_").and_then(|p| p.strip_suffix("/bias"));
    number.and_then(|n| n.parse::<usize>().ok()).is_some_and(|n| n % 5 == 1)
}

/// The bounds, mean and deviation of what is drawn are the distribution's, and so are
/// those of what Keras drew: the test knows the right distribution.
#[test]
fn initial_weights_have_keras_distributions() {
    let block = block(&BlockOptions::default()).unwrap();
    let model = Model::new(&block.ids, &block.output, 7).unwrap();
    let keras = fixture().initial;
    for variable in model.variables() {
        let path = &variable.path;
        let limit = match path.rsplit('/').next() {
            Some("kernel") => {
                (6.0 / variable.shape().iter().sum::<usize>() as f64).sqrt()
            }
            Some("embeddings") => 0.05,
            part => {
                let value = if part == Some("gamma") { 1.0 } else { 0.0 };
                assert_constant(variable, value, &keras[path]);
                continue;
            }
        };
        assert_uniform(path, &drawn(variable), limit, variable.count());
        assert_uniform(path, &keras[path], limit, variable.count());
        assert!(is_flat(variable, limit), "{path} is not as likely everywhere");
    }
    // No two weights begin alike, and another seed draws others.
    let other = Model::new(&block.ids, &block.output, 8).unwrap();
    let first = |model: &Model| -> Vec<u32> {
        let kernels = model.variables().filter(|v| v.path.ends_with("/kernel"));
        let value = |v: &keras_block::Variable| {
            v.value().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()[0]
        };
        kernels.map(|v| value(v).to_bits()).collect()
    };
    let mut firsts = [first(&model), first(&other)].concat();
    let count = firsts.len();
    firsts.sort_unstable();
    firsts.dedup();
    assert_eq!(firsts.len(), count);
}

fn values(variable: &keras_block::Variable) -> Vec<f64> {
    let values: Vec<f32> =
        variable.value().unwrap().flatten_all().unwrap().to_vec1().unwrap();
    values.into_iter().map(f64::from).collect()
}

fn drawn(variable: &keras_block::Variable) -> Drawn {
    let values = values(variable);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Drawn { min, max, mean, deviation: variance.sqrt() }
}

#[track_caller]
fn assert_constant(variable: &keras_block::Variable, value: f64, keras: &Drawn) {
    for drawn in [&drawn(variable), keras] {
        assert_close(&variable.path, drawn.min, value, 1e-9);
        assert_close(&variable.path, drawn.max, value, 1e-9);
    }
}

/// Within five standard errors of each, which chance exceeds once in a million; the
/// extremes are within 20 / n of the ends, which it does once in ten thousand.
#[track_caller]
fn assert_uniform(path: &str, drawn: &Drawn, limit: f64, count: usize) {
    let n = count as f64;
    let sigma = limit / 3.0_f64.sqrt();
    assert!(drawn.mean.abs() < 5.0 * sigma / n.sqrt(), "{path}: mean {}", drawn.mean);
    // The variance of x² is 4 limit⁴ / 45.
    let error = (4.0_f64 / 45.0).sqrt() * limit * limit / n.sqrt() / (2.0 * sigma);
    let deviation = drawn.deviation;
    assert!((deviation - sigma).abs() < 5.0 * error, "{path}: deviation {deviation}");
    let near = limit * (1.0 - 20.0 / n);
    let within = limit * (1.0 + 1e-6);
    assert!(drawn.max > near && drawn.max <= within, "{path}: max {}", drawn.max);
    assert!(drawn.min < -near && drawn.min >= -within, "{path}: min {}", drawn.min);
}

/// χ² over ten parts of the range: below 40 for 9 degrees of freedom, which chance
/// exceeds once in a hundred thousand.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn is_flat(variable: &keras_block::Variable, limit: f64) -> bool {
    let mut counts = [0.0; 10];
    let values = values(variable);
    for x in &values {
        let part = ((x / limit + 1.0) * 5.0).floor() as usize;
        counts[part.min(9)] += 1.0;
    }
    let expected = values.len() as f64 / 10.0;
    counts.iter().map(|n| (n - expected) * (n - expected) / expected).sum::<f64>()
        < 40.0
}

/// Keras' own files, by the feature `h5`, and the refusal without it. The same layers are
/// in another order in each, and in the last numbered from 8.
#[test]
fn h5_files_are_read_by_the_names_of_their_layers() {
    let block = block(&fixture().small[0].options).unwrap();
    let options = LookupOptions { width: 8, ..LookupOptions::default() };
    let lookup = lookup_network(&options).unwrap();
    for (file, input, output) in [
        ("ch06-keras.weights.h5", &block.ids, &block.output),
        ("ch06-keras-query-first.weights.h5", &block.ids, &block.output),
        ("ch06-keras-attention.weights.h5", &block.ids, &block.output),
        ("ch06-keras-session.weights.h5", &lookup.ids, &lookup.logits),
    ] {
        let model = || Model::new(input, output, 3).unwrap();
        let (mut expected, mut found) = (model(), model());
        set_weights(&mut expected);
        let result = found.load_weights(fixtures().join(file));
        if cfg!(feature = "h5") {
            result.unwrap();
            for (found, expected) in found.variables().zip(expected.variables()) {
                assert_eq!(values(found), values(expected), "{file}: {}", found.path);
            }
        } else {
            let error = result.unwrap_err().to_string();
            let said = error.contains("HDF5") && error.contains("--features h5");
            assert!(said, "{error}");
        }
    }
}

#[test]
fn every_instruction_set_computes_the_same() {
    sets::again_under_the_slower_ones("keras::");
}
