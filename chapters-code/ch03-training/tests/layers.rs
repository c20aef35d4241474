//! The layers in candle against chapter 2's, which are PyTorch's; dropout; names.
#![allow(missing_docs)]
#![allow(clippy::float_cmp, reason = "what is exact is compared exactly")]

use std::collections::HashMap;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::VarBuilder;
use ndarray::Array2;
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use training::{
    Activation, DecoderLayer, Dropout, DropoutRng, EncoderLayer, LayerNames,
    LayerOptions, TrainingError, WeightInit,
};
use whole_transformer::mask::causal;
use whole_transformer::{DecoderMasks, NormOrder};

const NAMES: LayerNames = LayerNames::OURS;

fn options(activation: Activation) -> LayerOptions {
    LayerOptions {
        d_model: 8,
        heads: 2,
        d_ff: 16,
        activation,
        epsilon: 1e-5,
        attention_dropout: 0.0,
        attention_output_dropout: 0.0,
        feed_forward_dropout: 0.0,
        init: WeightInit::Glorot,
    }
}

fn plain(activation: Activation) -> whole_transformer::LayerOptions {
    let order = NormOrder::Post;
    whole_transformer::LayerOptions {
        d_model: 8,
        heads: 2,
        d_ff: 16,
        activation,
        order,
    }
}

/// `[n, d]`, as a batch of two: itself, and itself doubled.
fn batch(x: &Array2<f64>) -> Tensor {
    let values: Vec<f64> = x.iter().copied().chain(x.iter().map(|x| 2.0 * x)).collect();
    Tensor::from_vec(values, (2, x.nrows(), x.ncols()), &Device::Cpu).unwrap()
}

fn matrix(x: &Array2<f64>) -> Tensor {
    let values: Vec<f64> = x.iter().copied().collect();
    Tensor::from_vec(values, x.dim(), &Device::Cpu).unwrap()
}

type Tensors = HashMap<String, Tensor>;

fn put(tensors: &mut Tensors, name: &str, layer: &whole_transformer::Linear) {
    tensors.insert(format!("{name}.weight"), matrix(&layer.weight));
    let bias = Tensor::new(layer.bias.to_vec(), &Device::Cpu).unwrap();
    tensors.insert(format!("{name}.bias"), bias);
}

fn put_attention(
    tensors: &mut Tensors,
    names: [&str; 4],
    attention: &whole_transformer::MultiHeadAttention,
) {
    let layers =
        [&attention.query, &attention.key, &attention.value, &attention.output];
    for (name, layer) in names.iter().zip(layers) {
        put(tensors, name, layer);
    }
}

fn put_norms(tensors: &mut Tensors, names: &[&str]) {
    for name in names {
        let (ones, zeros) = (
            Tensor::ones(8, DType::F64, &Device::Cpu),
            Tensor::zeros(8, DType::F64, &Device::Cpu),
        );
        tensors.insert(format!("{name}.weight"), ones.unwrap());
        tensors.insert(format!("{name}.bias"), zeros.unwrap());
    }
}

fn builder(tensors: Tensors) -> VarBuilder<'static> {
    VarBuilder::from_tensors(tensors, DType::F64, &Device::Cpu)
}

/// Asserts that row `i` of a batch is the matrix.
#[track_caller]
fn assert_row(found: &Tensor, i: usize, expected: &Array2<f64>) {
    let difference = (found.get(i).unwrap() - matrix(expected)).unwrap().abs().unwrap();
    let largest = difference.max_all().unwrap().to_scalar::<f64>().unwrap();
    assert!(largest < 1e-10, "{largest}");
}

#[test]
fn the_encoder_layer_is_chapter_2_s() {
    for activation in [Activation::Relu, Activation::Gelu, Activation::GeluTanh] {
        let mut random = NumpyRandom::seed(3);
        let expected =
            whole_transformer::EncoderLayer::random(&mut random, plain(activation))
                .unwrap();
        let mut tensors = Tensors::new();
        put_attention(&mut tensors, NAMES.attention(), &expected.attention);
        let [linear1, linear2] = NAMES.feed_forward();
        put(&mut tensors, linear1, &expected.feed_forward.linear1);
        put(&mut tensors, linear2, &expected.feed_forward.linear2);
        put_norms(&mut tensors, &[NAMES.attention_norm, NAMES.feed_forward_norm]);
        let layer = EncoderLayer::load(&builder(tensors), &NAMES, &options(activation))
            .unwrap();

        let x = unit_variance(&mut random, 5, 8); // [n, d_model]
        let found = layer.forward(&batch(&x), None, None).unwrap();
        assert_eq!(found.weights.dims(), [2, 2, 5, 5]);
        for (i, x) in [x.clone(), 2.0 * &x].iter().enumerate() {
            assert_row(&found.output, i, &expected.forward(x, None).unwrap().output);
        }
        // The same answer under a mask that hides the future.
        let mask = causal(5);
        let found = layer.forward(&batch(&x), Some(&matrix(&mask)), None).unwrap();
        let expected = expected.forward(&x, Some(&mask)).unwrap();
        assert_row(&found.output, 0, &expected.output);
        for head in 0..2 {
            let weights = found.weights.get(0).unwrap();
            let slice = expected.weights.index_axis(ndarray::Axis(0), head).to_owned();
            assert_row(&weights, head, &slice);
        }
    }
}

#[test]
fn the_decoder_layer_is_chapter_2_s() {
    let mut random = NumpyRandom::seed(4);
    let expected =
        whole_transformer::DecoderLayer::random(&mut random, plain(Activation::Relu))
            .unwrap();
    let mut tensors = Tensors::new();
    put_attention(&mut tensors, NAMES.attention(), &expected.attention);
    let cross = ["query", "key", "value", "output"]
        .map(|name| format!("cross_attention.{name}"));
    put_attention(
        &mut tensors,
        cross.each_ref().map(String::as_str),
        &expected.cross_attention,
    );
    let [linear1, linear2] = NAMES.feed_forward();
    put(&mut tensors, linear1, &expected.feed_forward.linear1);
    put(&mut tensors, linear2, &expected.feed_forward.linear2);
    let norms = [NAMES.attention_norm, "cross_attention_norm", NAMES.feed_forward_norm];
    put_norms(&mut tensors, &norms);
    let layer =
        DecoderLayer::load(&builder(tensors), &NAMES, &options(Activation::Relu))
            .unwrap();

    let x = unit_variance(&mut random, 4, 8); // [n, d_model]
    let memory = unit_variance(&mut random, 6, 8); // [m, d_model]
    let mask = causal(4);
    let found =
        layer.forward(&batch(&x), &batch(&memory), &matrix(&mask), None).unwrap();
    assert_eq!(found.weights.dims(), [2, 2, 4, 4]);
    assert_eq!(found.cross_weights.dims(), [2, 2, 4, 6]);
    for (i, factor) in [1.0, 2.0].into_iter().enumerate() {
        let masks = DecoderMasks { target: Some(&mask), memory: None };
        let (x, memory) = (factor * &x, factor * &memory);
        let expected = expected.forward(&x, &memory, masks).unwrap();
        assert_row(&found.output, i, &expected.output);
        for (found, expected) in [
            (&found.weights, &expected.weights),
            (&found.cross_weights, &expected.cross_weights),
        ] {
            for head in 0..2 {
                let slice = expected.index_axis(ndarray::Axis(0), head).to_owned();
                assert_row(&found.get(i).unwrap(), head, &slice);
            }
        }
    }
}

#[test]
fn heads_must_divide_the_width_and_dropout_is_below_1() {
    let wrong = LayerOptions { heads: 3, ..options(Activation::Relu) };
    let error =
        EncoderLayer::load(&builder(Tensors::new()), &NAMES, &wrong).unwrap_err();
    assert!(error.to_string().contains("3 heads can't share d_model = 8"), "{error}");
    for probability in [-0.1, 1.0, f64::NAN] {
        let found = Dropout::new(probability);
        assert!(matches!(found, Err(TrainingError::Dropout(_))), "{probability}");
    }
}

#[test]
fn dropout_loses_its_share_and_keeps_the_mean() {
    let ones = Tensor::ones((100, 100), DType::F32, &Device::Cpu).unwrap();
    let dropout = Dropout::new(0.25).unwrap();
    let lost = dropout.forward(&ones, Some(&DropoutRng::seed(1))).unwrap();
    let values = lost.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(values.iter().all(|&x| x == 0.0 || x == 4.0 / 3.0));
    let zeros = values.iter().filter(|&&x| x == 0.0).count() as f64 / 1e4;
    // Five standard deviations of a share of 10 000: 5 √(0.25 · 0.75 / 10 000) < 0.022.
    assert!((zeros - 0.25).abs() < 0.022, "{zeros}");
    let other = dropout.forward(&ones, Some(&DropoutRng::seed(2))).unwrap();
    let rows = |x: &Tensor| x.sum(D::Minus1).unwrap().to_vec1::<f32>().unwrap();
    assert_ne!(rows(&lost), rows(&other));
    let same = dropout.forward(&ones, Some(&DropoutRng::seed(1))).unwrap();
    assert_eq!(rows(&lost), rows(&same));
    assert_eq!(rows(&dropout.forward(&ones, None).unwrap()), rows(&ones));
}
