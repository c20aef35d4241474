"""What bertviz puts in its pages: the reference for chapter 7.

    python tests/reference/bertviz_views.py             regenerates tests/fixtures/bertviz-views.json

Needs bertviz 1.4.1, torch and ipython (`pip install bertviz==1.4.1 torch ipython`; made with torch
2.15.0). Attentions, queries and keys are random, with the shapes of a small BERT and of a small
encoder-decoder; the parameters are read back from the HTML that bertviz returns.
"""

import json
import pathlib
import re

import torch
from bertviz import head_view, model_view
from bertviz.neuron_view import show

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "bertviz-views.json"
LAYERS, HEADS, D_K = 2, 3, 4
TOKENS = ["[CLS]", "Ġo", "▁gato", "<b>", "[SEP]", "a</w>", "\"'&", "[SEP]"]
STARTER = 5
ENCODER, DECODER = ["o", "gato", "dorme", "</s>"], ["<s>", "the", "cat"]

torch.manual_seed(6)


def attention(rows, columns):
    """A layer's attentions, [1, heads, rows, columns]; four decimals keep the fixture small."""
    weights = torch.rand(1, HEADS, rows, columns).softmax(-1)
    return weights.mul(1e4).round().div(1e4)


def vectors(n):
    return torch.randn(1, HEADS, n, D_K).mul(1e2).round().div(1e2)


def parameters(html, start):
    """The JSON object that follows `start` in a page, without the random name of its <div>."""
    at = re.search(start, html.data).end()
    found, _ = json.JSONDecoder().raw_decode(html.data[at:])
    del found["root_div_id"]
    return found


class Tokenizer:
    cls_token, sep_token = "[CLS]", "[SEP]"

    def __init__(self, tokens):
        self.texts = {"a": tokens[1 : STARTER - 1], "b": tokens[STARTER:-1], "all": tokens[1:-1]}

    def tokenize(self, text):
        return list(self.texts[text])

    def convert_tokens_to_ids(self, tokens):
        return list(range(len(tokens)))


class Model:
    """What bertviz's own copy of BERT gives it."""

    def __init__(self, layers):
        self.layers = layers

    def eval(self):
        pass

    def __call__(self, tokens, token_type_ids=None):
        return (None, self.layers)


def main():
    n = len(TOKENS)
    attentions = [attention(n, n) for _ in range(LAYERS)]
    queries, keys = ([vectors(n) for _ in range(LAYERS)] for _ in range(2))
    encoder = [attention(len(ENCODER), len(ENCODER)) for _ in range(LAYERS)]
    decoder = [attention(len(DECODER), len(DECODER)) for _ in range(LAYERS)]
    cross = [attention(len(DECODER), len(ENCODER)) for _ in range(LAYERS)]
    two = dict(encoder_attention=encoder, decoder_attention=decoder, cross_attention=cross,
               encoder_tokens=ENCODER, decoder_tokens=DECODER)

    # tokens are copied: bertviz writes the pretty ones into the lists that it is given
    one = lambda: dict(attention=attentions, tokens=list(TOKENS), html_action="return")
    head = lambda html: parameters(html, r"const params = ")
    pages = {
        "head": head(head_view(**one())),
        "head_pair": head(head_view(**one(), sentence_b_start=STARTER, heads=[2], layer=1)),
        "head_layers": head(head_view(**one(), include_layers=[1], layer=1)),
        "head_raw": head(head_view(**one(), prettify_tokens=False)),
        "head_encoder_decoder": head(head_view(**two, html_action="return")),
        "head_cross": head(head_view(cross_attention=cross, encoder_tokens=ENCODER,
                                     decoder_tokens=DECODER, html_action="return")),
        "model": head(model_view(**one())),
        "model_pair": head(model_view(**one(), sentence_b_start=STARTER, display_mode="light")),
        "model_some": head(model_view(**one(), include_layers=[1, 0], include_heads=[2, 0])),
        "model_encoder_decoder": head(model_view(**two, html_action="return")),
    }
    layers = [{"attn": a, "queries": q, "keys": k} for a, q, k in zip(attentions, queries, keys)]
    plain = [t.replace("</w>", "") for t in TOKENS]  # neuron view leaves GPT's mark in place
    neuron = lambda *arguments, **options: parameters(
        show(Model(layers), *arguments, html_action="return", **options), r"window.bertviz_params = ")
    pages["neuron"] = neuron("bert", Tokenizer(plain), "all", display_mode="light")
    pages["neuron_pair"] = neuron("bert", Tokenizer(plain), "a", "b", layer=1, head=2)
    everything = Tokenizer(plain)
    everything.texts["all"] = plain
    pages["neuron_gpt2"] = neuron("gpt2", everything, "all")

    lists = lambda tensors: [t[0].tolist() for t in tensors]
    fixture = {
        "bertviz": "1.4.1", "torch": torch.__version__, "tokens": TOKENS, "plain_tokens": plain, "starter": STARTER,
        "encoder_tokens": ENCODER, "decoder_tokens": DECODER,
        "attentions": lists(attentions), "queries": lists(queries), "keys": lists(keys),
        "encoder": lists(encoder), "decoder": lists(decoder), "cross": lists(cross),
        "pages": pages,
    }
    # f32 as the f64 that it is has 17 digits; the fixture keeps 9, which name the f32 exactly
    text = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"))
    short = re.sub(r"-?\d+\.\d{9,}(e-\d+)?", lambda m: repr(float(f"{float(m[0]):.9g}")), text)
    FIXTURE.write_text(short + "\n")
    print(f"{FIXTURE}: {len(short)} bytes, {len(pages)} pages")


if __name__ == "__main__":
    main()
