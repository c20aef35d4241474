#!/usr/bin/env bash
# pulp 0.22.3, WebAssembly: with its default features, a module asks for relaxed SIMD of every engine.
#
# Belief: `pulp::Arch` chooses at run time, as on x86, so a module with several instruction sets runs where
# only the smaller ones are, as long as the larger isn't enabled (`enable_relaxed_simd`).
# Seen: the feature `relaxed-simd` is on by default, and compiles each kernel for relaxed SIMD, too. An engine checks
# all of a module before it runs any of it: one that lacks relaxed SIMD (Node 20, Safari) refuses the whole module, although
# pulp's own switch is off and nothing of it is ever called. Without default features the module is valid for SIMD128.
# Whom it bites: who builds for the web with pulp, or with a crate that has it with its defaults (features unify).
#
# wasmparser 0.245.1 stands for the engines: it validates with and without relaxed SIMD.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
rustup target add wasm32-unknown-unknown >/dev/null 2>&1

mkdir -p module/src validator/src
cat >module/src/lib.rs <<'RUST'
use pulp::{Arch, Simd, WithSimd};

struct Scale<'a>(&'a mut [f32]);

impl WithSimd for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, _) = S::as_mut_simd_f32s(self.0);
        for vector in vectors {
            *vector = simd.mul_add_e_f32s(*vector, simd.splat_f32s(3.0), simd.splat_f32s(1.0));
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn scale() -> f32 {
    let mut numbers = [1.0; 64];
    Arch::new().dispatch(Scale(&mut numbers));
    numbers[63]
}
RUST
cat >validator/Cargo.toml <<'TOML'
[package]
name = "validator"
edition = "2024"

[dependencies]
wasmparser = "=0.245.1"

[workspace]
TOML
cat >validator/src/main.rs <<'RUST'
use wasmparser::{Validator, WasmFeatures};

fn main() {
    let module = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let all = WasmFeatures::default() | WasmFeatures::RELAXED_SIMD;
    for (name, features) in [("with", all), ("without", all - WasmFeatures::RELAXED_SIMD)] {
        let valid = Validator::new_with_features(features).validate_all(&module).is_ok();
        println!("{name} relaxed SIMD: {}", if valid { "valid" } else { "refused" });
    }
}
RUST

build() { # pulp's features, in TOML
    cat >module/Cargo.toml <<TOML
[package]
name = "module"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
pulp = { version = "=0.22.3", $1 }

[workspace]
TOML
    RUSTFLAGS="-C target-feature=+simd128" cargo build --quiet --release \
        --manifest-path module/Cargo.toml --target wasm32-unknown-unknown
    cargo run --quiet --manifest-path validator/Cargo.toml -- \
        module/target/wasm32-unknown-unknown/release/module.wasm
}

defaults=$(build 'default-features = true')
chosen=$(build 'default-features = false, features = ["std"]')
printf 'default features\n%s\nwithout them\n%s\n' "$defaults" "$chosen"
test "$defaults" = $'with relaxed SIMD: valid\nwithout relaxed SIMD: refused'
test "$chosen" = $'with relaxed SIMD: valid\nwithout relaxed SIMD: valid'
