"""A training step of a small BERT here and in PyTorch, in turns.

    python tests/reference/bench_training.py [--layers 3 6 12] [--rounds 15]

Needs torch and transformers. Masked language modeling, hidden 192, 12 heads, feed-forward 768,
vocabulary 8,000; 100 rows of 20 tokens, 15 % of them masked; dropout 0.1, gradients clipped to
norm 1, AdamW. Both guess the vocabulary at masked positions only, and both have two threads. One
step of each at a time, so that what else the machine does falls on both alike.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time

from bench_program import keep, program

os.environ.setdefault("OMP_NUM_THREADS", "2")
import torch
from transformers import BertConfig, BertForMaskedLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS, TOKENS = 100, 20


class PyTorch:
    def __init__(self, layers, attention, fused, compiled=False):
        torch.manual_seed(1)
        config = BertConfig(
            vocab_size=8000, hidden_size=192, num_hidden_layers=layers, num_attention_heads=12,
            intermediate_size=768, max_position_embeddings=128,
        )
        config._attn_implementation = attention
        self.model = BertForMaskedLM(config).train()
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() == 1]
        groups = [dict(params=matrices), dict(params=vectors, weight_decay=0.0)]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=fused)
        self.bert = torch.compile(self.model.bert) if compiled else self.model.bert
        row, i = torch.arange(ROWS)[:, None], torch.arange(TOKENS)
        self.ids = (row * 7919 + i * 104729) % 7990 + 5
        place = torch.arange(ROWS * TOKENS)
        self.masked = place[(place % 20 < 3) & (place % TOKENS > 0)]
        self.targets = self.ids.flatten()[self.masked]

    def step(self):
        start = time.perf_counter()
        hidden = self.bert(self.ids).last_hidden_state
        logits = self.model.cls(hidden.flatten(0, 1)[self.masked])
        loss = torch.nn.functional.cross_entropy(logits, self.targets)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return (time.perf_counter() - start) * 1e3


class Ours:
    def __init__(self, binary, layers):
        self.process = subprocess.Popen(
            [binary, "--interactive", "--layers", str(layers)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, RAYON_NUM_THREADS="2"),
        )

    def step(self):
        print(file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", type=int, nargs="+", default=[3, 6, 12])
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    binary = program("ch08-bertinho", "train_step")
    torch.set_num_threads(2)
    print(f"PyTorch {torch.__version__}, load average {os.getloadavg()[0]:.1f}")
    print("tokens/s: median (best)")
    for layers in arguments.layers:
        programs = dict(
            ours=Ours(binary, layers),
            eager=PyTorch(layers, "eager", None),
            sdpa=PyTorch(layers, "sdpa", None),
            sdpa_fused=PyTorch(layers, "sdpa", True),
            compiled=PyTorch(layers, "sdpa", True, compiled=True),
        )
        times = {name: [] for name in programs}
        for round in range(arguments.rounds + 2):
            for name, one in programs.items():
                took = one.step()
                if round >= 2:
                    times[name].append(took)
        programs["ours"].process.stdin.close()
        keep(f"training of a BERT of 192 x {layers} layers, a step of 2,000 tokens", times)
        rate = lambda took: ROWS * TOKENS / took * 1e3
        median = {name: rate(statistics.median(t)) for name, t in times.items()}
        best = {name: rate(min(t)) for name, t in times.items()}
        peer, peer_best = (max(v for k, v in d.items() if k != "ours") for d in (median, best))
        row = ", ".join(f"{name} {median[name]:.0f} ({best[name]:.0f})" for name in programs)
        print(f"{layers} layers: {row}; ours / best peer {median['ours'] / peer:.2f} "
              f"({best['ours'] / peer_best:.2f}); load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
