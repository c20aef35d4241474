#!/usr/bin/env bash
# evcxr compiles a cell twice if the cell gives away a variable that it declares.
#
# Whatever a cell declares at its top level, evcxr keeps for the next cell, in code that it puts
# behind the cell. A variable that the cell has moved can't be kept, which evcxr learns from the
# compiler's error, and compiles again without it. The cell then works, and nothing tells that it
# took the compiler twice as long as one that borrows: write `f(&list)`, or give the variable to
# an inner block.
#
# Needs cargo, and about ten minutes to compile evcxr. Exits 1 once both cells are compiled once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo install --quiet --locked --root "$folder" --target-dir "$folder/target" evcxr_repl@0.22.0
cat > "$folder/rustc" <<'SH'
#!/usr/bin/env bash
# RUSTC_WRAPPER: counts the compilations of a cell, whose crate is called `ctx`.
[[ " $* " != *" --crate-name ctx "* ]] || echo >> "$COUNTS"
exec "$@"
SH
chmod +x "$folder/rustc"
# How often the compiler runs for the last of some cells: the session with it less that without.
runs() {
    COUNTS="$folder/counts"
    : > "$COUNTS"
    printf '%s\n' "$@" |
        COUNTS="$COUNTS" RUSTC_WRAPPER="$folder/rustc" "$folder/bin/evcxr" > "$folder/said" 2>&1
    wc -l < "$COUNTS"
}
first='let one: u32 = 1;'
begin=$(runs "$first")
borrows=$(($(runs "$first" 'let list: Vec<u32> = vec![one]; println!("{}", list.len());') - begin))
moves=$(($(runs "$first" 'let list: Vec<u32> = vec![one]; println!("{}", list.len()); drop(list);') - begin))
cat "$folder/said" | tail -n 3
"$folder/bin/evcxr" --version
echo "belief: a cell is compiled once"
echo "a cell that borrows its variable is compiled: $borrows times"
echo "a cell that moves its variable is compiled:   $moves times"
[ "$borrows" = 1 ] && [ "$moves" = 2 ]
