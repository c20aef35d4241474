"""The shipped models in Python's transformers: weights/ loads, whole, and computes what we compute.

    python tests/reference/shipped_models.py            checks, and regenerates tests/fixtures/shipped.*
    python tests/reference/shipped_models.py --compare  checks, and compares with the fixtures

Needs torch and transformers (made with 2.15.0 and 5.23.0; no GPU). For each folder and each Auto class
that its model card promises: no weight is missing, none is left over but the other heads', and nothing is
warned of. `tests/fixtures/shipped.json` keeps the names and shapes that transformers asks for and the
texts; `shipped.safetensors` what it computes from them, in f64. (In f32 it is itself up to 2.8e-6 from
that in attentions and 1.8e-5 in logits: twelve layers round.)

    FOLDER.TEXT.ids            the tokenizer's numbers
    FOLDER.TEXT.attentions.L   [heads, n, n] of layers 0, the middle one and the last
    FOLDER.TEXT.logits         of the first [MASK], or of the classes
"""

import json
import logging
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
MODELS = {
    "bertinho": (
        [AutoModel, AutoModelForMaskedLM],
        [
            ["O gato sentou no [MASK] e o cachorro correu.", None],
            ["The cat sat on the [MASK].", "O gato sentou no tapete."],
            ["É uma ação 😀 <b>", "naïve café"],
        ],
    ),
    "bertinho-sentiment": (
        [AutoModel, AutoModelForSequenceClassification],
        [
            ["I love this new movie, it's fantastic!", None],
            ["The service was terrible from start to finish.", None],
            ["São 3 horas…", None],
        ],
    ),
}


class Warnings(logging.Handler):
    """Keeps what transformers warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def load(auto, folder, warnings):
    model, info = auto.from_pretrained(
        folder, dtype=torch.float64, attn_implementation="eager", output_loading_info=True
    )
    assert not info["missing_keys"], f"{folder.name}: {auto.__name__} misses {info['missing_keys']}"
    assert not info["mismatched_keys"], info["mismatched_keys"]
    missing = [text for text in warnings.texts if "newly initialized" in text or "MISSING" in text]
    assert not missing, missing
    return model.eval()


def main():
    warnings = Warnings()
    transformers.utils.logging.get_logger("transformers").addHandler(warnings)
    names, tensors = {}, {}
    for name, (autos, texts) in MODELS.items():
        folder = ROOT / "weights" / name
        tokenizer = AutoTokenizer.from_pretrained(folder)
        stored = load_file(folder / "model.safetensors")
        shapes = {}
        for auto in autos:
            model = load(auto, folder, warnings)
            prefix = "" if auto is not AutoModel else f"{model.base_model_prefix}."
            tied = set(getattr(model, "all_tied_weights_keys", None) or [])
            for key, value in model.state_dict().items():
                if key not in tied:
                    shapes[prefix + key] = list(value.shape)
        for key, shape in shapes.items():
            assert list(stored[key].shape) == shape, key
        for i, (text, pair) in enumerate(texts):
            encoded = tokenizer(text, pair, return_tensors="pt")
            with torch.no_grad():
                output = model(**encoded, output_attentions=True)
            ids = encoded["input_ids"][0]
            tensors[f"{name}.{i}.ids"] = ids.to(torch.int64)
            layers = len(output.attentions)
            for layer in (0, layers // 2, layers - 1):
                tensors[f"{name}.{i}.attentions.{layer}"] = output.attentions[layer][0]
            logits = output.logits[0]
            if logits.dim() == 2:
                masked = (ids == tokenizer.mask_token_id).nonzero().flatten()
                if len(masked) == 0:
                    continue
                logits = logits[masked[0]]
            tensors[f"{name}.{i}.logits"] = logits
        names[name] = {"texts": texts, "shapes": shapes}
    tensors = {
        key: (value if key.endswith(".ids") else value.float()).contiguous().clone()
        for key, value in tensors.items()
    }
    path = FIXTURES / "shipped.safetensors"
    if "--compare" in sys.argv[1:]:
        kept = load_file(path)
        assert kept.keys() == tensors.keys()
        worst = max((kept[key].float() - tensors[key].float()).abs().max().item() for key in kept)
        assert worst < 1e-5, worst
        assert json.loads((FIXTURES / "shipped.json").read_text()) == names
        print(f"the same as the fixtures, to {worst:.1e}")
    else:
        save_file(tensors, path)
        (FIXTURES / "shipped.json").write_text(json.dumps(names, ensure_ascii=False, indent=1) + "\n")
    print(f"{', '.join(MODELS)}: loaded whole by transformers {transformers.__version__}, no warnings")


if __name__ == "__main__":
    main()
