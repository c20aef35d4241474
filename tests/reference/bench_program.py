"""What the benchmarks share: our side's program, a process' memory, and where the times go."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(package, bench):
    """Compiles a benchmark, optimized, and says where its program is."""
    command = ["cargo", "bench", "--package", package, "--bench", bench, "--no-run"]
    command += ["--message-format", "json-render-diagnostics"]
    run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = map(json.loads, run.stdout.splitlines())
    [found] = [
        message["executable"] for message in messages
        if message["reason"] == "compiler-artifact" and message["target"]["kind"] == ["bench"]
    ]
    return found


def peak_mib():
    """The most memory that this process has had, from Linux."""
    status = pathlib.Path("/proc/self/status").read_text()
    [kib] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(kib) / 1024


def keep(row, times):
    """Adds a row's milliseconds, by program, to the file that `bench.py` names, if it does."""
    if not (file := os.environ.get("BENCH_JSON")):
        return
    path = pathlib.Path(file)
    rows = json.loads(path.read_text()) if path.exists() else {}
    rows[row] = {name: [round(ms, 3) for ms in found] for name, found in times.items() if found}
    path.write_text(json.dumps(rows, indent=1) + "\n")
