"""Our kernels' linear layers beside PyTorch's (a whole BERT: tests/reference/bench_bert.py).

    python3 -m venv VENV
    VENV/bin/pip install torch
    VENV/bin/python chapters-code/kernels/benches/compare.py

Random weights, f32, 2 threads. PyTorch runs in turns with ours, so that a machine that others use
too disturbs both alike; medians and minima are of all the runs of all rounds.
"""

import json
import os
import statistics
import subprocess
import time

import torch

THREADS = 2
ENVIRONMENT = os.environ | {"RAYON_NUM_THREADS": str(THREADS)}
LINEAR = ["cargo", "bench", "-q", "-p", "kernels", "--bench", "linear", "--", "--json"]
ROUNDS = int(os.environ.get("ROUNDS", "5"))


def ours(command, *arguments):
    done = subprocess.run(
        [*command, *map(str, arguments)],
        check=True, stdout=subprocess.PIPE, env=ENVIRONMENT,
    )
    return json.loads(done.stdout)


def report(name, ms, extra=""):
    median, least = statistics.median(ms), min(ms)
    print(f"{name:44} median {median:8.3f} ms  least {least:8.3f} ms{extra}", flush=True)


def compare_linear():
    """Layers of a forward pass, each called once before the first comes again."""
    all_times = {}
    for _ in range(ROUNDS):
        for line in ours(LINEAR):
            size = (line["inputs"], line["outputs"], line["rows"])
            all_times.setdefault((*size, "kernels"), []).extend(line["ms"])
            inputs, outputs, rows = size
            layers = [torch.nn.Linear(inputs, outputs) for _ in range(24)]
            x = torch.randn(rows, inputs)
            for layer in layers * (10 if rows < 100 else 2):
                start = time.perf_counter()
                layer(x)
                ms = (time.perf_counter() - start) * 1e3
                all_times.setdefault((*size, "PyTorch"), []).append(ms)
    for (inputs, outputs, rows, who), ms in sorted(all_times.items()):
        median = statistics.median(ms)
        flops = 2 * inputs * outputs * rows / median / 1e6
        bandwidth = 4 * inputs * outputs / median / 1e6
        speed = f"  {flops:4.0f} GFLOP/s {bandwidth:5.1f} GB/s"
        report(f"{inputs} x {outputs}, {rows:3} rows, {who}", ms, speed)


torch.set_num_threads(THREADS)
torch.set_grad_enabled(False)
compare_linear()
