"""Chapter 5's controls in NumPy and f64: what bertinho's heads choose in its sentences.

    python tests/reference/ch05_controls.py   regenerates tests/fixtures/ch05-controls.json

Reads weights/bertinho and chapter 5's data; the tokenizer and the counting are written
here anew, the model is minilm.py's. Needs numpy (any version).
"""

import json
import pathlib
import re

import numpy as np

from minilm import Bert

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "chapters-code" / "ch05-bert-attention" / "data"
FOLDER = ROOT / "weights" / "bertinho"
MODEL = Bert(FOLDER)
VOCABULARY = (FOLDER / "vocab.txt").read_text(encoding="utf-8").splitlines()
IDS = {piece: i for i, piece in enumerate(VOCABULARY)}
LAYERS, HEADS = MODEL.config["num_hidden_layers"], MODEL.config["num_attention_heads"]


def pieces(text):
    found = []
    for word in re.findall(r"\w+|[^\w\s]", text):
        start = 0
        while start < len(word):
            mark = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next(end for end in ends if mark + word[start:end] in IDS)
            found.append(mark + word[start:end])
            start = end
    return found


def read(text):
    """The tokens of one sentence, and its attentions, [layers, heads, n, n]."""
    tokens = ["[CLS]", *pieces(text), "[SEP]"]
    return tokens, MODEL.attentions([IDS[token] for token in tokens], [0] * len(tokens))


def choices(text):
    """The tokens, and the place that each chooses, [layers, heads, n]."""
    tokens, weights = read(text)
    weights = weights.copy()
    weights[..., 0] = weights[..., -1] = -1
    for i in range(len(tokens)):
        weights[:, :, i, i] = -1
    return tokens, weights.argmax(-1)


def rows(name):
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def verbs(column):
    counts = {kind: np.zeros((LAYERS, HEADS), int) for kind in ("subject", "others", "between")}
    for row in rows("subjects.tsv"):
        tokens, chosen = choices(row[column])
        subject, verb = tokens.index(row[1]), tokens.index(row[2])
        for i in range(1, len(tokens) - 1):
            hits = chosen[:, :, i] == verb
            if i == subject:
                counts["subject"] += hits
            elif i != verb:
                counts["others"] += hits
                if subject < i < verb:
                    counts["between"] += hits
    return {kind: count.tolist() for kind, count in counts.items()}


def clauses():
    kinds = ("subjects", "nouns", "words")
    counts = [{k: np.zeros((LAYERS, HEADS), int) for k in kinds} for _ in range(2)]
    for number, row in enumerate(rows("clauses.tsv")):
        tokens, chosen = choices(row[7])
        places = [tokens.index(word) for word in row[1:7]]
        middle = next(i for i in range(places[2], places[3]) if tokens[i] in ("e", "and"))
        spans = [range(1, middle), range(middle + 1, len(tokens) - 1)]
        for (subject, noun, verb), span in zip((places[:3], places[3:]), spans):
            hits = lambda i: chosen[:, :, i] == verb
            counts[number % 2]["subjects"] += hits(subject)
            counts[number % 2]["nouns"] += hits(noun)
            for i in span:
                if i not in (subject, verb):
                    counts[number % 2]["words"] += hits(i)
    return [{kind: count.tolist() for kind, count in half.items()} for half in counts]


def pronouns():
    right, wrong = np.zeros((LAYERS, HEADS), int), np.zeros((LAYERS, HEADS), int)
    for masculine, feminine, verb, adjective in rows("pronouns.tsv"):
        for start in (f"O {masculine} {verb} a {feminine}", f"A {feminine} {verb} o {masculine}"):
            for pronoun, a, b in (("ela", feminine, masculine), ("ele", masculine, feminine)):
                tokens, chosen = choices(f"{start} porque {pronoun} estava {adjective}.")
                chosen = chosen[:, :, tokens.index(pronoun)]
                right += chosen == tokens.index(a)
                wrong += chosen == tokens.index(b)
    return {"right": right.tolist(), "wrong": wrong.tolist()}


def likeness(sentences):
    """How much two heads share, whole rows and words alone: two different heads in the same row;
    a head with itself, and two different ones, in the same row of the next sentence as long."""
    count = LAYERS * HEADS
    lengths = {}
    for sentence in sentences:
        weights = read(sentence)[1]
        n = weights.shape[-1]
        lengths.setdefault(n, []).append(weights.reshape(count, n, n)[:, 1:-1])
    sums, looks = np.zeros((2, 2, count, count)), 0
    for group in lengths.values():
        for rows_of, others_of in zip(group, group[1:] + group[:1]):
            for i in range(rows_of.shape[1]):
                for part in (0, 1):
                    own, others = (
                        row[:, 1:-1] / row[:, 1:-1].sum(-1, keepdims=True) if part else row
                        for row in (rows_of[:, i], others_of[:, i])
                    )
                    for which, values in enumerate((own, others)):
                        sums[part, which] += np.minimum(own[:, None], values[None]).sum(-1)
                looks += 1
    off = ~np.eye(count, dtype=bool)
    same, elsewhere = (sums / looks).swapaxes(0, 1)
    return [
        [float(a[off].mean()), float(b[~off].mean()), float(b[off].mean())]
        for a, b in zip(same, elsewhere)
    ]


if __name__ == "__main__":
    sentences = [row[0] for row in rows("pairs.tsv")][:8]
    found = {
        "near": verbs(3),
        "far": verbs(4),
        "clauses": clauses(),
        "pronouns": pronouns(),
        "likeness": likeness(sentences),
    }
    path = ROOT / "tests" / "fixtures" / "ch05-controls.json"
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")
