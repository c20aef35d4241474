"""From the start of the process to a label: our command line beside Python's pipeline.

    python3 -m venv VENV && VENV/bin/pip install torch transformers
    VENV/bin/python tests/reference/bench_sentiment.py [--model FOLDER] [--rounds 5]

The two sentences of the notes, in one process. Unless --model names a real classifier, it is one of
DistilBERT's size with random weights: its answers mean nothing, its time does. Each round runs ours,
then Python's, so that a busy machine disturbs both alike.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

from bench_program import keep

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TEXTS = [
    "I love this new movie, it's fantastic!",
    "The service was terrible from start to finish.",
]
PYTHON = """
import sys
from transformers import pipeline
print(pipeline("sentiment-analysis", model=sys.argv[1])(sys.argv[2:]))
"""


def make():
    """A DistilBERT of the usual size with random weights, in Hugging Face layout."""
    folder = TARGET / "bench-distilbert"
    if (folder / "done").exists():
        return folder
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    labels = {0: "NEGATIVE", 1: "POSITIVE"}
    config = DistilBertConfig(id2label=labels, label2id={name: i for i, name in labels.items()})
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    words = " ".join(TEXTS).lower().replace(",", " ,").replace("!", " !").replace(".", " .")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(words.split())]
    filler = [f"w{i}" for i in range(config.vocab_size - len(words))]
    (folder / "vocab.txt").write_text("\n".join(words + filler) + "\n")
    (folder / "done").touch()
    return folder


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(folder, rounds):
    build = ["cargo", "build", "--release", "--package", "ch04-sentiment"]
    subprocess.run(build, cwd=ROOT, check=True)
    program = TARGET / "release" / "ch04-sentiment"
    commands = {
        "ours": [program, *TEXTS, "--model", folder],
        "Python pipeline": [sys.executable, "-c", PYTHON, folder, *TEXTS],
    }
    found = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(seconds(command))
    milliseconds = {name: [s * 1e3 for s in times] for name, times in found.items()}
    keep("DistilBERT, from the start of the process to two labels", milliseconds)
    for name, times in found.items():
        print(f"{name:16} median {statistics.median(times):6.2f} s, minimum {min(times):6.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.model or make(), arguments.rounds)
