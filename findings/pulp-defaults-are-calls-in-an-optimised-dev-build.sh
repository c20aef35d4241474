#!/usr/bin/env bash
# pulp: |x| takes some fifty times as long as its bit mask, in a dev build with opt-level 3.
#
# A method that `Simd` itself defines by others (abs_f32s, select_f32s, not_f32s, …) is a plain
# `#[inline]`, where an instruction set's own methods are always inlined. Compiled with debug
# assertions, its body is large enough for LLVM to leave it a function; there it knows nothing
# of AVX, and each instruction in it becomes a call too. The numbers are right, nothing is
# said, and a release build is as fast as it should be: it bites whoever optimises a crate of
# kernels in the dev profile so that tests and notebooks are fast. One codegen unit, or no
# debug assertions, and the calls are gone.
#
# Needs cargo with rustc 1.95 and x86-64 with AVX2. Exits 1 once the dev build is fast.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "lanes"
version = "0.1.0"
edition = "2024"

[dependencies]
pulp = "=0.22.3"

[profile.dev]
opt-level = 3

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

struct Abs<'a>(&'a mut [f32], bool);

impl WithSimd for Abs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let mask = s.splat_u32s(0x7fff_ffff);
        for x in S::as_mut_simd_f32s(self.0).0 {
            *x = if self.1 {
                s.abs_f32s(*x)
            } else {
                s.transmute_f32s_u32s(s.and_u32s(s.transmute_u32s_f32s(*x), mask))
            };
        }
    }
}

fn main() {
    let arch = Arch::new();
    let mut x = vec![-1.0_f32; 4096];
    let mut time = |abs| {
        let start = Instant::now();
        for _ in 0..2000 {
            arch.dispatch(Abs(std::hint::black_box(&mut x), abs));
        }
        start.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..21).map(|_| time(true) / time(false)).collect();
    ratios.sort_by(f64::total_cmp);
    println!("{:.1}", ratios[10]);
}
RUST
cd "$folder"
ratio() {
    cargo run --quiet "$@"
}
dev=$(ratio)
units=$(CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_CODEGEN_UNITS=1 ratio)
release=$(ratio --release)
rustc --version
echo "pulp 0.22.3, the time of abs_f32s over that of the mask on 4096 values:"
echo "belief: opt-level 3 in the dev profile is as fast as a release build"
echo "dev, opt-level 3: $dev; with one codegen unit: $units; release: $release"
awk -v dev="$dev" -v units="$units" -v release="$release" \
    'BEGIN { exit !(dev > 5 && units < 2 && release < 2) }'
