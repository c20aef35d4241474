"""Small random BERT and DistilBERT models in transformers: the reference for chapters 4 and 5.

    python tests/reference/bert_transformers.py      regenerates tests/fixtures/bert-*/

Needs torch and transformers (made with 2.15.0 and 5.23.0; no GPU). Each folder is a model in
Hugging Face layout (config.json, model.safetensors, vocab.txt, tokenizer_config.json), with what
transformers computes from some texts:

    expected.json           the texts, and their tokens
    expected.safetensors    RUN.ids, RUN.attention_mask, RUN.attentions.LAYER, RUN.hidden_states.I,
                            RUN.logits, RUN.pooler_output; and, for the run `padded`, the gradient
                            of sum(logits * gradient_of_logits) by each parameter

The weights are much larger than a trained model's, so that attentions are far from uniform.
"""

import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertTokenizerFast, DistilBertConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "o gato sentou no tapete the cat sat on mat é São ção ##ção".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz" + "áãéíç" + "ABCGOST" + ".,!?'<>&"

RUNS = dict(
    single=[("O gato sentou no tapete.", None)],
    pair=[("the cat sat on the mat", "o gato sentou")],
    padded=[
        ("É uma ação, São Tomé!", None),
        ("cat", None),
        ("the cat sat", "gato 😀 xyz"),
    ],
)
MODELS = {
    "bert-masked-lm": dict(
        model=transformers.BertForMaskedLM, do_lower_case=False,
        config=BertConfig(
            hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=40,
            hidden_act="gelu", max_position_embeddings=40,
        ),
    ),
    "bert-classifier": dict(
        model=transformers.BertForSequenceClassification, do_lower_case=True,
        config=BertConfig(
            hidden_size=30, num_hidden_layers=2, num_attention_heads=3, intermediate_size=44,
            hidden_act="gelu_new", max_position_embeddings=40, num_labels=3, layer_norm_eps=1e-5,
        ),
    ),
    "bert-base": dict(
        model=transformers.BertModel, do_lower_case=True,
        config=BertConfig(
            hidden_size=48, num_hidden_layers=2, num_attention_heads=12, intermediate_size=28,
            hidden_act="relu", max_position_embeddings=40, type_vocab_size=3,
        ),
    ),
    "bert-distilbert-classifier": dict(
        model=transformers.DistilBertForSequenceClassification, do_lower_case=True,
        config=DistilBertConfig(
            dim=32, n_layers=3, n_heads=2, hidden_dim=36, activation="gelu",
            max_position_embeddings=40, id2label={0: "NEGATIVE", 1: "POSITIVE"},
            label2id={"NEGATIVE": 0, "POSITIVE": 1},
        ),
    ),
    "bert-distilbert-base": dict(
        model=transformers.DistilBertModel, do_lower_case=False,
        config=DistilBertConfig(
            dim=24, n_layers=4, n_heads=1, hidden_dim=32, activation="relu",
            max_position_embeddings=40,
        ),
    ),
}


def vocabulary(do_lower_case):
    """Words and letters, each also as a continuation; accents only where they survive."""
    pieces = SPECIAL + WORDS + [*LETTERS] + [f"##{letter}" for letter in LETTERS]
    if do_lower_case:
        pieces = [piece for piece in pieces if piece in SPECIAL or piece == piece.lower()]
    return list(dict.fromkeys(pieces))


def randomized(model):
    """Every parameter random, those that start as 0 or 1 too."""
    for name, parameter in model.named_parameters():
        norm = "norm" in name.lower() and name.endswith("weight")
        parameter.data = torch.randn(parameter.shape) * 0.2 + (1.0 if norm else 0.0)
    return model.eval()


def encoded(tokenizer, model, texts):
    batch = [a if b is None else (a, b) for a, b in texts]
    inputs = tokenizer(batch, padding=True, return_tensors="pt", return_token_type_ids=True)
    if model.config.model_type == "distilbert":
        del inputs["token_type_ids"]
    return inputs


def expected(tokenizer, model):
    tensors, texts = {}, {}
    for run, pairs in RUNS.items():
        inputs = encoded(tokenizer, model, pairs)
        outputs = model(**inputs, output_attentions=True, output_hidden_states=True)
        tokens = [tokenizer.convert_ids_to_tokens(row) for row in inputs["input_ids"]]
        texts[run] = dict(texts=pairs, tokens=tokens)
        for name, value in inputs.items():
            tensors[f"{run}.{name}"] = value.to(torch.uint32)
        for name in ("attentions", "hidden_states"):
            for i, value in enumerate(outputs[name]):
                tensors[f"{run}.{name}.{i}"] = value
        for name in ("logits", "pooler_output"):
            if outputs.get(name) is not None:
                tensors[f"{run}.{name}"] = outputs[name]
        if run == "padded" and "logits" in outputs:
            tensors |= gradients(model, inputs, outputs.logits)
    return texts, {name: value.detach().contiguous() for name, value in tensors.items()}


def gradients(model, inputs, logits):
    """Of a sum of the logits, each with its own weight; those of padding have 0."""
    weights = torch.randn(logits.shape)
    if logits.dim() == 3:
        weights *= inputs["attention_mask"][:, :, None]
    model.zero_grad()
    (logits * weights).sum().backward()
    found = {"gradient_of_logits": weights}
    for name, parameter in model.named_parameters():
        found[f"gradient.{name}"] = parameter.grad
    return found


def make(name, model, config, do_lower_case):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vocab = vocabulary(do_lower_case)
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n", encoding="utf-8")
    classes = dict(bert="BertTokenizer", distilbert="DistilBertTokenizer")
    settings = dict(do_lower_case=do_lower_case, tokenizer_class=classes[config.model_type])
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=do_lower_case)
    config.vocab_size, config.pad_token_id = len(vocab), 0
    config._attn_implementation = "eager"  # the one that gives attentions out
    made = randomized(model(config))
    made.save_pretrained(folder)
    texts, tensors = expected(tokenizer, made)
    text = json.dumps(texts, ensure_ascii=False, indent=1)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
    save_file(tensors, folder / "expected.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder}: {size // 1000} kB")


if __name__ == "__main__":
    torch.manual_seed(4)
    transformers.utils.logging.disable_progress_bar()
    print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}")
    for name, options in MODELS.items():
        make(name, **options)
