"""BERT's tokenizer in transformers: the reference for chapters-code/hub.

    python tests/reference/models_tokenizer.py    regenerates tests/fixtures/models-tokenizer.json

Needs transformers and tokenizers (requirements.txt). The vocabulary is made up: some words and
every character of the texts, but for a few that shall be unknown.
"""

import json
import pathlib
import tempfile

from transformers import AutoTokenizer

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "models-tokenizer.json"

TEXTS = [
    "Pense sobre máquinas: não é fácil, coração! Avó e avô.",
    "cafe\u0301 na\u0303o A\u030angstro\u0308m",
    "ÀÉÎÕÜ àéîõü Çç Ññ İstanbul ẞ ß ǅ ﬁ Σίσυφος ΌΣΟΣ",
    "emoji 😀👩‍👩‍👧‍👦🇧🇷 ❤️ fim👍🏽",
    "我爱自然语言处理 中国x日本語の テスト 한국어 𠀀𪜀豈",
    "tab\tnew\nline\r\x00null\x07bell\u200bzero\ufffdsign\u00adsoft\u2028sep\u2029par\ue000priv",
    "\u00a0nbsp\u3000wide\u2003em ",
    "«aspas» “quotes” — dash… ¿qué? a/b a_b a-b don't U.S.A. $5.00 #hash ##ing @user",
    "a" * 100,
    "a" * 101,
    "mundo " + "a" * 5000 + " mundo",
    "[MASK] de [CLS] e [SEP][PAD] ou[UNK]. [mask] [ MASK ]",
    "مرحبا بالعالم नमस्ते दुनिया สวัสดี Привет Йод",
    "1234567890 3,14 1e-12 ½ ² Ⅷ ①",
    "𝒳𝓎 \U0001d400 ＡＢＣ ｶﾅ",
    "pensamento pensar PENSAR máquina MÁQUINA maquinas",
    "!",
]
PAIRS = [
    ("o gato sentou", "no tapete"),
    ("o gato", "sentou no tapete e pensou sobre máquinas, não é?"),
    ("中国", "😀 ávó"),
    (TEXTS[0], TEXTS[2]),
]
# What tokenizer_config.json says; None: there is none.
RULES = {
    "no config": None,
    "uncased": {"do_lower_case": True},
    "cased": {"do_lower_case": False},
    "lower, accents kept": {"do_lower_case": True, "strip_accents": False},
    "cased, accents stripped": {"do_lower_case": False, "strip_accents": True},
    "chinese in words": {"do_lower_case": True, "tokenize_chinese_chars": False},
    "an added token": {
        "do_lower_case": False,
        "added_tokens_decoder": {
            "5": dict(content="<gato>", lstrip=True, rstrip=False, normalized=False,
                      single_word=False, special=True),
        },
    },
}
LIMITS = [4, 5, 6, 7, 8, 11, 64]


def vocabulary():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<gato>", "pens", "##e", "##ar",
             "##amento", "pense", "sobre", "maquinas", "maquina", "máquina", "##s", "gato", "sentou",
             "tapete", "mundo", "coracao", "coração", "não", "nao", "avó", "avo", "aaaa", "##aaaa"]
    unknown = set("😀Йन\u0307")
    characters = sorted(set("".join(TEXTS) + "".join(map("".join, PAIRS))
                            + "".join(TEXTS).lower()) - unknown)
    visible = [c for c in characters if c.isprintable() and not c.isspace()]
    words += visible + ["##" + c for c in visible if c.isalnum()]
    return list(dict.fromkeys(words))


def encoding(tokenizer, *texts, **options):
    encoded = tokenizer(*texts, return_offsets_mapping=True, return_special_tokens_mask=True,
                        return_token_type_ids=True, **options)
    names = dict(ids="input_ids", token_type_ids="token_type_ids", offsets="offset_mapping",
                 attention_mask="attention_mask", special_tokens_mask="special_tokens_mask")
    named = {name: encoded[key] for name, key in names.items()}
    return {"tokens": tokenizer.convert_ids_to_tokens(encoded["input_ids"]), **named}


def batch(tokenizer, pairs):
    return tokenizer([a for a, _ in pairs], [b for _, b in pairs], padding=True)["input_ids"]


def case(name, rules, vocab, from_json):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "config.json").write_text('{"model_type": "bert"}')
        (folder / "vocab.txt").write_text("\n".join(vocab) + "\n", encoding="utf-8")
        if rules is not None:
            (folder / "tokenizer_config.json").write_text(json.dumps(rules))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer_json = None
        if from_json:
            # Cutting and padding stored in the file must not act.
            backend = tokenizer.backend_tokenizer
            backend.enable_truncation(4)
            backend.enable_padding(length=16)
            tokenizer_json = json.loads(backend.to_str())
            backend.no_truncation()
            backend.no_padding()
    encodings = [dict(text=a, pair=b, **encoding(tokenizer, a, b)) for a, b in PAIRS]
    encodings += [dict(text=text, pair=None, **encoding(tokenizer, text)) for text in TEXTS]
    truncated = [
        dict(text=a, pair=b, limit=limit,
             ids=tokenizer(a, b, truncation=True, max_length=limit)["input_ids"])
        for a, b in PAIRS[:2] + [(TEXTS[0], None)] for limit in LIMITS if b is None or limit > 4
    ]
    return dict(name=name, rules=rules, tokenizer_json=tokenizer_json, encodings=encodings,
                truncated=truncated, batch=batch(tokenizer, PAIRS))


def main():
    vocab = vocabulary()
    cases = [case(name, rules, vocab, False) for name, rules in RULES.items()]
    cases += [case(name + ", tokenizer.json", RULES[name], vocab, True)
              for name in ("uncased", "cased", "an added token")]
    # Long words make long lists of offsets only where they are no words of the vocabulary.
    text = json.dumps(dict(vocab=vocab, cases=cases), ensure_ascii=True, separators=(",", ":"))
    FIXTURE.write_text(text + "\n")
    print(f"{FIXTURE}: {len(cases)} tokenizers, {len(cases[0]['encodings'])} texts each")


if __name__ == "__main__":
    main()
