"""Model folders as transformers saves them, this year's version and one of 2023: the reference for
what chapters-code/hub reads.

    python tests/reference/hub_folders.py           regenerates tests/fixtures/hub-folders/VERSION-*/
    python tests/reference/hub_folders.py --read    loads what the other version has saved
    python tests/reference/hub_folders.py --all DIR saves every combination there
    python tests/reference/hub_folders.py --keys    adds to tests/fixtures/hub-keys.json the keys that
                                                    this version's configurations have

Needs torch and transformers. Run once with 5.23.0 (torch 2.15, Python 3.11) and once with 4.30.2
(tokenizers 0.13.3, torch 1.12.1, NumPy 1, Python 3.9). Each folder is a random model with its
tokenizer, saved whole (f32, f16 or bf16; in one file or in shards; with added tokens or without;
cased or not), and `expected.json`: what its saver computes of some texts in f32 once it has read
the folder back: the numbers of the tokens, and the logits (of the masked-LM heads those of the second
token, of models without a head the last vector of [CLS], after the pooler if there is one).
"""

import itertools
import json
import pathlib
import shutil
import sys
import tempfile

import torch
import transformers
from transformers import BertConfig, BertTokenizerFast, DistilBertConfig, DistilBertTokenizerFast

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hub-folders"
VERSION = transformers.__version__

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "o gato Gato no tapete São são sao ##s".split()
VOCAB = [*dict.fromkeys(SPECIAL + WORDS + [*"aegnostGS<>"] + [f"##{c}" for c in "aegnostw"])]
TEXTS = [["O Gato [MASK] São no <new> tapetes [NEW]", None], ["o gato", "no tapete <new> são"]]

BERT = dict(config=BertConfig, tokenizer=BertTokenizerFast, sizes=dict(
    hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12))
DISTILBERT = dict(config=DistilBertConfig, tokenizer=DistilBertTokenizerFast, sizes=dict(
    dim=8, n_layers=2, n_heads=2, hidden_dim=12))
MODELS = {
    "BertModel": BERT, "BertForMaskedLM": BERT, "BertForSequenceClassification": BERT,
    "DistilBertModel": DISTILBERT, "DistilBertForSequenceClassification": DISTILBERT,
}
DTYPES = ["float32", "float16", "bfloat16"]
# Model, type, shards, added tokens, cased: every two of them occur together.
KEPT = [
    ("BertModel", "float32", True, True, False),
    ("BertForMaskedLM", "float16", False, True, True),
    ("BertForMaskedLM", "bfloat16", True, False, False),
    ("BertForSequenceClassification", "bfloat16", False, True, True),
    ("DistilBertModel", "float16", True, False, True),
    ("DistilBertForSequenceClassification", "float32", False, True, False),
    ("DistilBertForSequenceClassification", "bfloat16", True, True, True),
]


def name(model, dtype, sharded, added, cased):
    parts = [VERSION, model, dtype, "sharded" * sharded, "added" * added, "cased" * cased]
    return "-".join(filter(None, parts))


def tokenizer_of(kind, added, cased):
    with tempfile.TemporaryDirectory() as folder:
        vocab = pathlib.Path(folder) / "vocab.txt"
        vocab.write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
        made = kind["tokenizer"].from_pretrained(folder, do_lower_case=not cased)
    if added:
        made.add_tokens(["<new>"])
        made.add_special_tokens({"additional_special_tokens": ["[NEW]"]})
    return made


def save(folder, model, dtype, sharded, added, cased):
    kind = MODELS[model]
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer = tokenizer_of(kind, added, cased)
    config = kind["config"](vocab_size=len(tokenizer), max_position_embeddings=24, **kind["sizes"])
    if "Classification" in model:
        config.num_labels = 3
    made = getattr(transformers, model)(config)
    for parameter in made.parameters():
        parameter.data = torch.randn(parameter.shape) * 0.4
    made.to(getattr(torch, dtype)).save_pretrained(
        folder, safe_serialization=True, max_shard_size=2000 if sharded else "1GB")
    tokenizer.save_pretrained(folder)


def expected(folder):
    """What this transformers computes of a folder."""
    config = json.loads((folder / "config.json").read_text())
    model, texts = getattr(transformers, config["architectures"][0]), []
    model = model.from_pretrained(folder, torch_dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for text, pair in TEXTS:
        inputs = tokenizer(text, pair, return_tensors="pt")
        with torch.no_grad():
            outputs = model(**inputs)
        if "logits" not in outputs:
            values = outputs.get("pooler_output", outputs.last_hidden_state[:, 0])
        else:
            values = outputs.logits[:, 1] if outputs.logits.dim() == 3 else outputs.logits
        types = inputs.get("token_type_ids")
        texts.append(dict(
            text=text, pair=pair, ids=inputs["input_ids"][0].tolist(),
            types=None if types is None else types[0].tolist(), values=values[0].tolist()))
    return texts


def difference(found, stored):
    assert [text["ids"] for text in found] == [text["ids"] for text in stored]
    pairs = [zip(a["values"], b["values"]) for a, b in zip(found, stored)]
    return max(abs(a - b) for pair in pairs for a, b in pair)


def keys():
    """Of both configurations, those that save_pretrained leaves out as they have their defaults, too."""
    path = FIXTURES.parent / "hub-keys.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[VERSION] = sorted({**BertConfig().to_dict(), **DistilBertConfig().to_dict()})
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def main():
    if "--keys" in sys.argv:
        return keys()
    torch.manual_seed(16)
    if "--read" in sys.argv:
        for folder in sorted(FIXTURES.iterdir()):
            stored = json.loads((folder / "expected.json").read_text())
            print(folder.name, difference(expected(folder), stored))
        return
    root, chosen = FIXTURES, KEPT
    if "--all" in sys.argv:
        root = pathlib.Path(sys.argv[2])
        chosen = itertools.product(MODELS, DTYPES, *[[False, True]] * 3)
    for options in chosen:
        folder = root / name(*options)
        save(folder, *options)
        (folder / "expected.json").write_text(json.dumps(expected(folder)) + "\n")
        for file in folder.iterdir():
            file.chmod(0o644)
        print(folder.name, sum(file.stat().st_size for file in folder.iterdir()) // 1000, "kB")


if __name__ == "__main__":
    transformers.utils.logging.set_verbosity_error()
    main()
