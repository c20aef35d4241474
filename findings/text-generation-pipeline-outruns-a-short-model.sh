#!/usr/bin/env bash
# transformers' text-generation pipeline asks a model for more tokens than it has positions.
#
# `pipeline("text-generation")` without settings generates 256 new tokens, whatever the model. One
# with fewer positions than prompt and these together (here 64; a GPT-2 with learned positions
# has a row for each) is run past its last one and dies of an IndexError that names neither
# tokens nor positions, though the configuration says how many there are. `generate` on the same
# model and prompt stops after 20. It bites whoever publishes a small model with learned
# positions: it has to say `max_new_tokens` in generation_config.json for the pipeline to work.
#
# Needs python3 with venv. Exits 1 once the pipeline stops at the last position, or says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.15.0 transformers==5.24.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, pipeline

transformers.logging.set_verbosity_error()
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
bytes_alone = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bytes_alone.decoder = decoders.ByteLevel()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_alone)
torch.manual_seed(0)
config = GPT2Config(
    vocab_size=256, n_positions=64, n_embd=8, n_layer=1, n_head=1, bos_token_id=None, eos_token_id=None
)
model = GPT2LMHeadModel(config).eval()
print(f"transformers {transformers.__version__}, torch {torch.__version__}")
print("belief: a pipeline without settings writes no more than the model can read")
prompt = "The cat"
alone = model.generate(**tokenizer(prompt, return_tensors="pt"), do_sample=False)
print(f"seen: generate alone stops at {alone.shape[1]} tokens of 64")
write = pipeline("text-generation", model=model, tokenizer=tokenizer)
told = write(prompt, max_new_tokens=20)[0]["generated_text"]
print(f"seen: the pipeline, told 20, writes {len(told) - len(prompt)} letters")
try:
    text = write(prompt)[0]["generated_text"]
except IndexError as error:
    print(f"seen: the pipeline, told nothing: IndexError: {error}")
else:
    print(f"changed: it wrote {len(text) - len(prompt)} letters")
    sys.exit(1)
PYTHON
