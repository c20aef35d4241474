//! Time and memory of attention as sentences grow, whole and block by block:
//! `cargo bench -p a1-attention-cost`.
//!
//! Criterion measures the time, a counting allocator the memory. At the end, a table,
//! and the same in `target/a1-cost.json`: what the book's page shows is such a file.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use attention_cost::blockwise_attention;
use attention_cost::cost::{self, BLOCK, Cost, D_K, Measurement, TOKENS};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use ndarray::Array2;
use peak_alloc::PeakAlloc;
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use whole_transformer::scaled_dot_product;

mod machine;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One way to compute attention: its name, and what it makes of Q, K and V.
type Way = (&'static str, fn([&Array2<f64>; 3]) -> Array2<f64>);

const WAYS: [Way; 2] = [
    ("whole", |[q, k, v]| scaled_dot_product(q, k, v, None).unwrap().output),
    ("blockwise", |[q, k, v]| blockwise_attention(q, k, v, |_, _| 0.0, BLOCK).unwrap()),
];

fn main() -> Result<(), Box<dyn Error>> {
    let target = machine::target_directory()?;
    let mut criterion = Criterion::default()
        .output_directory(&target.join("criterion"))
        .configure_from_args();
    let [whole, blockwise] = WAYS
        .map(|way| TOKENS.map(|tokens| measure(&mut criterion, &target, way, tokens)));
    criterion.final_summary();
    let [whole, blockwise] = [whole, blockwise]
        .map(|way| way.into_iter().collect::<Result<Option<Vec<_>>, _>>());
    let (Some(whole), Some(blockwise)) = (whole?, blockwise?) else {
        return Ok(()); // `--list`, or a filter that left some out
    };
    let cost = Cost { machine: machine::machine(), whole, blockwise };
    print(&cost);
    let file = target.join("a1-cost.json");
    fs::write(&file, serde_json::to_string_pretty(&cost)? + "\n")?;
    println!("\nwritten to {}", file.display());
    Ok(())
}

/// Memory, then median time. Nothing if the command line asked not to run this one.
fn measure(
    criterion: &mut Criterion,
    target: &Path,
    (name, way): Way,
    tokens: usize,
) -> Result<Option<Measurement>, Box<dyn Error>> {
    let mut random = NumpyRandom::seed(0);
    let [q, k, v] = [(); 3].map(|()| unit_variance(&mut random, tokens, D_K));
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    black_box(way([&q, &k, &v]));
    let bytes = MEMORY.peak_usage() - before;

    let estimates =
        target.join(format!("criterion/{name}/{tokens}/new/estimates.json"));
    fs::remove_file(&estimates).ok(); // an earlier run's
    criterion
        .benchmark_group(name)
        .sampling_mode(SamplingMode::Flat)
        .sample_size(15)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .bench_function(BenchmarkId::from_parameter(tokens), |bencher| {
            bencher.iter(|| way([&q, &k, &v]));
        });
    if !estimates.exists() {
        return Ok(None);
    }
    let estimates: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(estimates)?)?;
    let nanoseconds = estimates["median"]["point_estimate"].as_f64();
    let seconds = nanoseconds.ok_or("criterion gave no median")? * 1e-9;
    Ok(Some(Measurement { tokens, seconds, bytes }))
}

fn print(cost: &Cost) {
    println!("\n{}\n", cost.machine);
    println!("          whole                   blockwise");
    println!("tokens       seconds      bytes      seconds      bytes");
    for (whole, block) in cost.whole.iter().zip(&cost.blockwise) {
        let Measurement { tokens, seconds, bytes } = *whole;
        println!(
            "{tokens:6}    {seconds:10.7} {bytes:10}   {:10.7} {:10}",
            block.seconds, block.bytes
        );
    }
    let long = |ways: &[Measurement]| {
        let long: Vec<Measurement> =
            ways.iter().copied().filter(|one| one.tokens >= 256).collect();
        [cost::seconds(&long), cost::bytes(&long)].map(|points| cost::exponent(&points))
    };
    let [whole, blockwise] = [long(&cost.whole), long(&cost.blockwise)];
    println!(
        "\nexponents from 256 tokens on: whole {whole:.3?}, blockwise {blockwise:.3?}"
    );
}
