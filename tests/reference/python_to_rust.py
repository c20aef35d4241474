"""The left column of src/python-to-rust.md, and what it gives: tests/fixtures/python-to-rust.json.

Between anchors stands what the page shows; each sets the variable of its name. In Rust the same
stands in tests/tests/python_to_rust.rs, which is held to these values.

NumPy 2 and PyTorch 2.15: `python3 python_to_rust.py`.
"""

import json
import pathlib
import re

import numpy as np
import torch
import torch.nn.functional as F

x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
w = np.array([[0.5, -1.0], [1.0, 0.25], [2.0, 1.0]])
b = np.array([10.0, 20.0])
z = np.arange(12.0).reshape(2, 6)

# ANCHOR: product
product = x @ w
# ANCHOR_END: product
# ANCHOR: transposed
transposed = x.T
# ANCHOR_END: transposed
# ANCHOR: with_bias
with_bias = product + b
# ANCHOR_END: with_bias
# ANCHOR: part
part = x[:, 1:]
# ANCHOR_END: part
# ANCHOR: rows
rows = w[[2, 0]]
# ANCHOR_END: rows
# ANCHOR: row_sums
row_sums = x.sum(axis=1, keepdims=True)
# ANCHOR_END: row_sums
# ANCHOR: normalized
mean = x.mean(axis=1, keepdims=True)
normalized = (x - mean) / x.std(axis=1, keepdims=True)
# ANCHOR_END: normalized
# ANCHOR: softmax
e = np.exp(x - x.max(axis=1, keepdims=True))
softmax = e / e.sum(axis=1, keepdims=True)
# ANCHOR_END: softmax
# ANCHOR: heads
heads = z.reshape(2, 2, 3).transpose(1, 0, 2)
# ANCHOR_END: heads
# ANCHOR: causal
causal = np.triu(np.full((3, 3), -np.inf), k=1)
# ANCHOR_END: causal
# ANCHOR: clipped
clipped = np.where(x > 3, -1.0, x)
# ANCHOR_END: clipped
# ANCHOR: largest
largest = x.argmax(axis=1)
# ANCHOR_END: largest
# ANCHOR: stacked
stacked = np.concatenate([x, x], axis=0)
# ANCHOR_END: stacked
# ANCHOR: random
np.random.seed(42)
random = np.random.rand(2, 2)
# ANCHOR_END: random

t = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
weight = torch.tensor([[0.5, 1.0, 2.0], [-1.0, 0.25, 1.0]])
bias = torch.tensor([10.0, 20.0])

# ANCHOR: linear
linear = F.linear(t, weight, bias)
# ANCHOR_END: linear
# ANCHOR: probabilities
probabilities = F.softmax(t, dim=-1)
# ANCHOR_END: probabilities
# ANCHOR: masked_fill
masked_fill = t.masked_fill(t > 3, -1.0)
# ANCHOR_END: masked_fill
# ANCHOR: split
split = t.view(2, 3, 1).transpose(0, 1)
# ANCHOR_END: split
# ANCHOR: batch
batch = t.unsqueeze(0)
# ANCHOR_END: batch
# ANCHOR: joined
joined = torch.cat([t, t], dim=1)
# ANCHOR_END: joined
# ANCHOR: embedded
ids = torch.tensor([1, 0, 1])
embedded = F.embedding(ids, t)
# ANCHOR_END: embedded
# ANCHOR: guesses
guesses = t.argmax(dim=-1)
# ANCHOR_END: guesses
# ANCHOR: norm
norm = F.layer_norm(t, (3,))
# ANCHOR_END: norm
# ANCHOR: loss
targets = torch.tensor([2, 0])
loss = F.cross_entropy(t, targets)
# ANCHOR_END: loss
# ANCHOR: gradient
v = torch.tensor([2.0, 3.0], requires_grad=True)
(v**2).sum().backward()
gradient = v.grad
# ANCHOR_END: gradient


def plain(value):
    """Numbers row after row, None for −∞, which JSON has not."""
    numbers = np.asarray(value, dtype=np.float64)
    flat = [None if number == -np.inf else number for number in numbers.ravel().tolist()]
    return {"shape": list(numbers.shape), "values": flat}


source = pathlib.Path(__file__)
names = re.findall(r"^# ANCHOR: (\w+)$", source.read_text(), re.MULTILINE)
found = {name: plain(globals()[name]) for name in names}
target = source.parents[1] / "fixtures" / "python-to-rust.json"
target.write_text(json.dumps(found, indent=1) + "\n")
