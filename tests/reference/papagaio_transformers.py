"""An exported papagaio in Python's transformers: it loads, warns of nothing, and says what we say.

    papagaio export --trained OUT --out DIR           (cargo run --release -p ch09-generation --bin …)
    python tests/reference/papagaio_transformers.py DIR --program PATH

Needs torch and transformers (made with 2.15.0 and 5.24.0; no GPU); PATH is the chapter's program
(`cargo build --release -p ch09-generation`). For each text: its tokens and the 64 that greedy
decoding adds, token for token; each one's log-probability and the attentions over all of them to
1e-5, ours from `--json`, theirs in f64; how far transformers' own f32 is from that is printed
beside. Where two tokens are so close that f32 may take
either, the text is compared up to there, and that is said. `pipeline("text-generation")` has to
give the same text, and a left-padded batch the same logits as its texts alone.
"""

import argparse
import json
import logging
import pathlib
import subprocess

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

TEXTS = [
    "<|en|>Where is the cat?<|pt|>",
    "<|pt|>Onde está o gato?<|en|>",
    "<|en|>",
    "<|pt|>O presidente",
    "É uma ação 😀 <b>",
]
COUNT, FAR, CLOSE = 64, 1e-5, 1e-4


class Warnings(logging.Handler):
    """Keeps what transformers warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def ours(program, folder, text):
    command = [program, text, "--model", str(folder), "--max-new-tokens", str(COUNT), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def compare(model, single, tokenizer, text, found):
    """How far ours are from theirs, log-probabilities and attentions; how far theirs in f32 are,
    attentions; how many tokens were compared."""
    prompt = tokenizer(text, return_tensors="pt")["input_ids"]
    shown = [tokenizer.decode([token]) for token in prompt[0]]
    assert shown == found["prompt_tokens"], (shown, found["prompt_tokens"])
    ids = model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=COUNT, do_sample=False
    )
    new = ids[0, prompt.shape[1]:]
    with torch.no_grad():
        output = model(ids, output_attentions=True)
    logits = output.logits[0, prompt.shape[1] - 1:-1]
    top = logits.topk(2).values
    close = (top[:, 0] - top[:, 1] < CLOSE).nonzero().flatten().tolist()
    count = close[0] if close else len(new)
    theirs = [tokenizer.decode([token]) for token in new]
    assert theirs[:count] == found["tokens"][:count], (text, theirs, found["tokens"])
    assert close or len(theirs) == len(found["tokens"])
    logprobs = logits.log_softmax(-1)[range(len(new)), new][:count]
    difference = (logprobs - torch.tensor(found["logprobs"][:count], dtype=torch.float64)).abs()
    far = difference.max().item() if count else 0.0
    n = prompt.shape[1] + count
    attentions = torch.tensor(found["attentions"], dtype=torch.float64)[:, :, :n, :n]
    expected = torch.cat(output.attentions)[:, :, :n, :n]
    with torch.no_grad():
        theirs = torch.cat(single(ids, output_attentions=True).attentions)[:, :, :n, :n]
    apart = [(of.double() - expected).abs().max().item() for of in (attentions, theirs)]
    return far, *apart, count


def padded(model, tokenizer):
    """How far a batch's logits are from those of its texts alone."""
    batch = tokenizer(TEXTS, return_tensors="pt", padding=True)
    positions = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    far = 0.0
    with torch.no_grad():
        together = model(**batch, position_ids=positions).logits
        for text, logits in zip(TEXTS, together):
            alone = model(**tokenizer(text, return_tensors="pt")).logits[0]
            far = max(far, (logits[-len(alone):] - alone).abs().max().item())
    return far


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", required=True)
    arguments = parser.parse_args()
    warnings = Warnings()
    transformers.utils.logging.get_logger("transformers").addHandler(warnings)
    tokenizer = AutoTokenizer.from_pretrained(arguments.folder)
    model, info = AutoModelForCausalLM.from_pretrained(
        arguments.folder, dtype=torch.float64, attn_implementation="eager",
        output_loading_info=True,
    )
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
    model.eval()
    single = AutoModelForCausalLM.from_pretrained(
        arguments.folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    for text in TEXTS:
        found = ours(arguments.program, arguments.folder, text)
        logprobs, attentions, theirs, count = compare(model, single, tokenizer, text, found)
        assert logprobs < FAR and attentions < FAR, (text, logprobs, attentions)
        print(
            f"{text!r}: {count} tokens; logprobs to {logprobs:.1e}, "
            f"attentions to {attentions:.1e} (transformers in f32: {theirs:.1e})"
        )
    apart = padded(model, tokenizer)
    assert apart < FAR, apart
    speak = pipeline("text-generation", model=str(arguments.folder), dtype=torch.float32)
    for text in TEXTS[:2]:
        said = speak(text, max_new_tokens=COUNT, do_sample=False, return_full_text=False)
        expected = ours(arguments.program, arguments.folder, text)["text"]
        assert said[0]["generated_text"] == expected, (said, expected)
    speak(TEXTS[0], suppress_tokens=[0])  # as it comes, drawn, and without an end
    assert not warnings.texts, warnings.texts
    print(f"{arguments.folder}: transformers {transformers.__version__} loads it whole, no warnings")


if __name__ == "__main__":
    main()
