//! The cells of appendix 3, in order: `cargo run -p a3-fast-kernels --example
//! a3-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines)]

// ANCHOR: imports
use std::time::Duration;

use fast_kernels::measure::{Measured, Steps, intensity};
use fast_kernels::sums::{by_blocks, error, exact};
use fast_kernels::{FastError, Packed, Weight};
use figures::LineChart;
use kernels::{Epilogue, Isa, PackedLinear};
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: machine
    let measured: Measured = Measured::of_the_book()?;
    let (peak, bandwidth): (f64, f64) = (measured.steps.peak, measured.bandwidth);
    println!("{}, one thread", measured.machine);
    println!("operations on registers  {peak:6.1} billion a second");
    println!("bytes from memory        {bandwidth:6.1} billion a second");
    println!("operations for each byte {:6.1}", peak / bandwidth);
    // ANCHOR_END: machine

    // ANCHOR: same
    fn values(count: usize) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 0.37).fract() * 2.0 - 1.0).collect()
    }
    fn furthest(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }
    let (rows, k, outputs): (usize, usize, usize) = (10, 128, 50);
    let x: Vec<f32> = values(rows * k); // [rows, k]
    let w: Vec<f32> = values(outputs * k); // [outputs, k]
    let weight: Weight = Weight::new(w.clone(), k)?;
    let by_formula: Vec<f32> = weight.one_by_one(&x)?;
    let by_tiles: Vec<f32> = Packed::new(&weight)?.forward::<6>(&x)?;
    let close: bool = furthest(&by_formula, &by_tiles) < 1e-4;
    println!("tiles, the formula: within 1e-4: {close}");
    let layer: PackedLinear = PackedLinear::new(&w, None, k, outputs)?;
    let mut y: Vec<f32> = vec![0.0; rows * outputs];
    layer.forward(&x, rows, Epilogue::None, &mut y)?;
    println!("tiles, kernels: the same bits: {}", by_tiles == y);
    // ANCHOR_END: same

    // ANCHOR: steps
    fn line(name: &str, speed: f64, peak: f64) {
        println!("{name:<24}{speed:7.1} {:8.0} %", 100.0 * speed / peak);
    }
    fn table(steps: &Steps) {
        println!("                      billion/s  of the limit");
        line("the formula", steps.one_by_one, steps.peak);
        for (height, speed) in &steps.tiles {
            line(&format!("tiles of {height:2} rows"), *speed, steps.peak);
        }
        line("kernels", steps.kernels, steps.peak);
    }
    table(&measured.steps);
    // ANCHOR_END: steps

    // ANCHOR: by_rows
    println!("rows  operations/byte  billion/s   the roof   time, 1 row = 1");
    for &(rows, speed) in &measured.rows {
        let at = intensity(rows);
        let time = rows as f64 / speed * measured.rows[0].1;
        let roof = measured.roof(at);
        println!("{rows:4} {at:16.1} {speed:10.1} {roof:10.1} {time:17.2}");
    }
    // ANCHOR_END: by_rows

    // ANCHOR: roofline
    let at: Vec<f64> = measured.rows.iter().map(|(rows, _)| intensity(*rows)).collect();
    let corners: [f64; 3] = [at[0], peak / bandwidth, at[at.len() - 1]];
    let roof: [(f64, f64); 3] = corners.map(|x| (x, measured.roof(x)));
    let found: Vec<(f64, f64)> =
        measured.rows.iter().map(|&(rows, speed)| (intensity(rows), speed)).collect();
    LineChart::new()
        .title(("O telhado e o produto", "The roof and the product"))
        .x_title(("contas por byte de pesos", "operations per byte of weights"))
        .y_title(("bilhões de contas por segundo", "billion operations a second"))
        .log_x()
        .log_y()
        .x_ticks(&at)
        .dashed_series(("o limite", "the limit"), &roof)
        .series("kernels", &found)
        .draw()?
        .show()?;
    // ANCHOR_END: roofline

    // ANCHOR: gelu
    let (fused, separate): (f64, f64) = (measured.fused, measured.separate);
    println!("GELU on the sums     {:.2} ms", fused * 1e3);
    println!(
        "GELU in a new pass   {:.2} ms, {:.2} times",
        separate * 1e3,
        separate / fused
    );
    // ANCHOR_END: gelu

    // ANCHOR: order
    println!("sums of 3072 products, blocks of   error");
    for block in [8, 16, 32, 64, 128, 256, 768, 3072] {
        println!("{block:32} {:7.1}e-6", error(3072, block, 500)? * 1e6);
    }
    // ANCHOR_END: order

    // ANCHOR: sets
    fn on_each_set(w: &[f32], x: &[f32], k: usize) -> Result<Vec<Vec<f32>>, FastError> {
        let (rows, outputs) = (x.len() / k, w.len() / k);
        let mut all = Vec::new();
        for isa in Isa::available() {
            let layer = PackedLinear::side_by_side_on(isa, &[(w, None)], k)?;
            let mut y = vec![0.0; rows * outputs];
            layer.forward(x, rows, Epilogue::None, &mut y)?;
            all.push(y);
        }
        Ok(all)
    }
    let all: Vec<Vec<f32>> = on_each_set(&w, &x, k)?;
    fn by_hand(w: &[f32], x: &[f32], k: usize, fused: bool) -> Vec<f32> {
        let mut y = Vec::new();
        for x in x.chunks(k) {
            for w in w.chunks(k) {
                let mut total: f32 = 0.0;
                for (x, w) in x.chunks(64).zip(w.chunks(64)) {
                    let mut sum: f32 = 0.0;
                    for (x, w) in x.iter().zip(w) {
                        sum = if fused { x.mul_add(*w, sum) } else { x * w + sum };
                    }
                    total += sum;
                }
                y.push(total);
            }
        }
        y
    }
    // The first set has no vectors.
    let fused: Vec<f32> = by_hand(&w, &x, k, true);
    let apart: Vec<f32> = by_hand(&w, &x, k, false);
    println!(
        "each with vectors: bits by hand: {}",
        all[1..].iter().all(|y| *y == fused)
    );
    println!("without vectors: bits by hand: {}", all[0] == apart);
    println!("the two by hand: {:.1}e-6 apart at most", furthest(&fused, &apart) * 1e6);
    // ANCHOR_END: sets

    // ANCHOR: here
    table(&Steps::here(Duration::from_millis(20))?);
    // ANCHOR_END: here
    Ok(())
}
