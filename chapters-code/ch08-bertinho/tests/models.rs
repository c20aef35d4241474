//! What becomes of a trained model: a classifier, folders that load.
#![allow(missing_docs)]

mod common;

use bertinho::batches::{Sequence, both_orders, padded};
use bertinho::checkpoint::write_atomically;
use bertinho::export::{export, fill_card};
use bertinho::finetune::{
    Agreement, FinetuneOptions, Finetuned, classifier_config, every_other_layer,
    finetune, positive_probability, right_answers, share_right,
};
use bertinho::learner::masked_lm;
use bertinho::naive_bayes::NaiveBayes;
use bertinho::pretrain::Recipe;
use bertinho::wordpiece::{CLS, SEP};
use candle_core::{DType, Tensor};
use common::{sample, tokenizer};
use hub::{ModelFolder, Truncate};
use sentiment::{BaseModel, Batch, ForwardOptions, SentimentPipeline};
use training::parameters::{Tensors, draw, model};

fn recipe() -> Recipe {
    Recipe {
        hidden_size: 16,
        heads: 2,
        intermediate_size: 32,
        positions: 64,
        ..Recipe::default()
    }
}

/// New weights of a small BERT.
fn weights(layers: usize) -> (hub::Config, Tensors) {
    let config = recipe().config(layers, 300);
    let build =
        |vb: candle_nn::VarBuilder| bert_attention::BertForMaskedLm::load(&vb, &config);
    let (parameters, _) = draw(3, build).unwrap();
    // Norms and biases away from 1 and 0, so that a lost one would be noticed.
    let moved = |tensor: &Tensor| -> candle_core::Result<Tensor> {
        let count = Tensor::arange(0_f32, tensor.elem_count() as f32, tensor.device())?;
        tensor + (count.sin()?.reshape(tensor.shape())? * 0.1)?
    };
    let weights = parameters.tensors().unwrap().into_iter();
    let weights = weights.map(|(name, tensor)| (name, moved(&tensor).unwrap()));
    (config, weights.collect())
}

#[test]
fn every_other_layer_computes_what_it_did() {
    let (config, weights) = weights(3);
    let distilled = every_other_layer(&weights).unwrap();
    let small = classifier_config(&config, 0.0);
    assert_eq!(small.num_hidden_layers, 2);
    let distilbert =
        model(&distilled, |vb| BaseModel::load(&vb.pp("distilbert"), &small)).unwrap();
    let mut kept = masked_lm(&config, &weights).unwrap().bert;
    kept.encoder.layers.remove(1);
    let batch = Batch::new(&[vec![CLS, 30, 40, 50, SEP]], None, None).unwrap();
    let [found, expected] = [distilbert, kept].map(|model| {
        model.forward(&batch, ForwardOptions::default()).unwrap().last_hidden_state
    });
    let difference = (found - expected).unwrap().abs().unwrap().max_all().unwrap();
    assert!(difference.to_scalar::<f32>().unwrap() < 1e-5);
}

#[test]
fn a_classifier_learns_the_sample_and_repeats_itself() {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    let (base, weights) = weights(4);
    let config = classifier_config(&base, 0.0);
    let start = every_other_layer(&weights).unwrap();
    let options = FinetuneOptions {
        epochs: 30,
        batch_tokens: 300,
        learning_rate: 3e-3,
        ..Default::default()
    };
    let reviews = &corpus.reviews;
    let train = || {
        let observe = &mut |_, _, _: f64| {};
        finetune(&config, &start, &tokenizer, &reviews.train, options, observe).unwrap()
    };
    let trained = train();
    let ask = |weights, reviews| -> bertinho::Result<f64> {
        Ok(share_right(&right_answers(&config, weights, &tokenizer, reviews, 64)?))
    };
    let found = ask(&trained, &reviews.held_out).unwrap();
    assert!(found > 0.9, "{found}");
    let flat =
        |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (name, tensor) in &train() {
        assert_eq!(flat(tensor), flat(&trained[name]), "{name}");
    }

    // Shipped, it is what chapter 4's pipeline reads.
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &config, &trained, &tokenizer, "card").unwrap();
    let pipeline =
        SentimentPipeline::load(&ModelFolder::open(folder.path()).unwrap()).unwrap();
    let texts = ["a moving story that stays with you .", "a dull script ."];
    let found = pipeline.classify(&texts, Truncate::Error).unwrap();
    assert_eq!([&*found[0].label, &*found[1].label], ["POSITIVE", "NEGATIVE"]);
    let scores =
        positive_probability(&config, &trained, &tokenizer, &texts, 64).unwrap();
    assert!((f64::from(found[0].score) - scores[0]).abs() < 0.02); // f16
    assert!((1.0 - f64::from(found[1].score) - scores[1]).abs() < 0.02);
}

#[test]
fn two_classifiers_are_compared_review_by_review() {
    let (one, other) =
        ([true, true, false, false, true], [true, false, true, false, true]);
    let expected =
        Agreement { both: 2, only_classifier: 1, only_naive_bayes: 1, neither: 1 };
    assert_eq!(Agreement::of(&one, &other), expected);

    // The book's two records: the counts add up to the shares, and the recipe is one.
    let book = Finetuned::of_the_book().unwrap();
    let random = Finetuned::from_random().unwrap();
    assert_eq!(book.options, random.options);
    for Finetuned { held_out, naive_bayes, agreement, .. } in [book, random] {
        let Agreement { both, only_classifier, only_naive_bayes, neither } = agreement;
        let all = both + only_classifier + only_naive_bayes + neither;
        assert_eq!(all, 2132);
        let share = |right: usize| right as f64 / all as f64;
        assert!((share(both + only_classifier) - held_out).abs() < 1e-12);
        assert!((share(both + only_naive_bayes) - naive_bayes).abs() < 1e-12);
    }
}

#[test]
fn the_bag_of_words_knows_the_sample() {
    let reviews = sample().reviews;
    let bayes = NaiveBayes::train(&reviews.train);
    assert!(share_right(&bayes.right_answers(&reviews.held_out)) > 0.9);
    assert!(bayes.is_positive("A warm, clever comedy!"));
    assert!(!bayes.is_positive("dull and clumsy"));
    let empty = NaiveBayes::train(&[]);
    assert!(!empty.is_positive("anything"));
}

#[test]
fn an_exported_model_loads_whole() {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    let (config, weights) = weights(2);
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &config, &weights, &tokenizer, "# card").unwrap();
    let folder = ModelFolder::open(folder.path()).unwrap();
    let read = folder.config().unwrap();
    assert_eq!(read, config);
    let loaded = hub::load(&folder, DType::F32, |vb| {
        bert_attention::Pooler::load(&vb.pp("bert.pooler"), &read)?;
        bert_attention::BertForMaskedLm::load(&vb, &read)
    });
    let loaded = loaded.unwrap();
    let before = masked_lm(&config, &weights).unwrap();
    let rows = both_orders(&tokenizer, &corpus.pairs.train[..2], 64).unwrap().concat();
    let batch = padded(&rows.iter().collect::<Vec<&Sequence>>()).unwrap();
    let logits = |model: &bert_attention::BertForMaskedLm| {
        model.forward(&batch, ForwardOptions::default()).unwrap().logits
    };
    let difference = (logits(&loaded) - logits(&before)).unwrap().abs().unwrap();
    // f16 keeps eleven bits of each weight.
    assert!(difference.max_all().unwrap().to_scalar::<f32>().unwrap() < 0.02);
}

#[test]
fn cards_are_filled_to_the_last_name() {
    let filled = fill_card("{{a}} and {{b}}", &[("a", "1".into()), ("b", "2".into())]);
    assert_eq!(filled.unwrap(), "1 and 2");
    let error = fill_card("{{a}} {{b}}", &[("a", "1".into())]).unwrap_err();
    assert!(error.to_string().contains("{{b}}"), "{error}");
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    write_atomically(&path, b"old").unwrap();
    write_atomically(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(write_atomically(&folder.path().join("no/x"), b"").is_err());
}
