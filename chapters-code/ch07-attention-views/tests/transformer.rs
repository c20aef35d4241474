//! Views of chapter 2's encoder and decoder, and of chapter 3's.

use attention_views::{EncoderDecoder, HeadView, ModelView};
use self_attention::numpy::NumpyRandom;
use serde_json::{Value, json};
use training::reverse::{ReverserOptions, ReverserTraining};
use whole_transformer::{
    Activation, AttentionKind, LayerOptions, NormOrder, Options, Transformer,
};

const READ: [&str; 4] = ["o", "gato", "sentou", "</s>"];

fn model() -> Transformer {
    let layer = LayerOptions {
        d_model: 8,
        heads: 2,
        d_ff: 16,
        activation: Activation::Relu,
        order: NormOrder::Post,
    };
    let options = Options {
        source_vocabulary: 5,
        target_vocabulary: 5,
        layers: 2,
        layer,
        padding: None,
    };
    Transformer::random(&mut NumpyRandom::seed(42), &options).unwrap()
}

#[test]
fn every_record_is_in_its_place() {
    let records = model().forward(&[3, 1, 2, 0], &[1, 2, 3]).unwrap().attentions;
    let two = EncoderDecoder::from_records(READ, ["<s>", "the", "cat"], &records);
    let json = HeadView::encoder_decoder(two.unwrap()).bertviz_json().unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let kinds = [
        (AttentionKind::EncoderSelf, "Encoder", [4, 4]),
        (AttentionKind::DecoderSelf, "Decoder", [3, 3]),
        (AttentionKind::Cross, "Cross", [3, 4]),
    ];
    let panes = json["attention"].as_array().unwrap();
    assert_eq!(panes.len(), kinds.len());
    for (pane, (kind, name, [rows, columns])) in panes.iter().zip(kinds) {
        assert_eq!(pane["name"], name);
        assert_eq!(pane["left_text"].as_array().unwrap().len(), rows);
        assert_eq!(pane["right_text"].as_array().unwrap().len(), columns);
        let mut layers = 0;
        for record in records.iter().filter(|record| record.kind == kind) {
            layers += 1;
            for ((head, row, column), weight) in record.weights.indexed_iter() {
                let found = &pane["attn"][record.layer][head][row][column];
                assert!((found.as_f64().unwrap() - weight).abs() < 1e-7, "{name}");
            }
        }
        assert_eq!(pane["attn"].as_array().unwrap().len(), layers);
        assert!(layers > 1);
    }
}

#[test]
fn what_greedy_decoding_writes_has_one_token_too_many() {
    let written = model().greedy(&[3, 1, 2, 0], (0, 1), 3).unwrap();
    let names: Vec<String> = written.tokens.iter().map(usize::to_string).collect();
    let view = |tokens: &[String]| {
        EncoderDecoder::from_records(READ, tokens, &written.attentions)
            .and_then(|two| ModelView::encoder_decoder(two).html())
    };
    assert!(view(&names[..names.len() - 1]).is_ok());
    let error = view(&names).err().unwrap().to_string();
    let expected = format!("{} rows and there are {}", names.len() - 1, names.len());
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn an_encoder_alone_has_one_pane() {
    let records = model().encode(&[3, 1, 2, 0]).unwrap().attentions;
    let two = EncoderDecoder::from_records(READ, ["none"], &records).unwrap();
    let json = HeadView::encoder_decoder(two).bertviz_json().unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["attention"].as_array().unwrap().len(), 1);
    assert_eq!(json["attention"][0]["name"], "Encoder");
}

#[test]
fn chapter_3_s_cross_attention_is_shown() {
    let options = ReverserOptions { d_model: 16, d_ff: 32, ..Default::default() };
    let model = ReverserTraining::new(options).unwrap().model;
    let layers = model.cross_attention("gato").unwrap();
    let (read, written) = (["g", "a", "t", "o", "end"], ["o", "t", "a", "g", "end"]);
    let two = EncoderDecoder::new(read, written).cross(&layers).unwrap();
    let view = HeadView::encoder_decoder(two).bertviz_json().unwrap();
    let pane: Value =
        serde_json::from_str::<Value>(&view).unwrap()["attention"][0].clone();
    assert_eq!(
        (&pane["left_text"], &pane["right_text"]),
        (&json!(written), &json!(read))
    );
    for ((head, row, column), weight) in layers[0].indexed_iter() {
        let found = pane["attn"][0][head][row][column].as_f64().unwrap();
        assert!((found - weight).abs() < 1e-7);
    }
}
