"""Our side of a benchmark: the program that `cargo bench` would run."""

import json
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
