//! The training loop, with a model of toy size.
#![allow(missing_docs)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bertinho::Result;
use bertinho::batches::{Mixture, Sequence, training_sequences};
use bertinho::evaluate::{EvalSet, Predictor};
use bertinho::learner::{
    AutogradLearner, FastLearner, Learner, LearnerOptions, MakeLearner, Start,
    autograd, fast, masked_lm,
};
use bertinho::masking::{MaskedBatch, Masking};
use bertinho::pretrain::{CHECKPOINT, Pretraining, Recipe, Stage, stack};
use candle_core::Tensor;
use candle_nn::{Init, VarBuilder};
use common::{sample, tokenizer};
use gradients::file::{self, Stored};
use training::parameters::{Tensors, draw};
use training::random::{Purpose, generator};

fn recipe() -> Recipe {
    let stage =
        |layers, steps| Stage { layers, steps, learning_rate: 3e-3, mixture: None };
    let alone = Mixture { pairs: 0, sides: 2, english: 1, portuguese: 0 };
    Recipe {
        seed: 11,
        hidden_size: 16,
        heads: 2,
        intermediate_size: 32,
        positions: 64,
        dropout: 0.1,
        stages: vec![stage(1, 6), Stage { mixture: Some(alone), ..stage(2, 6) }],
        warmup: 3,
        batch_tokens: 200,
        sequence_tokens: 32,
        mixture: Mixture::default(),
        weight_decay: 0.01,
        clip: 1.0,
    }
}

fn sequences(mixture: Mixture) -> Result<Vec<Sequence>> {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    training_sequences(&tokenizer, &corpus, mixture, 32)
}

const LEARNERS: [&MakeLearner<'static>; 2] = [&fast, &autograd];

fn begin_with(make: &'static MakeLearner, folder: &Path) -> Pretraining<'static> {
    Pretraining::begin(recipe(), &sequences, 300, make, folder).unwrap()
}

fn begin(folder: &Path) -> Pretraining<'static> {
    begin_with(&fast, folder)
}

fn run(training: &mut Pretraining, until: Option<u64>) -> bool {
    let stop = AtomicBool::new(false);
    training.run(until, 1000, &stop, &mut |_, _| Ok(())).unwrap()
}

fn values(tensors: &Tensors) -> Vec<(&String, Vec<f32>)> {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    tensors.iter().map(|(name, tensor)| (name, flat(tensor))).collect()
}

#[test]
fn a_resumed_training_ends_like_one_that_never_stopped() {
    for make in LEARNERS {
        let whole = tempfile::tempdir().unwrap();
        let mut training = begin_with(make, whole.path());
        assert!(run(&mut training, None));
        assert_eq!(training.state().steps, 12);
        assert_eq!(training.state().config().num_hidden_layers, 2);
        let expected = training.learner().state().unwrap();
        // Stopped in the first stage, at its end, and in the second.
        for stopped in [4, 6, 9] {
            let folder = tempfile::tempdir().unwrap();
            assert!(!run(&mut begin_with(make, folder.path()), Some(stopped)));
            let mut training =
                Pretraining::resume(&recipe(), &sequences, 300, make, folder.path())
                    .unwrap();
            assert_eq!(training.state().steps, stopped);
            assert!(run(&mut training, None));
            let found = training.learner().state().unwrap();
            assert_eq!(values(&found), values(&expected), "stopped at {stopped}");
        }
    }
}

#[test]
fn a_stage_has_its_own_mixture_and_begins_an_epoch_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut training = begin(folder.path());
    let before = training.batches().statistics().rows;
    run(&mut training, Some(6));
    assert_eq!(training.batches().statistics().rows, before);
    run(&mut training, Some(7));
    let alone = recipe().mixture(1);
    assert_eq!(training.batches().statistics().rows, sequences(alone).unwrap().len());
    let position = training.state().position;
    assert_eq!((position.epoch, position.batch), (1, 1));
}

#[test]
fn each_stage_rises_to_its_rate_and_falls_to_the_next_ones() {
    let mut recipe = recipe();
    recipe.stages[0].learning_rate = 4e-3;
    recipe.stages[1].learning_rate = 1e-3;
    let mut state = bertinho::pretrain::TrainState::beginning(recipe, 300);
    let mut rates = |stage, steps: [u64; 4]| {
        state.stage = stage;
        steps.map(|step| {
            state.stage_steps = step;
            state.learning_rate()
        })
    };
    // 3 steps of warm-up, 6 in all.
    let expected = [[0.0, 4e-3 / 3.0, 4e-3, 1e-3], [0.0, 1e-3 / 3.0, 1e-3, 0.0]];
    for (stage, expected) in expected.into_iter().enumerate() {
        for (found, expected) in rates(stage, [0, 1, 3, 6]).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }
}

#[test]
fn a_training_that_runs_away_says_so() {
    let stages =
        vec![Stage { layers: 1, steps: 6, learning_rate: 1e30, mixture: None }];
    let recipe = Recipe { stages, warmup: 0, ..recipe() };
    for make in LEARNERS {
        let folder = tempfile::tempdir().unwrap();
        let mut training =
            Pretraining::begin(recipe.clone(), &sequences, 300, make, folder.path())
                .unwrap();
        training.step().unwrap(); // its loss is from before
        let error = training.step().unwrap_err().to_string();
        assert!(error.contains("at step 2: the weights have run away"), "{error}");
    }
}

#[test]
fn a_training_that_is_asked_to_stop_saves_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut training = begin(folder.path());
    let stop = AtomicBool::new(false);
    let mut ask = |step: bertinho::pretrain::Step, _: &Pretraining| {
        stop.store(step.step == 5, Ordering::Relaxed);
        Ok(())
    };
    assert!(!training.run(None, 1000, &stop, &mut ask).unwrap());
    let resumed = Pretraining::resume(&recipe(), &sequences, 300, &fast, folder.path());
    assert_eq!(resumed.unwrap().state().steps, 5);
}

#[test]
fn another_recipe_or_a_broken_checkpoint_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let resume = |recipe: &Recipe| {
        Pretraining::resume(recipe, &sequences, 300, &fast, folder.path())
    };
    let error = resume(&recipe()).unwrap_err().to_string();
    assert!(error.contains("cannot read"), "{error}");
    run(&mut begin(folder.path()), Some(2));
    let other = Recipe { seed: 12, ..recipe() };
    let error = resume(&other).unwrap_err().to_string();
    assert!(error.contains("the checkpoint's"), "{error}");
    let path = folder.path().join(CHECKPOINT);
    let whole = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8], expected: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = resume(&recipe()).unwrap_err().to_string();
        assert!(error.contains("is not a checkpoint"), "{error}");
        assert!(error.contains(expected), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file is as it was");
    };
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..length], "or only part of one");
    }
    refused(&changed(&whole, "stage_steps", "stage_stops"), "`stage_steps`");
    let (tensors, _) = file::read(&path, &whole).unwrap();
    for (stored, expected) in
        [(Stored::F32, "it has weights, but no state"), (Stored::F16, "F16, not F32")]
    {
        file::save(&path, &tensors, stored, ("format", "pt")).unwrap();
        refused(&std::fs::read(&path).unwrap(), expected);
    }
    // Of another model: a weight, or a moment, has another name.
    for name in ["cls.predictions.bias", "first_moment.cls.predictions.bias"] {
        let other = format!("{}x", &name[..name.len() - 1]);
        let quoted = |name: &str| format!("\"{name}\"");
        std::fs::write(&path, changed(&whole, &quoted(name), &quoted(&other))).unwrap();
        let error = resume(&recipe()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(resume(&recipe()).unwrap().state().steps, 2);
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
fn the_loss_falls_and_the_exam_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let stages =
        vec![Stage { layers: 1, steps: 60, learning_rate: 1e-2, mixture: None }];
    let recipe = Recipe { stages, dropout: 0.0, batch_tokens: 600, ..recipe() };
    let mut training =
        Pretraining::begin(recipe, &sequences, 300, &fast, folder.path()).unwrap();
    let mut losses = Vec::new();
    let stop = AtomicBool::new(false);
    let mut keep = |step: bertinho::pretrain::Step, _: &Pretraining| {
        losses.push(step.loss);
        Ok(())
    };
    assert!(training.run(None, 1000, &stop, &mut keep).unwrap());
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..5]), mean(&losses[55..]));
    assert!((first - 300_f64.ln()).abs() < 1.0, "{first}"); // as good as chance
    assert!(last < first - 1.5, "{first} → {last}");

    let corpus = sample();
    let eval_set = EvalSet::new(&tokenizer(&corpus), &corpus, 32).unwrap();
    let model = |training: &Pretraining| {
        let weights = training.learner().weights().unwrap();
        let model = masked_lm(&training.state().config(), &weights).unwrap();
        Predictor::new(model).unwrap()
    };
    let found = eval_set.evaluate(&model(&training)).unwrap();
    assert_eq!(found, eval_set.evaluate(&model(&training)).unwrap()); // the same masks
    assert!(found.english.hidden >= 2);
    for accuracy in [found.english, found.portuguese, found.beside] {
        let both = [accuracy.model, accuracy.unigram];
        assert!(both.iter().all(|share| (0.0..=1.0).contains(share)), "{found:?}");
    }
    let sides = found.english_beside.hidden + found.portuguese_beside.hidden;
    assert_eq!(found.beside.hidden, sides);
}

fn masked_batch() -> MaskedBatch {
    let rows = sequences(Mixture::default()).unwrap();
    let rows: Vec<&Sequence> = rows.iter().filter(|row| row.second.is_some()).collect();
    let mut random = generator(0, Purpose::Masking, 0);
    Masking::bert(300).apply(&rows[..40], &mut random).unwrap()
}

const OPTIONS: LearnerOptions =
    LearnerOptions { seed: 1, weight_decay: 0.01, clip: 1.0 };

#[test]
fn every_parameter_has_a_gradient() {
    let config = recipe().config(2, 300);
    let options = LearnerOptions { weight_decay: 0.0, ..OPTIONS };
    for make in LEARNERS {
        let mut learner = make(&config, options, Start::Fresh).unwrap();
        let before = learner.weights().unwrap();
        learner.step(&masked_batch(), 1e-3).unwrap();
        let after = learner.weights().unwrap();
        for ((name, value), (_, moved)) in values(&before).iter().zip(values(&after)) {
            // The key's bias shifts all scores of a query alike: its gradient is 0 but
            // for rounding, which AdamW makes large. It may move or not.
            let learned = name.contains("key.bias") || *value != moved;
            assert!(learned, "{name} did not learn");
        }
    }
}

#[test]
fn the_fast_learner_learns_what_autograd_does() {
    // Without dropout: the two don't draw the same masks.
    let config = Recipe { dropout: 0.0, ..recipe() }.config(2, 300);
    let mut fast = FastLearner::new(&config, OPTIONS, Start::Fresh).unwrap();
    let mut autograd = AutogradLearner::new(&config, OPTIONS, Start::Fresh).unwrap();
    let before = fast.weights().unwrap();
    assert_eq!(values(&before), values(&autograd.weights().unwrap()));
    for _ in 0..2 {
        let found = fast.step(&masked_batch(), 1e-3).unwrap();
        let expected = autograd.step(&masked_batch(), 1e-3).unwrap();
        assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
    }
    let (found, expected) = (fast.weights().unwrap(), autograd.weights().unwrap());
    for ((name, found), (_, expected)) in values(&found).iter().zip(values(&expected)) {
        if name.contains("key.bias") {
            continue; // its gradient is rounding, see above
        }
        let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let far = far.fold(0.0, f32::max);
        assert!(far < 1e-5, "{name} differs by {far}");
    }
}

#[test]
fn a_state_without_its_moments_is_refused() {
    let config = recipe().config(1, 300);
    let learner = FastLearner::new(&config, OPTIONS, Start::Fresh).unwrap();
    let mut state = learner.state().unwrap();
    state.remove("second_moment.cls.predictions.bias").unwrap();
    let error = FastLearner::new(&config, OPTIONS, Start::From(&state)).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("second_moment.cls.predictions.bias"), "{error}");
}

#[test]
fn stacked_layers_are_copies() {
    let folder = tempfile::tempdir().unwrap();
    let weights = begin(folder.path()).learner().weights().unwrap();
    let stacked = stack(&weights, 1, 3);
    let name =
        |layer| format!("bert.encoder.layer.{layer}.attention.self.query.weight");
    for layer in 0..3 {
        let copy = &stacked[&name(layer)];
        let values = |tensor: &Tensor| tensor.to_vec2::<f32>().unwrap();
        assert_eq!(values(copy), values(&weights[&name(0)]));
    }
    assert!(!stacked.contains_key(&name(3)));
    masked_lm(&recipe().config(3, 300), &stacked).unwrap();
}

/// Whatever else a model asks for, and in whatever order.
#[test]
fn first_weights_follow_from_seed_and_name() {
    let init = Init::Randn { mean: 1.0, stdev: 0.02 };
    let numbers = |seed, names: &[&str], wanted: &str| -> Vec<f32> {
        let build = |vb: VarBuilder| -> candle_core::Result<()> {
            names.iter().try_for_each(|name| {
                vb.get_with_hints((100, 100), name, init).map(|_| ())
            })
        };
        let (parameters, ()) = draw(seed, build).unwrap();
        let tensors = parameters.tensors().unwrap();
        tensors[wanted].flatten_all().unwrap().to_vec1().unwrap()
    };
    let a = numbers(1, &["a", "b"], "a");
    assert_eq!(a, numbers(1, &["b", "a"], "a"));
    assert_eq!(a, numbers(1, &["a"], "a"));
    assert_ne!(a, numbers(1, &["a", "b"], "b"));
    assert_ne!(a, numbers(2, &["a", "b"], "a"));
    let mean = a.iter().sum::<f32>() / 1e4;
    let variance = a.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e4;
    assert!((mean - 1.0).abs() < 1e-3, "{mean}");
    assert!((variance.sqrt() - 0.02).abs() < 1e-3, "{}", variance.sqrt());
}
