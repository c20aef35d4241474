"""Greedy decoding with papagaio: ours beside transformers, ONNX Runtime and CTranslate2, in one run.

    python3 -m venv VENV && VENV/bin/pip install -r tests/reference/bench-requirements.txt
    VENV/bin/python tests/reference/bench_generation.py --rounds 10 --set AVX2 > SPEED.json

Batch 1, f32, 2 threads, the same weights and prompts for all, 64 new tokens; the programs take turns, and
must agree on every token. papagaio has 256 positions: so that a prompt of 256 has room, the copy that all
are given has its table of positions twice. ONNX Runtime's graph takes and gives keys and values, bound
where they lie. A time is that of the whole call, in milliseconds: reading the prompt and 64 tokens. Then,
each in a fresh process: from its start to the first token, and the most memory that it has had. What the
chapter shows (`measures/speed.json`) goes to standard output, tables to standard error.
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
FOLDER = TARGET / "bench-generation"
THREADS = 2
NEW = 64
PROMPTS = [16, 256]
RUNS = 5  # at each turn
PEERS = ["transformers", "ONNX Runtime", "CTranslate2"]
OURS = {"ours, packed": [], "ours, teaching": ["--teaching"]}


def prompt(length):
    """Tokens, any: the same for all."""
    return [100 + i * 7919 % 3_900 for i in range(length)]


def make():
    """papagaio in f32 with 512 positions, as ONNX and for CTranslate2 too."""
    if (FOLDER / "done").exists():
        return
    import ctranslate2
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    shipped = ROOT / "weights" / "papagaio"
    model = AutoModelForCausalLM.from_pretrained(shipped, dtype=torch.float32).eval()
    table = torch.nn.Parameter(model.transformer.wpe.weight.repeat(2, 1))
    model.transformer.wpe = torch.nn.Embedding.from_pretrained(table)
    model.config.n_positions = table.shape[0]
    model.save_pretrained(FOLDER)
    AutoTokenizer.from_pretrained(shipped).save_pretrained(FOLDER)
    export(torch, model)
    converter = ctranslate2.converters.TransformersConverter(str(FOLDER))
    converter.convert(str(FOLDER / "ctranslate2"), force=True)
    (FOLDER / "done").touch()


def export(torch, model):
    """One step as a graph: new tokens and what is kept of those before, to logits and what is kept."""
    body, heads = model.transformer, model.config.n_head

    def linear(layer, x):  # transformers' own Conv1D would be traced with the example's length
        return x @ layer.weight + layer.bias

    class Step(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, *past):
            n, before = ids.shape[1], past[0].shape[2]
            queries = torch.arange(n) + before
            x = body.wte(ids) + body.wpe(queries)
            seen = torch.arange(n + before)[None] <= queries[:, None]
            present = []
            for i, block in enumerate(body.h):
                parts = linear(block.attn.c_attn, block.ln_1(x)).chunk(3, -1)
                q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in parts)
                k, v = (torch.cat([past[2 * i + j], new], 2) for j, new in enumerate((k, v)))
                present += [k, v]
                scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
                weights = scores.masked_fill(~seen, -torch.inf).softmax(-1)
                x = x + linear(block.attn.c_proj, (weights @ v).transpose(1, 2).flatten(2))
                hidden = block.mlp.act(linear(block.mlp.c_fc, block.ln_2(x)))
                x = x + linear(block.mlp.c_proj, hidden)
            return (model.lm_head(body.ln_f(x[:, -1])), *present)

    count = 2 * model.config.n_layer
    width = model.config.n_embd // heads
    past = [torch.zeros(1, heads, 3, width) for _ in range(count)]
    names = [f"past.{i}" for i in range(count)], [f"present.{i}" for i in range(count)]
    axes = {"ids": {1: "n"}} | {name: {2: "m"} for kind in names for name in kind}
    torch.onnx.export(
        Step(), (torch.ones(1, 2, dtype=torch.long), *past), FOLDER / "step.onnx", dynamo=False,
        input_names=["ids", *names[0]], output_names=["logits", *names[1]], dynamic_axes=axes,
    )


def load(peer):
    """A function from a prompt and a count to the tokens that come."""
    if peer == "transformers":
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(THREADS)
        torch.set_grad_enabled(False)
        model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
        model.generation_config.eos_token_id = None
        model.generation_config.pad_token_id = 0

        def generate(ids, new):
            given = torch.tensor([ids])
            mask = torch.ones_like(given)
            found = model.generate(given, attention_mask=mask, max_new_tokens=new, do_sample=False)
            return found[0, len(ids):].tolist()

        return generate
    if peer == "CTranslate2":
        import ctranslate2

        model = ctranslate2.Generator(str(FOLDER / "ctranslate2"), compute_type="float32",
                                      intra_threads=THREADS)
        words = json.loads((FOLDER / "ctranslate2" / "vocabulary.json").read_text())

        def generate(ids, new):
            # By default `<|endoftext|>` could not come before `new` tokens; so it is one that doesn't come.
            [found] = model.generate_batch([[words[id] for id in ids]], max_length=new, min_length=new,
                                           end_token=[len(words) - 1], include_prompt_in_result=False)
            return found.sequences_ids[0]

        return generate
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(FOLDER / "step.onnx", options, ["CPUExecutionProvider"])
    _, *inputs = session.get_inputs()
    _, *outputs = session.get_outputs()
    shape = [1, inputs[0].shape[1], 0, inputs[0].shape[3]]

    def generate(ids, new):
        value = onnxruntime.OrtValue.ortvalue_from_numpy
        past = [value(numpy.zeros(shape, numpy.float32)) for _ in inputs]
        found = []
        while len(found) < new:
            binding = session.io_binding()
            binding.bind_cpu_input("ids", numpy.array([found[-1:] or ids]))
            for given, kept in zip(inputs, past):
                binding.bind_ortvalue_input(given.name, kept)
            binding.bind_output("logits")
            for output in outputs:
                binding.bind_output(output.name)
            session.run_with_iobinding(binding)
            logits, *past = binding.get_outputs()
            found.append(int(logits.numpy().argmax()))
        return found

    return generate


def worker(peer):
    generate = load(peer)
    for line in sys.stdin:
        length, new, runs = map(int, line.split())
        ids, times = generate(prompt(length), new), []
        for _ in range(runs):
            start = time.perf_counter()
            generate(prompt(length), new)
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps(dict(ids=ids, ms=times, peak_mib=peak_mib())), flush=True)


def main(rounds, instructions):
    make()
    ours = program("ch09-generation", "generate")
    environment = os.environ | {"RAYON_NUM_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    commands = {name: [ours, str(FOLDER), *options] for name, options in OURS.items()}
    commands |= {peer: [sys.executable, __file__, "--worker", peer] for peer in PEERS}

    def ask(process, length, new, runs):
        process.stdin.write(f"{length} {new} {runs}\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    speeds = {name: dict(program=name) for name in commands}
    workers = {name: subprocess.Popen(command, **pipes) for name, command in commands.items()}
    for length in PROMPTS:
        found, ids = {name: [] for name in commands}, {}
        for _ in range(rounds):
            for name, process in workers.items():
                report = ask(process, length, NEW, RUNS)
                found[name] += report["ms"]
                ids[name] = report["ids"]
        for name in commands:
            assert ids[name] == ids["transformers"], f"{name} says otherwise: {ids}"
        keep(f"papagaio, {NEW} tokens after {length}", found)
        for name, ms in table(f"{NEW} tokens after {length}, ms", found).items():
            speeds[name][f"after_{length}"] = round(1e3 * NEW / ms, 1)
    close(workers)

    first, peak = {name: [] for name in commands}, {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            process = subprocess.Popen(command, **pipes)
            report = ask(process, PROMPTS[0], 1, 0)
            first[name].append((time.perf_counter() - start) * 1e3)
            peak[name].append(ask(process, PROMPTS[0], NEW, 1)["peak_mib"])
            close({name: process})
    keep("papagaio, process start to first token", first)
    for name, ms in table("process start to first token, ms", first).items():
        speeds[name]["first_token"] = round(ms, 1)
    for name, mib in table("most memory, MiB", peak).items():
        speeds[name]["peak_mib"] = round(mib, 1)
    print(json.dumps(dict(set=instructions, programs=list(speeds.values())), indent=1))


def close(workers):
    for process in workers.values():
        process.stdin.close()
        process.wait()


def table(title, found):
    """Prints medians beside the best peer's, and gives them."""
    medians = {name: statistics.median(values) for name, values in found.items()}
    best = min(medians[peer] for peer in PEERS)
    print(f"{title}; 1-minute load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    for name, median in medians.items():
        print(f"  {name:16}{median:10.2f}{median / best:8.3f} of the best peer's", file=sys.stderr)
    return medians


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", default="AVX2", help="the machine's vectors, for the record")
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker)
    else:
        main(arguments.rounds, arguments.set)
