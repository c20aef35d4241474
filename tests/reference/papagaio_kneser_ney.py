"""papagaio's baseline: 5-gram models with modified Kneser-Ney smoothing, by KenLM.

    papagaio texts --corpora CORPORA --out TEXTS      (cargo run --release -p ch09-generation --bin …)
    python tests/reference/papagaio_kneser_ney.py --texts TEXTS --model weights/papagaio \
        --lmplz PATH [--samples DIR] > kneser-ney.json

Of the model, tokenizer.json and config.json are read. Needs kenlm and tokenizers (made with 0.3.0 and 0.23.3), and KenLM's `lmplz`, which the same
package's source holds (cmake and Boost from apt):

    pip download --no-deps --no-binary :all: kenlm==0.3.0 && tar xzf kenlm-0.3.0.tar.gz
    cd kenlm-0.3.0 && cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build --target lmplz

What is counted is what the model is asked (`generation::evaluate`): the held-out sentences of a
language, each to its end, those left out that are longer than the model's positions; −log₂ of
their probability by their bytes and one more for each one's end. Each language's models:

    alone       over papagaio's tokens, learned from the language's sentences
    all         … and from the pairs' sides in it, each once (twice, as the model reads them,
                would leave nothing that was seen once, which the smoothing counts)
    marked      … and from the other language's, each behind its mark, which is given
    mixed       `alone` and one of the pairs' sides alone, λ to 1 − λ, with the λ that is best on
                the held-out text itself: that favors the baseline
    bytes 5, 6  `all`'s text over bytes, for the record (the package reads no higher order)

A token that a language's text doesn't have is not impossible: `--vocab_pad` gives each of the
whole vocabulary's its share. Prints one JSON object; the best of the models over tokens is
`bits_per_byte`. With --samples, `all` writes 500 sentences of each language to DIR, drawn token
by token, for `papagaio recite --also`.
"""

import argparse
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

import kenlm
from tokenizers import Tokenizer

LANGUAGES = {"en": "english", "pt": "portuguese"}
END, MARKS = "<|endoftext|>", {"en": "<|en|>", "pt": "<|pt|>"}


def lines(path):
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


class Units:
    """Papagaio's tokens, or bytes, written as numbers."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.size = 256 if tokenizer is None else tokenizer.get_vocab_size()

    def __call__(self, texts):
        if self.tokenizer is None:
            return [list(text.encode()) for text in texts]
        found = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [encoding.ids for encoding in found]


def learn(lmplz, folder, name, order, texts, size):
    """The n-gram model of these texts; <s>, </s> and `size` units are its vocabulary."""
    path = folder / f"{name}.arpa"
    text = "".join(" ".join(map(str, ids)) + "\n" for ids in texts)
    command = [lmplz, "-o", str(order), "-S", "2G", "-T", str(folder), "--vocab_pad", str(size + 2)]
    # Of few kinds of units there are too few seen once to estimate the smoothing from.
    command += ["--discount_fallback"] if size == 256 else []
    with open(path, "wb") as arpa:
        done = subprocess.run(command, input=text.encode(), stdout=arpa, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.stderr.decode())
    model = kenlm.Model(str(path))
    path.unlink()
    return model


def probabilities(model, texts, given=0):
    """Of each unit and each end, but the first `given` of a text; and how many are unknown."""
    found, unknown = [], 0
    for ids in texts:
        for i, (log10, _, oov) in enumerate(model.full_scores(" ".join(map(str, ids)))):
            if i >= given:
                found.append(10.0**log10)
                unknown += oov
    return found, unknown


def bits(found, count):
    return -sum(map(math.log2, found)) / count


def mixed(first, second, count):
    """The best mixture of two models, λ in hundredths."""
    def at(share):
        return bits([share * a + (1 - share) * b for a, b in zip(first, second)], count)

    share = min((i / 100 for i in range(101)), key=at)
    return at(share), share


def sample(model, size, chance):
    """A text of the model's, token by token."""
    state, ids = kenlm.State(), []
    model.BeginSentenceWrite(state)
    words = [*map(str, range(size)), "</s>"]
    while True:
        states = [kenlm.State() for _ in words]
        weights = [10.0 ** model.BaseScore(state, word, to) for word, to in zip(words, states)]
        chosen = chance.choices(range(len(words)), weights)[0]
        if words[chosen] == "</s>":
            return ids
        ids.append(chosen)
        state = states[chosen]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--lmplz", required=True)
    parser.add_argument("--samples", type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    positions = json.loads((arguments.model / "config.json").read_text())["n_positions"]
    tokens, letters = Units(tokenizer), Units(None)
    marks = {code: tokenizer.token_to_id(mark) for code, mark in MARKS.items()}
    alone = {code: lines(arguments.texts / f"{code}.train.txt") for code in LANGUAGES}
    sides = {code: lines(arguments.texts / f"pairs.{code}.train.txt") for code in LANGUAGES}
    every = {code: list(dict.fromkeys(alone[code] + sides[code])) for code in LANGUAGES}
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def learned(name, order, texts, size):
            print(name, file=sys.stderr)
            return learn(arguments.lmplz, folder, name, order, texts, size)

        marked = [[marks[code], *ids] for code in LANGUAGES for ids in tokens(every[code])]
        both = learned("marked", 5, marked, tokens.size)
        for code, language in LANGUAGES.items():
            texts = lines(arguments.texts / f"{code}.held-out.txt")
            # <|endoftext|> and the mark take two positions.
            texts = [t for t, ids in zip(texts, tokens(texts)) if len(ids) + 2 <= positions]
            held_out = tokens(texts)
            count = sum(len(text.encode()) + 1 for text in texts)
            found, models = {}, {}
            for name, of in {"alone": alone[code], "all": every[code], "pairs": sides[code]}.items():
                model = learned(f"{code} {name}", 5, tokens(list(dict.fromkeys(of))), tokens.size)
                models[name] = model
                found[name], unknown = probabilities(model, held_out)
                print(f"{code} {name}: {unknown} unknown", file=sys.stderr)
            behind = [[marks[code], *ids] for ids in held_out]
            found["marked"], _ = probabilities(both, behind, given=1)
            over = {name: bits(found[name], count) for name in ("alone", "all", "marked")}
            over["mixed"], share = mixed(found["alone"], found["pairs"], count)
            others = {}
            for order in (5, 6):
                model = learned(f"{code} bytes {order}", order, letters(every[code]), letters.size)
                others[f"bytes {order}"] = bits(probabilities(model, letters(texts))[0], count)
            best = min(over, key=over.get)
            report[language] = dict(
                bits_per_byte=over[best], model=best, sentences=len(texts), bytes=count,
                tokens=len(found["all"]), tokens_5=over, share_of_alone=share, **others,
            )
            if arguments.samples:
                arguments.samples.mkdir(parents=True, exist_ok=True)
                chance = random.Random(42)
                drawn = [sample(models["all"], tokens.size, chance) for _ in range(500)]
                written = [tokenizer.decode(ids).replace("\n", " ") + "\n" for ids in drawn]
                path = arguments.samples / f"kneser-ney.{code}.txt"
                path.write_text("".join(written), encoding="utf-8")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
