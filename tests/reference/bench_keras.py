"""The notes' block here and in Keras, forward and one training step, in turns.

    python tests/reference/bench_keras.py [--backends jax torch tensorflow] [--rounds 15]

Needs keras and the backends that are timed, each in a process of its own (`KERAS_BACKEND`), compiled
(`jit_compile` on JAX and TensorFlow, torch.compile on PyTorch), with two threads. Forward is
`predict_on_batch`; the step is `train_on_batch` of the block with a Dense(20) on each token, Adam,
sparse categorical cross-entropy. One run of each at a time, in another order each time, so that what
else the machine does, and what one's threads still do when the next begins, falls on all alike.
"""

import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

from bench_program import keep, program

ROOT = pathlib.Path(__file__).resolve().parents[2]
THREADS = dict(
    RAYON_NUM_THREADS="2", OMP_NUM_THREADS="2", TF_NUM_INTRAOP_THREADS="2",
    XLA_FLAGS="--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads=2",
    JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3",
)


def serve(batch):
    """In a backend's process: answers each line, `forward` or `step`, with milliseconds."""
    sys.path.insert(0, str(ROOT / "tests" / "reference"))
    import keras
    import numpy as np
    from keras_block import block

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        torch.set_num_threads(2)
    notes, _ = block()
    head = keras.Model(notes.input, keras.layers.Dense(20)(notes.output))
    ids = (np.arange(batch * 10).reshape(batch, 10) * 7 % 20).astype("int32")
    for model in (notes, head):
        model.compile(
            keras.optimizers.Adam(), jit_compile=True,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
    run = dict(
        forward=lambda: notes.predict_on_batch(ids), step=lambda: head.train_on_batch(ids, ids)
    )
    for line in sys.stdin:
        start = time.perf_counter()
        run[line.strip()]()
        print((time.perf_counter() - start) * 1e3, flush=True)


class Process:
    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, **THREADS, **environment),
        )

    def run(self, what):
        print(what, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "torch", "jax"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments.serve)
    ours = program("ch06-keras-block", "keras")
    print(f"load average {os.getloadavg()[0]:.1f}; ms: median (best)")
    for batch in (1, 32):
        programs = dict(ours=Process([ours, str(batch)]))
        for backend in arguments.backends:
            command = [sys.executable, __file__, "--serve", str(batch)]
            programs[backend] = Process(command, KERAS_BACKEND=backend)
        for what in ("forward", "step"):
            times = {name: [] for name in programs}
            for turn in range(arguments.rounds + 3):
                names = list(programs)
                random.shuffle(names)
                for name in names:
                    took = programs[name].run(what)
                    if turn >= 3:
                        times[name].append(took)
            keep(f"Keras block, {what}, batch {batch}", times)
            median = {name: statistics.median(took) for name, took in times.items()}
            best = {name: min(took) for name, took in times.items()}
            row = ", ".join(f"{name} {median[name]:.1f} ({best[name]:.1f})" for name in programs)
            peers = [name for name in programs if name != "ours"]
            ratio = median["ours"] / min(median[name] for name in peers)
            floor = best["ours"] / min(best[name] for name in peers)
            print(f"batch {batch}, {what}: {row}; ours / fastest Keras {ratio:.2f} ({floor:.2f}); "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)
        for one in programs.values():
            one.end()


if __name__ == "__main__":
    main()
