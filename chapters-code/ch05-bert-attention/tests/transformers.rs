//! BERT against Python's transformers.

#[path = "../../ch04-sentiment/tests/common/mod.rs"]
mod common;
#[path = "../../../tests/support/sets.rs"]
mod sets;

use bert_attention::{BertForMaskedLm, BertForSequenceClassification, Pooler};
use common::{EVERYTHING, Fixture, LOGITS, RUNS};
use sentiment::{BaseModel, ForwardOptions};

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

/// Asserts that a model's logits, and what its encoder gives, are transformers', and that
/// every parameter gets PyTorch's gradient.
macro_rules! assert_model {
    ($name:literal, $model:ty) => {
        let fixture = Fixture::open($name);
        let model = fixture.load(<$model>::load);
        for run in RUNS {
            let found = model.forward(&fixture.batch(run), EVERYTHING).unwrap();
            fixture.assert_encoder(run, &found.encoder);
            fixture.assert_close(&format!("{run}.logits"), &found.logits, LOGITS);
        }
        let (model, parameters) = fixture.load_for_training(<$model>::load);
        let found = model.forward(&fixture.batch("padded"), ForwardOptions::default());
        fixture.assert_gradients(&found.unwrap().logits, &parameters);
    };
}

#[test]
fn bert_for_masked_words_and_its_gradients_are_transformers() {
    assert_model!("bert-masked-lm", BertForMaskedLm);
}

#[test]
fn bert_for_classification_and_its_gradients_are_transformers() {
    assert_model!("bert-classifier", BertForSequenceClassification);
}

const FIXTURES: [&str; 3] = ["bert-base", "bert-masked-lm", "bert-classifier"];

#[test]
fn our_tokenizer_gives_the_same_numbers() {
    common::assert_tokenized(&FIXTURES);
}

#[test]
fn packed_weights_compute_the_same() {
    common::assert_packed(&FIXTURES, "bert");
}

#[test]
fn every_instruction_set_computes_the_same() {
    sets::again_under_the_slower_ones("");
}
