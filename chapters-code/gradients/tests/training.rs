//! Optimizer, schedules, backward passes and files, against PyTorch and against themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor, Var};
use gradients::file::{self, Stored};
use gradients::{
    AdamW, AdamWOptions, Decay, Parameters, Schedule, clip_factor, gradient_norm,
    linear, linear_relu,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    norms: Vec<f64>,
    steps: Vec<BTreeMap<String, Vec<f32>>>,
    linear: Vec<f64>,
    cosine: Vec<f64>,
}

fn reference() -> Reference {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    let path = PathBuf::from(fixtures).join("gradients-torch.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The script's numbers of a step.
#[expect(clippy::cast_possible_truncation, reason = "as the script makes them")]
fn numbers(shape: &[usize], step: usize) -> Tensor {
    let count = shape.iter().product();
    let scale = (1 + step % 3) as f32;
    let number = |i: usize| (i as f64 * 0.7 + step as f64 * 1.3).sin() as f32 * scale;
    let values: Vec<f32> = (0..count).map(number).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Variables by name, each with the script's numbers.
fn parameters(shapes: &[(&str, &[usize])]) -> Parameters {
    let parameter = |(i, &(name, shape)): (usize, &(&str, &[usize]))| {
        (name.to_owned(), Var::from_tensor(&numbers(shape, i)).unwrap())
    };
    shapes.iter().enumerate().map(parameter).collect()
}

fn get<'a>(parameters: &'a Parameters, name: &str) -> &'a Tensor {
    let (_, found) = parameters.iter().find(|(found, _)| *found == name).unwrap();
    found.as_tensor()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn adamw_clipping_and_schedule_are_pytorchs() {
    let shapes: [(&str, &[usize]); 2] = [("matrix", &[3, 5]), ("vector", &[4])];
    let parameters: Parameters = shapes
        .map(|(name, shape)| {
            (name.to_owned(), Var::from_tensor(&numbers(shape, 0)).unwrap())
        })
        .into_iter()
        .collect();
    let options = AdamWOptions { weight_decay: 0.1, ..AdamWOptions::default() };
    let mut optimizer = AdamW::new(&parameters, options).unwrap();
    let schedule = Schedule { peak: 0.05, warmup: 3, total: 12, decay: Decay::Linear };
    let reference = reference();
    for (i, expected) in reference.steps.iter().enumerate() {
        // A loss whose gradients are the script's.
        let parts = shapes.map(|(name, shape)| {
            (get(&parameters, name) * numbers(shape, i + 1)).unwrap().sum_all().unwrap()
        });
        let gradients = gradients::backward(&(&parts[0] + &parts[1]).unwrap()).unwrap();
        let norm = gradient_norm(&parameters, &gradients).unwrap();
        assert!((norm - reference.norms[i]).abs() < 1e-6, "{norm}");
        let (rate, factor) = (schedule.rate(i as u64), clip_factor(norm, 2.0));
        optimizer.step(&parameters, &gradients, rate, factor).unwrap();
        for (name, _) in shapes {
            let found = values(get(&parameters, name));
            assert_eq!(found.len(), expected[name].len());
            for (found, expected) in found.iter().zip(&expected[name]) {
                let error = (found - expected).abs();
                assert!(error <= 1e-6, "{name} after {i}: {found}, not {expected}");
            }
        }
    }
    assert_eq!(optimizer.steps(), 12);
}

#[test]
fn schedules_are_transformers() {
    let reference = reference();
    for (decay, rates) in
        [(Decay::Linear, reference.linear), (Decay::Cosine, reference.cosine)]
    {
        let schedule = Schedule { peak: 0.05, warmup: 3, total: 12, decay };
        for (step, expected) in (0..).zip(rates) {
            let found = schedule.rate(step);
            assert!((found - expected).abs() < 1e-9, "{decay:?} {step}: {found}");
        }
    }
    let constant = Schedule { peak: 2.0, warmup: 0, total: 0, decay: Decay::Constant };
    assert_eq!(
        [0, 1, 99].map(|step| constant.rate(step).to_bits()),
        [2.0_f64.to_bits(); 3]
    );
}

#[test]
fn a_file_gives_back_what_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let parameters = parameters(&[("matrix", &[3, 5]), ("vector", &[4])]);
    assert_eq!(parameters.count(), 19);
    let tensors = parameters.tensors().unwrap();
    let save =
        |path: &Path, stored| file::save(path, &tensors, stored, ("key", "a line"));
    save(&path, Stored::F16).unwrap();
    let halved = fs::read(&path).unwrap();
    save(&path, Stored::F32).unwrap();
    let whole = fs::read(&path).unwrap();
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left beside"
    );
    let (found, metadata) = file::read(&path, &whole).unwrap();
    assert_eq!(metadata["key"], "a line");
    assert!(found.keys().eq(tensors.keys()));
    for (name, tensor) in &tensors {
        assert_eq!(found[name].dims(), tensor.dims());
        assert_eq!(values(&found[name]), values(tensor));
    }

    for (bytes, expected) in [
        (&whole[..whole.len() - 1], "only part of one"),
        (&[][..], "only part of one"),
        (&halved, "is F16, not F32"),
    ] {
        let error = file::read(&path, bytes).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("weights."), "{error}");
    }
    let nowhere = folder.path().join("no/weights.safetensors");
    let error = save(&nowhere, Stored::F32).unwrap_err().to_string();
    assert!(error.contains("no/weights.safetensors"), "{error}");
}

/// In its backward pass, what a thread may take up while it waits there: other trainings'
/// passes. Adds nothing else.
struct Meanwhile<F>(F);

impl<F: Fn()> CustomOp1 for Meanwhile<F> {
    fn name(&self) -> &'static str {
        "meanwhile"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        Ok((x.clone(), layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        (self.0)();
        Ok(Some(dy.clone()))
    }
}

/// Whose backward pass runs `meanwhile` half way.
fn interrupted(w: &[Var; 2], meanwhile: impl Fn() + Send + Sync + 'static) -> Tensor {
    let bias = numbers(&[5], 9);
    let x = linear(&numbers(&[4, 5], 0), &w[0], &bias).unwrap();
    let x = x.apply_op1(Meanwhile(meanwhile)).unwrap();
    linear(&x, &w[1], &bias).unwrap().sqr().unwrap().sum_all().unwrap()
}

#[test]
fn a_pass_within_a_pass_has_its_own_gradients() {
    let weights = || [1, 2].map(|i| Var::from_tensor(&numbers(&[5, 5], i)).unwrap());
    let values = |w: &[Var; 2], found: &GradStore| {
        [0, 1].map(|i| values(found.get(&w[i]).expect("a gradient")))
    };
    let w = weights();
    let expected = values(&w, &interrupted(&w, || ()).backward().unwrap());
    let passes: [fn(&Tensor) -> candle_core::Result<GradStore>; 2] =
        [Tensor::backward, gradients::backward];
    for (outer, inner) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let found = Arc::new(Mutex::new(None));
        let (kept, w) = (found.clone(), weights());
        let loss = interrupted(&w, move || {
            let w = weights();
            let inner = passes[inner](&interrupted(&w, || ())).unwrap();
            *kept.lock().unwrap() = Some(values(&w, &inner));
        });
        assert_eq!(values(&w, &passes[outer](&loss).unwrap()), expected);
        assert_eq!(found.lock().unwrap().as_ref(), Some(&expected));
    }
}

#[test]
fn a_parameter_without_a_gradient_and_gradients_that_overflow_are_refused() {
    let parameters = parameters(&[("x", &[3]), ("y", &[3])]);
    let [x, y] = ["x", "y"].map(|name| get(&parameters, name).sum_all().unwrap());
    let overflow = ((&x + y).unwrap() * f64::INFINITY).unwrap();
    for (loss, parts) in
        [(x, ["parameter y", "no gradient"]), (overflow, ["gradients' norm", "is inf"])]
    {
        let error = gradient_norm(&parameters, &gradients::backward(&loss).unwrap());
        let error = error.unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

/// An optimizer goes on from its state to the bit, and from a state of another model not
/// at all.
#[test]
fn an_optimizer_goes_on_from_its_state() {
    let shapes: [(&str, &[usize]); 2] = [("matrix", &[3, 5]), ("vector", &[4])];
    let step = |parameters: &Parameters, optimizer: &mut AdamW, i| {
        let part = |(name, shape): (&str, &[usize])| {
            (get(parameters, name) * numbers(shape, i))?.sqr()?.sum_all()
        };
        let [matrix, vector] = shapes.map(|shape| part(shape).unwrap());
        let gradients = gradients::backward(&(matrix + vector).unwrap()).unwrap();
        optimizer.step(parameters, &gradients, 1e-2, 1.0).unwrap();
    };
    let new = |parameters: &Parameters| {
        AdamW::new(parameters, AdamWOptions::default()).unwrap()
    };
    let whole = parameters(&shapes);
    let mut first = new(&whole);
    step(&whole, &mut first, 1);
    let (state, weights) = (first.state(&whole).unwrap(), whole.tensors().unwrap());
    let stopped: Parameters = weights
        .iter()
        .map(|(name, x)| (name.clone(), Var::from_tensor(x).unwrap()))
        .collect();
    let mut second = new(&stopped);
    second.restore(&stopped, &state, first.steps()).unwrap();
    step(&whole, &mut first, 2);
    step(&stopped, &mut second, 2);
    assert_eq!(second.steps(), 2);
    for (name, _) in shapes {
        assert_eq!(values(get(&stopped, name)), values(get(&whole, name)));
    }

    let before = second.state(&stopped).unwrap();
    let mut refused = |change: &dyn Fn(&mut BTreeMap<String, Tensor>), expected| {
        let mut wrong = state.clone();
        change(&mut wrong);
        let error = second.restore(&stopped, &wrong, 7).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(second.steps(), 2);
        for (name, found) in second.state(&stopped).unwrap() {
            assert_eq!(values(&found), values(&before[&name]), "{name}");
        }
    };
    let vector = "second_moment.vector";
    refused(&|state| drop(state.remove(vector)), vector);
    let longer = |state: &mut BTreeMap<String, Tensor>| {
        state.insert(vector.to_owned(), numbers(&[5], 0));
    };
    refused(&longer, "is [5], expected [4]");
    let error = first.state(&parameters(&[("other", &[2])])).unwrap_err().to_string();
    assert!(error.contains("the parameter other is unknown"), "{error}");
}

/// A step without gradients of weights is the step with them, to the bit; of a weight that
/// is used twice, and of one that something else than a layer uses, too.
#[test]
fn minimize_is_backward_and_a_step() {
    let shapes: [(&str, &[usize]); 4] =
        [("once", &[9, 7]), ("twice", &[9, 9]), ("both", &[9, 9]), ("bias", &[9])];
    let loss = |p: &Parameters, step| {
        let get = |name: &str| get(p, name);
        let bias = get("bias");
        let x = linear_relu(&numbers(&[300, 7], step), get("once"), bias)?;
        let x = linear(&x, get("twice"), bias)?;
        let x = linear(&x, get("twice"), bias)?;
        let x = linear(&x, get("both"), bias)?;
        x.sqr()?.mean_all()? + get("both").sqr()?.sum_all()?
    };
    let (whole, fused) = (parameters(&shapes), parameters(&shapes));
    let new = |p| AdamW::new(p, AdamWOptions::default()).unwrap();
    let mut optimizers = (new(&whole), new(&fused));
    for step in 0..3 {
        let found = gradients::backward(&loss(&whole, step).unwrap()).unwrap();
        optimizers.0.step(&whole, &found, 1e-2, 1.0).unwrap();
        optimizers.1.minimize(&fused, &loss(&fused, step).unwrap(), 1e-2).unwrap();
    }
    assert_eq!(optimizers.1.steps(), 3);
    let start = parameters(&shapes);
    for (((name, a), (_, b)), (_, start)) in
        whole.iter().zip(fused.iter()).zip(start.iter())
    {
        let [a, b, start] = [a, b, start].map(|x| values(x));
        assert_eq!(a, b, "{name}");
        assert_ne!(a, start, "{name} has not moved");
    }
    let other = loss(&fused, 0).unwrap();
    let half = parameters(&[("other", &[2])]);
    let error = new(&half).minimize(&half, &other, 1e-2).unwrap_err().to_string();
    assert!(error.contains("other") && error.contains("no gradient"), "{error}");
}
