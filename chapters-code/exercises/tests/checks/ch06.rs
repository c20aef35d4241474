//! Checks for the exercises of chapter 6.

use ndarray::{Array2, Array3, Axis};
use self_attention::numpy::NumpyRandom;
use self_attention::softmax;

use super::asserts::assert_equal;

pub fn count_params(count_params: impl Fn(usize, usize, usize) -> usize) {
    let found = count_params(20, 10, 768);
    assert_eq!(
        found, 6_518_784,
        "Keras' summary says 6,518,784: are there biases in all five Dense layers, and \
         both gamma and beta?"
    );
    assert_eq!(
        count_params(7, 5, 4),
        264,
        "the sizes that are given count, not the notes'"
    );
}

pub fn matmul_shape(
    matmul_shape: impl Fn(
        &[Option<usize>],
        &[Option<usize>],
    ) -> Result<Vec<Option<usize>>, String>,
) {
    let (batch, q) = (None, [None, Some(10), Some(768)]);
    let k_t = [None, Some(768), Some(12)];
    assert_eq!(
        matmul_shape(&q, &k_t),
        Ok(vec![batch, Some(10), Some(12)]),
        "[…, n, d] times […, d, m] is […, n, m]"
    );
    let heads = [None, Some(8), Some(10), Some(96)];
    let heads_t = [None, Some(8), Some(96), Some(10)];
    assert_eq!(
        matmul_shape(&heads, &heads_t),
        Ok(vec![batch, Some(8), Some(10), Some(10)]),
        "the axes before the last two stay, however many they are"
    );
    let refused = |a: &[Option<usize>], b: &[Option<usize>], why: &str| {
        let Err(message) = matmul_shape(a, b) else {
            panic!("{a:?} times {b:?} must be an error: {why}");
        };
        for shape in [a, b] {
            let shape = format!("{shape:?}");
            assert!(
                message.contains(&shape),
                "the message must have {shape}: {message}"
            );
        }
    };
    refused(&q, &q, "768 columns, 10 rows: was the transposition forgotten?");
    refused(&heads, &k_t, "one has heads and the other doesn't");
    let six = [None, Some(6), Some(96), Some(10)];
    refused(&heads, &six, "8 heads and 6: the other axes must be equal");
    refused(&[Some(3)], &[Some(3)], "a vector has no rows and columns");
}

type Axes = Vec<Option<usize>>;

pub fn attention_shape(
    attention_shape: impl Fn(
        &[Option<usize>],
        &[Option<usize>],
        usize,
        usize,
    ) -> Result<[Axes; 2], String>,
) {
    let (x, memory) = ([None, Some(7), Some(64)], [None, Some(10), Some(48)]);
    let shape = |x: &[Option<usize>], memory: &[Option<usize>], heads, units| {
        attention_shape(x, memory, heads, units)
            .unwrap_or_else(|message| panic!("{x:?} and {memory:?} fit: {message}"))
    };
    let [weights, output] = shape(&x, &memory, 8, 32);
    let hint = "7 tokens look at 10, in each of 8 heads: [batch, heads, n, m], the batch \
                still unknown";
    assert_equal("weights", &weights, &[None, Some(8), Some(7), Some(10)], hint);
    let hint = "each of the 7 that look gets `units` numbers: neither their own width, 64, \
                nor a head's part of them";
    assert_equal("output", &output, &[None, Some(7), Some(32)], hint);
    let hint =
        "one head has a map, too, and a sequence of unknown length stays unknown";
    let open = [Some(2), None, Some(16)];
    let [weights, output] = shape(&open, &open, 1, 16);
    assert_equal("weights", &weights, &[Some(2), Some(1), None, None], hint);
    assert_equal("output", &output, &[Some(2), None, Some(16)], hint);

    let refused = |x: &[Option<usize>], memory: &[Option<usize>], heads, why: &str| {
        let Err(message) = attention_shape(x, memory, heads, 32) else {
            panic!("{x:?} and {memory:?} with {heads} heads must be an error: {why}");
        };
        for shape in [x, memory] {
            let shape = format!("{shape:?}");
            assert!(
                message.contains(&shape),
                "the message must have {shape}: {message}"
            );
        }
    };
    refused(&x, &memory, 5, "32 columns can't be shared among 5 heads");
    refused(&x, &memory, 0, "no heads share nothing, and nothing may be divided by 0");
    refused(
        &x,
        &[Some(4), Some(10), Some(48)],
        8,
        "an unknown batch isn't a batch of 4",
    );
    refused(&x, &[None, Some(10)], 8, "two axes are no batch of sequences");
}

pub fn softmax_axis(softmax_axis: impl Fn(&Array3<f64>) -> Option<usize>) {
    let rows = softmax(&(NumpyRandom::seed(8).rand(6, 4) * 5.0));
    let last = rows.to_shape((2, 3, 4)).expect("as many numbers").into_owned();
    let hint = "each token's weights, along the last axis, add up to 1";
    assert_equal("the right axis", &softmax_axis(&last), &Some(2), hint);
    let mut middle = last.clone();
    middle.swap_axes(1, 2); // [2, 4, 3]
    let hint = "here what adds up to 1 is what each token *receives*: the softmax was taken \
                over those that look";
    assert_equal("over the queries", &softmax_axis(&middle), &Some(1), hint);
    let mut batch = last.clone();
    batch.swap_axes(0, 2); // [4, 3, 2]
    let hint = "here the numbers of different sequences add up to 1";
    assert_equal("over the batch", &softmax_axis(&batch), &Some(0), hint);

    let mut almost = last.clone();
    almost[[1, 2, 3]] += 0.01;
    let hint = "one row adds up to 1.01: *every* sum has to be 1";
    assert_equal("a row is off", &softmax_axis(&almost), &None, hint);
    let hint = "rows that add up to 2 are no softmax, and their mean isn't asked for";
    assert_equal("twice as much", &softmax_axis(&(&last * 2.0)), &None, hint);
    let level = Array3::from_elem((2, 4, 4), 0.25);
    let hint =
        "all weights equal: rows and columns add up to 1, and the last axis counts";
    assert_equal("uniform", &softmax_axis(&level), &Some(2), hint);
    let rounded = last.mapv(|weight| weight + 1e-13);
    let hint = "sums are rounded: 1 to 1e-9, not to the last bit";
    assert_equal("rounding", &softmax_axis(&rounded), &Some(2), hint);
}

pub fn grouped_attention(
    grouped_attention: impl Fn(usize, usize, usize, usize) -> (usize, usize),
) {
    let parameters = |dim, heads, groups| grouped_attention(dim, heads, groups, 10).0;
    let hint = "with a group for each head it is the attention of chapter 2: four layers of \
                768 by 768, each with its bias";
    assert_equal("parameters", &parameters(768, 12, 12), &2_362_368, hint);
    let hint = "with 3 groups the keys' layer has 3 · 64 columns, and so has the values'; \
                their biases are as short, and queries and output are as before";
    assert_equal("parameters", &parameters(768, 12, 3), &1_476_480, hint);
    let hint = "one group, one key of 2 columns for all heads; bias included";
    assert_equal("parameters", &parameters(8, 4, 1), &180, hint);

    let products = |groups, n| grouped_attention(8, 4, groups, n).1;
    let hint = "5 tokens in four layers of 8 by 8, and two products of 4 heads · 5 · 5 · 2: \
                the scores, and the weights times the values";
    assert_equal("multiplications", &products(4, 5), &1680, hint);
    let hint = "one group makes the keys' and values' layers narrower; scores and weighted \
                sums cost what they did: each head has a map of its own";
    assert_equal("multiplications", &products(1, 5), &1200, hint);
    let hint = "twice the tokens: the layers cost twice as much, the maps four times";
    assert_equal("multiplications", &products(1, 10), &3200, hint);
}

/// Where the first token looks, `[10]`, by the weights that were written.
fn first_looks(
    [tokens, positions, query, key]: &[Array2<f64>; 4],
    ids: &[usize],
) -> Vec<f64> {
    let x = tokens.select(Axis(0), ids) + positions; // [10, width]
    let (q, k) = (x.dot(query), x.dot(key)); // [10, d_k]
    let scores = q.dot(&k.t()) / (query.ncols() as f64).sqrt(); // [10, 10]
    softmax(&scores).row(0).to_vec()
}

pub fn pointer_by_hand(pointer_by_hand: impl Fn() -> [Array2<f64>; 4]) {
    let written = pointer_by_hand();
    let [tokens, positions, query, key] = written.each_ref().map(Array2::dim);
    let (width, d_k) = query;
    assert_eq!(
        [tokens, positions, key],
        [(20, width), (10, width), (width, d_k)],
        "20 ids and 10 positions, all of the kernels' `width`: they are added before the \
         kernels see them; queries and keys have the same `d_k`"
    );
    let alike = |number: usize| [vec![number], vec![10; 9]].concat();
    let mixed = |number: usize| {
        (0..10).map(move |p| if p == 0 { number } else { 10 + (7 * p) % 10 })
    };
    for number in 1..10 {
        for ids in [alike(number), mixed(number).collect()] {
            let weights = first_looks(&written, &ids);
            let (largest, weight) =
                (0..10).map(|j| (j, weights[j])).fold((0, f64::MIN), |best, one| {
                    if one.1 > best.1 { one } else { best }
                });
            let what = format!(
                "of {ids:?}, the first token looks most at {largest}, with {weight:.3}"
            );
            assert!(
                weights[number] >= 0.5 || largest == number,
                "{what}: it should be {number}. Its query is made of the number's vector, \
                 the other's key of the position's; what the letters and position 0 add must \
                 not change that"
            );
            assert!(
                weights[number] >= 0.99,
                "{what}: the place is right, but 0.99 is asked. A softmax sharpens as its \
                 scores grow"
            );
        }
    }
}
