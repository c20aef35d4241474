//! Linear layers of BERT-base's sizes: `cargo bench -p kernels --bench linear`.
//!
//! As in a forward pass, a layer's weights have been pushed out of the caches by other
//! layers' when its turn comes. With few rows the limit is reading them (GB/s), with
//! many it is arithmetic (GFLOP/s). `-- --json` prints milliseconds for `compare.py`.

use std::time::Instant;

use kernels::{Epilogue, ISA_VARIABLE, Isa, KernelError, PackedLinear, in_pool};

/// Copies of a layer: 56 MB of weights or more.
const LAYERS: usize = 24;

fn main() -> Result<(), KernelError> {
    let json = std::env::args().any(|arg| arg == "--json");
    let asked = std::env::var_os(ISA_VARIABLE).is_some();
    let sets = if json || asked { vec![Isa::chosen()?] } else { Isa::available() };
    let mut lines = Vec::new();
    for (inputs, outputs) in [(768, 768), (768, 2304), (768, 3072), (3072, 768)] {
        for isa in &sets {
            let weight = vec![0.01; inputs * outputs];
            let bias = vec![0.01; outputs];
            let layers = (0..LAYERS)
                .map(|_| {
                    let parts = [(weight.as_slice(), Some(bias.as_slice()))];
                    PackedLinear::side_by_side_on(*isa, &parts, inputs)
                })
                .collect::<Result<Vec<_>, _>>()?;
            for rows in [16, 128, 512] {
                let mut ms = in_pool(|| times(&layers, rows))?;
                ms.sort_by(f64::total_cmp);
                let (median, least) = (ms[ms.len() / 2], ms[0]);
                lines.push(format!(
                    r#"{{"inputs": {inputs}, "outputs": {outputs}, "rows": {rows}, "ms": {ms:.4?}}}"#
                ));
                if !json {
                    let flops = (2 * rows * inputs * outputs) as f64;
                    let bytes = (4 * inputs * outputs) as f64;
                    println!(
                        "{inputs:4} → {outputs:4}, {rows:3} rows: median {median:.3} ms, \
                         least {least:.3} ms, {:.0} GFLOP/s, {:.1} GB/s  {isa}",
                        flops / median / 1e6,
                        bytes / median / 1e6,
                    );
                }
            }
        }
    }
    if json {
        println!("[{}]", lines.join(",\n"));
    }
    Ok(())
}

/// The milliseconds of each layer, a few times round.
fn times(layers: &[PackedLinear], rows: usize) -> Result<Vec<f64>, KernelError> {
    let x = vec![0.5; rows * layers[0].inputs()];
    let mut out = vec![0.0; rows * layers[0].outputs()];
    let rounds = if rows < 100 { 10 } else { 2 };
    let mut ms = Vec::new();
    for layer in layers.iter().cycle().take(rounds * layers.len()) {
        let start = Instant::now();
        layer.forward(&x, rows, Epilogue::None, &mut out)?;
        ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(ms)
}
