"""BERT-base's forward pass: ours beside PyTorch and ONNX Runtime, in one run.

    python3 -m venv VENV && VENV/bin/pip install torch transformers onnxruntime onnx openvino
    VENV/bin/python tests/reference/bench_bert.py

Random weights, batch 1, f32, 2 threads, from ids to the attentions of all layers (or, where it says
"none", to the last vectors only). The peers take turns (each measures a few passes, then the next one
does), so that a machine that others use too disturbs all alike. Each is a process of its own, asked
through a pipe; its peak memory and its loading time (from the start of reading the model to the point
where a pass can begin, imports not counted) stand beside its medians, in milliseconds.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from bench_program import keep, peak_mib, program

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FOLDER = TARGET / "bench-bert"
THREADS = 2
TOKENS = {16: 20, 128: 6, 512: 2}  # passes measured at each turn
ONNX = "bert.onnx"
PEERS = ["PyTorch eager", "PyTorch compiled", "PyTorch sdpa", "ONNX Runtime", "OpenVINO"]
OURS = {"ours, packed": [], "ours, teaching": ["--teaching"]}


def make():
    """A BERT-base with random weights, in Hugging Face layout and as ONNX."""
    if (FOLDER / "done").exists():
        return
    import torch
    from transformers import BertConfig, BertModel

    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = BertModel(BertConfig(), add_pooling_layer=False).eval()
    model.save_pretrained(FOLDER)
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(30517)]
    (FOLDER / "vocab.txt").write_text("\n".join(vocab) + "\n")
    model.set_attn_implementation("eager")

    class Attentions(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = model

        def forward(self, ids):
            outputs = self.bert(ids, output_attentions=True)
            return (outputs.last_hidden_state, *outputs.attentions)

    attentions = [f"attentions.{i}" for i in range(12)]
    axes = {"ids": {1: "n"}, "last": {1: "n"}} | {name: {2: "n", 3: "n"} for name in attentions}
    torch.onnx.export(
        Attentions(), (torch.ones(1, 16, dtype=torch.long),), FOLDER / ONNX, dynamo=False,
        input_names=["ids"], output_names=["last", *attentions], dynamic_axes=axes,
    )
    (FOLDER / "done").touch()


def load(peer):
    """A function from ids to outputs, with or without attentions."""
    if peer == "ONNX Runtime":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(FOLDER / ONNX, options, ["CPUExecutionProvider"])
        return lambda ids, all: session.run(None if all else ["last"], {"ids": ids.numpy()})
    if peer == "OpenVINO":
        options = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
        model = openvino.Core().compile_model(FOLDER / ONNX, "CPU", options)
        # It computes all outputs; there is no row without attentions.
        return lambda ids, all: list(model({"ids": ids.numpy()}).values())
    how = peer.removeprefix("PyTorch ").replace("compiled", "eager")
    model = BertModel.from_pretrained(FOLDER, attn_implementation=how, add_pooling_layer=False)
    model.eval()
    if peer == "PyTorch compiled":
        return torch.compile(lambda ids, all: model(ids, output_attentions=all).to_tuple())
    return lambda ids, all: model(ids, output_attentions=all)


def worker(peer):
    global onnxruntime, openvino, torch, BertModel
    import torch

    if peer == "ONNX Runtime":
        import onnxruntime
    elif peer == "OpenVINO":
        import openvino
    else:
        from transformers import BertModel
    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
    start = time.perf_counter()
    forward = load(peer)
    loaded = (time.perf_counter() - start) * 1e3
    for line in sys.stdin:
        tokens, runs = map(int, line.split())
        ids = torch.tensor([[1000 + i * 7919 % 20_000 for i in range(tokens)]])
        report = dict(load_ms=loaded)
        for name, all in (("attentions", True), ("no_attentions", False)):
            if (name, peer) in [("attentions", "PyTorch sdpa"), ("no_attentions", "OpenVINO")]:
                continue  # the one gives none, the other all
            report[name] = times(lambda: forward(ids, all), runs)
        report["peak_mib"] = peak_mib()
        print(json.dumps(report), flush=True)


def times(run, runs):
    run()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        outputs = run()
        found.append((time.perf_counter() - start) * 1e3)
        del outputs
    return found


def main(rounds):
    make()
    ours = program("ch05-bert-attention", "bert")
    environment = os.environ | {"RAYON_NUM_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    workers = {
        peer: subprocess.Popen([sys.executable, __file__, "--worker", peer], **pipes)
        for peer in PEERS
    }
    found = {name: {} for name in [*OURS, *PEERS]}

    def turn(name, tokens, runs):
        if name in OURS:
            command = [ours, FOLDER, str(tokens), str(runs), *OURS[name]]
            run = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
            report = json.loads(run.stdout)
        else:
            process = workers[name]
            process.stdin.write(f"{tokens} {runs}\n")
            process.stdin.flush()
            report = json.loads(process.stdout.readline())
        print(f"{tokens} tokens, {name}: {report}"[:200], file=sys.stderr)
        kept = found[name]
        kept.setdefault("load_ms", []).append(report["load_ms"])
        kept["peak_mib"] = max(kept.get("peak_mib", 0), report["peak_mib"])
        for kind in ("attentions", "no_attentions"):
            kept.setdefault((tokens, kind), []).extend(report.get(kind, []))

    for tokens, runs in TOKENS.items():
        for _ in range(rounds):
            for name in found:
                turn(name, tokens, runs)
    for process in workers.values():
        process.stdin.close()
        process.wait()
    table(found)
    for tokens in TOKENS:
        times = {name: kept[tokens, "attentions"] for name, kept in found.items()}
        keep(f"BERT-base, attentions out, {tokens} tokens", times)
    keep("BERT-base, load", {name: kept["load_ms"] for name, kept in found.items()})


def table(found):
    kinds = [(tokens, kind) for tokens in TOKENS for kind in ("attentions", "no_attentions")]
    heads = [f"{tokens} {'all' if kind == 'attentions' else 'none'}" for tokens, kind in kinds]
    for title, middle in (("median", statistics.median), ("minimum", min)):
        print(f"{title} ms, tokens and attentions; 1-minute load {os.getloadavg()[0]:.1f}")
        columns = [*heads, "load ms", "peak MiB"]
        print(f"{'':16}" + "".join(f"{column:>10}" for column in columns))
        for name, kept in found.items():
            cells = [middle(kept[kind]) if kept[kind] else None for kind in kinds]
            cells += [middle(kept["load_ms"]), kept["peak_mib"]]
            print(f"{name:16}" + "".join(f"{'–' if c is None else f'{c:.1f}':>10}" for c in cells))
        ratios = []
        for kind in kinds:
            best = min(middle(found[peer][kind]) for peer in PEERS if found[peer][kind])
            ratios.append(middle(found["ours, packed"][kind]) / best)
        print(f"{'packed/best peer':16}" + "".join(f"{ratio:10.2f}" for ratio in ratios))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker)
    else:
        main(arguments.rounds)
