"""Our kernels beside PyTorch and ONNX Runtime: linear layers, a BERT-base forward pass.

    python3 -m venv VENV
    VENV/bin/pip install torch transformers onnxruntime onnx numpy
    VENV/bin/python chapters-code/kernels/benches/compare.py

Random weights, batch 1, f32, 2 threads. The peers run in turns with ours (ours, theirs,
ours, theirs…), so that a machine that others use too disturbs all alike; medians and
minima are of all the runs of all rounds. Our results are first checked against PyTorch's.
The peers' time includes the embeddings, ours does not (three rows a token to add up).
"""

import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime
import torch
from transformers import BertConfig, BertModel

THREADS = 2
ENVIRONMENT = os.environ | {"RAYON_NUM_THREADS": str(THREADS)}
FORWARD = ["cargo", "run", "-q", "--release", "-p", "kernels", "--example", "bert_base", "--"]
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


def model(attention):
    torch.manual_seed(0)
    bert = BertModel(BertConfig(), add_pooling_layer=False).eval()
    bert.set_attn_implementation(attention)
    return bert


def export(eager, folder):
    """The ONNX model, with the attentions of all layers among its outputs."""

    class WithAttentions(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = eager

        def forward(self, ids):
            out = self.bert(ids, output_attentions=True)
            return (out.last_hidden_state, *out.attentions)

    path = os.path.join(folder, "bert.onnx")
    names = ["last"] + [f"attention{i}" for i in range(12)]
    axes = {"ids": {1: "n"}, "last": {1: "n"}}
    axes |= {f"attention{i}": {2: "n", 3: "n"} for i in range(12)}
    torch.onnx.export(
        WithAttentions().eval(), (torch.ones(1, 16, dtype=torch.long),), path,
        input_names=["ids"], output_names=names, dynamic_axes=axes, dynamo=False,
    )
    return path


def session(path, outputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    run = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    return lambda ids: run.run(outputs, {"ids": ids.numpy()})


def times(run, runs):
    run()
    result = []
    for _ in range(runs):
        start = time.perf_counter()
        out = run()
        result.append((time.perf_counter() - start) * 1e3)
        del out
    return result


def check(eager, ids, folder):
    """Our layers on PyTorch's embeddings give PyTorch's results."""
    embedded = eager.embeddings(ids)
    embedded.numpy().tofile(os.path.join(folder, "input.f32"))
    ours(FORWARD, ids.shape[1], 1, folder)
    expected = eager(ids, output_attentions=True)
    for name, value in [
        ("output", expected.last_hidden_state),
        ("attentions", torch.stack(expected.attentions)),
    ]:
        got = np.fromfile(os.path.join(folder, name + ".f32"), dtype=np.float32)
        difference = np.abs(got - value.numpy().reshape(-1)).max()
        print(f"{ids.shape[1]} tokens, {name}: at most {difference:.1e} from PyTorch's")
        assert difference < {"output": 1e-5, "attentions": 2e-6}[name]


def main():
    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
    compare_linear()
    eager, sdpa = model("eager"), model("sdpa")
    with tempfile.TemporaryDirectory() as folder:
        layers = [p.numpy().reshape(-1) for p in eager.encoder.parameters()]
        np.concatenate(layers).tofile(os.path.join(folder, "weights.f32"))
        path = export(eager, folder)
        ort, ort_bare = session(path, None), session(path, ["last"])
        for tokens in (16, 128, 512):
            ids = torch.randint(1000, 20000, (1, tokens))
            check(eager, ids, folder)
            runs = {16: 30, 128: 10, 512: 4}[tokens]
            peers = {
                "PyTorch eager, attentions": lambda: eager(ids, output_attentions=True),
                "ONNX Runtime, attentions": lambda: ort(ids),
                "PyTorch sdpa": lambda: sdpa(ids),
                "ONNX Runtime": lambda: ort_bare(ids),
            }
            all_times = {}
            for _ in range(ROUNDS):
                out = ours(FORWARD, tokens, runs)
                all_times.setdefault("kernels, attentions", []).extend(out["attentions"])
                all_times.setdefault("kernels", []).extend(out["no_attentions"])
                all_times.setdefault("kernels, attentions, bf16 weights", []).extend(out["bf16"])
                for name, run in peers.items():
                    all_times.setdefault(name, []).extend(times(run, runs))
            for name, ms in all_times.items():
                report(f"{tokens:3} tokens, {name}", ms)
            print(f"load: {os.getloadavg()[0]:.1f}", flush=True)


main()
