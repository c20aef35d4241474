"""Self-attention in NumPy, as the course notes have it: the reference for chapter 1.

    python tests/reference/ch01_numpy.py             regenerates tests/fixtures/ch01-numpy.json
    python tests/reference/ch01_numpy.py --compare   runs the chapter's command for many more cases
                                                     and compares its JSON with NumPy's numbers

Needs numpy (any version: only the legacy generator, whose stream is frozen, and products).
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "ch01-numpy.json"
NOTES = [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]]
SEEDS = [0, 1, 7, 42, 2**32 - 1]
DRAWN = ["w_query", "w_key", "w_value"]
COMPUTED = ["q", "k", "v", "scores", "weights", "output"]


def softmax(scores):
    # The notes' softmax overflows from scores of about 710; this is the same function where both
    # are finite.
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def attention(seed, d_k, embeddings):
    x = np.array(embeddings)
    np.random.seed(seed)
    w_query, w_key, w_value = (np.random.rand(x.shape[1], d_k) for _ in range(3))
    q, k, v = x @ w_query, x @ w_key, x @ w_value
    scores = q @ k.T / np.sqrt(d_k)
    weights = softmax(scores)
    output = weights @ v
    named = dict(w_query=w_query, w_key=w_key, w_value=w_value, q=q, k=k, v=v)
    named.update(scores=scores, weights=weights, output=output)
    return {name: value.tolist() for name, value in named.items()}


def other_embeddings():
    """Sentences of other lengths and widths, with negative and large numbers."""
    generator = np.random.RandomState(2026)
    shapes = [(1, 1), (2, 3), (5, 2), (6, 16)]
    return [generator.normal(0, 3, shape).round(6).tolist() for shape in shapes]


def case(seed, d_k, embeddings):
    inputs = dict(seed=seed, d_k=d_k, embeddings=embeddings)
    return {**inputs, **attention(seed, d_k, embeddings)}


def write_fixture():
    cases = [case(seed, d_k, NOTES) for seed in SEEDS for d_k in (1, 3, 16)]
    cases += [case(42, d_k, NOTES) for d_k in (2, 33, 64)]
    cases += [case(7, d_k, x) for x in other_embeddings() for d_k in (1, 4)]
    FIXTURE.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(f"{FIXTURE}: {len(cases)} cases")


def compare():
    # Without -p: of one package alone, cargo would compile its dependencies anew.
    command = ["cargo", "build", "--quiet", "--bin", "ch01-self-attention"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = json.loads(
        subprocess.check_output(
            ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT
        )
    )["target_directory"]
    binary = pathlib.Path(target) / "debug" / "ch01-self-attention"
    worst, count = 0.0, 0
    for x in [NOTES, *other_embeddings()]:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(x, file)
            file.flush()
            for seed in SEEDS:
                for d_k in range(1, 65):
                    arguments = ["--json", "--seed", str(seed), "--d-k", str(d_k)]
                    arguments += ["--embeddings", file.name]
                    found = json.loads(subprocess.check_output([binary, *arguments]))
                    worst = max(worst, difference(found, attention(seed, d_k, x)))
                    count += 1
    print(f"{count} cases equal to NumPy {np.__version__}: the weights drawn bit for bit, "
          f"the rest to {worst:.1e} (relative)")
    assert worst <= 1e-12, f"the largest relative difference is {worst}"


def difference(found, expected):
    """The largest difference between a case and NumPy's, relative to each number's terms."""
    for name in DRAWN:
        assert found[name] == expected[name], f"{name} is not bit-equal"
    worst = 0.0
    for name in COMPUTED:
        a, b = np.array(found[name]), np.array(expected[name])
        # A sum of terms that cancel is as exact as its largest term allows.
        scale = np.maximum(np.abs(b), 1e-3 * np.abs(b).max())
        worst = max(worst, float((np.abs(a - b) / scale).max()))
    return worst


if __name__ == "__main__":
    compare() if "--compare" in sys.argv[1:] else write_fixture()
