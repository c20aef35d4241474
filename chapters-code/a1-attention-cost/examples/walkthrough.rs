//! The cells of appendix 1, in order: `cargo run -p a1-attention-cost --example
//! a1-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use attention_cost::cost::*;
use attention_cost::parallel::Parallel;
use attention_cost::*;
use figures::LineChart;
use ndarray::{Array1, Array2, ArrayViewMut1, array, s};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use self_attention::{scaled_scores, softmax};
use whole_transformer::{largest_difference, mask, scaled_dot_product};
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: running
    let mut running: RunningSoftmax = RunningSoftmax::EMPTY;
    for mut block in [array![1.0, 3.0], array![2.0, 5.0], array![-1.0, 4.0]] {
        print!("{block}");
        let correction = running.absorb(block.view_mut());
        print!(" earlier terms × {correction:.4},");
        println!("  maximum {}, sum {:.4}", running.maximum, running.sum);
    }
    let row: Array1<f64> = array![1.0, 3.0, 2.0, 5.0, -1.0, 4.0];
    println!("all at once:  maximum 5, sum {:.4}", (&row - 5.0).exp().sum());
    // ANCHOR_END: running

    // ANCHOR: online
    let mut random: NumpyRandom = NumpyRandom::seed(42);
    let x: Array2<f64> = unit_variance(&mut random, 5, 16); // [n, d_k]
    let scores: Array2<f64> = scaled_scores(&x, &x)?; // [n, d_k] · [d_k, n] -> [n, n]
    for block in [1, 2, 3, 5] {
        let online = online_softmax(&scores, block)?;
        let difference = largest_difference(&online, &softmax(&scores));
        println!("blocks of {block}: the same: {}", difference < 1e-12);
    }
    // ANCHOR_END: online

    // ANCHOR: blocks
    let q: Array2<f64> = unit_variance(&mut random, 300, 64); // [n, d_k]
    let k: Array2<f64> = unit_variance(&mut random, 300, 64); // [n, d_k]
    let v: Array2<f64> = unit_variance(&mut random, 300, 64); // [n, d_v]
    let whole: Array2<f64> = scaled_dot_product(&q, &k, &v, None)?.output;
    let blocks: Array2<f64> = blockwise_attention(&q, &k, &v, |_, _| 0.0, 64)?;
    println!("no mask: the same: {}", largest_difference(&whole, &blocks) < 1e-12);
    let causal: Array2<f64> = mask::causal(300); // [n, n]
    let whole: Array2<f64> = scaled_dot_product(&q, &k, &v, Some(&causal))?.output;
    fn later(query: usize, key: usize) -> f64 {
        if key > query { f64::NEG_INFINITY } else { 0.0 }
    }
    let blocks: Array2<f64> = blockwise_attention(&q, &k, &v, later, 64)?;
    println!("causal:  the same: {}", largest_difference(&whole, &blocks) < 1e-12);
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
        .title(("Tempo de uma atenção", "Time of one attention"))
        .x_title("tokens")
        .y_title(("segundos", "seconds"))
        .log_x()
        .log_y()
        .x_ticks(&TOKENS.map(|tokens| tokens as f64))
        .series(("inteira", "whole"), &seconds(&cost.whole))
        .series(("por blocos", "blockwise"), &seconds(&cost.blockwise))
        .draw()?
        .show()?;
    // ANCHOR_END: time_chart

    // ANCHOR: memory_chart
    LineChart::new()
        .title(("Memória de uma atenção", "Memory of one attention"))
        .x_title("tokens")
        .y_title("bytes")
        .log_x()
        .log_y()
        .x_ticks(&TOKENS.map(|tokens| tokens as f64))
        .series(("inteira", "whole"), &bytes(&cost.whole))
        .series(("por blocos", "blockwise"), &bytes(&cost.blockwise))
        .draw()?
        .show()?;
    // ANCHOR_END: memory_chart

    // ANCHOR: shared
    for threads in [1, 2, 3, 8] {
        let shared = attention_in_threads(&q, &k, &v, threads)?;
        let whole = scaled_dot_product(&q, &k, &v, None)?.output;
        println!(
            "{threads} threads: the same: {}",
            largest_difference(&shared, &whole) < 1e-12
        );
    }
    // ANCHOR_END: shared

    // ANCHOR: parallel
    let parallel: Parallel = Parallel::of_the_book()?;
    let (threads, width): (usize, usize) = (parallel.threads, parallel.width);
    println!("{}, words of {width} numbers\n", parallel.machine);
    println!("{width} products one by one  {:.3} ms", parallel.one_by_one * 1e3);
    println!("{width} products together    {:.3} ms\n", parallel.together * 1e3);
    println!("                         attention (ms)");
    println!("tokens  recurrence  1 thread  {threads} threads    gain");
    for one in &parallel.times {
        let [a, b, c] =
            [one.recurrence, one.one_thread, one.all_threads].map(|time| time * 1e3);
        println!("{:6}  {a:10.2}  {b:8.2}  {c:9.2}  {:6.2}", one.tokens, b / c);
    }
    // ANCHOR_END: parallel
    Ok(())
}
