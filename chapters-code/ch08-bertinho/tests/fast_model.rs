//! The models as they are trained, against PyTorch and against the chapters' own way
//! through them.
#![allow(missing_docs)]

#[path = "../../ch04-sentiment/tests/common/mod.rs"]
mod common;

use bert_attention::BertForMaskedLm;
use bertinho::fast_model::{
    Masked, classifier_logits, classifier_loss, masked_hidden, masked_lm_loss,
};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, safetensors};
use candle_nn::VarBuilder;
use common::{Fixture, GRADIENTS, LOGITS, assert_close, magnitude};
use gradients::{AdamW, AdamWOptions, Parameters, clip_factor, gradient_norm, linear};
use hub::Config;
use sentiment::{Batch, DistilBertForSequenceClassification, ForwardOptions};
use training::parameters::{draw, from_tensors};
use training::{Activation, DropoutRng};

/// A fixture's model whose parameters can be trained.
fn trainable<M>(
    fixture: &Fixture,
    build: impl FnOnce(&VarBuilder, &Config) -> candle_core::Result<M>,
) -> (M, Parameters) {
    let file = fixture.folder.path.join("model.safetensors");
    let tensors = safetensors::load(file, &Device::Cpu).unwrap();
    let tensors = tensors.into_iter().collect();
    let (parameters, model) =
        from_tensors(&tensors, |vb| build(&vb, &fixture.config)).unwrap();
    (model, parameters)
}

/// The classifier of chapter 4 and its parameters.
fn classifier() -> (Fixture, DistilBertForSequenceClassification, Parameters) {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let (model, parameters) =
        trainable(&fixture, DistilBertForSequenceClassification::load);
    (fixture, model, parameters)
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
    let hidden = masked_hidden(&model, &batch, &masked, None).unwrap();
    let words = &model.bert.embeddings.words;
    let logits = linear(&hidden, words, &model.bias).unwrap(); // [masked, vocabulary]
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
        let Masked { positions, targets } = every_position(&batch);
        let masked = Masked {
            positions: positions.into_iter().step_by(2).collect(),
            targets: targets.into_iter().step_by(2).collect(),
        };
        let loss = masked_lm_loss(&model, &batch, &masked, None).unwrap();
        let logits = model.forward(&batch, ForwardOptions::default()).unwrap().logits;
        let places = Tensor::new(&*masked.positions, &Device::Cpu).unwrap();
        let logits = logits.flatten(0, 1).unwrap().index_select(&places, 0).unwrap();
        let targets = Tensor::new(&*masked.targets, &Device::Cpu).unwrap();
        let expected = candle_nn::loss::cross_entropy(&logits, &targets).unwrap();
        assert_close("loss", &loss, &expected, 1e-5);
        let [found, expected] =
            [&loss, &expected].map(|loss| gradients::backward(loss).unwrap());
        assert_same_gradients(&parameters, &found, |_, parameter| {
            expected.get(parameter).unwrap().clone()
        });
    }
}

#[test]
fn the_classifiers_gradients_are_pytorchs() {
    let (fixture, model, parameters) = classifier();
    let batch = fixture.batch("padded");
    let logits = classifier_logits(&model, &batch, None).unwrap();
    assert_close("logits", &logits, fixture.expected("padded.logits"), LOGITS);
    let weights = fixture.expected("gradient_of_logits");
    let weighted = (logits * weights).unwrap().sum_all().unwrap();
    let found = gradients::backward(&weighted).unwrap();
    assert_same_gradients(&parameters, &found, |name, _| {
        fixture.expected(&format!("gradient.{name}")).clone()
    });
}

/// With dropout of all or almost nothing the model is the chapter's, so its places are
/// right: one at which a factor is forgotten changes the mean of many steps.
#[test]
fn dropout_leaves_the_mean_where_the_chapters_dropout_leaves_it() {
    let (fixture, model, _) = classifier();
    let batch = fixture.batch("pair");
    let mean = |forward: &dyn Fn(u32) -> Tensor| {
        let all: Vec<Tensor> = (0..1500).map(forward).collect();
        Tensor::stack(&all, 0).unwrap()
    };
    let ours = mean(&|i| classifier_logits(&model, &batch, Some(i.into())).unwrap());
    let theirs = mean(&|i| {
        let noise = DropoutRng::seed(i);
        let run = ForwardOptions { dropout: Some(&noise), ..ForwardOptions::default() };
        model.forward(&batch, run).unwrap().logits
    });
    let moments = |all: &Tensor| (all.mean(0).unwrap(), all.var(0).unwrap());
    let ((mean, variance), theirs) = (moments(&ours), moments(&theirs));
    let square = magnitude(&theirs.1);
    assert!(square.sqrt() > 0.1, "the dropout does nothing");
    // Standard errors of the mean: 0.026 deviations; of the variance: 0.037 of it.
    assert_close("mean", &mean, &theirs.0, 0.15 * square.sqrt());
    assert_close("variance", &variance, &theirs.1, 0.2 * square);
}

/// What isn't BERT's layer goes through it step by step, with the same seed each time.
#[test]
fn a_layer_with_another_activation_is_the_chapters() {
    let (fixture, mut model, parameters) = classifier();
    for layer in &mut model.distilbert.encoder.layers {
        layer.feed_forward.activation = Activation::Relu;
    }
    let batch = fixture.batch("padded");
    let logits = |seed| classifier_logits(&model, &batch, seed).unwrap();
    let expected = model.forward(&batch, ForwardOptions::default()).unwrap().logits;
    assert_close("logits", &logits(None), &expected, LOGITS);
    assert_close("logits", &logits(Some(3)), &logits(Some(3)), 0.0);
    assert!(magnitude(&(logits(Some(3)) - logits(Some(4))).unwrap()) > 1e-3);
    let found = gradients::backward(&logits(None).sum_all().unwrap()).unwrap();
    assert!(parameters.iter().all(|(_, parameter)| found.get(parameter).is_some()));
}

/// A training of a small BERT, as a command would run it.
struct Training {
    model: BertForMaskedLm,
    parameters: Parameters,
    optimizer: AdamW,
    steps: u32,
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
        let build = |vb: VarBuilder| BertForMaskedLm::load(&vb, &config);
        let (parameters, model) = draw(3, build).unwrap();
        let optimizer = AdamW::new(&parameters, AdamWOptions::default()).unwrap();
        Self { model, parameters, optimizer, steps: 0 }
    }

    fn step(&mut self) -> f32 {
        let position = self.steps;
        let row =
            |r: u32| (0..7).map(|i| (position * 11 + r * 5 + i * i) % 50).collect();
        let ids: Vec<Vec<u32>> = (0..4).map(row).collect();
        let batch = Batch::new(&ids, None, None).unwrap();
        let masked = Masked { positions: vec![1, 9, 20], targets: vec![4, 8, 15] };
        let seed = Some(u64::from(position) << 32);
        let loss = masked_lm_loss(&self.model, &batch, &masked, seed).unwrap();
        let gradients = gradients::backward(&loss).unwrap();
        let norm = gradient_norm(&self.parameters, &gradients).unwrap();
        let factor = clip_factor(norm, 1.0);
        self.optimizer.step(&self.parameters, &gradients, 1e-2, factor).unwrap();
        self.steps += 1;
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

/// The script of the fixture gives no gradient of what the loss doesn't touch; a classifier
/// without dropout has one of everything.
#[test]
fn a_classifier_learns() {
    let (fixture, model, parameters) = classifier();
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
