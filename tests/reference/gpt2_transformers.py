"""Small random GPT-2 models in transformers: the reference for chapter 9.

    python tests/reference/gpt2_transformers.py      regenerates tests/fixtures/gpt2-*/

Needs torch and transformers (made with 2.15.0 and 5.24.0; no GPU). Each folder is a model in
Hugging Face layout with a tokenizer of its own, and what transformers computes with it:

    expected.json           prompts and what greedy decoding and beam search add to them; a text
                            and its tokens
    expected.safetensors    padded.ids, padded.attention_mask, padded.logits,
                            padded.attentions.LAYER; filter.logits, and filter.NAME, 1 where a
                            token stays possible

The weights are much larger than a trained model's, so that attentions are far from uniform and
texts don't run in circles.
"""

import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer, PreTrainedTokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
TEXTS = ["O gato sentou no tapete e o cachorro correu.", "The cat sat on the mat, and the dog ran."]
SPECIAL = "<|endoftext|>"

MODELS = {
    # As a GPT2LMHeadModel is saved; a tokenizer.json.
    "gpt2-tied": dict(
        config=dict(n_embd=32, n_layer=3, n_head=4, n_positions=96),
        half=None, bare=False, files="tokenizer.json",
    ),
    # Bare names in f16 shards, scores scaled otherwise, its own output table; vocab.json and
    # merges.txt.
    "gpt2-untied": dict(
        config=dict(
            n_embd=24, n_layer=2, n_head=3, n_positions=96, n_inner=40, activation_function="gelu",
            tie_word_embeddings=False, scale_attn_by_inverse_layer_idx=True,
            scale_attn_weights=False, reorder_and_upcast_attn=True, layer_norm_epsilon=1e-6,
        ),
        half=torch.float16, bare=True, files="merges.txt",
    ),
}
FILTERS = {
    "temperature": dict(temperature=0.7),
    "top_k": dict(top_k=5),
    "top_p": dict(top_p=0.8),
    "min_p": dict(min_p=0.2),
    "all": dict(temperature=1.5, top_k=20, top_p=0.9, min_p=0.05),
}


def tokenizer(folder, files):
    """Byte-level BPE of the texts above, some 300 tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[SPECIAL], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(TEXTS * 2, trainer)
    if files == "tokenizer.json":
        fast = PreTrainedTokenizerFast(
            tokenizer_object=made, bos_token=SPECIAL, eos_token=SPECIAL, unk_token=SPECIAL
        )
        fast.save_pretrained(folder)
        return fast
    made.model.save(str(folder))
    return GPT2Tokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))


def randomized(model):
    for name, parameter in model.named_parameters():
        norm = "ln_" in name and name.endswith("weight")
        parameter.data = torch.randn(parameter.shape) * 0.25 + (1.0 if norm else 0.0)
    return model.eval()


def save(model, folder, half, bare):
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    path = folder / "model.safetensors"
    tensors = load_file(path)
    if bare:
        tensors = {name.removeprefix("transformer."): value for name, value in tensors.items()}
    if half is None:
        return
    # Two shards, and the buffer that versions before 4.30 saved.
    tensors = {name: value.to(half) for name, value in tensors.items()}
    tensors["h.0.attn.bias"] = torch.ones(1, 1, 4, 4).tril().to(torch.uint8)
    names, weight_map = sorted(tensors), {}
    for i, part in enumerate([names[::2], names[1::2]], start=1):
        file = f"model-{i:05}-of-00002.safetensors"
        save_file({name: tensors[name].contiguous() for name in part}, folder / file)
        weight_map |= dict.fromkeys(part, file)
    path.unlink()
    index = dict(metadata=dict(total_size=0), weight_map=weight_map)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def padded(model):
    """Three texts of 12, 5 and 1 tokens, filled up at their beginnings, positions as generate
    counts them."""
    lengths, n = [12, 5, 1], 12
    ids = torch.randint(1, model.config.vocab_size, (3, n))
    mask = torch.tensor([[0] * (n - length) + [1] * length for length in lengths])
    ids = ids * mask
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    outputs = model(
        input_ids=ids, attention_mask=mask, position_ids=positions, output_attentions=True
    )
    tensors = dict(ids=ids.to(torch.uint32), attention_mask=mask.to(torch.uint32))
    tensors["logits"] = outputs.logits
    for i, value in enumerate(outputs.attentions):
        tensors[f"attentions.{i}"] = value
    return {f"padded.{name}": value for name, value in tensors.items()}


def continuations(model):
    """Prompts, and up to 64 tokens after them."""
    found = []
    for prompt in ([7, 40, 21], [3], [250, 17, 17, 90, 5, 61, 200, 33]):
        ids = torch.tensor([prompt])
        options = dict(max_new_tokens=64, do_sample=False, pad_token_id=0)
        run = lambda **more: model.generate(
            ids, attention_mask=torch.ones_like(ids), **options, **more
        )[0, len(prompt):].tolist()
        row = dict(prompt=prompt, greedy=run(), penalized=run(repetition_penalty=1.3))
        for beams in (2, 4):
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), num_beams=beams,
                num_return_sequences=beams, return_dict_in_generate=True, output_scores=True,
                **options,
            )
            row[f"beams_{beams}"] = out.sequences[:, len(prompt):].tolist()
            row[f"scores_{beams}"] = out.sequences_scores.tolist()
        found.append(row)
    return found


def filters(model):
    """Which tokens the warpers leave."""
    logits = torch.randn(8, 50) * 2
    logits[1] = logits[1].round()  # ties
    tensors = {"filter.logits": logits}
    ids = torch.zeros(8, 1, dtype=torch.long)
    for name, options in FILTERS.items():
        config = transformers.GenerationConfig(do_sample=True, **({"top_k": 0} | options))
        warpers = model._get_logits_processor(
            generation_config=config, input_ids_seq_length=1, encoder_input_ids=ids,
            prefix_allowed_tokens_fn=None, logits_processor=[], device="cpu",
        )
        tensors[f"filter.{name}"] = torch.isfinite(warpers(ids, logits)).to(torch.uint8)
    return tensors


def make(name, config, half, bare, files):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = tokenizer(folder, files)
    config = GPT2Config(
        vocab_size=300, bos_token_id=0, eos_token_id=0, attn_implementation="eager", **config
    )
    model = randomized(GPT2LMHeadModel(config))
    if half is not None:
        model = model.to(half).float()  # what f16 can hold
    save(model, folder, half, bare)
    with torch.no_grad():
        tensors = padded(model) | (filters(model) if half is None else {})
        texts = dict(
            continuations=continuations(model),
            texts=[dict(text=text, ids=words(text)["input_ids"]) for text in TEXTS + ["É, 😀!"]],
        )
    (folder / "expected.json").write_text(json.dumps(texts, ensure_ascii=False) + "\n")
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "expected.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)
    size = sum(file.stat().st_size for file in folder.iterdir())
    ends = [sum(0 in row[key] for row in texts["continuations"]) for key in ("greedy", "penalized")]
    print(f"{folder}: {size // 1000} kB; texts that ended: {ends}")


if __name__ == "__main__":
    torch.manual_seed(9)
    transformers.utils.logging.disable_progress_bar()
    print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}")
    for name, options in MODELS.items():
        make(name, **options)
