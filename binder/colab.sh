#!/usr/bin/env bash
# Colab: the first cell of a notebook runs this in Python's runtime. It installs Rust and the Rust
# kernel (about ten minutes), and registers the kernel so that it starts in this clone's notebooks/
# folder, where the notebooks' paths hold. Then: Runtime → Change runtime type → Rust, and run all.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
if ! command -v cargo >/dev/null; then
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
fi
version=$(sed -n 's/^pub const EVCXR_VERSION: &str = "\(.*\)";/\1/p' "$here/tools/book/src/kernel.rs")
if ! cargo install --list | grep -qx "evcxr_jupyter v$version:"; then
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --locked "evcxr_jupyter@$version"
fi
evcxr_jupyter --install
kernel=$(python3 -c 'from jupyter_core.paths import jupyter_data_dir; print(jupyter_data_dir())')/kernels/rust/kernel.json
python3 - "$kernel" "$here/notebooks" <<'PYTHON'
import json, shlex, sys
path, folder = sys.argv[1:]
spec = json.load(open(path))
command = f"cd {shlex.quote(folder)} && exec " + shlex.join(spec["argv"][:1]) + ' --control_file "$0"'
spec["argv"] = ["bash", "-c", command, "{connection_file}"]
json.dump(spec, open(path, "w"), indent=2)
PYTHON
# The English notebooks look for the crates one folder higher.
for folder in chapters-code tools; do
    ln -sfn "$here/$folder" "$here/../$folder"
done
echo "The Rust kernel is ready: choose Runtime → Change runtime type → Rust, then run all cells."
