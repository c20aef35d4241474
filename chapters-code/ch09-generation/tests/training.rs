//! The training, at toy size.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use bertinho::{Corpus, sample_folder};
use candle_core::{Device, Tensor};
use generation::blocks::{Blocks, Place};
use generation::fast::loss;
use generation::pretrain::{Pretraining, Recipe};
use generation::texts::{
    END_ID, ENGLISH, PORTUGUESE, both_orders, encode, train_vocabulary, training_texts,
};
use generation::{Cache, left_padded};
use training::parameters::Tensors;

fn recipe() -> Recipe {
    Recipe {
        vocab_size: 300,
        width: 16,
        layers: 2,
        heads: 2,
        positions: 24,
        batch: 3,
        steps: 12,
        warmup: 3,
        dropout: 0.1,
        ..Recipe::default()
    }
}

fn sample() -> (Corpus, tokenizers::Tokenizer, Vec<Vec<u32>>) {
    let corpus = Corpus::read(&sample_folder()).unwrap();
    let tokenizer = train_vocabulary(&corpus, 300).unwrap();
    let texts = encode(&tokenizer, &training_texts(&corpus)).unwrap();
    (corpus, tokenizer, texts)
}

fn run(training: &mut Pretraining, steps: u64) -> Vec<f64> {
    let mut losses = Vec::new();
    for _ in 0..steps {
        losses.extend(training.step().unwrap().map(|step| step.loss));
    }
    losses
}

fn values(tensors: &Tensors) -> Vec<(&String, Vec<f32>)> {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    tensors.iter().map(|(name, tensor)| (name, flat(tensor))).collect()
}

#[test]
fn a_text_is_told_by_its_marks_and_read_back() {
    let (corpus, tokenizer, texts) = sample();
    let pair = &corpus.pairs.train[0];
    let [first, _] = both_orders(pair);
    let ids = encode(&tokenizer, std::slice::from_ref(&first)).unwrap().remove(0);
    let mark = |mark| tokenizer.token_to_id(mark).unwrap();
    assert_eq!(ids[..2], [END_ID, mark(ENGLISH)]);
    assert_eq!(ids.iter().filter(|&&id| id == mark(PORTUGUESE)).count(), 1);
    let text = tokenizer.decode(&ids, true).unwrap();
    assert_eq!(text, format!("{}{}", pair.english, pair.portuguese));
    let counted = corpus.english.train.len()
        + corpus.portuguese.train.len()
        + 2 * corpus.pairs.train.len();
    assert_eq!(texts.len(), counted);
    assert!(train_vocabulary(&corpus, 258).is_err());
}

#[test]
fn blocks_are_the_texts_one_behind_the_other_each_epoch_otherwise() {
    let texts: Vec<Vec<u32>> = (0..40).map(|i| vec![0, i, i]).collect();
    let mut blocks = Blocks::new(texts.clone(), 7, 1, Place::default()).unwrap();
    assert_eq!(blocks.in_epoch(), 119 / 7);
    let epoch = |blocks: &mut Blocks| {
        let read: Vec<Vec<u32>> =
            (0..blocks.in_epoch()).map(|_| blocks.next_block()).collect();
        for pair in read.windows(2) {
            assert_eq!(pair[0][7], pair[1][0]); // the last guess is the next block's first token
        }
        read.iter().flat_map(|block| block[..7].to_vec()).collect::<Vec<_>>()
    };
    let (first, second) = (epoch(&mut blocks), epoch(&mut blocks));
    assert_ne!(first, second);
    for read in [&first, &second] {
        for text in read.chunks_exact(3) {
            assert_eq!((text[0], text[1]), (0, text[2]));
        }
    }
    let mut resumed =
        Blocks::new(texts.clone(), 7, 1, Place { epoch: 1, block: 0 }).unwrap();
    assert_eq!(epoch(&mut resumed), second);
    for length in [0, 120, 1000] {
        assert!(Blocks::new(texts.clone(), length, 1, Place::default()).is_err());
    }
}

/// The loss and every gradient, beside those of the model that answers, by candle's autograd.
#[test]
fn the_fast_path_is_the_model_that_answers() {
    let (_, _, texts) = sample();
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe { dropout: 0.0, ..recipe() };
    let training =
        Pretraining::begin(recipe.clone(), texts.clone(), folder.path()).unwrap();
    let mut blocks = Blocks::new(texts, 24, 42, Place::default()).unwrap();
    let batch: Vec<_> = (0..3).map(|_| blocks.next_block()).collect();
    let config = recipe.config();
    let build = |vb: candle_nn::VarBuilder| generation::Gpt::load(&vb, &config);
    let weights = training.weights().unwrap();
    let (parameters, model) =
        training::parameters::from_tensors(&weights, build).unwrap();

    let fast = loss(&model, &config, &batch, Some(1)).unwrap();
    let inputs: Vec<Vec<u32>> =
        batch.iter().map(|block| block[..24].to_vec()).collect();
    let targets: Vec<u32> =
        batch.iter().flat_map(|block| block[1..].to_vec()).collect();
    let output =
        model.forward(&left_padded(&inputs, 0).unwrap(), &mut Cache::new()).unwrap();
    let logits = model.predict(&output.last_hidden_state).unwrap();
    let logits = logits.reshape(((), 300)).unwrap(); // [3 · 24, 300]
    let targets = Tensor::new(targets, &Device::Cpu).unwrap();
    let slow = candle_nn::loss::cross_entropy(&logits, &targets).unwrap();
    let [found, expected] = [&fast, &slow].map(|loss| loss.to_scalar::<f32>().unwrap());
    assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");

    let (fast, slow) = (gradients::backward(&fast).unwrap(), slow.backward().unwrap());
    let mut compared = 0;
    for (name, parameter) in parameters.iter() {
        let flat = |store: &candle_core::backprop::GradStore| -> Vec<f32> {
            store.get(parameter).unwrap().flatten_all().unwrap().to_vec1().unwrap()
        };
        let (found, expected) = (flat(&fast), flat(&slow));
        let most = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(most > 0.0, "{name} has no gradient");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * most.max(1e-3), "{name}");
        }
        compared += 1;
    }
    assert_eq!(compared, 2 + 2 * 12 + 2);
}

#[test]
fn a_training_learns_and_a_resumed_one_ends_like_one_that_never_stopped() {
    let (_, _, texts) = sample();
    let whole = tempfile::tempdir().unwrap();
    let mut training =
        Pretraining::begin(recipe(), texts.clone(), whole.path()).unwrap();
    let losses = run(&mut training, 12);
    assert!((losses[0] - 300_f64.ln()).abs() < 0.5, "chance, at first: {}", losses[0]);
    assert!(losses[11] < losses[0]);
    assert!(training.step().unwrap().is_none());

    let halves = tempfile::tempdir().unwrap();
    let mut first = Pretraining::begin(recipe(), texts.clone(), halves.path()).unwrap();
    let mut found = run(&mut first, 5);
    first.save().unwrap();
    let mut second =
        Pretraining::resume(&recipe(), texts.clone(), halves.path()).unwrap();
    let stop = AtomicBool::new(false);
    let mut observe = |step: generation::pretrain::Step, _: &Pretraining| {
        found.push(step.loss);
        Ok(())
    };
    assert!(second.run(100, &stop, &mut observe).unwrap());
    assert_eq!(found, losses);
    assert_eq!(
        values(&second.weights().unwrap()),
        values(&training.weights().unwrap())
    );

    let other = Recipe { steps: 13, ..recipe() };
    assert!(Pretraining::resume(&other, texts.clone(), halves.path()).is_err());
    assert!(Pretraining::resume(&recipe(), texts, Path::new("/nowhere")).is_err());
}
