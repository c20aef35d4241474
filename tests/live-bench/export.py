"""Writes weights/bertinho to ONNX (f32): ids in, the attentions of its 12 layers out.

    python tests/live-bench/export.py FOLDER MODEL.onnx

Then asks ONNX Runtime and transformers the same, and fails where they differ by more than 1e-5.
"""

import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from transformers import BertModel
from transformers.utils import logging

OPSET = 20  # has LayerNormalization (17) and Gelu (20), which ONNX Runtime computes each in one kernel
TOLERANCE = 1e-5
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
SHAPES = [(1, 16), (1, 64), (1, 256), (3, 7)]


class AllAttentions(torch.nn.Module):
    """The model with nothing but its attentions as outputs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        found = self.model(**dict(zip(INPUTS, inputs)), output_attentions=True)
        return found.attentions


def load(folder):
    model = BertModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    )
    return AllAttentions(model.eval())


def texts(batch, length, model, seed=0):
    """Ids of random texts, the first of which are padded where there are more than one."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, model.model.config.vocab_size, (batch, length), generator=random)
    mask = torch.ones_like(ids)
    for row in range(batch - 1):
        mask[row, length - 1 - row :] = 0
    return ids, mask, torch.zeros_like(ids)


def export(model, path):
    layers = model.model.config.num_hidden_layers
    outputs = [f"attentions_{layer}" for layer in range(layers)]
    axes = {name: {0: "batch", 1: "sequence"} for name in INPUTS}
    axes |= {name: {0: "batch", 2: "sequence", 3: "sequence"} for name in outputs}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            texts(2, 9, model),
            path,
            input_names=INPUTS,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(path)


def check(model, path):
    """The largest difference between both, over all layers and shapes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    largest = 0.0
    for batch, length in SHAPES:
        inputs = texts(batch, length, model, seed=length)
        with torch.no_grad():
            expected = model(*inputs)
        found = session.run(None, {name: x.numpy() for name, x in zip(INPUTS, inputs)})
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.shape == theirs.shape, f"{ours.shape} for {theirs.shape}"
            largest = max(largest, float(np.abs(ours - theirs.numpy()).max()))
    return largest


def main():
    folder, path = sys.argv[1:]
    logging.set_verbosity_error()  # the weights of task heads are left unread, as they should be
    logging.disable_progress_bar()
    model = load(folder)
    export(model, path)
    largest = check(model, path)
    print(f"{path}: opset {OPSET}, {largest:.1e} from transformers at most")
    sys.exit(largest > TOLERANCE)


if __name__ == "__main__":
    main()
