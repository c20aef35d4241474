//! Every operation's gradient: by hand in f32, by candle in f64, and by differences in f64.

#[path = "../../../tests/support/sets.rs"]
mod sets;
#[path = "../../../tests/support/values.rs"]
mod values;

use candle_core::{DType, Device, Result, Tensor, Var};
use gradients::{
    Attention, DropoutMask, LayerWeights, LinearWeights, NormWeights, attention,
    cross_entropy, derive_seed, dropout, embed, embedding, encoder_layer, gelu,
    layer_norm, linear, linear_cross_entropy, linear_relu, softmax,
};

/// Numbers in (−1, 1) that follow from the seed.
fn values(shape: &[usize], seed: u64) -> Tensor {
    let values = values::values(shape.iter().product(), seed);
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The function's result, and the gradients of Σ result ∘ weights.
fn gradients(
    inputs: &[Tensor],
    weights: &Tensor,
    function: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> (Tensor, Vec<Tensor>) {
    let variables: Vec<Var> =
        inputs.iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let tensors: Vec<Tensor> =
        variables.iter().map(|x| x.as_tensor().clone()).collect();
    let y = function(&tensors).unwrap();
    let sum = (&y * weights).unwrap().sum_all().unwrap();
    let found = gradients::backward(&sum).unwrap();
    let found = variables.iter().enumerate().map(|(i, x)| {
        found.get(x).unwrap_or_else(|| panic!("no gradient of input {i}")).clone()
    });
    (y.detach(), found.collect())
}

fn wide(x: &Tensor) -> Tensor {
    x.to_dtype(DType::F64).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    wide(x).flatten_all().unwrap().to_vec1().unwrap()
}

/// Fails unless two tensors agree to `tolerance` times the largest number.
#[track_caller]
fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (flat(found), flat(expected));
    let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    assert!(largest > 1e-3, "{what} is nothing");
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let error = (found - expected).abs() / largest;
        assert!(error <= tolerance, "{what}, value {i}: {found}, not {expected}");
    }
}

/// Compares a function of f32, computed fast, with its reference of f64, which candle
/// differentiates; and that with central differences.
#[track_caller]
fn check(
    inputs: &[Tensor],
    function: impl Fn(&[Tensor]) -> Result<Tensor>,
    reference: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let shape = function(inputs).unwrap().dims().to_vec();
    let weights = values(&shape, 99);
    let (fast, by_hand) = gradients(inputs, &weights, &function);
    let inputs: Vec<Tensor> = inputs.iter().map(wide).collect();
    let weights = wide(&weights);
    let (plain, by_candle) = gradients(&inputs, &weights, &reference);
    assert_close("the result", &fast, &plain, 2e-6);
    for (i, (by_hand, by_candle)) in by_hand.iter().zip(&by_candle).enumerate() {
        assert_close(&format!("the gradient of input {i}"), by_hand, by_candle, 5e-6);
    }

    let loss = |inputs: &[Tensor]| -> f64 {
        let sum = (reference(inputs).unwrap() * &weights).unwrap().sum_all();
        sum.unwrap().to_scalar().unwrap()
    };
    for (i, gradient) in by_hand.iter().enumerate() {
        let (gradient, given) = (flat(gradient), flat(&inputs[i]));
        let largest = gradient.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        for place in (0..given.len()).step_by(given.len() / 6 + 1) {
            let moved = |by: f64| {
                let (mut inputs, mut values) = (inputs.clone(), given.clone());
                values[place] += by;
                inputs[i] =
                    Tensor::from_vec(values, inputs[i].shape(), &Device::Cpu).unwrap();
                loss(&inputs)
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let error = (difference - gradient[place]).abs() / largest;
            assert!(
                error < 1e-5,
                "input {i}, value {place}: {}, but the loss grows by {difference}",
                gradient[place]
            );
        }
    }
}

#[test]
fn a_linear_layer() {
    let fast = |t: &[Tensor]| linear(&t[0], &t[1], &t[2]);
    let reference = |t: &[Tensor]| linear::reference(&t[0], &t[1], &t[2]);
    for [rows, inputs, outputs] in [[7, 5, 9], [300, 33, 70], [1, 1, 1], [513, 64, 192]]
    {
        let x = values(&[rows, inputs], 1);
        let (w, b) = (values(&[outputs, inputs], 2), values(&[outputs], 3));
        check(&[x, w, b], fast, reference);
    }
    let (x, w, b) = (values(&[7, 5], 1), values(&[9, 5], 2), values(&[9], 3));
    check(&[x, w, b], |t| linear_relu(&t[0], &t[1], &t[2]), |t| reference(t)?.relu());
    let x = values(&[2, 3, 5], 1);
    let (w, b) = (values(&[4, 5], 2), values(&[4], 3));
    check(&[x, w, b], fast, reference);
}

#[test]
fn gelu_of_each_value() {
    let x = (values(&[3, 211], 1) * 6.0).unwrap();
    check(&[x], |t| gelu(&t[0]), |t| gelu::reference(&t[0]));
}

#[test]
fn a_layer_norm() {
    let shapes: [(&[usize], f64); 4] =
        [(&[5, 7], 1e-5), (&[70, 48], 1e-5), (&[3, 192], 1e-5), (&[2, 3, 20], 1e-12)];
    for (shape, epsilon) in shapes {
        let (x, width) = ((values(shape, 1) * 3.0).unwrap(), shape[shape.len() - 1]);
        let (gamma, beta) = (values(&[width], 2), values(&[width], 3));
        check(
            &[x, gamma, beta],
            |t| layer_norm(&t[0], &t[1], &t[2], epsilon),
            |t| layer_norm::reference(&t[0], &t[1], &t[2], epsilon),
        );
    }
}

#[test]
fn attention_of_all_kinds() {
    let plain = Attention { heads: 3, mask: None, causal: false, dropout: None };
    let hidden = [0.0, 0.0, f32::MIN, 0.0, f32::MIN, f32::MIN];
    let mask = Tensor::from_slice(&hidden, (2, 3), &Device::Cpu).unwrap();
    let dropout = DropoutMask::new(0.3, 5).unwrap();
    let options = [
        ([2, 4, 4, 12], plain.clone()),
        ([3, 5, 21, 48], plain.clone()),
        ([2, 7, 3, 15], Attention { mask: Some(mask.clone()), ..plain.clone() }),
        ([2, 6, 6, 12], Attention { causal: true, ..plain.clone() }),
        ([2, 20, 20, 48], Attention { dropout, ..plain.clone() }),
        ([2, 40, 3, 30], Attention { mask: Some(mask), dropout, ..plain }),
    ];
    for ([batch, queries, keys, d_model], options) in options {
        let q = (values(&[batch, queries, d_model], 1) * 2.0).unwrap();
        let k = (values(&[batch, keys, d_model], 2) * 2.0).unwrap();
        let v = values(&[batch, keys, d_model], 3);
        check(
            &[q, k, v],
            |t| attention(&t[0], &t[1], &t[2], &options),
            |t| attention::reference(&t[0], &t[1], &t[2], &options),
        );
    }
}

#[test]
fn softmax_adds_up_to_1_and_doesnt_overflow() {
    let x = Tensor::new(&[[0.0_f32, 2_f32.ln()], [1e30, 1e30]], &Device::Cpu).unwrap();
    let expected = [1.0 / 3.0, 2.0 / 3.0, 0.5, 0.5];
    for (found, expected) in flat(&softmax(&x).unwrap()).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
    }
}

#[test]
fn a_query_that_sees_no_key_gets_nothing() {
    let mask = Tensor::full(f32::NEG_INFINITY, (1, 3), &Device::Cpu).unwrap();
    let options =
        Attention { heads: 1, mask: Some(mask), causal: false, dropout: None };
    let [q, k, v] = [1, 2, 3].map(|seed| values(&[1, 3, 4], seed));
    let found = attention(&q, &k, &v, &options).unwrap();
    assert_eq!(flat(&found), [0.0; 12]);
}

/// SplitMix64's first two numbers after seed 0, and "lowbias32" as Wellons publishes it, computed
/// apart (Python): a generator a bit off still loses about as many values as it says.
#[test]
fn dropout_draws_what_its_papers_say() {
    assert_eq!(
        [0, 1].map(|place| derive_seed(0, place)),
        [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]
    );
    let mask = DropoutMask::new(0.5, 0x0123_4567_89AB_CDEF).unwrap().unwrap();
    let factors: Vec<f32> = mask.factors(&64.into()).unwrap().to_vec1().unwrap();
    let lost = (0..64).fold(0_u64, |bits, i| bits | u64::from(factors[i] == 0.0) << i);
    assert_eq!(lost, 0xA759_A6E8_73C8_C447);
}

#[test]
fn dropout_of_each_value() {
    let mask = DropoutMask::new(0.25, 7).unwrap();
    check(
        &[values(&[30, 41], 1)],
        |t| dropout(&t[0], mask),
        |t| dropout::reference(&t[0], mask),
    );
}

#[test]
fn dropout_loses_as_many_as_it_says_and_others_with_another_seed() {
    let factors = |seed| -> Vec<f32> {
        let mask = DropoutMask::new(0.1, seed).unwrap().unwrap();
        let factors = mask.factors(&(1000, 1000).into()).unwrap();
        factors.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (a, b) = (factors(1), factors(2));
    let lost = |x: &&f32| **x == 0.0;
    // Of a million draws, the deviation is 300.
    let count = a.iter().filter(lost).count();
    assert!((98_500..101_500).contains(&count), "{count} lost");
    assert!(a.iter().all(|&x| x == 0.0 || (x - 1.0 / 0.9).abs() < 1e-6));
    let both = a.iter().zip(&b).filter(|(a, b)| **a == 0.0 && **b == 0.0).count();
    assert!((9_500..10_500).contains(&both), "{both} lost with both seeds");
    let next = a.windows(2).filter(|pair| pair[0] == 0.0 && pair[1] == 0.0).count();
    assert!((9_500..10_500).contains(&next), "{next} lost beside one that is");
}

fn paired<'a>(
    tables: &'a [Tensor],
    numbers: &[&'a [u32]],
) -> Vec<(&'a Tensor, &'a [u32])> {
    tables.iter().zip(numbers.iter().copied()).collect()
}

#[test]
fn rows_of_tables() {
    let numbers: [&[u32]; 3] = [&[3, 0, 3, 11, 3], &[0, 1, 2, 0, 1], &[0, 0, 1, 1, 0]];
    let tables = [values(&[12, 21], 1), values(&[3, 21], 2), values(&[2, 21], 3)];
    for count in 1..=3 {
        check(
            &tables[..count],
            |t| embed(&paired(t, &numbers)),
            |t| embedding::reference(&paired(t, &numbers)),
        );
    }
    let (one, same) =
        (embedding(&tables[0], numbers[0]), embed(&[(&tables[0], numbers[0])]));
    assert_eq!(flat(&one.unwrap()), flat(&same.unwrap()));
}

#[test]
fn the_loss_of_a_classification() {
    let targets = [3, 0, 36, 3, 11];
    check(
        &[(values(&[5, 37], 1) * 9.0).unwrap()],
        |t| cross_entropy(&t[0], &targets),
        |t| cross_entropy::reference(&t[0], &targets),
    );
    let inputs = [values(&[5, 20], 1), values(&[37, 20], 2), values(&[37], 3)];
    check(
        &inputs,
        |t| linear_cross_entropy(&t[0], &t[1], &t[2], &targets),
        |t| {
            cross_entropy::reference(&linear::reference(&t[0], &t[1], &t[2])?, &targets)
        },
    );
}

/// The layer whose parameters are `t[1..]`.
fn layer(t: &[Tensor], dropout: f64) -> LayerWeights<'_> {
    let linear = |i: usize| LinearWeights { weight: &t[i], bias: &t[i + 1] };
    let norm = |i: usize| NormWeights { gamma: &t[i], beta: &t[i + 1], epsilon: 1e-12 };
    LayerWeights {
        heads: 3,
        query: linear(1),
        key: linear(3),
        value: linear(5),
        output: linear(7),
        attention_norm: norm(9),
        linear1: linear(11),
        linear2: linear(13),
        feed_forward_norm: norm(15),
        dropouts: [dropout; 3],
    }
}

/// The same layer of the other operations' references.
fn layer_reference(
    x: &Tensor,
    mask: Option<&Tensor>,
    layer: &LayerWeights,
    seed: Option<u64>,
) -> Result<Tensor> {
    let linear = |x: &Tensor, w: LinearWeights| linear::reference(x, w.weight, w.bias);
    let norm = |x: &Tensor, n: NormWeights| {
        layer_norm::reference(x, n.gamma, n.beta, n.epsilon)
    };
    let dropout_of = |i: usize| match seed {
        Some(seed) => DropoutMask::new(layer.dropouts[i], derive_seed(seed, i as u64)),
        None => Ok(None),
    };
    let options = Attention {
        heads: layer.heads,
        mask: mask.cloned(),
        causal: false,
        dropout: dropout_of(0)?,
    };
    let [q, k, v] =
        [layer.query, layer.key, layer.value].map(|weights| linear(x, weights));
    let seen = attention::reference(&q?, &k?, &v?, &options)?;
    let seen = dropout::reference(&linear(&seen, layer.output)?, dropout_of(1)?)?;
    let h = norm(&(x + seen)?, layer.attention_norm)?;
    let g = gelu::reference(&linear(&h, layer.linear1)?)?;
    let f = dropout::reference(&linear(&g, layer.linear2)?, dropout_of(2)?)?;
    norm(&(h + f)?, layer.feed_forward_norm)
}

/// An input `[2, 5, 12]` and a layer's parameters; without the key's bias, whose gradient
/// is 0 but for rounding.
fn layer_inputs() -> Vec<Tensor> {
    let square: [(&[usize], f64); 2] = [(&[12, 12], 0.5), (&[12], 0.5)];
    let norm: [(&[usize], f64); 2] = [(&[12], 1.0), (&[12], 1.0)];
    let network: [(&[usize], f64); 4] =
        [(&[20, 12], 0.5), (&[20], 0.5), (&[12, 20], 0.5), (&[12], 0.5)];
    let parameters = [square.repeat(4), norm.to_vec(), network.to_vec(), norm.to_vec()];
    let parameters = (2..).zip(parameters.concat());
    let mut inputs = vec![values(&[2, 5, 12], 1)];
    inputs.extend(
        parameters.map(|(seed, (shape, scale))| (values(shape, seed) * scale).unwrap()),
    );
    inputs
}

#[test]
fn the_encoder_layer() {
    let hidden = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, f32::MIN, f32::MIN];
    let mask = Tensor::from_slice(&hidden, (2, 5), &Device::Cpu).unwrap();
    let mut inputs = layer_inputs();
    let key_bias = inputs.remove(4);
    let whole = |t: &[Tensor]| {
        let mut t = t.to_vec();
        t.insert(4, key_bias.to_dtype(t[0].dtype()).unwrap());
        t
    };
    for (mask, seed) in [(None, None), (Some(&mask), None), (Some(&mask), Some(3))] {
        check(
            &inputs,
            |t| encoder_layer(&t[0], mask, &layer(&whole(t), 0.2), seed),
            |t| layer_reference(&t[0], mask, &layer(&whole(t), 0.2), seed),
        );
    }
}

#[test]
fn an_encoder_layer_of_other_tensors_is_refused() {
    let inputs = layer_inputs();
    let refused = |x: &Tensor, t: &[Tensor], heads, mask, expected: &str| {
        let layer = LayerWeights { heads, ..layer(t, 0.2) };
        let found = encoder_layer(x, mask, &layer, None).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    };
    refused(&inputs[0], &inputs, 5, None, "5 heads");
    refused(&inputs[0], &inputs, 0, None, "0 heads");
    let short = values(&[2, 4], 1);
    refused(&inputs[0], &inputs, 3, Some(&short), "a mask that isn't 2 × 5");
    let mut turned = inputs.clone();
    turned[13] = turned[13].t().unwrap().contiguous().unwrap();
    refused(&inputs[0], &turned, 3, None, "parameters");
    let mut doubled = inputs.clone();
    doubled[1] = (Var::from_tensor(&inputs[1]).unwrap().as_tensor() * 2.0).unwrap();
    refused(&inputs[0], &doubled, 3, None, "not results");
}

#[test]
fn candles_own_backward_is_refused_where_it_would_leave_gradients_out() {
    let variables: Vec<Var> =
        layer_inputs().iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let t: Vec<Tensor> = variables.iter().map(|x| x.as_tensor().clone()).collect();
    let y = encoder_layer(&t[0], None, &layer(&t, 0.0), None).unwrap();
    let loss = y.sum_all().unwrap();
    let error = loss.backward().unwrap_err().to_string();
    assert!(error.contains("gradients::backward(&loss)"), "{error}");
    let error = gradients::backward(&loss).unwrap_err().to_string();
    assert!(error.contains("a second backward pass"), "{error}");
}

#[test]
fn numbers_of_another_type_are_refused() {
    let x = wide(&values(&[4, 6], 1));
    let (w, b) = (wide(&values(&[2, 6], 1)), wide(&values(&[2], 1)));
    let six = wide(&values(&[6], 1));
    let q = wide(&values(&[1, 4, 6], 1));
    let options = Attention { heads: 2, mask: None, causal: false, dropout: None };
    let mask = DropoutMask::new(0.5, 1).unwrap();
    let inputs: Vec<Tensor> = layer_inputs().iter().map(wide).collect();
    for found in [
        linear(&x, &w, &b),
        linear_relu(&x, &w, &b),
        gelu(&x),
        layer_norm(&x, &six, &six, 0.1),
        attention(&q, &q, &q, &options),
        dropout(&x, mask),
        embedding(&x, &[0]),
        cross_entropy(&x, &[0; 4]),
        linear_cross_entropy(&x, &w, &b, &[0; 4]),
        encoder_layer(&inputs[0], None, &layer(&inputs, 0.2), None),
    ] {
        let error = found.unwrap_err().to_string();
        assert!(error.contains("f64 on Cpu, but f32 on the CPU is needed"), "{error}");
    }
    let parameters =
        [("x".to_owned(), Var::from_tensor(&x).unwrap())].into_iter().collect();
    let options = gradients::AdamWOptions::default();
    let error = gradients::AdamW::new(&parameters, options).unwrap_err().to_string();
    assert!(error.contains("f32 on the CPU is needed"), "{error}");
}

#[test]
fn wrong_shapes_are_refused() {
    let x = values(&[4, 6], 1);
    let table = values(&[3, 6], 1);
    let nothing = Tensor::zeros((0, 6), DType::F32, &Device::Cpu).unwrap();
    let plain = |heads| Attention { heads, mask: None, causal: false, dropout: None };
    let long = Attention { mask: Some(values(&[1, 3], 1)), ..plain(2) };
    let q = values(&[1, 2, 6], 1);
    let none = Tensor::zeros((1, 0, 6), DType::F32, &Device::Cpu).unwrap();
    let six = values(&[6], 1);
    for (found, expected) in [
        (linear(&x, &values(&[2, 5], 1), &values(&[2], 1)), "linear: x"),
        (linear(&x, &values(&[2, 6], 1), &values(&[3], 1)), "linear: x"),
        (linear(&nothing, &table, &values(&[3], 1)), "one is empty"),
        (layer_norm(&x, &values(&[5], 1), &six, 0.1), "gamma"),
        (embedding(&table, &[0, 3]), "no row 3 in a table of 3"),
        (embedding(&table, &[]), "0 numbers"),
        (embed(&[(&table, &[0]), (&table, &[])]), "0 numbers"),
        (embed(&[(&table, &[0_u32][..]); 4]), "4 tables"),
        (embed(&[]), "no tables"),
        (cross_entropy(&x, &[0, 1]), "4 rows and 2 targets"),
        (cross_entropy(&x, &[0, 1, 2, 6]), "target 6"),
        (cross_entropy(&nothing, &[]), "0 rows"),
        (
            linear_cross_entropy(&x, &table, &values(&[4], 1), &[0; 4]),
            "linear_cross_entropy: h",
        ),
        (attention(&q, &q, &q, &plain(5)), "5 heads"),
        (attention(&q, &q, &q, &long), "a mask"),
        (attention(&q, &none, &none, &plain(2)), "0 keys"),
        (DropoutMask::new(1.0, 0).map(|_| x.clone()), "at least 0 and below 1"),
    ] {
        let error = found.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_threads_dont_matter() {
    let run = || {
        let inputs = [values(&[40, 9, 36], 1), values(&[36, 36], 2), values(&[36], 3)];
        let (y, gradients) = gradients(&inputs, &values(&[40, 9, 36], 4), |t| {
            let x = linear(&t[0], &t[1], &t[2])?;
            let dropout = DropoutMask::new(0.1, 5)?;
            let options = Attention { heads: 3, mask: None, causal: true, dropout };
            let x = attention(&x, &t[0], &x, &options)?;
            layer_norm(&gelu(&x)?, &t[2], &t[2], 1e-5)
        });
        [y].iter().chain(&gradients).map(flat).collect::<Vec<_>>()
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(run)
    };
    let one = with(1);
    for threads in [2, 3, 7] {
        assert_eq!(with(threads), one, "{threads} threads");
    }
}

#[test]
fn every_instruction_set_computes_the_same() {
    sets::again_under_the_slower_ones("");
}
