#!/usr/bin/env bash
# A transposed NumPy array comes back from safetensors with its values in other places.
#
# `safetensors.numpy.save_file` writes an array's memory as it lies, with the shape of the
# view: of a transposed (or otherwise strided) array the shape is right and the numbers are
# in the order of the array below it. No error, no warning. PyTorch's `save_file` refuses
# such tensors by name ("non contiguous tensor"), so one expects the same here. It bites
# whoever saves `weight.T`: a dense layer's kernel on its way from PyTorch's [out, in] to
# Keras' [in, out]. `np.ascontiguousarray` is the remedy.
#
# Needs python3 with venv. Exits 1 once the array comes back as it was, or is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 safetensors==0.8.0
"$folder/venv/bin/python" - "$folder/weights.safetensors" <<'PYTHON'
import sys

import numpy
import safetensors
from safetensors.numpy import load_file, save_file

path = sys.argv[1]
weight = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
kernel = weight.T  # [3, 2]
print(f"safetensors {safetensors.__version__}, numpy {numpy.__version__}")
print("belief: an array is loaded as it was saved, or is refused")
try:
    save_file({"kernel": kernel}, path)
except Exception as error:
    sys.exit(f"changed: it is refused: {error}")
loaded = load_file(path)["kernel"]
print("saved: ", kernel.tolist())
print("loaded:", loaded.tolist())
save_file({"kernel": numpy.ascontiguousarray(kernel)}, path)
assert (load_file(path)["kernel"] == kernel).all()
if loaded.shape == kernel.shape and (loaded == kernel).all():
    sys.exit("changed: the array is loaded as it was saved")
PYTHON
