#!/usr/bin/env bash
# Keras' load_weights gives the query's weights to the key, and says nothing.
#
# Two models of the same layers with the same names, which compute the same: attention scores
# by einsum in one, by a product with the transposed key in the other. `save_weights` files a
# layer under its class and its place in the model, and the place follows from the depth in
# the graph: a key that is transposed first comes before the query. `load_weights` goes by the
# place, though the file has every layer's name. If the shapes are equal, as those of query
# and key mostly are, nothing is noticed but the numbers. It bites whoever rewrites a model
# (einsum for matmul, layers.Attention for either) and loads what the old one has learned.
#
# Needs python3 with venv. Exits 1 once each layer gets its own weights, or the file is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'jax[cpu]==0.10.2' keras==3.15.0
KERAS_BACKEND=jax JAX_PLATFORMS=cpu "$folder/venv/bin/python" - "$folder/model.weights.h5" <<'PYTHON'
import sys

import h5py
import keras
import numpy
from keras import layers, ops

path = sys.argv[1]


def model(scores):
    x = keras.Input((5, 4))
    q = layers.Dense(4, name="query")(x)
    k = layers.Dense(4, name="key")(x)
    return keras.Model(x, ops.softmax(scores(q, k)))


saved = model(lambda q, k: ops.einsum("bqd,bkd->bqk", q, k))
loaded = model(lambda q, k: ops.matmul(q, ops.transpose(k, (0, 2, 1))))
saved.save_weights(path)
print(f"keras {keras.__version__}")
print("belief: a layer gets the weights of the layer of its name")
try:
    loaded.load_weights(path)
except ValueError as error:
    sys.exit(f"changed: it is refused: {error}")
with h5py.File(path) as file:
    names = {place: group["vars"].attrs["name"] for place, group in file["layers"].items()}
print("in the file:", names)
kernel = lambda model, name: numpy.asarray(model.get_layer(name).kernel)
if numpy.array_equal(kernel(saved, "query"), kernel(loaded, "query")):
    sys.exit("changed: the query's weights are the query's")
assert numpy.array_equal(kernel(saved, "query"), kernel(loaded, "key"))
print("seen: the key has the query's weights, the query the key's")
x = numpy.random.default_rng(0).normal(size=(1, 5, 4))
difference = numpy.abs(saved.predict(x, verbose=0) - loaded.predict(x, verbose=0)).max()
print(f"      attention differs by up to {difference:.2f}")
PYTHON
