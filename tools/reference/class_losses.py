"""Losses for one class per pixel (Croce, Singh & Hein 2024, section 4) by PyTorch in float64: fixtures/losses/classes.json.

    python tools/reference/class_losses.py

Values per pixel, and the gradient of their sum with each pixel times its own weight, for logits of usual size and of a confident network. Masks and norms are
written as in the paper; the class weights are those of the image, N / (C N_y), as src/vision/tasks/class-losses.ts says.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

IGNORE = 255


def cross_entropy(z, y):
    return F.cross_entropy(z, y, reduction="none", ignore_index=IGNORE)


def still_right(z, y):
    return (z.argmax(1) == y).to(z.dtype)


def masked_cross_entropy(z, y):
    return still_right(z, y) * cross_entropy(z, y)


def balanced_masked_cross_entropy(z, y):
    weights = torch.zeros_like(y, dtype=z.dtype)
    for b in range(len(y)):
        labels = [k for k in y[b].unique().tolist() if k != IGNORE]
        counted = int((y[b] != IGNORE).sum())
        for k in labels:
            weights[b][y[b] == k] = counted / (len(labels) * int((y[b] == k).sum()))
    return weights * masked_cross_entropy(z, y)


def jensen_shannon(z, y):
    known = (y != IGNORE)
    p = z.softmax(1)
    q = F.one_hot(torch.where(known, y, 0), z.shape[1]).movedim(-1, 1).to(z.dtype)
    m = (p + q) / 2
    divergence = (F.kl_div(m.log(), p, reduction="none") + F.kl_div(m.log(), q, reduction="none")).sum(1) / 2
    return divergence * known


def masked_spherical(z, y):
    known = (y != IGNORE)
    unit = z / z.norm(dim=1, keepdim=True)
    return -unit.gather(1, torch.where(known, y, 0)[:, None])[:, 0] * still_right(z, y) * known


losses = {
    "cross-entropy": cross_entropy,
    "masked-cross-entropy": masked_cross_entropy,
    "balanced-masked-cross-entropy": balanced_masked_cross_entropy,
    "jensen-shannon": jensen_shannon,
    "masked-spherical": masked_spherical,
}

torch.manual_seed(3)
shape = (2, 5, 3, 4)
labels = torch.randint(0, 4, (2, 3, 4))
labels[0, 0, 1] = labels[1, 2, 3] = IGNORE
weight = torch.rand(2, 3, 4, dtype=torch.float64).float().double()
cases = []
for name, scale in [("usual", 1.0), ("confident", 12.0)]:
    z = torch.randn(shape, dtype=torch.float64)
    z.scatter_add_(1, torch.where(labels == IGNORE, 0, labels)[:, None], torch.full((2, 1, 3, 4), 0.8, dtype=torch.float64))
    # what the test feeds is float32
    z = (scale * z).float().double().requires_grad_()
    results = {}
    for loss, function in losses.items():
        values = function(z, labels)
        (gradient,) = torch.autograd.grad((values * weight).sum(), z)
        results[loss] = {"values": values.flatten().tolist(), "gradient": gradient.flatten().tolist()}
    cases.append({"name": name, "logits": z.detach().flatten().tolist(), "results": results})

out = Path(__file__).parents[2] / "fixtures/losses/classes.json"
short = json.loads(json.dumps({"shape": shape, "ignore": IGNORE, "labels": labels.flatten().tolist(), "weight": weight.flatten().tolist(), "cases": cases}),
                   parse_float=lambda t: float(f"{float(t):.9g}"))
out.write_text(json.dumps(short) + "\n")
