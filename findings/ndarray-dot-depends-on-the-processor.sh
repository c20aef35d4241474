#!/usr/bin/env bash
# One program, one input, other digits: ndarray's `dot` chooses its kernel when it runs.
#
# Rust promises that f64 arithmetic is the same everywhere, and ndarray needs no BLAS, so
# one expects that a binary prints the same numbers on every x86-64 machine. But matrix
# products go through matrixmultiply, which looks at the processor at run time and takes
# AVX-512, FMA, AVX or SSE2 code: a fused product rounds once where two operations round
# twice, so the last bit of a sum depends on the machine. It bites whoever keeps printed
# numbers (golden tests, notebooks) with all their digits, and nobody who prints twelve.
#
# Needs cargo and qemu-user (Debian: apt-get install qemu-user) on x86-64. Exits 1 once the
# two processors agree.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "dot"
version = "0.1.0"
edition = "2021"

[dependencies]
matrixmultiply = "=0.3.11"
ndarray = "=0.17.2"
TOML
cat > "$folder/src/main.rs" <<'RUST'
use ndarray::Array2;

fn main() {
    let a = Array2::from_shape_fn((8, 8), |(i, j)| 1.0 / (1.0 + (i * 8 + j) as f64));
    let b = Array2::from_shape_fn((8, 8), |(i, j)| 0.1 * (1.0 + (i + 3 * j) as f64));
    println!("{:?}", a.dot(&b).sum());
    let product = a.dot(&b);
    println!("{:?}", product.row(5).to_vec());
}
RUST
cargo build --quiet --release --manifest-path "$folder/Cargo.toml"
program=$folder/target/release/dot
echo "ndarray 0.17.2, matrixmultiply 0.3.11, $(qemu-x86_64 --version | head -n 1)"
echo "belief: the same binary prints the same f64 digits on every x86-64 processor"
fused=$(qemu-x86_64 -cpu Haswell "$program")
plain=$(qemu-x86_64 -cpu Nehalem "$program")
printf 'seen, with FMA (Haswell):    %s\n' "$fused"
printf 'seen, without FMA (Nehalem): %s\n' "$plain"
if [ "$fused" = "$plain" ]; then
    echo "changed: both processors print the same digits"
    exit 1
fi
