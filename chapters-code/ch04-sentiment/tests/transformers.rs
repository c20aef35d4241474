//! DistilBERT against Python's transformers.

mod common;
#[path = "../../../tests/support/sets.rs"]
mod sets;

use common::{Fixture, LOGITS, RUNS, assert_close};
use sentiment::{
    BaseModel, DistilBertForSequenceClassification, ForwardOptions, PackedEncoder,
};
use training::DropoutRng;

const EVERYTHING: ForwardOptions = ForwardOptions {
    output_attentions: true,
    output_hidden_states: true,
    dropout: None,
};

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
    let fixture = Fixture::open("bert-distilbert-classifier");
    let model = fixture.load(DistilBertForSequenceClassification::load);
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
    let found =
        model.forward(&fixture.batch("padded"), ForwardOptions::default()).unwrap();
    fixture.assert_close("padded.logits", &found.logits, LOGITS);
    fixture.assert_gradients(&found.logits, &parameters);
}

#[test]
fn our_tokenizer_gives_the_same_numbers() {
    for name in ["bert-distilbert-base", "bert-distilbert-classifier"] {
        let fixture = Fixture::open(name);
        let tokenizer = fixture.folder.tokenizer().unwrap();
        for run in RUNS {
            let (found, expected) =
                (fixture.tokenized(run, &tokenizer), fixture.batch(run));
            assert_eq!(found.ids(), expected.ids(), "{name}, {run}");
            assert_eq!(found.attention_mask(), expected.attention_mask());
        }
    }
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let model = fixture.load(DistilBertForSequenceClassification::load);
    let found =
        model.forward(&fixture.batch("padded"), ForwardOptions::default()).unwrap();
    assert!(found.encoder.attentions.is_none());
    assert!(found.encoder.hidden_states.is_none());
    let run = ForwardOptions::ATTENTIONS;
    let found = model.forward(&fixture.batch("padded"), run).unwrap();
    assert!(found.encoder.attentions.is_some());
    assert!(found.encoder.hidden_states.is_none());
}

#[test]
fn dropout_is_repeatable_and_only_for_training() {
    let fixture = Fixture::open("bert-distilbert-classifier");
    let model = fixture.load(DistilBertForSequenceClassification::load);
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
    let fixture = Fixture::open("bert-distilbert-classifier");
    let model = fixture.load(DistilBertForSequenceClassification::load);
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
    for name in ["bert-distilbert-base", "bert-distilbert-classifier"] {
        let fixture = Fixture::open(name);
        let model =
            fixture.load(|vb, config| BaseModel::load(&vb.pp("distilbert"), config));
        let packed = PackedEncoder::pack(model.clone());
        common::assert_same_encoder(&fixture, &packed.unwrap(), |batch, run| {
            model.forward(batch, run).unwrap()
        });
    }
}

#[test]
fn every_instruction_set_computes_the_same() {
    sets::again_under_the_slower_ones();
}
