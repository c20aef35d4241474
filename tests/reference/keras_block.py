"""The block of the notes in Keras 3: the reference for the crate `ch06-keras-block`.

    python tests/reference/keras_block.py              regenerates tests/fixtures/ch06-*
    python tests/reference/keras_block.py --files      only the files in Keras' own formats
    python tests/reference/keras_block.py --read FILE  what a safetensors file of ours gives in Keras

Needs keras, jax, safetensors and h5py (made with keras 3.15.1 on the JAX backend, CPU); with
keras_hub installed, its TokenAndPositionEmbedding is used, else one with the same weights.

Weights are given by a formula that the test has, too: value i of weight j (in the order of
model.variables) is a hash of both. So the notes' 6.5 million need not be stored, and of their
outputs only sums and some columns are.
"""

import argparse
import io
import json
import math
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import h5py
import keras
import numpy as np
from keras import layers, ops

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
SMALL = dict(vocabulary_size=7, sequence_length=5, embedding_dim=6, tokens=5)
NAMES = ["x", "q", "k", "v", "scores", "weights", "z", "ff_1", "ff_2", "output"]


class TokenAndPositionEmbedding(layers.Layer):
    """keras_hub's, as far as the notes use it."""

    def __init__(self, vocabulary_size, sequence_length, embedding_dim, **kwargs):
        super().__init__(**kwargs)
        self.embedding_dim = embedding_dim
        self.token_embedding = layers.Embedding(
            vocabulary_size, embedding_dim, name="token_embedding"
        )
        self.position_embedding = layers.Embedding(
            sequence_length, embedding_dim, name="position_embedding"
        )

    def build(self, shape):
        self.token_embedding.build(shape)
        self.position_embedding.build(shape)

    def call(self, ids):
        return self.token_embedding(ids) + self.position_embedding(ops.arange(ids.shape[-1]))

    def compute_output_shape(self, shape):
        return (*shape, self.embedding_dim)


try:
    from keras_hub.layers import TokenAndPositionEmbedding
except ImportError:
    pass


def transposed(q, k, d):
    return ops.matmul(q, ops.transpose(k, (0, 2, 1))) / math.sqrt(d)


# Other ways to write the notes' scores: the layers that the graph has between query, key and
# the output differ, and with them the places in Keras' files.
SCORES = dict(
    einsum=lambda q, k, d: ops.einsum("bqd,bkd->bqk", q, k) / math.sqrt(d),
    scaled_first=lambda q, k, d: ops.matmul(q / math.sqrt(d), ops.transpose(k, (0, 2, 1))),
    dot=lambda q, k, d: layers.Dot(axes=2)([q, k]) / math.sqrt(d),
)


def block(vocabulary_size=20, sequence_length=10, embedding_dim=768, tokens=10, score=transposed):
    """The notes' block, with all that it computes."""
    ids = keras.Input(shape=(tokens,), dtype="int32", name="ids")
    x = TokenAndPositionEmbedding(vocabulary_size, sequence_length, embedding_dim)(ids)
    q = layers.Dense(embedding_dim, name="query")(x)
    k = layers.Dense(embedding_dim, name="key")(x)
    v = layers.Dense(embedding_dim, name="value")(x)
    scores = score(q, k, embedding_dim)
    weights = ops.softmax(scores)
    z = ops.matmul(weights, v)
    ff_1 = layers.Dense(4 * embedding_dim, activation="relu")(z)
    ff_2 = layers.Dense(embedding_dim)(ff_1)
    output = layers.LayerNormalization()(ff_2)
    inside = [x, q, k, v, scores, weights, z, ff_1, ff_2, output]
    return keras.Model(ids, output), keras.Model(ids, inside)


def lookup_network(width=64, heads=1, residual=False, blocks=1):
    ids = keras.Input(shape=(10,), dtype="int32", name="ids")
    x = TokenAndPositionEmbedding(20, 10, width)(ids)
    d_k = width // heads

    def split(x):
        if heads == 1:
            return x
        return ops.transpose(layers.Reshape((10, heads, d_k))(x), (0, 2, 1, 3))

    for _ in range(blocks):
        q, k, v = (split(layers.Dense(width)(x)) for _ in range(3))
        k_t = ops.transpose(k, (0, 2, 1) if heads == 1 else (0, 1, 3, 2))
        weights = ops.softmax(ops.matmul(q, k_t) / math.sqrt(d_k))
        z = ops.matmul(weights, v)
        if heads > 1:
            z = layers.Reshape((10, width))(ops.transpose(z, (0, 2, 1, 3)))
        h = x + z if residual else z
        wide = layers.Dense(4 * width, activation="relu")(h)
        y = layers.Dense(width)(wide)
        x = layers.LayerNormalization()(h + y if residual else y)
    return keras.Model(ids, layers.Dense(20, name="logits")(x[:, 0]))


def fresh(build, **options):
    """A model as the first of a session: names start without numbers."""
    keras.backend.clear_session()
    return build(**options)


def uniform(j, count):
    """Numbers from -1 to 1, of 24 bits: splitmix64 of j and i."""
    with np.errstate(over="ignore"):
        x = (np.uint64(j) << np.uint64(32)) + np.arange(count, dtype=np.uint64)
        x += np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def set_weights(model, paths=None):
    """Weight j by the formula, in the model's order or in that of `paths`."""
    paths = paths or [variable.path for variable in model.variables]
    for variable in model.variables:
        j = paths.index(variable.path)
        u = uniform(j, math.prod(variable.shape)).reshape(variable.shape)
        name = variable.path.rsplit("/", 1)[1]
        value = {
            "kernel": lambda: u * math.sqrt(6 / sum(variable.shape)),
            "embeddings": lambda: u,
            "gamma": lambda: 1 + 0.1 * u,
        }.get(name, lambda: 0.1 * u)()
        variable.assign(value.astype(np.float32))


def ids_of(batch, tokens, vocabulary):
    i = np.arange(batch * tokens)
    return ((i * 7 + i // tokens * 3) % vocabulary).reshape(batch, tokens).astype("int32")


def lookup_examples(count):
    """Not ours to the digit: the task with numbers of a formula."""
    u = lambda j, n: (uniform(1000 + j, n) + 1) / 2
    pointer = 1 + np.floor(u(0, count) * 9).astype(int)
    letters = 10 + np.floor(u(1, count * 9) * 10).astype(int).reshape(count, 9)
    ids = np.concatenate([pointer[:, None], letters], axis=1)
    return ids.astype("int32"), letters[np.arange(count), pointer - 1].astype("int32")


def numbers(array):
    array = np.asarray(array)
    return dict(shape=list(array.shape), values=[float(x) for x in array.ravel()])


def digest(array):
    """The first and last columns and the sum of each row, for large arrays."""
    rows = np.asarray(array).reshape(-1, array.shape[-1])
    wide = rows.astype(np.float64)
    return dict(
        shape=list(array.shape), first=numbers(rows[:, :4]), last=numbers(rows[:, -4:]),
        sum=[float(x) for x in wide.sum(1)], squares=[float(x) for x in (wide**2).sum(1)],
    )


def summary(model):
    text = io.StringIO()
    model.summary(print_fn=lambda line: text.write(line + "\n"), line_length=76)
    return text.getvalue().rstrip("\n") + "\n"


def forward_case(options, batch, small):
    model, inside = fresh(block, **options)
    set_weights(model)
    ids = ids_of(batch, options["tokens"], options["vocabulary_size"])
    values = dict(zip(NAMES, inside(ids)))
    write = lambda a: numbers(a) if small or a.shape[-1] < 20 else digest(a)
    paths = [[v.path, list(v.shape)] for v in model.variables]
    return dict(
        options=options, ids=ids.tolist(), paths=paths, params=model.count_params(),
        values={name: write(np.asarray(value)) for name, value in values.items()},
    )


def lookup_case(options):
    """Logits with the weights of the formula, then some steps of Adam."""
    model = fresh(lookup_network, **options)
    set_weights(model)
    ids, labels = lookup_examples(24)
    logits = numbers(model(ids[:3]))
    model.compile(
        keras.optimizers.Adam(learning_rate=3e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
    )
    steps = []
    for step in range(6):
        batch = slice(8 * (step % 3), 8 * (step % 3) + 8)
        model.reset_metrics()
        result = model.train_on_batch(ids[batch], labels[batch], return_dict=True)
        steps.append(dict(loss=float(result["loss"]), accuracy=float(result["accuracy"])))
    loss, accuracy = model.evaluate(ids, labels, verbose=0)
    return dict(
        options=options, ids=ids.tolist(), labels=labels.tolist(), logits=logits, steps=steps,
        evaluated=dict(loss=loss, accuracy=accuracy), summary=summary(model),
        paths=[v.path for v in model.variables],
        after={v.path: digest(np.atleast_2d(v.numpy())) for v in model.variables},
    )


def sequential():
    ids = keras.Input(shape=(10,), dtype="int32")
    x = TokenAndPositionEmbedding(20, 10, 64)(ids)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.LayerNormalization()(x)
    return keras.Model(ids, layers.Dense(5)(x))


def initial():
    """What Keras draws: least, greatest, mean and deviation of each weight of the notes."""
    keras.utils.set_random_seed(1)
    model, _ = fresh(block)
    values = {v.path: v.numpy().astype(np.float64) for v in model.variables}
    return {
        path: dict(min=v.min(), max=v.max(), mean=v.mean(), deviation=v.std())
        for path, v in values.items()
    }


def write():
    notes, _ = fresh(block)
    short = dict(vocabulary_size=9, sequence_length=8, embedding_dim=16, tokens=3)
    large = dict(vocabulary_size=20, sequence_length=10, embedding_dim=768, tokens=10)
    fixture = dict(
        keras=keras.__version__, summary=summary(notes),
        sequential=summary(fresh(sequential)),
        small=[forward_case(SMALL, 3, True), forward_case(short, 1, True)],
        notes=forward_case(large, 2, False), initial=initial(),
        pointer=[
            lookup_case(dict(width=16, heads=1, residual=False, blocks=1)),
            lookup_case(dict(width=16, heads=4, residual=True, blocks=2)),
        ],
    )
    path = FIXTURES / "ch06-keras.json"
    path.write_text(json.dumps(fixture) + "\n")
    print(f"{path}: {path.stat().st_size} bytes, Keras {keras.__version__}")
    write_files(SMALL)


def saved(model, name, paths=None):
    set_weights(model, paths)
    model.save_weights(FIXTURES / name)
    found = {}
    with h5py.File(FIXTURES / name) as file:
        add = lambda at, x: isinstance(x, h5py.Dataset) and found.update(
            {at: (x.parent.attrs["name"], x[()].tolist())}
        )
        file.visititems(lambda at, x: add(at, x) and None)
    return json.dumps(found, sort_keys=True)


def write_files(small):
    """Keras' own files of the same weights: key first, query first, value before key, numbered
    from the session's other models; and what is no `.weights.h5` of today."""
    model, _ = fresh(block, **small)
    paths = [variable.path for variable in model.variables]
    saved(model, "ch06-keras.weights.h5")
    query_first = {
        saved(fresh(block, **small, score=score)[0], "ch06-keras-query-first.weights.h5", paths)
        for score in SCORES.values()
    }
    assert len(query_first) == 1, "einsum, Dot and a scaled query file the layers alike"
    exchanged = fresh(block, **small)[0]
    exchanged.load_weights(FIXTURES / "ch06-keras-query-first.weights.h5")
    kernels = [{v.path: v for v in m.variables} for m in (model, exchanged)]
    assert np.array_equal(kernels[0]["query/kernel"], kernels[1]["key/kernel"]), "as the page says"
    saved(fresh(attention_layer, **small), "ch06-keras-attention.weights.h5", paths)

    fresh(sequential)
    for _ in range(6):
        layers.Dense(1)  # so that the numbers of the next go from 8 to 12
    saved(lookup_network(width=8), "ch06-keras-session.weights.h5")

    ids = keras.Input((2,), name="ids")
    tiny = keras.Model(ids, layers.Dense(1, name="query")(ids))
    tiny.save(FIXTURES / "ch06-keras-old.h5")
    tiny.save(FIXTURES / "ch06-keras.keras")
    for file in FIXTURES.glob("ch06-keras*"):
        print(f"{file}: {file.stat().st_size} bytes, Keras {keras.__version__}")


def attention_layer(vocabulary_size, sequence_length, embedding_dim, tokens):
    """The notes' block with Keras' own attention, which takes query, value, key."""
    ids = keras.Input(shape=(tokens,), dtype="int32", name="ids")
    x = TokenAndPositionEmbedding(vocabulary_size, sequence_length, embedding_dim)(ids)
    q, k, v = (layers.Dense(embedding_dim, name=name)(x) for name in ("query", "key", "value"))
    z = layers.Attention()([q, v, k])
    ff_1 = layers.Dense(4 * embedding_dim, activation="relu")(z)
    return keras.Model(ids, layers.LayerNormalization()(layers.Dense(embedding_dim)(ff_1)))


def read(path):
    """Loads a file of `save_weights` of ours, and prints as the command line does."""
    from safetensors.numpy import load_file

    model, inside = fresh(block)
    weights = load_file(path)
    model.set_weights([weights.pop(v.path) for v in model.variables])
    assert not weights, f"not Keras': {list(weights)}"
    ids = np.arange(10, dtype="int32")[None]
    values = {name: np.asarray(value)[0].tolist() for name, value in zip(NAMES, inside(ids))}
    print(json.dumps(dict(params=model.count_params(), **values)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--read", metavar="FILE")
    parser.add_argument("--files", action="store_true")
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read)
    else:
        write_files(SMALL) if arguments.files else write()
