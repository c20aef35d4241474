#!/usr/bin/env bash
# A cargo that a test or a build script calls compiles ring anew, and the next one outside, too.
#
# Cargo sets CARGO_PKG_NAME, CARGO_MANIFEST_DIR and others for each program that it runs. ring's
# build script reads some of these, and asks cargo to run it again when they change. But cargo
# sets them for the build script itself, so what it compares is the environment that cargo was
# called with: none on a command line, the test's in a test. A project with a TLS client whose
# tests call `cargo run` compiles ring, and all that stands on it, twice at each `cargo test`,
# although not a byte has changed. It helps to unset CARGO_PKG_NAME and its like for the inner
# call.
#
# Needs cargo and a C compiler. Exits 1 once ring is left alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "outer"
version = "0.1.0"
edition = "2021"

[dependencies]
ring = "=0.17.14"

[workspace]
TOML
echo 'pub use ring::digest;' > "$folder/src/lib.rs"
cd "$folder"
# As from a command line, whatever this script was called by.
for name in $(env | sed -n 's/^\(CARGO_[A-Z_]*\)=.*/\1/p' | grep -v '^CARGO_HOME$'); do unset "$name"; done
cargo build --quiet
compiled() { "$@" 2>&1 | sed -n 's/^ *Compiling //p' | tr '\n' ' '; }
again=$(compiled cargo build)
within=$(compiled env CARGO_PKG_NAME=outer cargo build)
outside=$(compiled cargo build)
cargo --version
echo "belief: what is compiled stays compiled while no source, flag or feature changes"
echo "the same command again compiles:        ${again:-nothing}"
echo "with CARGO_PKG_NAME set, as in a test:  ${within:-nothing}"
echo "without it, afterward:                  ${outside:-nothing}"
[ -z "$again" ] && [[ $within == ring* ]] && [[ $outside == ring* ]]
