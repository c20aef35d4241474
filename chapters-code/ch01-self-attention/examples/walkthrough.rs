//! The cells of chapter 1, in order: `cargo run -p ch01-self-attention --example
//! ch01-walkthrough`.
//!
//! The notebook defines softmax and attention anew, to be changed there; here they come
//! from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use figures::{Heatmap, LineChart};
use ndarray::{Array1, Array2, Axis, array};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::*;
use self_attention::*;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: x
    let x: Array2<f64> = embeddings();
    println!("X\n{x}");
    // ANCHOR_END: x

    // ANCHOR: draw
    let mut random: NumpyRandom = NumpyRandom::seed(42);
    let w_query: Array2<f64> = random.rand(4, 3);
    let w_key: Array2<f64> = random.rand(4, 3);
    let w_value: Array2<f64> = random.rand(4, 3);
    println!("W_query\n{w_query:.4}\n");
    println!("W_key\n{w_key:.4}\n");
    println!("W_value\n{w_value:.4}");
    // ANCHOR_END: draw

    // ANCHOR: first_number
    println!("{}", w_query[[0, 0]]);
    // ANCHOR_END: first_number

    // ANCHOR: qkv
    // [3, 4] · [4, 3] -> [3, 3]
    let q: Array2<f64> = matmul(("X", &x), ("W_query", &w_query))?;
    let k: Array2<f64> = matmul(("X", &x), ("W_key", &w_key))?;
    let v: Array2<f64> = matmul(("X", &x), ("W_value", &w_value))?;
    println!("Q\n{q:.4}\n");
    println!("K\n{k:.4}\n");
    println!("V\n{v:.4}");
    // ANCHOR_END: qkv

    // ANCHOR: one_score
    let terms: Array1<f64> = &q.row(0) * &k.row(2); // [3]
    let dot_product: f64 = terms.iter().sum();
    println!("query of “pense”  {:.4}", q.row(0));
    println!("key of “máquinas” {:.4}", k.row(2));
    println!("their products    {terms:.4}\n");
    println!("q(pense) · k(máquinas) = {dot_product:.4}");
    println!("            … / √d_k   = {:.4}", dot_product / 3_f64.sqrt());
    // ANCHOR_END: one_score

    // ANCHOR: scores
    let scores: Array2<f64> = scaled_scores(&q, &k)?; // [3, 3]
    println!("{scores:.4}");
    // ANCHOR_END: scores

    // ANCHOR: one_matrix
    /// The largest difference between a score and its mirror image. `[n, n] -> number`.
    fn asymmetry(scores: &Array2<f64>) -> f64 {
        (scores - &scores.t()).fold(0.0, |most, difference| most.max(difference.abs()))
    }
    let one_matrix: Array2<f64> = scaled_scores(&q, &q)?; // [3, 3], each query its own key
    println!("Q Qᵀ / √d_k\n{one_matrix:.4}\n");
    println!("asymmetry of Q Qᵀ / √d_k: {:.4}", asymmetry(&one_matrix));
    println!("asymmetry of Q Kᵀ / √d_k: {:.4}", asymmetry(&scores));
    // ANCHOR_END: one_matrix

    // ANCHOR: naive
    println!("{:.4}", naive_softmax(&scores));
    // ANCHOR_END: naive

    // ANCHOR: one_row
    let exponentials: Array1<f64> = scores.row(0).exp(); // [3]
    let total: f64 = exponentials.sum();
    println!("scores of “pense”   {:.4}", scores.row(0));
    println!("their exponentials  {exponentials:.4}");
    println!("sum                 {total:.4}");
    println!("weights             {:.4}", &exponentials / total);
    // ANCHOR_END: one_row

    // ANCHOR: limits
    println!("the largest f64 is e to the {:.2}", f64::MAX.ln());
    println!("the largest f16 is e to the {:.2}", 65504_f64.ln());
    // ANCHOR_END: limits

    // ANCHOR: overflow
    let large: Array2<f64> = array![[709.0, 710.0]];
    println!("e^709 = {:e}", 709_f64.exp());
    println!("e^710 = {:e}", 710_f64.exp());
    println!("naive_softmax: {}", naive_softmax(&large));
    // ANCHOR_END: overflow

    // ANCHOR: stable
    println!("softmax of [709, 710]: {:.4}", softmax(&large));
    println!("softmax of [  0,   1]: {:.4}", softmax(&array![[0.0, 1.0]]));
    // ANCHOR_END: stable

    // ANCHOR: masked
    let nowhere: f64 = f64::NEG_INFINITY;
    let masked: Array2<f64> = array![[2.0, 1.0, nowhere], [nowhere, nowhere, nowhere]];
    println!("{:.4}", softmax(&masked));
    // ANCHOR_END: masked

    // ANCHOR: weights
    let weights: Array2<f64> = softmax(&scores); // [3, 3]
    println!("{weights:.4}");
    println!("row sums: {:.4}", weights.sum_axis(Axis(1)));
    // ANCHOR_END: weights

    // ANCHOR: heatmap
    Heatmap::new(&weights)
        .row_labels(&WORDS)
        .column_labels(&WORDS)
        .range(0.0, 1.0)
        .title(("Pesos de atenção", "Attention weights"))
        .draw()?
        .show()?;
    // ANCHOR_END: heatmap

    // ANCHOR: key_lengths
    let q_lengths: Array1<f64> = q.map_axis(Axis(1), |row| row.dot(&row).sqrt()); // [3]
    let k_lengths: Array1<f64> = k.map_axis(Axis(1), |row| row.dot(&row).sqrt()); // [3]
    let products: Array2<f64> = matmul(("Q", &q), ("Kᵀ", &k.t().to_owned()))?; // [3, 3]
    let cosines: Array2<f64> =
        &products / &q_lengths.clone().insert_axis(Axis(1)) / &k_lengths;
    println!("cosine of each query with each key\n{cosines:.4}\n");
    println!("lengths of the keys {k_lengths:.4}");
    // ANCHOR_END: key_lengths

    // ANCHOR: other_draws
    /// Which columns have the largest weight in every row of the map, one at most.
    fn largest_everywhere(
        w_query: &Array2<f64>,
        w_key: &Array2<f64>,
    ) -> Result<[bool; 3], AttentionError> {
        let x = embeddings();
        let weights = softmax(&scaled_scores(&x.dot(w_query), &x.dot(w_key))?); // [3, 3]
        let largest = |column: usize| {
            let mut rows = weights.rows().into_iter();
            rows.all(|row| row.iter().all(|&weight| weight <= row[column]))
        };
        Ok([largest(0), largest(1), largest(2)])
    }
    println!("                     {}", WORDS.join("  "));
    for (numbers, scale, shift) in [(" 0 to 1", 1.0, 0.0), ("−1 to 1", 2.0, -1.0)] {
        let mut wins = [0; 3];
        for seed in 0..1000 {
            let mut random = NumpyRandom::seed(seed);
            let [w_query, w_key] =
                [random.rand(4, 3), random.rand(4, 3)].map(|w| w * scale + shift);
            for (wins, won) in
                wins.iter_mut().zip(largest_everywhere(&w_query, &w_key)?)
            {
                *wins += usize::from(won);
            }
        }
        let [first, second, third] = wins;
        println!("numbers from {numbers} {first:6} {second:6} {third:9}");
    }
    // ANCHOR_END: other_draws

    // ANCHOR: output
    // [3, 3] · [3, 3] -> [3, 3]
    let output: Array2<f64> = matmul(("weights", &weights), ("V", &v))?;
    println!("{output:.4}\n");
    println!("pense: {:.12}", output.row(0));
    // ANCHOR_END: output

    // ANCHOR: spread
    /// The largest number of each column minus the smallest. `[n, d_k] -> [d_k]`.
    fn spread(rows: &Array2<f64>) -> Array1<f64> {
        let largest = rows.fold_axis(Axis(0), f64::NEG_INFINITY, |a, &b| a.max(b));
        let smallest = rows.fold_axis(Axis(0), f64::INFINITY, |a, &b| a.min(b));
        largest - smallest
    }
    println!("columns of V      {:.4}", spread(&v));
    println!("columns of output {:.4}", spread(&output));
    // ANCHOR_END: spread

    // ANCHOR: whole
    let layer: SelfAttention = SelfAttention::from_numpy_seed(42, 4, 3);
    let attention: Attention = layer.forward(&x)?;
    println!("same output: {}", attention.output == output);
    // ANCHOR_END: whole

    // ANCHOR: mismatch
    let too_narrow: Array2<f64> = array![[1.0, 0.0, 1.0]];
    match layer.forward(&too_narrow) {
        Ok(attention) => println!("{}", attention.output),
        Err(error) => println!("{error}"),
    }
    // ANCHOR_END: mismatch

    // ANCHOR: variance
    let widths: [usize; 6] = [1, 4, 16, 64, 256, 1024];
    let mut raw: Vec<(f64, f64)> = Vec::new();
    let mut scaled: Vec<(f64, f64)> = Vec::new();
    println!(" d_k   variance of q·k   of q·k/√d_k");
    for d_k in widths {
        let width = d_k as f64;
        let dots: Array1<f64> = dot_products(d_k, 1000, 0); // [1000]
        raw.push((width, dots.var(0.0)));
        scaled.push((width, (dots / width.sqrt()).var(0.0)));
        let (a, b) = (raw[raw.len() - 1].1, scaled[scaled.len() - 1].1);
        println!("{d_k:4}   {a:15.3}   {b:11.3}");
    }
    // ANCHOR_END: variance

    // ANCHOR: variance_chart
    LineChart::new()
        .title((
            "Variância de 1000 produtos escalares ao acaso",
            "Variance of 1000 random dot products",
        ))
        .x_title("d_k")
        .y_title(("variância", "variance"))
        .log_x()
        .log_y()
        .series("q·k", &raw)
        .series("q·k/√d_k", &scaled)
        .draw()?
        .show()?;
    // ANCHOR_END: variance_chart

    // ANCHOR: saturation
    fn median(values: &Array1<f64>) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
    }
    println!("                    mean p                median p(1−p)  smallest");
    println!(" d_k       raw            scaled          raw    scaled    scaled");
    for d_k in [4, 64, 1024] {
        let mut random = NumpyRandom::seed(1);
        let mut p = [Array1::zeros(100), Array1::zeros(100)]; // raw, scaled
        for i in 0..100 {
            let query = unit_variance(&mut random, 1, d_k);
            let keys = unit_variance(&mut random, 8, d_k);
            let scaled = scaled_scores(&query, &keys)?; // [1, 8]
            let raw = &scaled * (d_k as f64).sqrt();
            for (p, scores) in p.iter_mut().zip([raw, scaled]) {
                p[i] = largest_weights(&softmax(&scores))[0];
            }
        }
        let change = p.each_ref().map(|p| p * &(1.0 - p)); // p(1−p)
        let [a, b] = p.map(|p| (p.mean().unwrap_or(f64::NAN), 0.196 * p.std(1.0)));
        print!("{d_k:4}   {:.3} ± {:.3}   {:.3} ± {:.3}", a.0, a.1, b.0, b.1);
        let smallest = change[1].fold(1.0, |a: f64, &b| a.min(b));
        let [c, d] = change.map(|change| median(&change));
        println!("    {c:.1e}     {d:.3}      {smallest:.3}");
    }
    // ANCHOR_END: saturation

    // ANCHOR: permute
    let order: [usize; 3] = [2, 0, 1]; // máquinas pense sobre
    let shuffled: Attention = layer.forward(&x.select(Axis(0), &order))?;
    println!("in order\n{:.4}\n", attention.output);
    println!("shuffled\n{:.4}\n", shuffled.output);
    let expected: Array2<f64> = attention.output.select(Axis(0), &order);
    let difference: Array2<f64> = (&shuffled.output - &expected).abs();
    let largest: f64 = difference.fold(0.0, |a, &b| a.max(b));
    println!("the same rows, shuffled: {}", largest < 1e-12);
    // ANCHOR_END: permute

    // ANCHOR: permuted_heatmap
    let shuffled_words: [&str; 3] = order.map(|i| WORDS[i]);
    Heatmap::new(&shuffled.weights)
        .row_labels(&shuffled_words)
        .column_labels(&shuffled_words)
        .range(0.0, 1.0)
        .title((
            "Pesos de atenção, palavras embaralhadas",
            "Attention weights, words shuffled",
        ))
        .draw()?
        .show()?;
    // ANCHOR_END: permuted_heatmap
    Ok(())
}
