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
use ndarray::{Array1, Array2, Array3, Axis, array, s};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use self_attention::{check_finite, matmul, scaled_scores, softmax};
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
    let by_head: Array3<f64> = split_heads(&table, 2)?; // [heads, n, d_k]
    println!("split_heads\n{by_head}\n");
    println!("a reshape alone\n{}\n", table.to_shape((2, 2, 3))?);
    println!("merge_heads undoes split_heads: {}", merge_heads(&by_head)? == table);
    // ANCHOR_END: split

    // ANCHOR: layer
    let layer: MultiHeadAttention = MultiHeadAttention {
        heads: 4,
        query: Linear::random(&mut random, 16, 16),
        key: Linear::random(&mut random, 16, 16),
        value: Linear::random(&mut random, 16, 16),
        output: Linear::random(&mut random, 16, 16),
    };
    let attention: MultiHeadOutput = layer.forward(&x, &x, &x, None)?;
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
        .title(("Quatro heads, uma frase", "Four heads, one sentence"))
        .draw()?
        .show()?;
    // ANCHOR_END: heads

    // ANCHOR: two_sides
    for (head, map) in attention.weights.axis_iter(Axis(0)).enumerate() {
        let row: Array1<f64> = map.row(2).to_owned(); // “sentou” looks, [n]
        let most = likeliest(&row);
        println!(
            "head {head}: “sentou” looks most at “{}”, {:.4}",
            WORDS[most], row[most]
        );
    }
    // ANCHOR_END: two_sides

    // ANCHOR: causal_mask
    let triangle: Array2<f64> = causal(5); // [n, n]
    let masked: MultiHeadOutput = layer.forward(&x, &x, &x, Some(&triangle))?;
    println!("{triangle}");
    // ANCHOR_END: causal_mask

    // ANCHOR: causal_figure
    fn first_head(found: &MultiHeadOutput) -> Heatmap {
        Heatmap::new(&found.weights.index_axis(Axis(0), 0))
    }
    HeatmapGrid::of([first_head(&attention), first_head(&masked)])
        .panel_titles([("sem máscara", "no mask"), ("máscara causal", "causal mask")])
        .row_labels(WORDS)
        .column_labels(WORDS)
        .range(0.0, 1.0)
        .title("Head 0")
        .draw()?
        .show()?;
    // ANCHOR_END: causal_figure

    // ANCHOR: future
    let mut other: Array2<f64> = x.clone();
    other.row_mut(4).fill(7.0); // another last word
    let changed: MultiHeadOutput =
        layer.forward(&other, &other, &other, Some(&triangle))?;
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
    let long: MultiHeadOutput =
        layer.forward(&padded, &padded, &padded, Some(&hidden))?;
    let five: Array2<f64> = long.output.slice(s![..5, ..]).to_owned(); // [5, d_model]
    let difference: f64 = largest_difference(&five, &attention.output);
    println!("the five words did not notice: {}", difference < 1e-12);
    // ANCHOR_END: padded

    // ANCHOR: positions_image
    let positions: Array2<f64> = sinusoidal(64, 64); // [n, d_model]
    Heatmap::new(&positions)
        .diverging()
        .range(-1.0, 1.0)
        .row_title(("posição", "position"))
        .column_title(("coluna", "column"))
        .title(("Posições senoidais", "Sinusoidal positions"))
        .draw()?
        .show()?;
    // ANCHOR_END: positions_image

    // ANCHOR: four_positions
    println!("{:.4}", sinusoidal(4, 4)); // [n, d_model]
    // ANCHOR_END: four_positions

    // ANCHOR: rotation
    let (sine, cosine): (f64, f64) = 1_f64.sin_cos();
    let one_step: Array2<f64> = array![[cosine, sine], [-sine, cosine]];
    let mut pair: Array1<f64> = array![0.0, 1.0]; // sine and cosine of position 0
    for position in 1..=2 {
        pair = one_step.dot(&pair); // [2, 2] · [2] -> [2]
        println!("turned to position {position}: {pair:.4}");
    }
    // ANCHOR_END: rotation

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
        .title(("ReLU e GELU", "ReLU and GELU"))
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

    // ANCHOR: norm_by_hand
    let row: Array1<f64> = array![1.0, 2.0, 3.0, 4.0];
    let distances: Array1<f64> = &row - row.sum() / 4.0;
    let variance: f64 = distances.pow2().sum() / 4.0;
    println!("distances {distances}, squares {}", distances.pow2());
    println!("variance {variance}, its root {:.4}", variance.sqrt());
    println!("{:.4}", &distances / variance.sqrt());
    // ANCHOR_END: norm_by_hand

    // ANCHOR: norm_rows
    let rows: Array2<f64> = array![[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]];
    println!("{:.4}", LayerNorm::new(4).forward(&rows)?);
    // ANCHOR_END: norm_rows

    // ANCHOR: collapse
    let norm: LayerNorm = LayerNorm::new(16);
    let mut bare: Array2<f64> = x.clone();
    let mut post: Array2<f64> = x.clone();
    let mut pre: Array2<f64> = x.clone();
    let start: (f64, f64) = (0.0, mean_cosine(&x)?);
    let mut curves: [Vec<(f64, f64)>; 3] = [vec![start], vec![start], vec![start]];
    println!("layers   alone   1 − alone   post-norm   pre-norm");
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
            let rest = if alone > 1.0 - 1e-12 {
                "< 1e-12".to_owned()
            } else {
                format!("{:.0e}", 1.0 - alone)
            };
            println!("{depth:6}   {alone:.4}   {rest:>9}   {post:9.4}   {pre:8.4}");
        }
    }
    // ANCHOR_END: collapse

    // ANCHOR: collapse_chart
    LineChart::new()
        .title(("O quanto as palavras se parecem", "How alike the words become"))
        .x_title(("camadas", "layers"))
        .y_title(("cosseno médio", "mean cosine"))
        .series(("só atenção", "attention alone"), &curves[0])
        .series("residual, post-norm", &curves[1])
        .series("residual, pre-norm", &curves[2])
        .draw()?
        .show()?;
    // ANCHOR_END: collapse_chart

    // ANCHOR: other_stacks
    /// The mean cosine of the words after `depth` layers of each stack, all drawn from
    /// `seed`.
    fn after(depth: usize, seed: u32) -> Result<[f64; 6]> {
        let mut random = NumpyRandom::seed(seed);
        let norm = LayerNorm::new(16);
        let x = unit_variance(&mut random, 5, 16); // [n, d_model]
        let mut stacks: [Array2<f64>; 6] = std::array::from_fn(|_| x.clone());
        for _ in 0..depth {
            let layer = attention::MultiHeadAttention::random(&mut random, 16, 4)?;
            let attend = |x: &Array2<f64>| Ok(layer.forward(x, x, x, None)?.output);
            let wide = FeedForward::random(&mut random, 16, 64, Activation::Relu);
            let [alone, network, normal, summed, post, pre] = &mut stacks;
            *alone = attend(alone)?;
            *network = wide.forward(&attend(network)?)?;
            *normal = norm.forward(&attend(normal)?)?;
            *summed = &*summed + &attend(summed)?;
            *post = residual(NormOrder::Post, &norm, post, attend)?;
            *pre = residual(NormOrder::Pre, &norm, pre, attend)?;
        }
        let mut cosines = [0.0; 6];
        for (cosine, x) in cosines.iter_mut().zip(&stacks) {
            *cosine = mean_cosine(x)?;
        }
        Ok(cosines)
    }
    for depth in [2, 12] {
        let draws: Result<Vec<[f64; 6]>> =
            (0..50).map(|seed| after(depth, seed)).collect();
        let draws = draws?;
        println!("{depth} layers, 50 draws          lowest   median   highest");
        let (normal, summed) = ("norm, no residual", "residual, no norm");
        let names =
            ["alone", "with feed-forward", normal, summed, "post-norm", "pre-norm"];
        for (i, name) in names.into_iter().enumerate() {
            let mut cosines: Vec<f64> = draws.iter().map(|draw| draw[i]).collect();
            cosines.sort_by(f64::total_cmp);
            let [lowest, highest] = [cosines[0], cosines[49]];
            let median = f64::midpoint(cosines[24], cosines[25]);
            println!("{name:>24}    {lowest:.4}   {median:.4}   {highest:.4}");
        }
        let lower = draws.iter().filter(|[.., post, pre]| pre < post).count();
        println!("pre-norm below post-norm: {lower} of 50\n");
    }
    // ANCHOR_END: other_stacks

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

    // ANCHOR: lengths
    /// The mean length of the rows of `x`, `[n, d_model]`.
    fn mean_length(x: &Array2<f64>) -> f64 {
        x.pow2().sum_axis(Axis(1)).sqrt().sum() / x.nrows() as f64
    }
    let drawn: Array2<f64> = model.source_embedding.weight.clone(); // [vocabulary, d_model]
    println!("embedding, as drawn {:.4}", mean_length(&drawn));
    println!("times √d_model      {:.4}", mean_length(&(&drawn * 16_f64.sqrt())));
    println!("position            {:.4}", mean_length(&sinusoidal(5, 16)));
    // ANCHOR_END: lengths

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
        let title = match record.kind {
            AttentionKind::EncoderSelf => ("no encoder", "in the encoder"),
            AttentionKind::DecoderSelf => ("no decoder", "in the decoder"),
            AttentionKind::Cross => ("atenção cruzada", "cross-attention"),
        };
        Heatmap::new(&record.weights.index_axis(Axis(0), 0))
            .title(title)
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
    .title(("Camada 0, head 0", "Layer 0, head 0"))
    .draw()?
    .show()?;
    // ANCHOR_END: kinds

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
    Ok(())
}
