"""Papagaio's translations beside a word-by-word dictionary's: chrF of the held-out pairs.

    papagaio texts --corpora CORPORA --out TEXTS      (cargo run --release -p ch09-generation --bin …)
    papagaio translate --corpora CORPORA --model weights/papagaio --out OURS
    python tests/reference/papagaio_translation.py --texts TEXTS --ours OURS [--out DIR] \
        > translation.json

Needs eflomal, sacrebleu and numpy (made with 2.0.0, 2.6.0 and 2.4.6). Without --ours: the
dictionary's scores alone. With --out: its translations, one a line, in DIR.

The dictionary is learned from the training pairs. eflomal aligns their words, lower-cased, in both
directions; a word's translation is what stands most often at the other end of its links: a word,
or several that stand in a row (`I'm`, `eu sou`). How both directions' links are made one, and
whether several words may be a translation, is chosen by the score on the held-out pairs
themselves, which favors the dictionary. (To let a word such as `does` have no translation costs it
1 to 3 chrF.) A word that it doesn't have stays what it is, as names and numbers do; a word is written as it is most often within a
sentence, the first one with a capital where the source's first has one, and punctuation stands as
in its language. eflomal draws from the system's chance: two runs differ in the second decimal.

The interval of the difference is that of 95 % of 1000 resamplings of the sentences (paired
bootstrap, Koehn 2004), from sacreBLEU's own statistics.
"""

import argparse
import itertools
import json
import pathlib
import re
import sys
import tempfile
from collections import Counter, defaultdict

import numpy as np
from eflomal import Aligner
from sacrebleu.metrics import CHRF

DIRECTIONS = {"en-pt": ("en", "pt"), "pt-en": ("pt", "en")}
WORD = re.compile(r"\w+(?:['’.,-]\w+)*|[^\w\s]")
NEIGHBORS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]


def lines(path):
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def align(source, target):
    """For each pair, the links of both directions, as sets of (source word, target word)."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}" for name in ("forward", "reverse")]
        texts = [[" ".join(words).lower() + "\n" for words in side] for side in (source, target)]
        Aligner().align(*texts, links_filename_fwd=paths[0], links_filename_rev=paths[1])
        return [
            [{tuple(map(int, link.split("-"))) for link in line.split()} for line in open(path)]
            for path in paths
        ]


def grown(forward, reverse):
    """Grow-diag-final-and (Koehn et al. 2003): what both say, then its neighbors that one says,
    then links of words that have none."""
    links, either = forward & reverse, forward | reverse
    rows, columns = ({link[side] for link in links} for side in (0, 1))

    def add(link):
        links.add(link)
        rows.add(link[0])
        columns.add(link[1])

    waiting = list(links)
    while waiting:
        i, j = waiting.pop()
        for link in ((i + di, j + dj) for di, dj in NEIGHBORS):
            free = link[0] not in rows or link[1] not in columns
            if link in either and link not in links and free:
                add(link)
                waiting.append(link)
    for link in sorted(either - links):
        if link[0] not in rows and link[1] not in columns:
            add(link)
    return links


MERGED = {
    "both": lambda forward, reverse: forward & reverse,
    "either": lambda forward, reverse: forward | reverse,
    "grown": grown,
    "reverse": lambda forward, reverse: reverse,
}


def dictionary(source, target, links, several):
    """Each lower-cased source word's likeliest translation, a tuple of words."""
    counts = defaultdict(Counter)
    for words, others, pairs in zip(source, target, links):
        ends = defaultdict(list)
        for i, j in sorted(pairs):
            ends[i].append(j)
        for i, word in enumerate(words):
            places = ends[i]
            if several and places and places[-1] - places[0] + 1 == len(places):
                counts[word.lower()][tuple(others[j].lower() for j in places)] += 1
            elif not several:
                for j in places:
                    counts[word.lower()][(others[j].lower(),)] += 1
    return {word: max(found, key=found.get) for word, found in counts.items()}


def cases(texts):
    """Each lower-cased word as it is written most often behind a sentence's first word."""
    counts = defaultdict(Counter)
    for words in texts:
        for before, word in itertools.pairwise(words):
            if before[-1].isalnum() or before in ",;":
                counts[word.lower()][word] += 1
    return {word: max(found, key=found.get) for word, found in counts.items()}


def translate(words, known, case):
    found = []
    for word in words:
        lower = word.lower()
        if lower in known:
            found.extend(case.get(other, other) for other in known[lower])
        else:
            found.append(word)
    if found and words[0][0].isupper():
        found[0] = found[0][0].upper() + found[0][1:]
    return detokenized(found)


def detokenized(words):
    text = " ".join(words)
    text = re.sub(r" ([.,!?;:%)\]}…])", r"\1", text)
    text = re.sub(r"([(\[{$]) ", r"\1", text)
    text = re.sub(r'" ([^"]*?) ?"', r'"\1"', text)
    return text


def difference(metric, ours, theirs, references):
    """The 95 % interval of how much higher our score is."""
    chance = np.random.default_rng(12345)
    drawn = chance.choice(len(references), size=(1000, len(references)))
    scores = []
    for texts in (ours, theirs):
        statistics = np.array(metric._extract_corpus_statistics(texts, [references]), dtype=float)
        sums = statistics[drawn].sum(1)
        scores.append(np.array([metric._compute_score_from_stats(row).score for row in sums]))
    low, high = np.percentile(scores[0] - scores[1], [2.5, 97.5])
    return dict(difference_low=low, difference_high=high)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=pathlib.Path, required=True)
    parser.add_argument("--ours", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    read = lambda code, part: lines(arguments.texts / f"pairs.{code}.{part}.txt")
    train = {code: [WORD.findall(text) for text in read(code, "train")] for code in ("en", "pt")}
    metric, report = CHRF(), {}
    for direction, (source, target) in DIRECTIONS.items():
        forward, reverse = align(train[source], train[target])
        case = cases(train[target])
        asked = [WORD.findall(text) for text in read(source, "held-out")]
        references = read(target, "held-out")
        scores, texts = {}, {}
        for name, merge in MERGED.items():
            links = [merge(*pair) for pair in zip(forward, reverse)]
            for several in (False, True):
                known = dictionary(train[source], train[target], links, several)
                key = name + ", several" * several
                texts[key] = [translate(words, known, case) for words in asked]
                scores[key] = metric.corpus_score(texts[key], [references]).score
        best = max(scores, key=scores.get)
        copied = metric.corpus_score(read(source, "held-out"), [references]).score
        found = dict(
            sentences=len(references), word_by_word=scores[best], dictionary=best,
            dictionaries=scores, copied=copied,
        )
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            text = "".join(line + "\n" for line in texts[best])
            (arguments.out / f"{direction}.txt").write_text(text, encoding="utf-8")
        if arguments.ours:
            ours = lines(arguments.ours / f"{direction}.txt")
            assert len(ours) == len(references), f"{len(ours)} translations of {len(references)}"
            found["papagaio"] = metric.corpus_score(ours, [references]).score
            found |= difference(metric, ours, texts[best], references)
        report[direction] = found
        print(direction, json.dumps(found), file=sys.stderr)
    report["metric"] = str(metric.get_signature())
    print(json.dumps(report))


if __name__ == "__main__":
    main()
