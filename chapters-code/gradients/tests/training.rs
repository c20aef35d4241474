//! Models, optimiser, schedules and checkpoints, against PyTorch and against themselves.

#[path = "../../ch03-sentiment/tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bert_attention::BertForMaskedLm;
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use common::{Fixture, GRADIENTS, LOGITS, assert_close, magnitude};
use gradients::model::{
    Masked, classifier_logits, classifier_loss, masked_lm_logits, masked_lm_loss,
};
use gradients::{
    AdamW, AdamWOptions, Decay, Parameters, Schedule, clip_factor, gradient_norm,
    load_checkpoint, ops, save_checkpoint,
};
use models::Config;
use sentiment::{Batch, DistilBertForSequenceClassification, Noise, Run};
use serde::{Deserialize, Serialize};

/// A fixture's model whose parameters can be trained.
fn trainable<M>(
    fixture: &Fixture,
    build: impl FnOnce(&VarBuilder, &Config) -> candle_core::Result<M>,
) -> (M, Parameters) {
    let (model, parameters) =
        Parameters::build(1, &Device::Cpu, |vb| build(&vb, &fixture.config)).unwrap();
    parameters.load(fixture.folder.path.join("model.safetensors")).unwrap();
    (model, parameters)
}

#[track_caller]
fn assert_same_gradients(
    parameters: &Parameters,
    found: &GradStore,
    expected: impl Fn(&str, &Tensor) -> Tensor,
) {
    for (name, parameter) in parameters.iter() {
        let found = found.get(parameter).unwrap_or_else(|| panic!("no {name}"));
        let expected = expected(name, parameter);
        let largest = magnitude(&expected);
        // Softmax takes a key's bias out: what is left is rounding.
        if name.ends_with("key.bias") || name.ends_with("k_lin.bias") {
            assert!(magnitude(found).max(largest) < 1e-3, "{name}: not rounding");
        } else {
            assert!(largest > 1e-6, "{name} has no gradient");
            assert_close(name, found, &expected, GRADIENTS * largest);
        }
    }
}

/// Every position of the batch that isn't padding.
fn every_position(batch: &Batch) -> Masked {
    let shown = (0..).zip(batch.attention_mask()).filter(|(_, shown)| **shown == 1);
    let positions: Vec<u32> = shown.map(|(i, _)| i).collect();
    let targets = positions.iter().map(|i| i * 7 % 40).collect();
    Masked { positions, targets }
}

#[test]
fn the_masked_models_gradients_are_pytorchs() {
    let fixture = Fixture::open("bert-masked-lm");
    let (model, parameters) = trainable(&fixture, BertForMaskedLm::load);
    let batch = fixture.batch("padded");
    let masked = every_position(&batch);
    let places = Tensor::new(&*masked.positions, &Device::Cpu).unwrap();
    let shown = |name: &str| {
        let all = fixture.expected(name).flatten(0, 1).unwrap();
        all.index_select(&places, 0).unwrap()
    };
    let logits = masked_lm_logits(&model, &batch, &masked).unwrap();
    assert_close("logits", &logits, &shown("padded.logits"), LOGITS);
    let weighted = (logits * shown("gradient_of_logits")).unwrap().sum_all().unwrap();
    let found = gradients::backward(&weighted).unwrap();
    assert_same_gradients(&parameters, &found, |name, _| {
        fixture.expected(&format!("gradient.{name}")).clone()
    });
}

#[test]
fn the_masked_models_loss_and_gradients_are_the_chapters() {
    let fixture = Fixture::open("bert-masked-lm");
    let (model, parameters) = trainable(&fixture, BertForMaskedLm::load);
    for run in common::RUNS {
        let batch = fixture.batch(run);
        let masked = Masked {
            positions: every_position(&batch)
                .positions
                .into_iter()
                .step_by(2)
                .collect(),
            targets: every_position(&batch).targets.into_iter().step_by(2).collect(),
        };
        let loss = masked_lm_loss(&model, &batch, &masked, None).unwrap();
        let logits = model.forward(&batch, Run::default()).unwrap().logits;
        let places = Tensor::new(&*masked.positions, &Device::Cpu).unwrap();
        let logits = logits.flatten(0, 1).unwrap().index_select(&places, 0).unwrap();
        let targets = Tensor::new(&*masked.targets, &Device::Cpu).unwrap();
        let expected = candle_nn::loss::cross_entropy(&logits, &targets).unwrap();
        assert_close("loss", &loss, &expected, 1e-5);
        let (found, expected) = (
            gradients::backward(&loss).unwrap(),
            gradients::backward(&expected).unwrap(),
        );
        assert_same_gradients(&parameters, &found, |_, parameter| {
            expected.get(parameter).unwrap().clone()
        });
    }
}

#[test]
fn the_classifiers_gradients_are_pytorchs() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let (model, parameters) =
        trainable(&fixture, DistilBertForSequenceClassification::load);
    let batch = fixture.batch("padded");
    let logits = classifier_logits(&model, &batch, None).unwrap();
    assert_close("logits", &logits, fixture.expected("padded.logits"), LOGITS);
    let weights = fixture.expected("gradient_of_logits");
    let weighted = (logits * weights).unwrap().sum_all().unwrap();
    assert_same_gradients(
        &parameters,
        &gradients::backward(&weighted).unwrap(),
        |name, _| fixture.expected(&format!("gradient.{name}")).clone(),
    );
}

/// With dropout of all or almost nothing the model is the chapter's, so its places are
/// right: one at which a factor is forgotten changes the mean of many steps.
#[test]
fn dropout_leaves_the_mean_where_the_chapters_dropout_leaves_it() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let (model, _) = trainable(&fixture, DistilBertForSequenceClassification::load);
    let batch = fixture.batch("pair");
    let mean = |forward: &dyn Fn(u32) -> Tensor| {
        let all: Vec<Tensor> = (0..1500).map(forward).collect();
        Tensor::stack(&all, 0).unwrap()
    };
    let ours = mean(&|i| classifier_logits(&model, &batch, Some(i.into())).unwrap());
    let theirs = mean(&|i| {
        let noise = Noise::seed(i);
        let run = Run { dropout: Some(&noise), ..Run::default() };
        model.forward(&batch, run).unwrap().logits
    });
    let moments = |all: &Tensor| (all.mean(0).unwrap(), all.var(0).unwrap());
    let ((mean, variance), (their_mean, their_variance)) =
        (moments(&ours), moments(&theirs));
    let deviation = magnitude(&their_variance).sqrt();
    assert!(deviation > 0.1, "the dropout does nothing");
    // Standard errors of the mean: 0.026 deviations; of the variance: 0.037 of it.
    assert_close("mean", &mean, &their_mean, 0.15 * deviation);
    assert_close(
        "variance",
        &variance,
        &their_variance,
        0.2 * magnitude(&their_variance),
    );
}

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

#[test]
fn adamw_clipping_and_schedule_are_pytorchs() {
    let shapes: [(&str, &[usize]); 2] = [("matrix", &[3, 5]), ("vector", &[4])];
    let build = |vb: VarBuilder| {
        for (name, shape) in shapes {
            vb.get_with_hints(shape, name, Init::Const(0.0))?;
        }
        Ok(())
    };
    let ((), parameters) = Parameters::build(1, &Device::Cpu, build).unwrap();
    for (name, shape) in shapes {
        parameters.get(name).unwrap().set(&numbers(shape, 0)).unwrap();
    }
    let options = AdamWOptions { weight_decay: 0.1, ..AdamWOptions::default() };
    let mut optimizer = AdamW::new(&parameters, options).unwrap();
    let schedule = Schedule { peak: 0.05, warmup: 3, total: 12, decay: Decay::Linear };
    let reference = reference();
    for (i, expected) in reference.steps.iter().enumerate() {
        // A loss whose gradients are the script's.
        let parts = shapes.map(|(name, shape)| {
            let parameter = parameters.get(name).unwrap().as_tensor();
            (parameter * numbers(shape, i + 1)).unwrap().sum_all().unwrap()
        });
        let gradients = gradients::backward(&(&parts[0] + &parts[1]).unwrap()).unwrap();
        let norm = gradient_norm(&parameters, &gradients).unwrap();
        assert!((norm - reference.norms[i]).abs() < 1e-6, "{norm}");
        let (rate, factor) = (schedule.rate(i as u64), clip_factor(norm, 2.0));
        optimizer.step(&parameters, &gradients, rate, factor).unwrap();
        for (name, shape) in shapes {
            let expected =
                Tensor::from_slice(&expected[name], shape, &Device::Cpu).unwrap();
            let found = parameters.get(name).unwrap();
            assert_close(&format!("{name} after {i}"), found, &expected, 1e-6);
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

/// A training of a small BERT, as a command would run it.
struct Training {
    model: BertForMaskedLm,
    parameters: Parameters,
    optimizer: AdamW,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    position: u64,
    generator: u64,
}

impl Training {
    fn new() -> Self {
        let config = Config {
            vocab_size: 50,
            hidden_size: 24,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            intermediate_size: 40,
            max_position_embeddings: 16,
            ..Config::bert()
        };
        let (model, parameters) = Parameters::build(3, &Device::Cpu, |vb| {
            BertForMaskedLm::load(&vb, &config)
        })
        .unwrap();
        let optimizer = AdamW::new(&parameters, AdamWOptions::default()).unwrap();
        let state = State { position: 0, generator: u64::MAX - 1 };
        Self { model, parameters, optimizer, state }
    }

    fn step(&mut self) -> f32 {
        let position = u32::try_from(self.state.position).unwrap();
        let row =
            |r: u32| (0..7).map(|i| (position * 11 + r * 5 + i * i) % 50).collect();
        let ids: Vec<Vec<u32>> = (0..4).map(row).collect();
        let batch = Batch::new(&ids, None, None).unwrap();
        let masked = Masked { positions: vec![1, 9, 20], targets: vec![4, 8, 15] };
        let seed = Some(self.state.generator);
        let loss = masked_lm_loss(&self.model, &batch, &masked, seed).unwrap();
        let gradients = gradients::backward(&loss).unwrap();
        let norm = gradient_norm(&self.parameters, &gradients).unwrap();
        let factor = clip_factor(norm, 1.0);
        self.optimizer.step(&self.parameters, &gradients, 1e-2, factor).unwrap();
        self.state.position += 1;
        self.state.generator = self.state.generator.wrapping_mul(3);
        loss.to_scalar().unwrap()
    }

    fn bits(&self) -> Vec<Vec<u32>> {
        let bits = |(_, parameter): (&str, &candle_core::Var)| {
            let values: Vec<f32> = parameter.flatten_all().unwrap().to_vec1().unwrap();
            values.into_iter().map(f32::to_bits).collect()
        };
        self.parameters.iter().map(bits).collect()
    }
}

#[test]
fn training_learns_and_gives_the_same_bits_on_any_number_of_threads() {
    let train = || {
        let mut training = Training::new();
        let losses: Vec<f32> = (0..60).map(|_| training.step()).collect();
        (losses, training.bits())
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(train)
    };
    let (losses, bits) = with(1);
    assert!((3.0..5.0).contains(&losses[0]), "ln 50 is 3.9: {}", losses[0]);
    assert!(losses[59] < 0.5, "nothing learned: {losses:?}");
    for threads in [2, 5] {
        assert_eq!(with(threads), (losses.clone(), bits.clone()), "{threads} threads");
    }
}

#[test]
fn a_training_that_stopped_goes_on_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut whole = Training::new();
    for _ in 0..9 {
        whole.step();
    }

    let mut first = Training::new();
    for _ in 0..4 {
        first.step();
    }
    save_checkpoint(&path, &first.parameters, &first.optimizer, &first.state).unwrap();
    // One that has gone another way since.
    let mut second = Training::new();
    second.step();
    second.state =
        load_checkpoint(&path, &second.parameters, &mut second.optimizer).unwrap();
    assert_eq!(second.state, first.state);
    assert_eq!(second.optimizer.steps(), 4);
    assert_eq!(second.bits(), first.bits());
    for _ in 0..5 {
        second.step();
    }
    assert_eq!(second.bits(), whole.bits());
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside it: {files:?}");

    let again = folder.path().join("again.safetensors");
    save_checkpoint(&again, &first.parameters, &first.optimizer, &first.state).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap(), "the same bytes");
}

#[test]
fn a_wrong_checkpoint_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut training = Training::new();
    training.step();
    save_checkpoint(&path, &training.parameters, &training.optimizer, &training.state)
        .unwrap();
    let whole = fs::read(&path).unwrap();
    training.step();
    let bits = training.bits();
    let mut refused = |expected: &str| {
        let Training { parameters, optimizer, .. } = &mut training;
        let error = load_checkpoint::<State>(&path, parameters, optimizer).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(expected) && error.contains("checkpoint."), "{error}");
        assert_eq!(training.bits(), bits, "{expected}");
        assert_eq!(training.optimizer.steps(), 2);
    };
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        refused("");
    }
    training_of_another_kind(&path);
    refused("is missing");
    fs::write(&path, changed(&whole, "position", "pozition")).unwrap();
    refused("missing field `position`");
    fs::write(&path, changed(&whole, r#"version\":1"#, r#"version\":7"#)).unwrap();
    refused("its version is 7");
    training_weights(&path);
    refused("no state of training");
    fs::remove_file(&path).unwrap();
    refused("No such file");
}

/// A checkpoint of another model.
fn training_of_another_kind(path: &std::path::Path) {
    let build = |vb: VarBuilder| vb.get_with_hints(3, "other", Init::Const(1.0));
    let (_, parameters) = Parameters::build(1, &Device::Cpu, build).unwrap();
    let optimizer = AdamW::new(&parameters, AdamWOptions::default()).unwrap();
    let state = State { position: 1, generator: 1 };
    save_checkpoint(path, &parameters, &optimizer, &state).unwrap();
}

fn training_weights(path: &std::path::Path) {
    Training::new().parameters.save(path).unwrap();
}

/// Bytes of the same length in place of others.
fn changed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at =
        bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn saved_weights_load_in_the_chapters_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let fixture = Fixture::open("bert-masked-lm");
    let (model, parameters) = trainable(&fixture, BertForMaskedLm::load);
    parameters.save(&path).unwrap();
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let original = fixture.folder.path.join("model.safetensors");
    let original = candle_core::safetensors::load(original, &Device::Cpu).unwrap();
    assert_eq!(tensors.len(), original.len());
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let loaded = BertForMaskedLm::load(&vb, &fixture.config).unwrap();
    let batch = fixture.batch("pair");
    let [a, b] = [&model, &loaded]
        .map(|model| model.forward(&batch, Run::default()).unwrap().logits);
    assert_close("logits", &a, &b, 0.0);
}

#[test]
fn layers_are_copied_by_name() {
    let (small, large) = (Training::new(), Training::new());
    let second_from_first = |name: &str| {
        let rest = name.strip_prefix("bert.encoder.layer.1.")?;
        Some(format!("bert.encoder.layer.0.{rest}"))
    };
    large.parameters.copy_from(&small.parameters, second_from_first).unwrap();
    let values = |training: &Training, name: &str| -> Vec<f32> {
        training.parameters.get(name).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    let [first, second] =
        [0, 1].map(|i| format!("bert.encoder.layer.{i}.attention.self.query.weight"));
    assert_ne!(values(&small, &first), values(&small, &second));
    assert_eq!(values(&large, &first), values(&small, &first));
    assert_eq!(values(&large, &second), values(&small, &first));
    let error = large.parameters.copy_from(&small.parameters, |_| Some("x".into()));
    assert!(error.unwrap_err().to_string().contains("parameter x is unknown"));
}

#[test]
fn first_values_follow_from_seed_and_name() {
    let build = |seed| {
        Parameters::build(seed, &Device::Cpu, |vb| {
            let init = Init::Randn { mean: 1.0, stdev: 0.02 };
            vb.get_with_hints((100, 100), "b", init)?;
            vb.get_with_hints((100, 100), "a", init)
        })
    };
    let numbers = |seed, name| -> Vec<f32> {
        let (_, parameters) = build(seed).unwrap();
        parameters.get(name).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    let a = numbers(1, "a");
    assert_eq!(a, numbers(1, "a"));
    assert_ne!(a, numbers(1, "b"));
    assert_ne!(a, numbers(2, "a"));
    let mean = a.iter().sum::<f32>() / 1e4;
    let variance = a.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e4;
    assert!((mean - 1.0).abs() < 1e-3, "{mean}");
    assert!((variance.sqrt() - 0.02).abs() < 1e-3, "{}", variance.sqrt());
}

#[test]
fn a_parameter_without_a_gradient_is_named() {
    let training = Training::new();
    let bias = training.model.bias.sum_all().unwrap();
    let error =
        gradient_norm(&training.parameters, &gradients::backward(&bias).unwrap());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("bert.embeddings") && error.contains("no gradient"),
        "{error}"
    );
}

/// The script of the fixture gives no gradient of what the loss doesn't touch; a classifier
/// without dropout has one of everything.
#[test]
fn a_classifier_learns() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let (model, parameters) =
        trainable(&fixture, DistilBertForSequenceClassification::load);
    let mut optimizer = AdamW::new(&parameters, AdamWOptions::default()).unwrap();
    let batch = fixture.batch("padded");
    let mut loss = f32::NAN;
    for step in 0..40 {
        let found = classifier_loss(&model, &batch, &[1, 0, 1], Some(step)).unwrap();
        let gradients = gradients::backward(&found).unwrap();
        optimizer.step(&parameters, &gradients, 1e-2, 1.0).unwrap();
        loss = found.to_scalar().unwrap();
    }
    assert!(loss < 0.2, "{loss}");
}

#[test]
fn candles_own_backward_is_refused_where_it_would_leave_gradients_out() {
    let fixture = Fixture::open("bert-masked-lm");
    let (model, _) = trainable(&fixture, BertForMaskedLm::load);
    let batch = fixture.batch("pair");
    let loss = masked_lm_loss(&model, &batch, &every_position(&batch), None).unwrap();
    let error = loss.backward().unwrap_err().to_string();
    assert!(error.contains("gradients::backward(&loss)"), "{error}");
    let error = gradients::backward(&loss).unwrap_err().to_string();
    assert!(error.contains("a second backward pass"), "{error}");
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
    let x = ops::linear(&numbers(&[4, 5], 0), &w[0], &bias).unwrap();
    let x = x.apply_op1(Meanwhile(meanwhile)).unwrap();
    ops::linear(&x, &w[1], &bias).unwrap().sqr().unwrap().sum_all().unwrap()
}

#[test]
fn a_pass_within_a_pass_has_its_own_gradients() {
    let weights = || [1, 2].map(|i| Var::from_tensor(&numbers(&[5, 5], i)).unwrap());
    let values = |w: &[Var; 2], found: &GradStore| -> [Vec<f32>; 2] {
        [0, 1].map(|i| {
            let gradient = found.get(&w[i]).expect("a gradient");
            gradient.flatten_all().unwrap().to_vec1().unwrap()
        })
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

/// A step without gradients of weights is the step with them, to the bit; of a weight that
/// is used twice, and of one that something else than a layer uses, too.
#[test]
fn minimize_is_backward_and_a_step() {
    let shapes: [(&str, &[usize]); 4] =
        [("once", &[9, 7]), ("twice", &[9, 9]), ("both", &[9, 9]), ("bias", &[9])];
    let weights = || -> Parameters {
        let value = |(i, (name, shape)): (usize, &(&str, &[usize]))| {
            (name.to_string(), Var::from_tensor(&numbers(shape, i)).unwrap())
        };
        shapes.iter().enumerate().map(value).collect()
    };
    let loss = |p: &Parameters, step| {
        let get =
            |name: &str| p.iter().find(|(n, _)| *n == name).unwrap().1.as_tensor();
        let bias = get("bias");
        let x = ops::linear_relu(&numbers(&[300, 7], step), get("once"), bias)?;
        let x = ops::linear(&x, get("twice"), bias)?;
        let x = ops::linear(&x, get("twice"), bias)?;
        let x = ops::linear(&x, get("both"), bias)?;
        x.sqr()?.mean_all()? + get("both").sqr()?.sum_all()?
    };
    let (whole, fused) = (weights(), weights());
    let new = |p| AdamW::new(p, AdamWOptions::default()).unwrap();
    let mut optimizers = (new(&whole), new(&fused));
    for step in 0..3 {
        let found = gradients::backward(&loss(&whole, step).unwrap()).unwrap();
        optimizers.0.step(&whole, &found, 1e-2, 1.0).unwrap();
        optimizers.1.minimize(&fused, &loss(&fused, step).unwrap(), 1e-2).unwrap();
    }
    assert_eq!(optimizers.1.steps(), 3);
    let start = weights();
    for (((name, a), (_, b)), (_, start)) in
        whole.iter().zip(fused.iter()).zip(start.iter())
    {
        let [a, b, start] =
            [a, b, start].map(|x| x.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        assert_eq!(a, b, "{name}");
        assert_ne!(a, start, "{name} has not moved");
    }
    let other = loss(&fused, 0).unwrap();
    let half: Parameters =
        [("other".to_owned(), Var::from_tensor(&numbers(&[2], 0)).unwrap())]
            .into_iter()
            .collect();
    let error = new(&half).minimize(&half, &other, 1e-2).unwrap_err().to_string();
    assert!(error.contains("other") && error.contains("no gradient"), "{error}");
}
