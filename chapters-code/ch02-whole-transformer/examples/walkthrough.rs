//! The cells of chapter 2, in order: `cargo run -p ch02-whole-transformer --example
//! ch02-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use std::f64::consts::SQRT_2;

use figures::{Heatmap, HeatmapGrid, LineChart};
use ndarray::{Array1, Array2, Array3, ArrayViewMut1, Axis, array, s};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use self_attention::{AttentionError, check_finite, matmul, scaled_scores, softmax};
use whole_transformer::cost::*;
use whole_transformer::mask::*;
use whole_transformer::words::*;
use whole_transformer::*;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: x
    let mut random: NumpyRandom = NumpyRandom::seed(42);
    let x: Array2<f64> = unit_variance(&mut random, 5, 16); // [n, d_model]
    println!("{WORDS:?}: X {:?}", x.dim());
    // ANCHOR_END: x

    // ANCHOR: split
    let table: Array2<f64> =
        Array2::from_shape_fn((2, 6), |(word, column)| (10 * word + column) as f64);
    println!("X {:?}\n{table}\n", table.dim());
    println!("split_heads\n{}\n", split_heads(&table, 2)?); // [heads, n, d_k]
    println!("a reshape alone\n{}", table.to_shape((2, 2, 3))?);
    // ANCHOR_END: split

    // ANCHOR: merge
    println!("undone: {}", merge_heads(&split_heads(&table, 2)?)? == table);
    // ANCHOR_END: merge

    // ANCHOR: layer
    let layer: MultiHeadAttention = MultiHeadAttention {
        heads: 4,
        query: Linear::random(&mut random, 16, 16),
        key: Linear::random(&mut random, 16, 16),
        value: Linear::random(&mut random, 16, 16),
        output: Linear::random(&mut random, 16, 16),
    };
    let attention: MultiHead = layer.forward(&x, &x, &x, None)?;
    println!("weights {:?}", attention.weights.dim()); // [heads, n, n]
    println!("output  {:?}", attention.output.dim()); // [n, d_model]
    // ANCHOR_END: layer

    // ANCHOR: heads
    HeatmapGrid::new(&attention.weights)
        .panel_titles(["head 0", "head 1", "head 2", "head 3"])
        .row_labels(WORDS)
        .column_labels(WORDS)
        .columns(2)
        .range(0.0, 1.0)
        .title("Four heads, one sentence")
        .draw()?
        .show()?;
    // ANCHOR_END: heads

    // ANCHOR: favourites
    for (i, word) in WORDS.iter().enumerate() {
        print!("{word:>6} →");
        for head in attention.weights.outer_iter() {
            print!("  {:<6}", WORDS[likeliest(&head.row(i).to_owned())]);
        }
        println!();
    }
    // ANCHOR_END: favourites

    // ANCHOR: causal_mask
    let triangle: Array2<f64> = causal(5); // [n, n]
    println!("{triangle}");
    // ANCHOR_END: causal_mask

    // ANCHOR: causal_figure
    let masked: MultiHead = layer.forward(&x, &x, &x, Some(&triangle))?;
    let panels: [(&str, Array2<f64>); 3] = [
        ("e^mask", triangle.exp()), // e⁰ = 1, e^−∞ = 0
        ("head 0, free", attention.weights.index_axis(Axis(0), 0).to_owned()),
        ("head 0, causal", masked.weights.index_axis(Axis(0), 0).to_owned()),
    ];
    HeatmapGrid::of(panels.map(|(name, values)| Heatmap::new(&values).title(name)))
        .row_labels(WORDS)
        .column_labels(WORDS)
        .columns(2)
        .range(0.0, 1.0)
        .title("The causal mask")
        .draw()?
        .show()?;
    // ANCHOR_END: causal_figure

    // ANCHOR: future
    let mut other: Array2<f64> = x.clone();
    other.row_mut(4).fill(7.0); // another last word
    let changed: MultiHead = layer.forward(&other, &other, &other, Some(&triangle))?;
    for (i, word) in WORDS.iter().enumerate() {
        let (before, after) = (masked.output.row(i), changed.output.row(i));
        println!("{word:>6}: {:.4}", largest_difference(&before, &after));
    }
    // ANCHOR_END: future

    // ANCHOR: padded
    let mut padded: Array2<f64> = Array2::zeros((7, 16)); // two rows of padding
    padded.slice_mut(s![..5, ..]).assign(&x);
    let padding: [bool; 7] = [false, false, false, false, false, true, true];
    let hidden: Array2<f64> = key_padding(7, &padding); // [n, n]
    println!("{hidden}");
    let long: MultiHead = layer.forward(&padded, &padded, &padded, Some(&hidden))?;
    let five: Array2<f64> = long.output.slice(s![..5, ..]).to_owned(); // [5, d_model]
    let difference: f64 = largest_difference(&five, &attention.output);
    println!("the five words did not notice: {}", difference < 1e-12);
    // ANCHOR_END: padded

    // ANCHOR: nowhere
    let nowhere: Array2<f64> = combine(&key_padding(2, &[true, false]), &causal(2))?;
    let two: Array2<f64> = x.slice(s![..2, ..]).to_owned(); // [2, d_model]
    println!("mask\n{nowhere}\n");
    println!(
        "weights\n{}",
        scaled_dot_product(&two, &two, &two, Some(&nowhere))?.weights
    );
    // ANCHOR_END: nowhere

    // ANCHOR: positions_image
    let positions: Array2<f64> = sinusoidal(64, 64); // [n, d_model]
    Heatmap::new(&positions)
        .range(-1.0, 1.0)
        .row_title("position")
        .column_title("column")
        .title("Sinusoidal positions")
        .draw()?
        .show()?;
    // ANCHOR_END: positions_image

    // ANCHOR: distances
    let products: Array2<f64> = positions.dot(&positions.t()); // [n, n]
    for start in [0, 20, 40] {
        let at = |distance: usize| products[[start, start + distance]];
        let (itself, next, near, far) = (at(0), at(1), at(5), at(20));
        println!("from {start:2}: {itself:.4}  {next:.4}  {near:.4}  {far:.4}");
    }
    // ANCHOR_END: distances

    // ANCHOR: order
    let order: [usize; 5] = [4, 1, 2, 3, 0]; // tapete gato sentou no o
    let placed: Array2<f64> = &x + &sinusoidal(5, 16);
    let shuffled: Array2<f64> = x.select(Axis(0), &order);
    let shuffled_placed: Array2<f64> = &shuffled + &sinusoidal(5, 16);
    for (name, before, after) in [
        ("without positions", &x, &shuffled),
        ("with positions", &placed, &shuffled_placed),
    ] {
        let before = layer.forward(before, before, before, None)?.output;
        let after = layer.forward(after, after, after, None)?.output;
        let difference = largest_difference(&after, &before.select(Axis(0), &order));
        println!("{name:>17}: {difference:.4}");
    }
    // ANCHOR_END: order

    // ANCHOR: activation_chart
    fn curve(f: fn(f64) -> f64) -> Vec<(f64, f64)> {
        Array1::linspace(-4.0, 4.0, 81).iter().map(|&x| (x, f(x))).collect()
    }
    LineChart::new()
        .title("ReLU and GELU")
        .x_title("x")
        .y_title("f(x)")
        .series("relu", &curve(relu))
        .series("gelu", &curve(gelu))
        .draw()?
        .show()?;
    println!("gelu(-1) = {:.4}, gelu(1) = {:.4}", gelu(-1.0), gelu(1.0));
    // ANCHOR_END: activation_chart

    // ANCHOR: alone
    let network: FeedForward =
        FeedForward::random(&mut random, 16, 64, Activation::Relu);
    let together: Array2<f64> = network.forward(&x)?; // [n, d_model]
    let alone: Array2<f64> = network.forward(&x.slice(s![1..2, ..]).to_owned())?;
    let difference: f64 = largest_difference(&together.row(1), &alone.row(0));
    println!("“gato” alone gives the same: {}", difference < 1e-12);
    // ANCHOR_END: alone

    // ANCHOR: parameters
    let (d_model, d_ff): (usize, usize) = (512, 2048);
    let in_attention: usize = 4 * (d_model * d_model + d_model);
    let in_network: usize = (d_model * d_ff + d_ff) + (d_ff * d_model + d_model);
    println!("attention    {in_attention:9}");
    println!("feed-forward {in_network:9}");
    for (name, attentions) in [("encoder", 1), ("decoder", 2)] {
        let share = in_network as f64 / (attentions * in_attention + in_network) as f64;
        println!("feed-forward in the {name}'s layer: {:.1} %", 100.0 * share);
    }
    // ANCHOR_END: parameters

    // ANCHOR: norm_rows
    let rows: Array2<f64> = array![[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]];
    println!("{:.4}", LayerNorm::new(4).forward(&rows)?);
    // ANCHOR_END: norm_rows

    // ANCHOR: collapse
    let norm: LayerNorm = LayerNorm::new(16);
    let (mut bare, mut post, mut pre): (Array2<f64>, Array2<f64>, Array2<f64>) =
        (x.clone(), x.clone(), x.clone());
    let start: (f64, f64) = (0.0, mean_cosine(&x)?);
    let mut curves: [Vec<(f64, f64)>; 3] = [vec![start], vec![start], vec![start]];
    println!("layers   alone    post-norm   pre-norm");
    for depth in 1..=12 {
        let layer = attention::MultiHeadAttention::random(&mut random, 16, 4)?;
        let attend = |x: &Array2<f64>| Ok(layer.forward(x, x, x, None)?.output);
        bare = attend(&bare)?;
        post = residual(NormOrder::Post, &norm, &post, attend)?;
        pre = residual(NormOrder::Pre, &norm, &pre, attend)?;
        let cosines = [mean_cosine(&bare)?, mean_cosine(&post)?, mean_cosine(&pre)?];
        for (curve, cosine) in curves.iter_mut().zip(cosines) {
            curve.push((f64::from(depth), cosine));
        }
        if [1, 2, 3, 6, 12].contains(&depth) {
            let [alone, post, pre] = cosines;
            println!("{depth:6}   {alone:.4}   {post:9.4}   {pre:8.4}");
        }
    }
    // ANCHOR_END: collapse

    // ANCHOR: collapse_chart
    LineChart::new()
        .title("How alike the words become")
        .x_title("layers")
        .y_title("mean cosine")
        .series("attention alone", &curves[0])
        .series("residual, post-norm", &curves[1])
        .series("residual, pre-norm", &curves[2])
        .draw()?
        .show()?;
    // ANCHOR_END: collapse_chart

    // ANCHOR: model
    let layer_options: LayerOptions = LayerOptions {
        d_model: 16,
        heads: 4,
        d_ff: 64,
        activation: Activation::Relu,
        order: NormOrder::Pre,
    };
    let options: Options = Options {
        source_vocabulary: PORTUGUESE.len(),
        target_vocabulary: ENGLISH.len(),
        layers: 2,
        layer: layer_options,
        padding: Some(0),
    };
    let model: Transformer = Transformer::random(&mut NumpyRandom::seed(4), &options)?;
    // ANCHOR_END: model

    // ANCHOR: prediction
    let source: [usize; 5] = [1, 2, 3, 4, 5];
    let target: [usize; 7] = [0, 2, 3, 4, 5, 2, 6];
    println!("{:?}", spell(&PORTUGUESE, &source));
    println!("{:?}\n", spell(&ENGLISH, &target));
    let prediction: Prediction = model.forward(&source, &target)?;
    println!("logits {:?}", prediction.logits.dim()); // [n, vocabulary]
    for record in &prediction.attentions {
        let kind = format!("{:?}", record.kind);
        println!("{kind:<12} layer {}  {:?}", record.layer, record.weights.dim());
    }
    // ANCHOR_END: prediction

    // ANCHOR: kinds
    fn panel(record: &AttentionRecord, rows: &[&str], columns: &[&str]) -> Heatmap {
        Heatmap::new(&record.weights.index_axis(Axis(0), 0))
            .title(format!("{:?}", record.kind))
            .row_labels(rows)
            .column_labels(columns)
    }
    let from: Vec<&str> = spell(&PORTUGUESE, &source);
    let to: Vec<&str> = spell(&ENGLISH, &target);
    HeatmapGrid::of([
        panel(&prediction.attentions[0], &from, &from),
        panel(&prediction.attentions[2], &to, &to),
        panel(&prediction.attentions[3], &to, &from),
    ])
    .columns(2)
    .range(0.0, 1.0)
    .title("Layer 0, head 0")
    .draw()?
    .show()?;
    // ANCHOR_END: kinds

    // ANCHOR: cross
    HeatmapGrid::new(&prediction.attentions[5].weights) // [heads, n, m]
        .panel_titles(["head 0", "head 1", "head 2", "head 3"])
        .row_labels(spell(&ENGLISH, &target))
        .column_labels(spell(&PORTUGUESE, &source))
        .row_title("target")
        .column_title("source")
        .columns(2)
        .range(0.0, 1.0)
        .title("Cross-attention, layer 1")
        .draw()?
        .show()?;
    // ANCHOR_END: cross

    // ANCHOR: at_once
    let mut largest: f64 = 0.0;
    for n in 1..=target.len() {
        let step: Prediction = model.forward(&source, &target[..n])?;
        let (once, now) = (prediction.logits.row(n - 1), step.logits.row(n - 1));
        largest = largest.max(largest_difference(&once, &now));
    }
    println!("step by step, the same: {}", largest < 1e-12);
    // ANCHOR_END: at_once

    // ANCHOR: writing
    let decoded: Decoded = model.greedy(&source, (0, 1), 10)?;
    println!("seed 4: {}", spell(&ENGLISH, &decoded.tokens).join(" "));
    for seed in [2, 3, 5] {
        let other = Transformer::random(&mut NumpyRandom::seed(seed), &options)?;
        let tokens = other.greedy(&source, (0, 1), 10)?.tokens;
        println!("seed {seed}: {}", spell(&ENGLISH, &tokens).join(" "));
    }
    // ANCHOR_END: writing

    // ANCHOR: running
    let mut running: RunningSoftmax = RunningSoftmax::EMPTY;
    for mut block in [array![1.0, 3.0], array![2.0, 5.0], array![-1.0, 4.0]] {
        print!("{block}");
        let correction = running.absorb(block.view_mut());
        print!(" earlier terms × {correction:.4},");
        println!("  maximum {}, sum {:.4}", running.maximum, running.sum);
    }
    let row: Array1<f64> = array![1.0, 3.0, 2.0, 5.0, -1.0, 4.0];
    println!("all at once:  maximum 5, sum {:.4}", (row - 5.0).exp().sum());
    // ANCHOR_END: running

    // ANCHOR: online
    let scores: Array2<f64> = scaled_scores(&x, &x)?; // [n, n]
    for block in [1, 2, 3, 5] {
        let online = online_softmax(&scores, block)?;
        let difference = largest_difference(&online, &softmax(&scores));
        println!("blocks of {block}: the same: {}", difference < 1e-12);
    }
    // ANCHOR_END: online

    // ANCHOR: blocks
    let [q, k, v]: [Array2<f64>; 3] =
        [(); 3].map(|()| unit_variance(&mut random, 300, 64)); // [n, d_k]
    let whole: Array2<f64> = scaled_dot_product(&q, &k, &v, None)?.output;
    let in_blocks: Array2<f64> = blockwise_attention(&q, &k, &v, |_, _| 0.0, 64)?;
    println!("the same, to 1e-12: {}", largest_difference(&whole, &in_blocks) < 1e-12);
    // ANCHOR_END: blocks

    // ANCHOR: cost
    let cost: Cost = Cost::of_the_book()?;
    println!("{}\n", cost.machine);
    println!("                 whole              blockwise");
    println!("tokens        ms         kB       ms       kB");
    for (whole, block) in cost.whole.iter().zip(&cost.blockwise) {
        let [a, b] =
            [whole, block].map(|one| (one.seconds * 1e3, one.bytes as f64 / 1e3));
        let (tokens, (ms, kb)) = (whole.tokens, a);
        println!("{tokens:6}  {ms:8.3}  {kb:9.1} {:8.3} {:8.1}", b.0, b.1);
    }
    // ANCHOR_END: cost

    // ANCHOR: exponents
    for (name, measured) in [("whole", &cost.whole), ("blockwise", &cost.blockwise)] {
        let long: Vec<Measurement> =
            measured.iter().copied().filter(|one| one.tokens >= 256).collect();
        let (time, memory) = (exponent(&seconds(&long)), exponent(&bytes(&long)));
        println!("{name:>9}: time ∝ n^{time:.2}, memory ∝ n^{memory:.2}");
        if let [.., before, last] = long[..] {
            let per_token = (last.bytes - before.bytes) / (last.tokens - before.tokens);
            println!("           each token from 2048 to 4096: {per_token} bytes");
        }
    }
    // ANCHOR_END: exponents

    // ANCHOR: time_chart
    LineChart::new()
        .title("Time of one attention")
        .x_title("tokens")
        .y_title("seconds")
        .log_x()
        .log_y()
        .x_ticks(&TOKENS.map(|tokens| tokens as f64))
        .series("whole", &seconds(&cost.whole))
        .series("blockwise", &seconds(&cost.blockwise))
        .draw()?
        .show()?;
    // ANCHOR_END: time_chart

    // ANCHOR: memory_chart
    LineChart::new()
        .title("Memory of one attention")
        .x_title("tokens")
        .y_title("bytes")
        .log_x()
        .log_y()
        .x_ticks(&TOKENS.map(|tokens| tokens as f64))
        .series("whole", &bytes(&cost.whole))
        .series("blockwise", &bytes(&cost.blockwise))
        .draw()?
        .show()?;
    // ANCHOR_END: memory_chart
    Ok(())
}
