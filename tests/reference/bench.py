"""Ours beside every peer, row by row, in one run: what the tables of speed are made from.

    python3 tests/reference/bench.py [--only bert training keras sentiment generation] [--set avx2]

Makes target/bench-venv with the peers that bench-requirements.txt pins (once; some gigabytes), runs
the scripts below one after another, and keeps all times in data/speed-SET.json. Quiet machine, please:
each script takes turns among the programs, so that what else the machine does falls on all alike, but
two processors that are threads of one core halve each other's speed, and by whim.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
VENV = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "bench-venv"
SCRIPTS = ["bert", "training", "keras", "sentiment", "generation"]
# Where there are several of ours, the one that the book's programs use.
OURS = ["ours, packed", "ours"]


def peers():
    """The Python that has the pinned peers."""
    python = VENV / "bin" / "python"
    wanted = (HERE / "bench-requirements.txt").read_text()
    done = VENV / "done"
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--requirement"]
        subprocess.run([*install, HERE / "bench-requirements.txt"], check=True)
        done.write_text(wanted)
    return python


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = fields.get("flags", "").split()
    arm = platform.machine() in ("aarch64", "arm64")
    sets = {"avx512": "avx512f" in flags, "avx2": "avx2" in flags, "neon": arm, "scalar": True}
    best = next(name for name, there in sets.items() if there)
    return f"{fields.get('model name', platform.processor())}, {os.cpu_count()} processors", best


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    name, best = processor()
    parser.add_argument("--set", default=best, help="KERNELS_ISA for ours; peers choose by themselves")
    arguments = parser.parse_args()
    python, found = peers(), {}
    for script in arguments.only:
        part = VENV / f"{script}.json"
        part.unlink(missing_ok=True)
        environment = os.environ | {"BENCH_JSON": str(part), "KERNELS_ISA": arguments.set}
        subprocess.run([python, HERE / f"bench_{script}.py"], check=True, env=environment)
        found |= json.loads(part.read_text())
    file = HERE / "data" / f"speed-{arguments.set}.json"
    kept = json.loads(file.read_text()) if file.exists() else {"rows": {}}
    kept |= {"processor": name, "set": arguments.set, "rows": kept["rows"] | found}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(kept, indent=1) + "\n")
    table(kept)


def table(kept):
    """Each row's medians in ms, and ours over the best peer's."""
    print(f"\n{kept['processor']}; {kept['set']}\n")
    print("| row | ours, ms | best peer | its ms | ours / best |\n|---|---|---|---|---|")
    for row, times in kept["rows"].items():
        medians = {name: statistics.median(found) for name, found in times.items()}
        ours = next(name for name in OURS if name in medians)
        peers = {name: ms for name, ms in medians.items() if not name.startswith("ours")}
        best = min(peers, key=peers.get)
        ratio = medians[ours] / peers[best]
        print(f"| {row} | {medians[ours]:.1f} | {best} | {peers[best]:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
