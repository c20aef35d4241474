//! DistilBERT against Python's transformers.

mod common;
#[path = "../../../tests/support/sets.rs"]
mod sets;

use common::{EVERYTHING, Fixture, LOGITS, RUNS, assert_close};
use sentiment::{BaseModel, DistilBertForSequenceClassification, ForwardOptions};
use training::DropoutRng;

const FIXTURES: [&str; 2] = ["bert-distilbert-base", "bert-distilbert-classifier"];

/// The classifier and its fixture.
fn classifier() -> (Fixture, DistilBertForSequenceClassification) {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let model = fixture.load(DistilBertForSequenceClassification::load);
    (fixture, model)
}

#[test]
fn distilbert_is_transformers() {
    let fixture = Fixture::open("bert-distilbert-base");
    let model =
        fixture.load(|vb, config| BaseModel::load(&vb.pp("distilbert"), config));
    for run in RUNS {
        let found = model.forward(&fixture.batch(run), EVERYTHING).unwrap();
        fixture.assert_encoder(run, &found);
    }
}

#[test]
fn distilbert_for_classification_is_transformers() {
    let (fixture, model) = classifier();
    for run in RUNS {
        let found = model.forward(&fixture.batch(run), EVERYTHING).unwrap();
        fixture.assert_encoder(run, &found.encoder);
        fixture.assert_close(&format!("{run}.logits"), &found.logits, LOGITS);
    }
}

#[test]
fn every_parameter_gets_pytorchs_gradient() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let (model, parameters) =
        fixture.load_for_training(DistilBertForSequenceClassification::load);
    let found = model.forward(&fixture.batch("padded"), ForwardOptions::default());
    fixture.assert_gradients(&found.unwrap().logits, &parameters);
}

#[test]
fn our_tokenizer_gives_the_same_numbers() {
    common::assert_tokenized(&FIXTURES);
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    let (fixture, model) = classifier();
    for run in [ForwardOptions::default(), ForwardOptions::ATTENTIONS] {
        let found = model.forward(&fixture.batch("padded"), run).unwrap().encoder;
        assert_eq!(found.attentions.is_some(), run.output_attentions);
        assert!(found.hidden_states.is_none());
    }
}

#[test]
fn dropout_is_repeatable_and_only_for_training() {
    let (fixture, model) = classifier();
    let batch = fixture.batch("padded");
    let logits = |seed: Option<u32>| {
        let noise = seed.map(DropoutRng::seed);
        let run =
            ForwardOptions { dropout: noise.as_ref(), ..ForwardOptions::default() };
        model.forward(&batch, run).unwrap().logits.to_vec2::<f32>().unwrap()
    };
    assert_eq!(logits(None), logits(None));
    assert_eq!(logits(Some(1)), logits(Some(1)));
    assert_ne!(logits(Some(1)), logits(Some(2)));
    assert_ne!(logits(Some(1)), logits(None));
}

#[test]
fn a_text_alone_and_padded_in_a_batch_are_equal() {
    let (fixture, model) = classifier();
    let padded = fixture.batch("padded");
    let together = model.forward(&padded, ForwardOptions::default()).unwrap().logits;
    for (row, mask) in padded.attention_mask().chunks_exact(padded.n()).enumerate() {
        let tokens = mask.iter().filter(|&&shown| shown == 1).count();
        let start = row * padded.n();
        let ids = padded.ids()[start..start + tokens].to_vec();
        let alone = sentiment::Batch::new(&[ids], None, None).unwrap();
        let alone = model.forward(&alone, ForwardOptions::default()).unwrap().logits;
        let expected = together.narrow(0, row, 1).unwrap();
        assert_close(&format!("row {row}"), &alone, &expected, LOGITS);
    }
}

#[test]
fn packed_weights_compute_the_same() {
    common::assert_packed(&FIXTURES, "distilbert");
}

#[test]
fn every_instruction_set_computes_the_same() {
    sets::again_under_the_slower_ones("");
}
