"""Head profiles, attention rollout and rank correlation in NumPy: the reference for chapter 5.

    python tests/reference/ch05_numpy.py   regenerates tests/fixtures/ch05-numpy.json

The attentions are those that transformers computed for tests/fixtures/bert-base
(tests/reference/bert_transformers.py). Needs numpy (any version).
"""

import json
import pathlib
import struct

import numpy as np

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
CLS, SEP = 2, 3
RUNS = ["single", "pair", "padded"]
DTYPES = {"F32": "<f4", "I64": "<i8", "U32": "<u4"}
RANKED = [
    [[1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.4, 0.3]],
    [[3.0, 1.0, 2.0, 2.0, 5.0], [0.5, 0.5, 0.1, 0.2, 0.2]],
    [[-1.0, 0.0, 7.0], [9.0, 8.0, -3.0]],
    [[0.5, 0.5, 0.5, 1.5, 2.5, 0.0], [2.0, 2.0, 1.0, 1.0, 1.0, 0.0]],
]


def tensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    found = {}
    for name, info in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in info["data_offsets"])
            values = np.frombuffer(data[start:end], dtype=DTYPES[info["dtype"]])
            found[name] = values.reshape(info["shape"])
    return found


def profile(weights, ids, mask):
    """The mean profile of one head: weights [rows, n, n], of the ordinary tokens' rows."""
    n = ids.shape[1]
    i, j = np.indices((n, n))
    looking = (mask == 1) & (ids != CLS) & (ids != SEP)  # [rows, n]

    def share(seen):
        """The mean weight on what `seen`, broadcast to [rows, n, n], marks."""
        return (weights * seen).sum(-1)[looking].mean()

    positive = np.where(weights > 0, weights, 1.0)  # log2 1 = 0
    return {
        "cls": share((ids == CLS)[:, None, :]),
        "sep": share((ids == SEP)[:, None, :]),
        "itself": share(i == j),
        "previous": share(j == i - 1),
        "next": share(j == i + 1),
        "entropy": -(positive * np.log2(positive)).sum(-1)[looking].mean(),
        "distance": share(np.abs(i - j)),
    }


def rollout(layers):
    """Abnar and Zuidema (2020): layers [layers, heads, n, n] -> [n, n]."""
    through = np.eye(layers.shape[-1])
    for layer in layers:
        through = (0.5 * layer.mean(0) + 0.5 * np.eye(len(through))) @ through
    return through


def ranks(values):
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        ranks[values == value] = ranks[values == value].mean()
    return ranks


def main():
    known = tensors(FIXTURES / "bert-base" / "expected.safetensors")
    runs = {}
    for run in RUNS:
        ids, mask = known[f"{run}.input_ids"], known[f"{run}.attention_mask"]
        layers = [known[f"{run}.attentions.{layer}"].astype(np.float64) for layer in range(2)]
        uniform = np.broadcast_to((mask / mask.sum(-1, keepdims=True))[:, None, :], layers[0][:, 0].shape)
        runs[run] = {
            "heads": [
                [profile(layer[:, head], ids, mask) for head in range(layer.shape[1])]
                for layer in layers
            ],
            "uniform": profile(uniform, ids, mask),
        }
        if len(ids) == 1:
            runs[run]["rollout"] = rollout(np.concatenate(layers)).tolist()
    correlations = [
        {"a": a, "b": b, "rho": np.corrcoef(ranks(np.array(a)), ranks(np.array(b)))[0, 1]}
        for a, b in RANKED
    ]
    text = json.dumps({"runs": runs, "correlations": correlations}, indent=1)
    (FIXTURES / "ch05-numpy.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
