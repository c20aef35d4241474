"""AdamW, clipping and the schedules in PyTorch: the reference for the crate `gradients`.

    python tests/reference/gradients_torch.py      regenerates tests/fixtures/gradients-torch.json

Needs torch and transformers (made with 2.15.0 and 5.23.0; no GPU). Two parameters, a matrix that
decays and a vector that doesn't, take twelve steps of a schedule, their gradients clipped. The
gradients are sines: the numbers of a step are given by a formula that the test has, too.
"""

import json
import math
import pathlib

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "fixtures" / "gradients-torch.json"
STEPS, WARMUP, PEAK, DECAY, CLIP = 12, 3, 0.05, 0.1, 2.0


def numbers(shape, step):
    """Of a step, or the first values for step 0."""
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(i * 0.7 + step * 1.3).reshape(shape).float() * (1 + step % 3)


def schedule(name, parameter):
    optimizer = torch.optim.SGD([parameter], lr=PEAK)
    kinds = dict(
        linear=transformers.get_linear_schedule_with_warmup,
        cosine=transformers.get_cosine_schedule_with_warmup,
    )
    made = kinds[name](optimizer, WARMUP, STEPS)
    rates = []
    for _ in range(STEPS + 1):
        rates.append(made.get_last_lr()[0])
        optimizer.step()
        made.step()
    return rates


def main():
    matrix = torch.nn.Parameter(numbers((3, 5), 0))
    vector = torch.nn.Parameter(numbers((4,), 0))
    groups = [dict(params=[matrix], weight_decay=DECAY), dict(params=[vector], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, lr=PEAK)
    linear = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    norms, steps = [], []
    for step in range(1, STEPS + 1):
        matrix.grad, vector.grad = numbers((3, 5), step), numbers((4,), step)
        norms.append(torch.nn.utils.clip_grad_norm_([matrix, vector], CLIP).item())
        optimizer.step()
        linear.step()
        steps.append(dict(matrix=matrix.detach().flatten().tolist(), vector=vector.tolist()))
    rates = {name: schedule(name, vector) for name in ("linear", "cosine")}
    OUT.write_text(json.dumps(dict(norms=norms, steps=steps, **rates), indent=1) + "\n")
    print(f"{OUT}: {OUT.stat().st_size} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
