#!/usr/bin/env bash
# candle-core 0.11.1: who wants tensors compiles a tokenizer, too, and no feature leaves it out.
#
# Belief: candle-core is the tensors alone; models, layers and what they read are other crates (candle-nn,
# candle-transformers), and `default-features = false` leaves the rest out.
# Seen: tokenizers 0.23 with its regular expressions is an ordinary dependency on every target but wasm32, for
# one module that reads the tokenizer inside a GGUF file. With cargo 1.95, on x86-64 Linux, candle-core without
# default features is 131 packages, and 40 of them come by tokenizers alone; for wasm32 the tree has none of it.
# Whom it bites: who counts the packages, or the seconds, of a small crate's first build; and who has a tokenizer
# of another version beside it, and gets two.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --lib --name tensors
cargo add --quiet candle-core@=0.11.1 --no-default-features

packages() {
    cargo tree --edges normal,build --prefix none --format '{p}' "$@" | sed 's/ (.*//' | sort -u
}
count() { packages "$@" | wc -l; }

linux=(--target x86_64-unknown-linux-gnu)
all=$(count "${linux[@]}") without=$(count "${linux[@]}" --prune tokenizers)
echo "x86-64 Linux: $all packages, $without without what comes by tokenizers alone"
packages "${linux[@]}" | grep '^tokenizers '
((all - without > 30))

echo "wasm32: $(count --target wasm32-unknown-unknown) packages"
if packages --target wasm32-unknown-unknown | grep '^tokenizers '; then exit 1; fi
