//! Chapter 2 against PyTorch in f64: `tests/reference/ch02_torch.py` makes the fixture.

use std::collections::HashMap;

use book_tests::{Rows, fixture, matrix};
use ndarray::{Array1, Array2, Array3, Axis};
use serde::Deserialize;
use whole_transformer::{
    Activation, AttentionKind, AttentionRecord, Decoder, DecoderLayer, DecoderMasks,
    Encoder, EncoderLayer, FeedForward, LayerNorm, Linear, MultiHeadAttention,
    NormOrder, gelu, mask, relu,
};

const TOLERANCE: f64 = 1e-10;
const LAYERS: usize = 3;

#[derive(Deserialize)]
struct Fixture {
    multi_head: Vec<Cases<MultiHeadRun>>,
    layer_norm: Vec<NormCase>,
    activations: Activations,
    encoder_layer: Cases<Run>,
    decoder_layer: Cases<Run>,
    encoders: Vec<Cases<Run>>,
    decoders: Vec<Cases<Run>>,
}

/// Runs with the same weights.
#[derive(Deserialize)]
struct Cases<R> {
    heads: usize,
    parameters: Parameters,
    runs: Vec<R>,
}

#[derive(Deserialize)]
struct MultiHeadRun {
    name: String,
    query: Rows,
    key: Rows,
    value: Rows,
    mask: Option<Vec<Vec<bool>>>,
    padding: Option<Vec<bool>>,
    output: Rows,
    weights: Vec<Rows>,
    averaged: Rows,
}

#[derive(Deserialize)]
struct NormCase {
    epsilon: f64,
    parameters: Parameters,
    x: Rows,
    output: Rows,
}

#[derive(Deserialize)]
struct Activations {
    x: Vec<f64>,
    relu: Vec<f64>,
    gelu: Vec<f64>,
}

/// A run of a layer or a stack; `memory` is a decoder's.
#[derive(Deserialize)]
struct Run {
    name: String,
    norm_first: bool,
    activation: String,
    x: Rows,
    memory: Option<Rows>,
    mask: Option<Vec<Vec<bool>>>,
    padding: Option<Vec<bool>>,
    output: Rows,
    attentions: Vec<Vec<Rows>>,
}

impl Run {
    fn order(&self) -> NormOrder {
        if self.norm_first { NormOrder::Pre } else { NormOrder::Post }
    }

    fn activation(&self) -> Activation {
        match self.activation.as_str() {
            "relu" => Activation::Relu,
            "gelu" => Activation::Gelu,
            other => panic!("the fixture has an activation {other:?}"),
        }
    }

    fn name(&self) -> String {
        format!("{}, {}, {:?}", self.name, self.activation, self.order())
    }
}

/// PyTorch's `state_dict()`.
#[derive(Deserialize)]
struct Parameters(HashMap<String, Tensor>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Tensor {
    Vector(Vec<f64>),
    Matrix(Rows),
}

impl Parameters {
    fn matrix(&self, name: &str) -> Array2<f64> {
        match self.0.get(name) {
            Some(Tensor::Matrix(rows)) => matrix(rows),
            _ => panic!("the fixture has no matrix {name}"),
        }
    }

    fn vector(&self, name: &str) -> Array1<f64> {
        match self.0.get(name) {
            Some(Tensor::Vector(values)) => Array1::from(values.clone()),
            _ => panic!("the fixture has no vector {name}"),
        }
    }

    fn has(&self, prefix: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(prefix))
    }

    fn linear(&self, prefix: &str) -> Linear {
        let weight = self.matrix(&format!("{prefix}weight"));
        Linear { weight, bias: self.vector(&format!("{prefix}bias")) }
    }

    fn norm(&self, prefix: &str) -> LayerNorm {
        let weight = self.vector(&format!("{prefix}weight"));
        let bias = self.vector(&format!("{prefix}bias"));
        let epsilon = LayerNorm::new(1).epsilon; // PyTorch's default, as ours
        LayerNorm { weight, bias, epsilon }
    }

    fn attention(&self, prefix: &str, heads: usize) -> MultiHeadAttention {
        let weight = self.matrix(&format!("{prefix}in_proj_weight"));
        let bias = self.vector(&format!("{prefix}in_proj_bias"));
        let output = self.linear(&format!("{prefix}out_proj."));
        MultiHeadAttention::from_in_proj(heads, &weight, &bias, output).unwrap()
    }

    fn feed_forward(&self, prefix: &str, activation: Activation) -> FeedForward {
        FeedForward {
            linear1: self.linear(&format!("{prefix}linear1.")),
            linear2: self.linear(&format!("{prefix}linear2.")),
            activation,
        }
    }

    fn final_norm(&self) -> Option<LayerNorm> {
        self.has("norm.").then(|| self.norm("norm."))
    }
}

impl Cases<Run> {
    fn encoder_layer(&self, prefix: &str, run: &Run) -> EncoderLayer {
        let parameters = &self.parameters;
        let name = |part: &str| format!("{prefix}{part}.");
        EncoderLayer {
            attention: parameters.attention(&name("self_attn"), self.heads),
            attention_norm: parameters.norm(&name("norm1")),
            feed_forward: parameters.feed_forward(prefix, run.activation()),
            feed_forward_norm: parameters.norm(&name("norm2")),
            order: run.order(),
        }
    }

    fn decoder_layer(&self, prefix: &str, run: &Run) -> DecoderLayer {
        let parameters = &self.parameters;
        let name = |part: &str| format!("{prefix}{part}.");
        DecoderLayer {
            attention: parameters.attention(&name("self_attn"), self.heads),
            attention_norm: parameters.norm(&name("norm1")),
            cross_attention: parameters.attention(&name("multihead_attn"), self.heads),
            cross_attention_norm: parameters.norm(&name("norm2")),
            feed_forward: parameters.feed_forward(prefix, run.activation()),
            feed_forward_norm: parameters.norm(&name("norm3")),
            order: run.order(),
        }
    }

    /// Both orders of the norms with both activations, or the fixture has lost some.
    fn assert_complete(&self) {
        for norm_first in [false, true] {
            for activation in ["relu", "gelu"] {
                let is = |run: &&Run| {
                    run.norm_first == norm_first && run.activation == activation
                };
                assert!(self.runs.iter().filter(is).count() >= 2, "{activation}");
            }
        }
    }
}

fn torch() -> Fixture {
    fixture("ch02-torch.json")
}

/// PyTorch's Boolean masks (`true` hides) as one to be added, `[n, m]`.
fn additive(
    mask: Option<&Vec<Vec<bool>>>,
    padding: Option<&Vec<bool>>,
    n: usize,
) -> Option<Array2<f64>> {
    let hide = |hidden: &bool| if *hidden { f64::NEG_INFINITY } else { 0.0 };
    let to_row = |row: &Vec<bool>| row.iter().map(hide).collect();
    let mask = mask.map(|rows| matrix(&rows.iter().map(to_row).collect()));
    let padding = padding.map(|padding| mask::key_padding(n, padding));
    match (mask, padding) {
        (Some(mask), Some(padding)) => Some(mask::combine(&mask, &padding).unwrap()),
        (mask, padding) => mask.or(padding),
    }
}

/// Asserts that all numbers agree to `TOLERANCE`: absolute up to 1, relative beyond.
#[track_caller]
fn assert_close(name: &str, found: &Array2<f64>, expected: &Rows) {
    let expected = matrix(expected);
    assert_eq!(found.shape(), expected.shape(), "{name}: shapes differ");
    for ((index, found), expected) in found.indexed_iter().zip(&expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= TOLERANCE * expected.abs().max(1.0),
            "{name}{index:?} is {found}, not {expected}"
        );
    }
}

#[track_caller]
fn assert_heads(name: &str, found: &Array3<f64>, expected: &[Rows]) {
    assert_eq!(found.len_of(Axis(0)), expected.len(), "{name}: number of heads");
    for (head, expected) in expected.iter().enumerate() {
        let found = found.index_axis(Axis(0), head).to_owned();
        assert_close(&format!("{name}, head {head}"), &found, expected);
    }
}

/// PyTorch's attentions, in the order in which its layers computed them.
#[track_caller]
fn assert_records(name: &str, found: &[AttentionRecord], expected: &[Vec<Rows>]) {
    assert_eq!(found.len(), expected.len(), "{name}: number of attentions");
    for (record, expected) in found.iter().zip(expected) {
        let name = format!("{name}, {:?} {}", record.kind, record.layer);
        assert_heads(&name, &record.weights, expected);
    }
}

#[test]
fn multi_head_attention_is_pytorchs() {
    let cases = torch().multi_head;
    assert_eq!(cases.len(), 3, "1, 2 and 8 heads");
    for Cases { heads, parameters, runs } in cases {
        assert_eq!(runs.len(), 8, "the fixture has lost its runs");
        let attention = parameters.attention("", heads);
        for run in runs {
            let name = format!("{heads} heads, {}", run.name);
            let (q, k, v) = (matrix(&run.query), matrix(&run.key), matrix(&run.value));
            let mask = additive(run.mask.as_ref(), run.padding.as_ref(), q.nrows());
            let found = attention.forward(&q, &k, &v, mask.as_ref()).unwrap();
            assert_close(&name, &found.output, &run.output);
            assert_heads(&name, &found.weights, &run.weights);
            assert_close(&name, &found.averaged(), &run.averaged);
        }
    }
}

#[test]
fn the_causal_mask_is_pytorchs() {
    let is_causal = |run: &&MultiHeadRun| run.name == "self, causal";
    for cases in torch().multi_head {
        let run = cases.runs.iter().find(is_causal).expect("a causal run");
        let expected = additive(run.mask.as_ref(), None, run.query.len());
        assert_eq!(mask::causal(run.query.len()), expected.unwrap());
    }
}

#[test]
fn layer_norm_is_pytorchs() {
    let cases = torch().layer_norm;
    assert_eq!(cases.len(), 2, "two values of ε");
    for case in cases {
        let norm = LayerNorm { epsilon: case.epsilon, ..case.parameters.norm("") };
        let found = norm.forward(&matrix(&case.x)).unwrap();
        assert_close(&format!("epsilon {}", case.epsilon), &found, &case.output);
    }
}

#[test]
fn activations_are_pytorchs() {
    let Activations { x, relu: expected_relu, gelu: expected_gelu } =
        torch().activations;
    for (i, x) in x.into_iter().enumerate() {
        assert!((relu(x) - expected_relu[i]).abs() <= 1e-15, "relu({x})");
        assert!((gelu(x) - expected_gelu[i]).abs() <= 1e-15 * x.abs().max(1.0), "{x}");
    }
}

#[test]
fn encoder_layer_is_pytorchs() {
    let cases = torch().encoder_layer;
    cases.assert_complete();
    for run in &cases.runs {
        let x = matrix(&run.x);
        let mask = additive(run.mask.as_ref(), run.padding.as_ref(), x.nrows());
        let found = cases.encoder_layer("", run).forward(&x, mask.as_ref()).unwrap();
        assert_close(&run.name(), &found.output, &run.output);
        assert_heads(&run.name(), &found.weights, &run.attentions[0]);
    }
}

#[test]
fn decoder_layer_is_pytorchs() {
    let cases = torch().decoder_layer;
    cases.assert_complete();
    for run in &cases.runs {
        let (x, memory) = (matrix(&run.x), matrix(run.memory.as_ref().unwrap()));
        let target = additive(run.mask.as_ref(), None, x.nrows());
        let hidden = additive(None, run.padding.as_ref(), x.nrows());
        let masks = DecoderMasks { target: target.as_ref(), memory: hidden.as_ref() };
        let found = cases.decoder_layer("", run).forward(&x, &memory, masks).unwrap();
        assert_close(&run.name(), &found.output, &run.output);
        assert_heads(&run.name(), &found.weights, &run.attentions[0]);
        assert_heads(&run.name(), &found.cross_weights, &run.attentions[1]);
    }
}

#[test]
fn encoder_of_three_layers_is_pytorchs() {
    let encoders = torch().encoders;
    assert_eq!(encoders.len(), 2, "without and with a final norm");
    for (cases, has_norm) in encoders.iter().zip([false, true]) {
        cases.assert_complete();
        let norm = cases.parameters.final_norm();
        assert_eq!(norm.is_some(), has_norm);
        for run in &cases.runs {
            let layers = (0..LAYERS)
                .map(|i| cases.encoder_layer(&format!("layers.{i}."), run))
                .collect();
            let x = matrix(&run.x);
            let mask = additive(run.mask.as_ref(), run.padding.as_ref(), x.nrows());
            let encoder = Encoder { layers, norm: norm.clone() };
            let found = encoder.forward(&x, mask.as_ref()).unwrap();
            assert_close(&run.name(), &found.output, &run.output);
            assert_records(&run.name(), &found.attentions, &run.attentions);
        }
    }
}

#[test]
fn decoder_of_three_layers_is_pytorchs() {
    let decoders = torch().decoders;
    assert_eq!(decoders.len(), 2, "without and with a final norm");
    for (cases, has_norm) in decoders.iter().zip([false, true]) {
        cases.assert_complete();
        let norm = cases.parameters.final_norm();
        assert_eq!(norm.is_some(), has_norm);
        for run in &cases.runs {
            let layers = (0..LAYERS)
                .map(|i| cases.decoder_layer(&format!("layers.{i}."), run))
                .collect();
            let (x, memory) = (matrix(&run.x), matrix(run.memory.as_ref().unwrap()));
            let target = additive(run.mask.as_ref(), None, x.nrows());
            let hidden = additive(None, run.padding.as_ref(), x.nrows());
            let masks =
                DecoderMasks { target: target.as_ref(), memory: hidden.as_ref() };
            let decoder = Decoder { layers, norm: norm.clone() };
            let found = decoder.forward(&x, &memory, masks).unwrap();
            assert_close(&run.name(), &found.output, &run.output);
            assert_records(&run.name(), &found.attentions, &run.attentions);
            assert_eq!(found.attentions[1].kind, AttentionKind::Cross);
        }
    }
}
