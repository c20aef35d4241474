//! Heads taken out, beside the model tensor by tensor with their columns of the output
//! layer set to 0.

#[path = "../../ch04-sentiment/tests/common/mod.rs"]
mod common;

use bert_attention::{Ablation, BertForMaskedLm, Head, MaskedModel, total_variation};
use candle_core::{Device, IndexOp, Tensor};
use candle_nn::Linear;
use common::Fixture;
use hub::{Encoded, Truncate};
use sentiment::{Batch, ForwardOptions, softmax};

const PLACE: usize = 3;

fn text(masked: &MaskedModel) -> Encoded {
    let (text, pair) = ("o gato sentou no tapete", Some("the cat sat on the mat"));
    masked.model.tokenizer.encode(text, pair, Truncate::Error).unwrap()
}

/// The model, whose output layers don't read what these heads found.
fn without(model: &BertForMaskedLm, heads: &[Head]) -> BertForMaskedLm {
    let mut model = model.clone();
    for &Head { layer, head } in heads {
        let attention = &mut model.bert.encoder.layers[layer].attention;
        let mut rows = attention.output.weight().to_vec2::<f32>().unwrap();
        let d_k = rows.len() / attention.heads;
        for row in &mut rows {
            row[head * d_k..(head + 1) * d_k].fill(0.0);
        }
        let weight = Tensor::new(rows, &Device::Cpu).unwrap();
        attention.output = Linear::new(weight, attention.output.bias().cloned());
    }
    model
}

/// The probabilities of the hidden place's pieces.
fn guess(model: &BertForMaskedLm, text: &Encoded) -> Vec<f32> {
    let batch = Batch::from_encoded(std::slice::from_ref(text)).unwrap();
    let output = model.forward(&batch, ForwardOptions::default()).unwrap();
    let logits = output.logits.i((0, PLACE)).unwrap(); // [vocabulary]
    let shares = softmax(&logits.unsqueeze(0).unwrap()).unwrap();
    shares.i(0).unwrap().to_vec1().unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let worst = worst.fold(0.0, f32::max);
    assert!(worst < 2e-6 && found.len() == expected.len(), "{what}: {worst}");
}

#[test]
fn a_removed_head_is_one_that_the_output_layer_does_not_read() {
    let fixture = Fixture::open("bert-masked-lm");
    let masked = MaskedModel::load(&fixture.folder).unwrap();
    let teaching = fixture.load(BertForMaskedLm::load);
    let one = Ablation::of(&masked, text(&masked), PLACE).unwrap();
    assert_eq!(one.text.tokens[PLACE], "[MASK]");
    assert_close(&one.whole, &guess(&teaching, &one.text), "whole");

    let each = one.without_each(&masked).unwrap();
    let (layers, heads, pieces) = each.dim();
    assert_eq!(
        (layers, heads, pieces),
        (
            fixture.config.num_hidden_layers,
            fixture.config.num_attention_heads,
            fixture.config.vocab_size
        )
    );
    let all: Vec<Head> = (0..layers)
        .flat_map(|layer| (0..heads).map(move |head| Head { layer, head }))
        .collect();
    for &head in &all {
        let expected = guess(&without(&teaching, &[head]), &one.text);
        let found = each.slice(ndarray::s![head.layer, head.head, ..]).to_vec();
        assert_close(&found, &expected, &head.to_string());
        assert_close(&one.without(&masked, &[head]).unwrap(), &expected, "one");
        assert!(total_variation(&one.whole, &expected) > 1e-4, "{head} does nothing");
    }
    for set in [&all[..2], &[all[all.len() - 1], all[0]], &all] {
        let expected = guess(&without(&teaching, set), &one.text);
        assert_close(&one.without(&masked, set).unwrap(), &expected, "a set");
    }
    assert_eq!(one.without(&masked, &[]).unwrap(), one.whole);
    for none in [Head { layer: layers, head: 0 }, Head { layer: 99, head: 0 }] {
        let error = one.without(&masked, &[all[0], none]).unwrap_err().to_string();
        assert!(error.contains(&format!("no head {none}")), "{error}");
        assert_eq!(one.without(&masked, &[none]).unwrap_err().to_string(), error);
    }
}

#[test]
fn each_text_of_a_batch_loses_its_own_heads() {
    let fixture = Fixture::open("bert-masked-lm");
    let masked = MaskedModel::load(&fixture.folder).unwrap();
    let encoder = &masked.model.encoder;
    let long = text(&masked);
    let short = masked.model.tokenizer.encode("o gato", None, Truncate::Error).unwrap();
    let texts = [long, short];
    let batch = Batch::from_encoded(&texts).unwrap(); // padded
    let states =
        ForwardOptions { output_hidden_states: true, ..ForwardOptions::default() };
    let read = encoder.forward(&batch, states).unwrap();
    let inputs = read.hidden_states.unwrap();
    let removed = [vec![Head { layer: 1, head: 0 }], vec![Head { layer: 0, head: 1 }]];
    let found = encoder.forward_from(0, &inputs[0], &batch, &removed).unwrap();
    for (row, (text, heads)) in texts.iter().zip(&removed).enumerate() {
        let alone = Batch::from_encoded(std::slice::from_ref(text)).unwrap();
        let x = inputs[0].narrow(0, row, 1).unwrap().narrow(1, 0, text.len()).unwrap();
        let heads = [heads.clone()];
        let expected = encoder.forward_from(0, &x, &alone, &heads).unwrap();
        let tokens = |x: Tensor, row| -> Vec<f32> {
            let tokens = x.i((row, ..text.len())).unwrap();
            tokens.flatten_all().unwrap().to_vec1().unwrap()
        };
        let (found, expected) = (
            tokens(found.last_hidden_state.clone(), row),
            tokens(expected.last_hidden_state, 0),
        );
        assert_close(&found, &expected, "a text among others");
    }

    // From the middle, with nothing removed: the same as the whole pass.
    let none = [vec![], vec![]];
    let same = encoder.forward_from(1, &inputs[1], &batch, &none).unwrap();
    let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_close(
        &flat(&same.last_hidden_state),
        &flat(&read.last_hidden_state),
        "from the middle",
    );

    let refused = |layer, removed: &[Vec<Head>]| {
        encoder
            .forward_from(layer, &inputs[0], &batch, removed)
            .unwrap_err()
            .to_string()
    };
    let layers = encoder.layers();
    for head in [Head { layer: layers, head: 0 }, Head { layer: 0, head: 99 }] {
        let error = refused(0, &[vec![head], vec![]]);
        assert!(error.contains(&format!("there is no head {head}")), "{error}");
    }
    assert!(refused(layers, &none).contains("there is no head"));
    assert!(refused(0, &[vec![]]).contains("removed has 1 rows"));
    let short = inputs[0].narrow(1, 0, 2).unwrap();
    assert!(encoder.forward_from(0, &short, &batch, &none).is_err());
}

#[test]
fn a_place_that_can_t_be_hidden_is_refused() {
    let fixture = Fixture::open("bert-masked-lm");
    let masked = MaskedModel::load(&fixture.folder).unwrap();
    let n = text(&masked).len();
    for place in [0, n - 1, n] {
        let error =
            Ablation::of(&masked, text(&masked), place).unwrap_err().to_string();
        assert!(error.contains(&format!("place {place} can't be hidden")), "{error}");
    }
}

#[test]
fn the_likeliest_pieces_come_first() {
    let fixture = Fixture::open("bert-masked-lm");
    let masked = MaskedModel::load(&fixture.folder).unwrap();
    let mut guess = vec![0.0; fixture.config.vocab_size];
    guess[7] = 0.5;
    guess[6] = 0.25;
    guess[5] = 0.25;
    let found = masked.likeliest(&guess, 3);
    let piece = |id| masked.model.tokenizer.id_to_token(id).unwrap();
    let pieces: Vec<&str> = found.iter().map(|guess| guess.piece.as_str()).collect();
    assert_eq!(pieces, [piece(7), piece(5), piece(6)]);
    assert!((found[0].probability - 0.5).abs() < 1e-9);
}
