"""The Transformer's parts in PyTorch, in f64: the reference for chapter 2.

    python tests/reference/ch02_torch.py             regenerates tests/fixtures/ch02-torch.json

Needs torch (made with 2.15.0; no GPU). Weights and inputs have four decimals, so that the fixture
stays small; results are in full precision. No query has all keys hidden: PyTorch gives NaN there,
and the chapter gives 0.
"""

import json
import pathlib

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "ch02-torch.json"
D_MODEL, HEADS, D_FF, N, M = 8, 2, 16, 4, 5
LAYERS = 3
EPSILONS = [1e-5, 1e-3]

torch.set_default_dtype(torch.float64)
torch.manual_seed(2)


def numbers(*shape):
    """Normal numbers with four decimals."""
    return torch.randn(*shape).mul(1e4).round().div(1e4)


def randomized(module):
    """All parameters random: stacks copy one layer, and norms start as the identity."""
    for name, parameter in module.named_parameters():
        values = 0.4 * numbers(*parameter.shape)
        if "norm" in name and name.endswith("weight"):
            values += 1
        parameter.data = values.mul(1e4).round().div(1e4)
    return module


def parameters(module):
    return {name: value.tolist() for name, value in module.state_dict().items()}


def causal(n):
    """True hides, as PyTorch's Boolean masks have it."""
    return torch.ones(n, n).triu(1).bool()


PADDING = torch.tensor([False, True, False, False, True])  # of M keys; one is in the middle
SELF_PADDING = torch.tensor([False, False, True, False])  # of N keys


def recorded(module):
    """Makes every attention inside `module` leave its weights, per head, in the list returned."""
    found = []

    def ask(_, args, kwargs):
        return args, {**kwargs, "need_weights": True, "average_attn_weights": False}

    def keep(_, args, kwargs, result):
        found.append(result[1].tolist())

    for part in module.modules():
        if isinstance(part, nn.MultiheadAttention):
            part.register_forward_pre_hook(ask, with_kwargs=True)
            part.register_forward_hook(keep, with_kwargs=True)
    return found


def listed(tensor):
    return None if tensor is None else tensor.tolist()


def multi_head():
    """Self-attention and cross-attention, with every mask."""
    cases = []
    for heads in (1, HEADS, D_MODEL):
        attention = randomized(nn.MultiheadAttention(D_MODEL, heads, batch_first=True))
        x, memory, values = numbers(N, D_MODEL), numbers(M, D_MODEL), numbers(M, D_MODEL)
        partial = torch.tensor([[i == j for j in range(M)] for i in range(N)])
        inputs = [
            ("self", x, x, x, None, None),
            ("self, causal", x, x, x, causal(N), None),
            ("self, padding", x, x, x, None, SELF_PADDING),
            ("self, causal and padding", x, x, x, causal(N), SELF_PADDING),
            ("cross", x, memory, memory, None, None),
            ("cross, padding", x, memory, memory, None, PADDING),
            ("cross, mask and padding", x, memory, memory, partial, PADDING),
            ("other values", x, memory, values, None, None),
        ]
        runs = []
        for name, query, key, value, mask, padding in inputs:
            run = dict(attn_mask=mask, key_padding_mask=padding)
            output, weights = attention(query, key, value, average_attn_weights=False, **run)
            _, averaged = attention(query, key, value, **run)
            runs.append(dict(
                name=name, query=query.tolist(), key=key.tolist(), value=value.tolist(),
                mask=listed(mask), padding=listed(padding), output=output.tolist(),
                weights=weights.tolist(), averaged=averaged.tolist(),
            ))
        cases.append(dict(heads=heads, parameters=parameters(attention), runs=runs))
    return cases


def layer_norm():
    cases = []
    for epsilon in EPSILONS:
        norm = randomized(nn.LayerNorm(D_MODEL, eps=epsilon))
        x = numbers(N, D_MODEL)
        x[1] = 3.0  # variance 0
        x[2] *= 1e-3  # variance below ε
        x[3] = x[3] * 100 + 1000
        cases.append(dict(
            epsilon=epsilon, parameters=parameters(norm), x=x.tolist(), output=norm(x).tolist()
        ))
    return cases


def activations():
    x = torch.linspace(-9, 9, 73)
    return dict(
        x=x.tolist(), relu=nn.functional.relu(x).tolist(), gelu=nn.functional.gelu(x).tolist()
    )


def options(norm_first, activation):
    return dict(
        d_model=D_MODEL, nhead=HEADS, dim_feedforward=D_FF, dropout=0.0, batch_first=True,
        norm_first=norm_first, activation=activation,
    )


def variants(make):
    """One module for each order of the norms and each activation, all with the same weights."""
    first = randomized(make(**options(False, "relu")))
    for norm_first in (False, True):
        for activation in ("relu", "gelu"):
            module = make(**options(norm_first, activation))
            module.load_state_dict(first.state_dict())
            yield norm_first, activation, module


def encoder_cases(make):
    """The runs of an encoder layer or stack, and its weights once."""
    runs = []
    for norm_first, activation, module in variants(make):
        found = recorded(module)
        x = numbers(N, D_MODEL)
        masks = [
            ("no mask", None, None),
            ("causal", causal(N), None),
            ("padding", None, SELF_PADDING),
        ]
        for name, mask, padding in masks:
            found.clear()
            keyword = "mask" if isinstance(module, nn.TransformerEncoder) else "src_mask"
            output = module(x, src_key_padding_mask=padding, **{keyword: mask})
            runs.append(dict(
                name=name, norm_first=norm_first, activation=activation, x=x.tolist(),
                mask=listed(mask), padding=listed(padding), output=output.tolist(),
                attentions=[*found],
            ))
    return dict(heads=HEADS, parameters=parameters(module), runs=runs)


def decoder_cases(make):
    runs = []
    for norm_first, activation, module in variants(make):
        found = recorded(module)
        x, memory = numbers(N, D_MODEL), numbers(M, D_MODEL)
        for name, mask, padding in [
            ("causal", causal(N), None),
            ("causal and padding", causal(N), PADDING),
        ]:
            found.clear()
            output = module(x, memory, tgt_mask=mask, memory_key_padding_mask=padding)
            runs.append(dict(
                name=name, norm_first=norm_first, activation=activation, x=x.tolist(),
                memory=memory.tolist(), mask=listed(mask), padding=listed(padding),
                output=output.tolist(), attentions=[*found],
            ))
    return dict(heads=HEADS, parameters=parameters(module), runs=runs)


def stack(layer, stacked, final_norm, **extra):
    """A maker of stacks of three layers, for `variants`."""

    def make(**layer_options):
        norm = nn.LayerNorm(D_MODEL) if final_norm else None
        return stacked(layer(**layer_options), LAYERS, norm=norm, **extra)

    return make


def fixture():
    encoder = nn.TransformerEncoderLayer, nn.TransformerEncoder
    decoder = nn.TransformerDecoderLayer, nn.TransformerDecoder
    nested = dict(enable_nested_tensor=False)
    encoders = [encoder_cases(stack(*encoder, norm, **nested)) for norm in (False, True)]
    decoders = [decoder_cases(stack(*decoder, norm)) for norm in (False, True)]
    return dict(
        multi_head=multi_head(),
        layer_norm=layer_norm(),
        activations=activations(),
        encoder_layer=encoder_cases(nn.TransformerEncoderLayer),
        decoder_layer=decoder_cases(nn.TransformerDecoderLayer),
        encoders=encoders,
        decoders=decoders,
    )


if __name__ == "__main__":
    text = json.dumps(fixture(), separators=(",", ":"), allow_nan=False)
    FIXTURE.write_text(text + "\n")
    print(f"{FIXTURE}: {len(text) // 1000} kB, PyTorch {torch.__version__}")
