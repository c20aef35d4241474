//! What the page of appendix 3 shows, measured: `cargo bench -p a3-fast-kernels`.
//!
//! It leaves `target/a3-measured.json`; what the book's page shows is such a file.

use std::error::Error;
use std::fs;
use std::time::Duration;

use fast_kernels::Measured;

#[path = "../../a1-attention-cost/benches/machine/mod.rs"]
mod machine;

fn main() -> Result<(), Box<dyn Error>> {
    let found = Measured::here(machine::machine(), Duration::from_secs(2))?;
    println!("{found:#?}");
    let file = machine::target_directory()?.join("a3-measured.json");
    fs::write(&file, serde_json::to_string_pretty(&found)? + "\n")?;
    println!("\nwritten to {}", file.display());
    Ok(())
}
