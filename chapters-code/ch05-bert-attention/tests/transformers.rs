//! BERT against Python's transformers.

#[path = "../../ch04-sentiment/tests/common/mod.rs"]
mod common;
#[path = "../../../tests/support/sets.rs"]
mod sets;

use bert_attention::{BertForMaskedLm, BertForSequenceClassification, Pooler};
use common::{Fixture, LOGITS, RUNS};
use sentiment::{BaseModel, ForwardOptions, PackedEncoder};

const EVERYTHING: ForwardOptions = ForwardOptions {
    output_attentions: true,
    output_hidden_states: true,
    dropout: None,
};

#[test]
fn bert_with_its_pooler_is_transformers() {
    let fixture = Fixture::open("bert-base");
    let (model, pooler) = fixture.load(|vb, config| {
        let vb = vb.pp("bert");
        Ok((BaseModel::load(&vb, config)?, Pooler::load(&vb.pp("pooler"), config)?))
    });
    for run in RUNS {
        let found = model.forward(&fixture.batch(run), EVERYTHING).unwrap();
        fixture.assert_encoder(run, &found);
        let pooled = pooler.forward(&found.last_hidden_state).unwrap();
        fixture.assert_close(&format!("{run}.pooler_output"), &pooled, LOGITS);
    }
}

#[test]
fn bert_for_masked_words_is_transformers() {
    let fixture = Fixture::open("bert-masked-lm");
    let model = fixture.load(BertForMaskedLm::load);
    for run in RUNS {
        let found = model.forward(&fixture.batch(run), EVERYTHING).unwrap();
        fixture.assert_encoder(run, &found.encoder);
        fixture.assert_close(&format!("{run}.logits"), &found.logits, LOGITS);
    }
}

#[test]
fn bert_for_classification_is_transformers() {
    let fixture = Fixture::open("bert-classifier");
    let model = fixture.load(BertForSequenceClassification::load);
    for run in RUNS {
        let found = model.forward(&fixture.batch(run), EVERYTHING).unwrap();
        fixture.assert_encoder(run, &found.encoder);
        fixture.assert_close(&format!("{run}.logits"), &found.logits, LOGITS);
    }
}

#[test]
fn every_parameter_of_the_masked_model_gets_pytorchs_gradient() {
    let fixture = Fixture::open("bert-masked-lm");
    let (model, parameters) = fixture.load_for_training(BertForMaskedLm::load);
    let found =
        model.forward(&fixture.batch("padded"), ForwardOptions::default()).unwrap();
    fixture.assert_gradients(&found.logits, &parameters);
}

#[test]
fn every_parameter_of_the_classifier_gets_pytorchs_gradient() {
    let fixture = Fixture::open("bert-classifier");
    let (model, parameters) =
        fixture.load_for_training(BertForSequenceClassification::load);
    let found =
        model.forward(&fixture.batch("padded"), ForwardOptions::default()).unwrap();
    fixture.assert_gradients(&found.logits, &parameters);
}

#[test]
fn our_tokenizer_gives_the_same_numbers() {
    for name in ["bert-base", "bert-masked-lm", "bert-classifier"] {
        let fixture = Fixture::open(name);
        let tokenizer = fixture.folder.tokenizer().unwrap();
        for run in RUNS {
            assert_eq!(fixture.tokenized(run, &tokenizer), fixture.batch(run));
        }
    }
}

#[test]
fn packed_weights_compute_the_same() {
    for name in ["bert-base", "bert-masked-lm", "bert-classifier"] {
        let fixture = Fixture::open(name);
        let model = fixture.load(|vb, config| BaseModel::load(&vb.pp("bert"), config));
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
