#!/usr/bin/env bash
# pulldown-cmark's range of a collapsed reference link, `[a][]`, ends before the `[]`.
#
# The ranges of `into_offset_iter` are what tools splice by: whoever replaces a link by another
# text leaves `[]` behind, which becomes words on the page. The ranges of the three other forms
# (`[a](b)`, `[a][b]`, `[a]`) cover all that was written.
#
# Needs cargo. Exits 1 once the range covers the brackets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2024"
[dependencies]
pulldown-cmark = { version = "=0.13.0", default-features = false }
TOML
cat > src/main.rs <<'RUST'
use pulldown_cmark::{Event, Parser, Tag};

fn main() {
    let target = "\n\n[a]: /x\n[b]: /y\n";
    println!("belief: a link's range is the text that was written for it");
    let mut whole = true;
    for link in ["[a](/x)", "[a][b]", "[a]", "[a][]"] {
        let text = format!("{link}{target}");
        for (event, range) in Parser::new(&text).into_offset_iter() {
            if let Event::Start(Tag::Link { link_type, .. }) = event {
                println!("{link:8} {link_type:?}: range {range:?}, {:?}", &text[range.clone()]);
                whole &= link != "[a][]" || &text[range] == link;
            }
        }
    }
    std::process::exit(i32::from(whole));
}
RUST
cargo run --quiet || { echo "changed: the range covers the brackets"; exit 1; }
echo "seen: of [a][] the range is [a]"
