//! What must hold for any tokens and any weights.

use approx::assert_abs_diff_eq;
use ndarray::{Array1, Array2, Array3, Axis, s};
use proptest::collection::vec;
use proptest::prelude::*;
use self_attention::numpy::NumpyRandom;
use whole_transformer::{
    Activation, AttentionKind, Decoder, DecoderLayer, DecoderMasks, Encoder,
    EncoderLayer, FeedForward, LayerNorm, LayerOptions, Linear, MultiHeadAttention,
    NormOrder, Options, Positions, Transformer, largest_difference, mask, merge_heads,
    scaled_dot_product, sinusoidal, split_heads,
};

const D_MODEL: usize = 8;
const VOCABULARY: usize = 11;
const PADDING: usize = 0;

fn orders() -> impl Strategy<Value = NormOrder> {
    prop_oneof![Just(NormOrder::Post), Just(NormOrder::Pre)]
}

fn options(order: NormOrder) -> LayerOptions {
    let activation = Activation::Gelu;
    LayerOptions { d_model: D_MODEL, heads: 2, d_ff: 16, activation, order }
}

/// Fails unless this is the error, or its beginning before `…`.
#[track_caller]
fn refused<T, E: ToString>(result: Result<T, E>, expected: &str) {
    let error = result.err().expect("an error").to_string();
    let beginning = expected.strip_suffix('…').filter(|b| error.starts_with(b));
    assert_eq!(beginning.map_or(&*error, |_| expected), expected);
}

fn encoder(seed: u32, order: NormOrder) -> Encoder {
    let mut random = NumpyRandom::seed(seed);
    let mut layer = || EncoderLayer::random(&mut random, options(order)).unwrap();
    let layers = vec![layer(), layer()];
    Encoder { layers, norm: Some(LayerNorm::new(D_MODEL)) }
}

fn decoder(seed: u32, order: NormOrder) -> Decoder {
    let mut random = NumpyRandom::seed(seed);
    let mut layer = || DecoderLayer::random(&mut random, options(order)).unwrap();
    let layers = vec![layer(), layer()];
    Decoder { layers, norm: Some(LayerNorm::new(D_MODEL)) }
}

fn transformer(seed: u32, order: NormOrder) -> Transformer {
    let options = Options {
        source_vocabulary: VOCABULARY,
        target_vocabulary: VOCABULARY,
        layers: 2,
        layer: options(order),
        padding: Some(PADDING),
    };
    Transformer::random(&mut NumpyRandom::seed(seed), &options).unwrap()
}

/// Numbers in `[-2, 2)`, `[n, d_model]`.
fn words(seed: u32, n: usize) -> Array2<f64> {
    NumpyRandom::seed(seed).rand(n, D_MODEL) * 4.0 - 2.0
}

/// Tokens that are not padding.
fn tokens() -> impl Strategy<Value = Vec<usize>> {
    vec(1..VOCABULARY, 1..7)
}

fn shuffled(n: usize, rotation: usize) -> Vec<usize> {
    (0..n).rev().map(|i| (i + rotation) % n).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merging_undoes_splitting(
        n in 1..7_usize, heads in 1..5_usize, d_k in 1..5_usize,
    ) {
        let x = NumpyRandom::seed(1).rand(n, heads * d_k);
        let split = split_heads(&x, heads).unwrap();
        prop_assert_eq!(split.dim(), (heads, n, d_k));
        for h in 0..heads {
            let columns = x.slice(s![.., h * d_k..(h + 1) * d_k]);
            prop_assert_eq!(split.index_axis(Axis(0), h), columns);
        }
        prop_assert_eq!(merge_heads(&split).unwrap(), x);
    }

    #[test]
    fn encoder_without_positions_permutes_with_its_words(
        seed in any::<u32>(), n in 1..7_usize, rotation in 0..7_usize,
        order in orders(),
    ) {
        let (encoder, x) = (encoder(seed, order), words(seed, n));
        let permutation = shuffled(n, rotation);
        let straight = encoder.forward(&x, None).unwrap();
        let permuted = encoder.forward(&x.select(Axis(0), &permutation), None).unwrap();
        let expected = straight.output.select(Axis(0), &permutation);
        assert_abs_diff_eq!(permuted.output, expected, epsilon = 1e-9);
        for (a, b) in permuted.attentions.iter().zip(&straight.attentions) {
            let rows = b.weights.select(Axis(1), &permutation);
            let expected = rows.select(Axis(2), &permutation);
            assert_abs_diff_eq!(a.weights, expected, epsilon = 1e-9);
        }
    }

    #[test]
    fn encoder_without_words_that_are_padding_says_the_same_of_the_others(
        seed in any::<u32>(), n in 1..6_usize, extra in 1..4_usize, order in orders(),
    ) {
        let (encoder, x) = (encoder(seed, order), words(seed, n + extra));
        let padding: Vec<bool> = (0..n + extra).map(|i| i >= n).collect();
        let hidden = mask::key_padding(n + extra, &padding);
        let padded = encoder.forward(&x, Some(&hidden)).unwrap();
        let alone = encoder.forward(&x.slice(s![..n, ..]).to_owned(), None).unwrap();
        let others = padded.output.slice(s![..n, ..]).to_owned();
        assert_abs_diff_eq!(others, alone.output, epsilon = 1e-10);
        for record in &padded.attentions {
            let to_padding = record.weights.slice(s![.., .., n..]);
            prop_assert!(to_padding.iter().all(|&weight| weight == 0.0));
        }
    }

    #[test]
    fn decoder_does_not_see_what_comes_later(
        seed in any::<u32>(), n in 2..7_usize, cut in 1..6_usize, order in orders(),
    ) {
        let cut = cut.min(n - 1);
        let (decoder, memory) = (decoder(seed, order), words(seed ^ 1, 5));
        let x = words(seed, n);
        let mut changed = x.clone();
        changed.slice_mut(s![cut.., ..]).assign(&words(seed ^ 2, n - cut));
        let causal = mask::causal(n);
        let masks = DecoderMasks { target: Some(&causal), memory: None };
        let a = decoder.forward(&x, &memory, masks).unwrap();
        let b = decoder.forward(&changed, &memory, masks).unwrap();
        // To the last bit: what comes later is multiplied by weights of exactly 0.
        prop_assert_eq!(a.output.slice(s![..cut, ..]), b.output.slice(s![..cut, ..]));
        prop_assert_ne!(a.output.slice(s![cut.., ..]), b.output.slice(s![cut.., ..]));
        // The first words alone say the same too, to rounding.
        let causal = mask::causal(cut);
        let masks = DecoderMasks { target: Some(&causal), memory: None };
        let alone = decoder.forward(&x.slice(s![..cut, ..]).to_owned(), &memory, masks);
        let first = a.output.slice(s![..cut, ..]).to_owned();
        assert_abs_diff_eq!(alone.unwrap().output, first, epsilon = 1e-10);
    }

    #[test]
    fn transformer_ignores_padding_of_its_source(
        seed in any::<u32>(), source in tokens(), target in tokens(),
        extra in 1..4_usize, order in orders(),
    ) {
        let transformer = transformer(seed, order);
        let padded = [source.as_slice(), &vec![PADDING; extra]].concat();
        let a = transformer.forward(&source, &target).unwrap();
        let b = transformer.forward(&padded, &target).unwrap();
        assert_abs_diff_eq!(a.logits, b.logits, epsilon = 1e-10);
    }

    #[test]
    fn greedy_decoding_follows_the_largest_logits(
        seed in any::<u32>(), source in tokens(), limit in 0..6_usize,
        order in orders(),
    ) {
        let transformer = transformer(seed, order);
        let decoded = transformer.greedy(&source, (1, 2), limit).unwrap();
        let tokens = &decoded.tokens;
        prop_assert_eq!(tokens[0], 1);
        prop_assert!(tokens.len() == limit + 1 || tokens.last() == Some(&2));
        prop_assert!(tokens.len() <= limit + 1);
        if tokens.len() == 1 {
            return Ok(());
        }
        let (last, before) = tokens.split_last().unwrap();
        prop_assert!(!before[1..].contains(&2), "it went on after the end");
        let prediction = transformer.forward(&source, before).unwrap();
        for (row, &next) in prediction.logits.rows().into_iter().zip(&tokens[1..]) {
            prop_assert!(row.iter().all(|&logit| logit <= row[next] + 1e-10));
        }
        prop_assert!(*last < VOCABULARY);
        prop_assert_eq!(&prediction.attentions, &decoded.attentions);
    }

    #[test]
    fn each_head_is_an_attention_of_its_own(seed in any::<u32>(), n in 1..6_usize) {
        let mut random = NumpyRandom::seed(seed);
        let layer = MultiHeadAttention::random(&mut random, D_MODEL, 4).unwrap();
        let x = words(seed, n);
        let found = layer.forward(&x, &x, &x, None).unwrap();
        for h in 0..4 {
            let own = s![.., 2 * h..2 * h + 2];
            let part = |whole: Array2<f64>| whole.slice(own).to_owned();
            let q = part(x.dot(&layer.query.weight.t()));
            let k = part(x.dot(&layer.key.weight.t()));
            let v = part(x.dot(&layer.value.weight.t()));
            let expected = scaled_dot_product(&q, &k, &v, None).unwrap().weights;
            let weights = found.weights.index_axis(Axis(0), h).to_owned();
            assert_abs_diff_eq!(weights, expected, epsilon = 1e-12);
        }
    }
}

#[test]
fn a_query_that_may_look_nowhere_gets_zeros() {
    let x = words(3, 4);
    let mut hidden = mask::causal(4);
    hidden.row_mut(2).fill(f64::NEG_INFINITY);
    assert_eq!(mask::fully_masked(&hidden), [false, false, true, false]);
    let attended = scaled_dot_product(&x, &x, &x, Some(&hidden)).unwrap();
    assert!(attended.weights.row(2).iter().all(|&weight| weight == 0.0));
    assert!(attended.output.row(2).iter().all(|&value| value == 0.0));
    // Through the output projection, a row of zeros is the projection's bias.
    let mut random = NumpyRandom::seed(1);
    let mut layer = MultiHeadAttention::random(&mut random, D_MODEL, 2).unwrap();
    layer.output.bias = Array1::linspace(1.0, 8.0, D_MODEL);
    let found = layer.forward(&x, &x, &x, Some(&hidden)).unwrap();
    assert_eq!(found.output.row(2), layer.output.bias);
}

#[test]
fn a_source_of_nothing_but_padding_is_not_an_error() {
    let transformer = transformer(5, NormOrder::Post);
    let found = transformer.forward(&[PADDING, PADDING], &[1, 2]).unwrap();
    assert!(found.logits.iter().all(|logit| logit.is_finite()));
    let hidden = |kind| kind != AttentionKind::DecoderSelf;
    for record in found.attentions.iter().filter(|record| hidden(record.kind)) {
        assert!(record.weights.iter().all(|&weight| weight == 0.0), "{record:?}");
    }
}

#[test]
fn a_transformer_is_its_parts_in_order() {
    let whole = transformer(6, NormOrder::Pre);
    let (source, target) = ([3, 1, PADDING], [2, 5, 7, 2]);
    let found = whole.forward(&source, &target).unwrap();

    let positioned = |embedded| whole.positions.add_to(&embedded).unwrap();
    let x = positioned(whole.source_embedding.forward(&source).unwrap());
    let y = positioned(whole.target_embedding.forward(&target).unwrap());
    let hidden = mask::key_padding(3, &[false, false, true]);
    let memory = whole.encoder.forward(&x, Some(&hidden)).unwrap();
    let causal = mask::causal(4);
    let hidden = mask::key_padding(4, &[false, false, true]);
    let masks = DecoderMasks { target: Some(&causal), memory: Some(&hidden) };
    let decoded = whole.decoder.forward(&y, &memory.output, masks).unwrap();
    let logits = decoded.output.dot(&whole.projection.weight.t());
    assert_abs_diff_eq!(found.logits, logits, epsilon = 1e-12);
    assert_eq!(found.attentions, [memory.attentions, decoded.attentions].concat());
}

#[test]
fn only_positions_tell_the_order_of_the_source() {
    let mut transformer = transformer(6, NormOrder::Post);
    let logits = |transformer: &Transformer, source: &[usize]| {
        transformer.forward(source, &[1, 2]).unwrap().logits
    };
    let (a, b) = (logits(&transformer, &[3, 4, 5]), logits(&transformer, &[5, 3, 4]));
    let difference = (&a - &b).mapv(f64::abs).sum();
    assert!(difference > 1e-3, "with positions the order matters: {difference}");
    transformer.positions = Positions::None;
    let (a, b) = (logits(&transformer, &[3, 4, 5]), logits(&transformer, &[5, 3, 4]));
    assert_abs_diff_eq!(a, b, epsilon = 1e-10);
}

#[test]
fn every_attention_says_what_it_is() {
    let found = transformer(5, NormOrder::Pre).forward(&[1, 2, 3], &[4, 5]).unwrap();
    let kinds: Vec<_> = found
        .attentions
        .iter()
        .map(|record| (record.kind, record.layer, record.weights.dim()))
        .collect();
    let expected = [
        (AttentionKind::EncoderSelf, 0, (2, 3, 3)),
        (AttentionKind::EncoderSelf, 1, (2, 3, 3)),
        (AttentionKind::DecoderSelf, 0, (2, 2, 2)),
        (AttentionKind::Cross, 0, (2, 2, 3)),
        (AttentionKind::DecoderSelf, 1, (2, 2, 2)),
        (AttentionKind::Cross, 1, (2, 2, 3)),
    ];
    assert_eq!(kinds, expected);
    let record = &found.attentions[3];
    assert_eq!(record.heads(), 2);
    assert_eq!(record.head(1).unwrap(), record.weights.index_axis(Axis(0), 1));
    assert!(record.head(2).is_none());
    let mean = (&record.head(0).unwrap() + &record.head(1).unwrap()) / 2.0;
    assert_abs_diff_eq!(record.averaged(), mean, epsilon = 1e-15);
}

#[test]
fn sinusoidal_positions_are_the_papers() {
    let found = sinusoidal(50, 6);
    assert_eq!(found.row(0).to_vec(), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    for (position, row) in found.rows().into_iter().enumerate() {
        for pair in 0..3 {
            let power = (2 * pair) as f64 / 6.0;
            let angle = position as f64 / 10_000_f64.powf(power);
            assert_abs_diff_eq!(row[2 * pair], angle.sin(), epsilon = 1e-15);
            assert_abs_diff_eq!(row[2 * pair + 1], angle.cos(), epsilon = 1e-15);
        }
    }
    assert_eq!(sinusoidal(2, 3).row(0).to_vec(), [0.0, 1.0, 0.0], "odd widths");
}

#[test]
fn positions_are_added_row_by_row() {
    let x = words(1, 3);
    let table = words(2, 5);
    let learned = Positions::Learned(table.clone()).add_to(&x).unwrap();
    assert_eq!(learned, &x + &table.slice(s![..3, ..]));
    let sines = Positions::Sinusoidal.add_to(&x).unwrap();
    assert_eq!(sines, &x + &sinusoidal(3, D_MODEL));
    assert_eq!(Positions::None.add_to(&x).unwrap(), x);
}

#[test]
fn embeddings_are_scaled_by_the_root_of_the_width() {
    let transformer = transformer(5, NormOrder::Post);
    let embedding = &transformer.source_embedding;
    let found = embedding.forward(&[3, 3, 7]).unwrap();
    let expected = embedding.weight.select(Axis(0), &[3, 3, 7]) * 8_f64.sqrt();
    assert_eq!(found, expected);
}

#[test]
fn norm_makes_mean_0_and_variance_1() {
    let x = words(4, 5) * 100.0 + 7.0;
    for row in LayerNorm::new(D_MODEL).forward(&x).unwrap().rows() {
        assert_abs_diff_eq!(row.mean().unwrap(), 0.0, epsilon = 1e-12);
        assert_abs_diff_eq!(row.var(0.0), 1.0, epsilon = 1e-6);
    }
}

#[test]
fn heads_that_do_not_divide_are_named() {
    let message = "3 heads can't share d_model = 8: the number of heads must be a \
                   divisor of d_model";
    let random = &mut NumpyRandom::seed(1);
    refused(MultiHeadAttention::random(random, 8, 3), message);
    refused(split_heads(&words(1, 2), 3), message);
    refused(split_heads(&words(1, 2), 0), "0 heads can't share d_model = 8…");
}

#[test]
fn mismatched_shapes_are_named() {
    let attend = |k, v, mask: Option<(usize, usize)>| {
        let ones = Array2::<f64>::ones;
        let mask = mask.map(Array2::zeros);
        scaled_dot_product(&ones((2, 3)), &ones(k), &ones(v), mask.as_ref())
    };
    let error = attend((4, 5), (4, 3), None).unwrap_err().to_string();
    assert!(error.contains("multiply Q [2, 3] by Kᵀ [5, 4]"), "{error}");
    let rows = "K [4, 3] and V [5, 3] must have the same number of rows";
    refused(attend((4, 3), (5, 3), None), rows);
    let mask = "the mask has shape [4, 2]: with 2 queries and 4 keys it must be [2, 4]";
    refused(attend((4, 3), (4, 3), Some((4, 2))), mask);

    let error = encoder(1, NormOrder::Post).forward(&Array2::ones((3, 7)), None);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("multiply query [3, 7] by W_queryᵀ [8, 8]"), "{error}");

    let norm =
        "the norm's weight has 5 numbers, but X has 8 columns: they must be as many";
    refused(LayerNorm::new(5).forward(&words(1, 2)), norm);
    for (table, expected) in [
        ((9, 4), "the learned positions are 4 wide, but the words are 8"),
        ((2, 8), "3 tokens, but positions were learned for 2…"),
    ] {
        refused(
            Positions::Learned(Array2::zeros(table)).add_to(&words(1, 3)),
            expected,
        );
    }
}

#[test]
fn a_layer_whose_parts_do_not_fit_is_named() {
    let x = words(1, 2);
    let random = &mut NumpyRandom::seed(1);
    let mut network = FeedForward::random(random, 8, 16, Activation::Relu);
    network.linear1.bias = Array1::zeros(3);
    refused(network.forward(&x), "bias has 3 numbers, but W_linear1ᵀ has 16…");

    let mut wide = EncoderLayer::random(random, options(NormOrder::Pre)).unwrap();
    wide.feed_forward.linear2 = Linear::random(random, 16, 1);
    refused(wide.forward(&x, None), "a residual can't add [2, 1] to [2, 8]…");

    let layer = MultiHeadAttention::random(random, 8, 2).unwrap();
    let rows = "K [3, 4] and V [4, 4] must have the same number of rows";
    refused(layer.forward(&x, &words(1, 3), &words(1, 4), None), rows);

    let (weight, bias) = (Array2::zeros((16, 8)), Array1::zeros(24));
    let stacked = MultiHeadAttention::from_in_proj(2, &weight, &bias, layer.output);
    refused(stacked, "in_proj_weight [16, 8] and in_proj_bias [24]…");
}

#[test]
fn empty_input_is_named() {
    let expected = "X is empty (shape [0, 8]): give at least one row and one column";
    refused(encoder(1, NormOrder::Pre).forward(&Array2::zeros((0, 8)), None), expected);
    let transformer = transformer(1, NormOrder::Post);
    refused(
        transformer.forward(&[], &[1]),
        "the source has no tokens: give at least one",
    );
    refused(
        transformer.forward(&[1], &[]),
        "the target has no tokens: give at least one",
    );
}

#[test]
fn unknown_tokens_are_named_with_their_place() {
    let transformer = transformer(1, NormOrder::Post);
    let expected = "token 11 at position 1 is not in the vocabulary: it has 11 tokens, \
                    from 0";
    refused(transformer.greedy(&[1, 11], (1, 2), 3), expected);
    refused(transformer.greedy(&[1], (99, 2), 3), "token 99 at position 0…");
}

#[test]
fn what_is_not_a_number_is_named_with_its_place() {
    let mut x = words(1, 3);
    x[[2, 5]] = f64::NAN;
    for order in [NormOrder::Post, NormOrder::Pre] {
        let expected = "X[2, 5] is NaN: every value must be a finite number";
        refused(encoder(1, order).forward(&x, None), expected);
    }

    let mut memory = words(1, 3);
    memory[[0, 1]] = f64::INFINITY;
    let found = decoder(1, NormOrder::Post);
    let found = found.forward(&words(1, 2), &memory, DecoderMasks::default());
    refused(found, "memory[0, 1] is inf: every value must be a finite number");

    let mut transformer = transformer(1, NormOrder::Post);
    transformer.projection.weight[[3, 0]] = f64::NAN;
    let expected = "logits[0, 3] is NaN: every value must be a finite number";
    refused(transformer.forward(&[1], &[1]), expected);

    // What overflows is none either.
    let huge = Array2::from_elem((3, 1), 1e200);
    let expected = "scores[0, 0] is inf: every value must be a finite number";
    refused(scaled_dot_product(&huge, &huge, &huge, None), expected);
}

#[test]
fn masks_that_are_not_masks_are_named_with_their_place() {
    let x = words(1, 3);
    for bad in [f64::NAN, f64::INFINITY] {
        let mut wrong = mask::causal(3);
        wrong[[2, 1]] = bad;
        let message = format!(
            "mask[2, 1] is {bad}: use 0 to show a key to a query and −∞ to hide it"
        );
        refused(scaled_dot_product(&x, &x, &x, Some(&wrong)), &message);
    }
    let combined = mask::combine(&mask::causal(2), &mask::causal(3));
    refused(combined, "the mask has shape [3, 3]…");
}

#[test]
fn a_plain_reshape_would_mix_the_words() {
    let x = Array2::from_shape_fn((3, 4), |(word, column)| (10 * word + column) as f64);
    let split = split_heads(&x, 2).unwrap();
    assert_eq!(split.slice(s![1, 2, ..]).to_vec(), [22.0, 23.0]);
    let reshaped: Array3<f64> = x.to_shape((2, 3, 2)).unwrap().into_owned();
    assert_ne!(split, reshaped);
}

#[test]
fn the_largest_difference_misses_nothing() {
    let a = Array2::zeros((2, 3));
    let mut b = a.clone();
    b[[1, 0]] = -0.5;
    b[[0, 2]] = 0.25;
    assert_abs_diff_eq!(largest_difference(&a, &b), 0.5);
    assert!(largest_difference(&a, &Array2::zeros((3, 2))).is_infinite());
    b[[0, 1]] = f64::NAN; // before the largest, and after it
    assert!(largest_difference(&a, &b).is_nan());
    b[[0, 1]] = 0.0;
    b[[1, 2]] = f64::NAN;
    assert!(largest_difference(&b, &a).is_nan());
}

#[test]
fn activations_are_their_formulas() {
    // In Python: x * 0.5 * (1 + math.erf(x / math.sqrt(2))), and
    // 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))).
    for (x, exact, approximate) in [
        (-40.0, 0.0, 0.0),
        (-1.0, -0.158_655_253_931_457_07, -0.158_808_009_391_723_24),
        (0.0, 0.0, 0.0),
        (0.5, 0.345_731_230_637_006_56, 0.345_714_009_825_143_94),
        (2.0, 1.954_499_736_103_641_6, 1.954_597_694_087_775),
        (40.0, 40.0, 40.0),
    ] {
        let near = |activation: Activation, expected| {
            assert_abs_diff_eq!(activation.apply(x), expected, epsilon = 1e-15);
        };
        near(Activation::Gelu, exact);
        near(Activation::GeluTanh, approximate);
        near(Activation::Relu, x.max(0.0));
    }
}

#[test]
fn random_linear_layers_are_as_wide_as_glorot_says() {
    let linear = Linear::random(&mut NumpyRandom::seed(5), 16, 300);
    assert_eq!(linear.weight.dim(), (300, 16));
    let largest = linear.weight.fold(0.0_f64, |most, w| most.max(w.abs()));
    let bound = (6.0_f64 / 316.0).sqrt();
    assert!((0.98 * bound..=bound).contains(&largest), "{largest}");
}

#[test]
fn the_mean_cosine_of_known_words() {
    use ndarray::array;
    use whole_transformer::words::{ENGLISH, spell};

    let cosine = |x| whole_transformer::mean_cosine(&x).unwrap();
    assert_abs_diff_eq!(cosine(array![[1.0, 0.0], [0.0, 2.0]]), 0.0, epsilon = 1e-12);
    assert_abs_diff_eq!(cosine(array![[1.0, 1.0], [3.0, 3.0]]), 1.0, epsilon = 1e-12);
    // Cosines 0, 1/√2 and 1/√2.
    let three = array![[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
    assert_abs_diff_eq!(cosine(three), 2_f64.sqrt() / 3.0, epsilon = 1e-12);
    assert_eq!(spell(&ENGLISH, &[2, 3, 9]), ["the", "cat", "?"]);
}
