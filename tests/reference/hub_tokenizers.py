"""Tokenizer folders of every kind in transformers: the reference for chapters-code/hub.

    python tests/reference/hub_tokenizers.py            regenerates tests/fixtures/hub-tokenizers.json
    python tests/reference/hub_tokenizers.py --compare  says where this transformers differs from it

Needs transformers (made with 5.23.0; compared with 4.30.2, on Python 3.9 with tokenizers 0.13.3).
Each case is a folder: the common vocabulary, the common tokenizer.json with some of its keys
replaced, and whatever else the case has. Where 4.30 differs: it lacks `TokenizersBackend`,
`extra_special_tokens`, `split_special_tokens`, `added_tokens_decoder` and tokens of one's own
name, and its BertTokenizer keeps of tokenizer.json what isn't about capitals.
"""

import json
import pathlib
import sys
import tempfile

import transformers
from transformers import AutoTokenizer

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hub-tokenizers.json"

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "o gato Gato no tapete é e São são sao casa ##s [unused1] x xx".split()
VOCAB = [*dict.fromkeys(SPECIAL + WORDS + [*"abcdeghkmnoprstuwGSTO<>[]/"]
                        + [f"##{c}" for c in "abcdegkmnoprtuw"])]
TEXTS = [
    ("O Gato São no tapete é <new> a <mid>casas[NEW] [MASK] <S>", None),
    ("o gato", "no tapete é são [NEW]"),
    ("xx", "casas <gap> e <new>"),
]


def token(content, **options):
    base = dict(lstrip=False, rstrip=False, single_word=False, normalized=False, special=True)
    return dict(content=content, **{**base, **options})


def normalizer(lower):
    return dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True,
                strip_accents=None, lowercase=lower)


def piece(name, type_id, kind="SpecialToken"):
    return {kind: dict(id=name, type_id=type_id)}


SINGLE = [piece("[CLS]", 0), piece("A", 0, "Sequence"), piece("[SEP]", 0)]
TEMPLATE = dict(
    type="TemplateProcessing", single=SINGLE,
    pair=SINGLE + [piece("B", 1, "Sequence"), piece("[SEP]", 1)],
    special_tokens={name: dict(id=name, ids=[VOCAB.index(name)], tokens=[name])
                    for name in ("[CLS]", "[SEP]")})
CASED = dict(
    version="1.0", truncation=None, padding=None,
    added_tokens=[dict(id=i, **token(name)) for i, name in enumerate(SPECIAL)],
    normalizer=normalizer(False), pre_tokenizer=dict(type="BertPreTokenizer"),
    post_processor=TEMPLATE, decoder=dict(type="WordPiece", prefix="##", cleanup=True),
    model=dict(type="WordPiece", unk_token="[UNK]", continuing_subword_prefix="##",
               max_input_chars_per_word=100, vocab={name: i for i, name in enumerate(VOCAB)}))
LEFT = dict(direction="Left", max_length=5, strategy="LongestFirst", stride=0)
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]
BACKEND = dict(tokenizer_class="PreTrainedTokenizerFast", model_input_names=INPUTS)
BERT = dict(tokenizer_class="BertTokenizer")
N = len(VOCAB)
ADDED = {"<new>": N, "<mid>": N + 1}
MAP = dict(additional_special_tokens=["<new>", "<mid>"], cls_token="[CLS]")


def case(name, rules=None, json=None, vocab=True, **files):
    """`json` changes the common tokenizer.json; None: there is none."""
    return dict(name=name, rules=rules, json=json, vocab=vocab, files=files)


CASES = [
    case("its own class, cased file, rule unheeded", dict(BACKEND, do_lower_case=True), {}),
    case("its own class, lower-case file, rule unheeded", dict(BACKEND, do_lower_case=False),
         dict(normalizer=normalizer(True))),
    case("TokenizersBackend", dict(BACKEND, tokenizer_class="TokenizersBackend", strip_accents=True), {}),
    case("BertTokenizer, silent", BERT, {}),
    case("DistilBertTokenizerFast, silent", dict(tokenizer_class="DistilBertTokenizerFast"), {}),
    case("no class, no rules", None, {}),
    case("no class, silent", dict(model_max_length=512), {}),
    case("BertTokenizer, cased by rule", dict(BERT, do_lower_case=False),
         dict(normalizer=normalizer(True))),
    case("BertTokenizer, accents by rule", dict(BERT, do_lower_case=True, strip_accents=False), {}),
    case("the class in config.json", dict(model_input_names=INPUTS), {}, config=dict(tokenizer_class="PreTrainedTokenizerFast")),
    case("the class in both", BERT, {}, config=dict(tokenizer_class="PreTrainedTokenizerFast")),
    case("truncation_side", dict(truncation_side="left")),
    case("truncation_side in tokenizer.json", BERT, dict(truncation=LEFT)),
    case("truncation_side in tokenizer.json, its own class", BACKEND, dict(truncation=LEFT)),
    case("truncation_side in both", dict(BERT, truncation_side="right"), dict(truncation=LEFT)),
    case("padding_side", dict(padding_side="left")),
    case("padding in tokenizer.json", BACKEND, dict(padding=dict(
        strategy="BatchLongest", direction="Left", pad_to_multiple_of=None, pad_id=4, pad_type_id=0,
        pad_token="[MASK]"))),
    case("model_max_length", dict(model_max_length=6)),
    case("max_len", dict(max_len=6)),
    case("no token types", dict(model_input_names=["input_ids", "attention_mask"])),
    case("split_special_tokens", dict(split_special_tokens=True)),
    case("added_tokens.json", {}, added_tokens=ADDED),
    case("added_tokens.json alone", None, added_tokens=ADDED),
    case("special_tokens_map.json", {}, special_tokens_map=MAP),
    case("special_tokens_map.json and added_tokens.json", {}, special_tokens_map=MAP,
         added_tokens=dict(reversed(ADDED.items()))),
    case("another cls_token in special_tokens_map.json", dict(cls_token="[CLS]"),
         special_tokens_map=dict(cls_token=token("[unused1]"), sep_token="[MASK]")),
    case("a special token of another kind in the vocabulary", {},
         special_tokens_map=dict(additional_special_tokens=["tapete"])),
    case("additional_special_tokens", dict(additional_special_tokens=["<new>", "[NEW]"])),
    case("additional_special_tokens as objects", dict(additional_special_tokens=[
        dict(token("<new>", rstrip=True), __type="AddedToken"), "<mid>"])),
    case("extra_special_tokens", dict(extra_special_tokens=["<new>", "[NEW]"])),
    case("extra_special_tokens by name", dict(extra_special_tokens=dict(new_token="<new>"))),
    case("extra_special_tokens by name in the map", {},
         special_tokens_map=dict(extra_special_tokens=dict(new_token="<new>"))),
    case("extra_special_tokens in both", dict(extra_special_tokens=["<mid>"]),
         special_tokens_map=dict(extra_special_tokens=["<new>"])),
    case("both names of the same key", dict(extra_special_tokens=["<mid>"],
                                            additional_special_tokens=["<new>"])),
    case("a token of one's own name", dict(other_token="<new>")),
    case("bos_token and eos_token", dict(bos_token="<S>", eos_token="<new>")),
    case("added_tokens_decoder goes before the other files", dict(added_tokens_decoder={
        str(N): token("[NEW]")}), special_tokens_map=MAP, added_tokens=ADDED),
    case("an empty added_tokens_decoder does, too", dict(added_tokens_decoder={}),
         special_tokens_map=MAP, added_tokens=ADDED),
    case("additional_special_tokens beside tokenizer.json",
         dict(BACKEND, additional_special_tokens=["<new>"]), {}),
    case("additional_special_tokens beside tokenizer.json, BertTokenizer",
         dict(BERT, additional_special_tokens=["<new>"]), {}),
    case("added_tokens.json beside tokenizer.json", BERT, {}, added_tokens=ADDED),
    case("added_tokens.json beside tokenizer.json, its own class", BACKEND, {}, added_tokens=ADDED),
    case("added tokens of tokenizer.json", BERT, dict(added_tokens=CASED["added_tokens"] + [
        dict(id=N, **token("<new>")), dict(id=N + 1, **token("GATO", special=False, normalized=True))])),
    case("added tokens of tokenizer.json, its own class", BACKEND, dict(
        added_tokens=CASED["added_tokens"] + [dict(id=N, **token("<new>", lstrip=True))])),
    case("added_tokens_decoder beside tokenizer.json", dict(BERT, added_tokens_decoder={
        str(N): token("<new>")}), {}),
    case("another pre_tokenizer", BERT, dict(pre_tokenizer=dict(type="WhitespaceSplit"))),
    case("another pre_tokenizer, its own class", BACKEND,
         dict(pre_tokenizer=dict(type="WhitespaceSplit"))),
    case("another normalizer", BERT, dict(normalizer=dict(type="NFC"))),
    case("another normalizer, its own class", BACKEND, dict(normalizer=dict(type="Lowercase"))),
    case("short words only", BERT, dict(model=dict(CASED["model"], max_input_chars_per_word=3))),
    case("short words only, its own class", BACKEND,
         dict(model=dict(CASED["model"], max_input_chars_per_word=3))),
    case("no post_processor", BERT, dict(post_processor=None)),
    case("without effect", dict(
        do_basic_tokenize=False, never_split=["gato"], clean_text=False, wordpieces_prefix="@@",
        add_bos_token=True, add_eos_token=True, clean_up_tokenization_spaces=True, stride=2,
        max_length=5, truncation_strategy="only_second", pad_to_multiple_of=8, pad_token_type_id=0,
        add_prefix_space=True, use_fast=False)),
]
def write(folder, case):
    rows = N + 4
    config = dict(model_type="bert", vocab_size=rows, **case["files"].get("config", {}))
    (folder / "config.json").write_text(json.dumps(config))
    if case["json"] is not None:
        (folder / "tokenizer.json").write_text(json.dumps({**CASED, **case["json"]}))
    (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
    if case["rules"] is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(case["rules"]))
    for name in ("added_tokens", "special_tokens_map"):
        if name in case["files"]:
            (folder / f"{name}.json").write_text(json.dumps(case["files"][name]))


def encoded(tokenizer, *texts, **options):
    found = tokenizer(*texts, **options)
    return dict(ids=found["input_ids"], types=found.get("token_type_ids"))


def expected(case):
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), case)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    limit = None if tokenizer.model_max_length < 1000 else 7
    longest = {} if limit is None else dict(max_length=limit)
    batch = None
    if tokenizer.pad_token is not None:
        batch = tokenizer([a for a, _ in TEXTS], padding=True)["input_ids"]
    return dict(texts=[encoded(tokenizer, a, b) for a, b in TEXTS], limit=limit, batch=batch,
                cut=[encoded(tokenizer, a, b, truncation=True, **longest) for a, b in TEXTS])


def compare():
    stored = json.loads(FIXTURE.read_text())["cases"]
    for case, was in zip(CASES, stored):
        try:
            found = expected(case)
        except (TypeError, ValueError) as error:
            found = f"refused: {error}"
        if found != was["expected"]:
            print(f"{case['name']}:\n  {was['expected']}\n  {found}")


def main():
    if "--compare" in sys.argv:
        return compare()
    made = [dict(case, expected=expected(case)) for case in CASES]
    whole = dict(vocab=VOCAB, texts=TEXTS, tokenizer_json=CASED, cases=made)
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    FIXTURE.write_text(text + "\n", encoding="utf-8")
    print(f"{FIXTURE}: {len(CASES)} folders, transformers {transformers.__version__}")


if __name__ == "__main__":
    main()
