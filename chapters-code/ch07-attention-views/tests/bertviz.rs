//! The data of every view equals what bertviz 1.4.1 puts in its page
//! (tests/reference/bertviz_views.py).

use std::sync::LazyLock;

use attention_views::{EncoderDecoder, HeadView, ModelView, NeuronView, Theme};
use ndarray::Array3;
use serde_json::Value;

/// Layers, heads, rows, numbers.
type Lists = Vec<Vec<Vec<Vec<f64>>>>;

static FIXTURE: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../tests/fixtures/bertviz-views.json");
    serde_json::from_str(text).expect("the fixture is JSON")
});

fn layers(name: &str) -> Vec<Array3<f64>> {
    let lists: Lists =
        serde_json::from_value(FIXTURE[name].clone()).expect("nested lists of numbers");
    let layer = |heads: &Vec<Vec<Vec<f64>>>| {
        let shape = (heads.len(), heads[0].len(), heads[0][0].len());
        Array3::from_shape_vec(shape, heads.concat().concat()).expect("all as long")
    };
    lists.iter().map(layer).collect()
}

fn tokens(name: &str) -> Vec<String> {
    serde_json::from_value(FIXTURE[name].clone()).expect("a list of texts")
}

fn starter() -> usize {
    serde_json::from_value(FIXTURE["starter"].clone()).expect("a number")
}

fn head() -> HeadView {
    HeadView::new(&layers("attentions"), tokens("tokens")).expect("they fit")
}

fn model() -> ModelView {
    ModelView::new(&layers("attentions"), tokens("tokens")).expect("they fit")
}

fn neuron() -> NeuronView {
    let [attentions, queries, keys] = ["attentions", "queries", "keys"].map(layers);
    NeuronView::new(&attentions, &queries, &keys, tokens("plain_tokens"))
        .expect("they fit")
}

fn encoder_decoder() -> EncoderDecoder {
    EncoderDecoder::new(tokens("encoder_tokens"), tokens("decoder_tokens"))
        .encoder(&layers("encoder"))
        .and_then(|two| two.decoder(&layers("decoder")))
        .and_then(|two| two.cross(&layers("cross")))
        .expect("they fit")
}

/// Numbers as the f32 that they are: bertviz writes them as f64, the fixture with 9 digits.
fn single(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            #[expect(clippy::cast_possible_truncation, reason = "it was an f32")]
            let single = number.as_f64().expect("a float") as f32;
            Value::String(format!("{:08x}", single.to_bits()))
        }
        Value::Array(list) => list.iter().map(single).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), single(value))).collect()
        }
        other => other.clone(),
    }
}

fn equal(page: &str, json: attention_views::Result<String>) {
    let json = json.unwrap_or_else(|error| panic!("{page}: {error}"));
    let ours: Value = serde_json::from_str(&json).expect("JSON");
    let theirs = &FIXTURE["pages"][page];
    assert!(theirs.is_object(), "{page} is not in the fixture");
    assert!(
        single(&ours) == single(theirs),
        "{page}: ours\n{ours}\nbertviz's\n{theirs}"
    );
}

#[test]
fn head_view() {
    equal("head", head().bertviz_json());
    let pair = head().sentence_b_start(starter()).heads([2]).layer(1);
    equal("head_pair", pair.bertviz_json());
    equal("head_layers", head().include_layers([1]).layer(1).bertviz_json());
    equal("head_raw", head().prettify_tokens(false).bertviz_json());
}

#[test]
fn model_view() {
    equal("model", model().bertviz_json());
    let pair = model().sentence_b_start(starter()).theme(Theme::Light);
    equal("model_pair", pair.bertviz_json());
    let some = model().include_layers([1, 0]).include_heads([2, 0]);
    equal("model_some", some.bertviz_json());
}

#[test]
fn neuron_view() {
    equal("neuron", neuron().theme(Theme::Light).bertviz_json());
    let pair = neuron().sentence_b_start(starter()).layer(1).head(2);
    equal("neuron_pair", pair.bertviz_json());
    equal("neuron_gpt2", neuron().causal(true).bertviz_json());
}

#[test]
fn encoder_and_decoder() {
    let two = encoder_decoder();
    equal(
        "head_encoder_decoder",
        HeadView::encoder_decoder(two.clone()).bertviz_json(),
    );
    equal("model_encoder_decoder", ModelView::encoder_decoder(two).bertviz_json());
    let cross = EncoderDecoder::new(tokens("encoder_tokens"), tokens("decoder_tokens"))
        .cross(&layers("cross"))
        .expect("they fit");
    equal("head_cross", HeadView::encoder_decoder(cross).bertviz_json());
}
