"""Writes fixtures/golden/transfer/<case>.safetensors: traces of DI, TI, NI, SI and VMI in float64, from the papers' formulas.

Run from the repository's root: python3 tools/reference/transfer.py (needs torch, safetensors, onnx2torch). The network and its inputs are those of
fixtures/golden/attacks/classification; cases.json says which attacks. Noise is a formula of its indices, so that none need be stored:
u = frac(0.618.. (i + 1) + 0.754.. (sample + 1) + 0.569.. (draw + 1) + 0.324.. (step + 1) + 0.137 [around]), noise 2 u - 1 rounded to float32.

Stored for sample 2: x after each step [T, 1, ...], momentum [T, 1, ...] (in our units: with g / ||g||_1, or g / mean|g| where it looks ahead as released),
variance [T, 1, ...], and `margin`, the smallest |momentum| of all against its mean: signs are safe while it is far above float32's rounding.
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

root = Path("fixtures/golden")
T, EPSILON, ALPHA = 3, 0.1, 0.04
usual = {
    "di-fgsm": dict(decay=0, inputDiversity=0.5), "ti-fgsm": dict(decay=0, translation=15), "mi-fgsm": {},
    "ni-fgsm": dict(nesterov="released"), "si-ni-fgsm": dict(nesterov="released", scales=5),
    "vmi-fgsm": dict(variance=20), "vni-fgsm": dict(nesterov="released", variance=20),
}  # fmt: skip


def noise(samples, count, draw, step, around):
    i, b = torch.arange(count, dtype=torch.float64), torch.arange(samples, dtype=torch.float64)
    phase = 0.6180339887498949 * (i[None] + 1) + 0.7548776662466927 * (b[:, None] + 1)
    phase = phase + 0.5698402909980532 * (draw + 1) + 0.3247179572447460 * (step + 1) + (0.137 if around else 0)
    return (2 * phase.frac() - 1).float().double()


def diversity(x, raw, probability, rate):
    """Xie et al. 2019: shrunk to a random size, padded at a random place, with a probability; each sample for itself."""
    u = raw / 2 + 0.5
    out = []
    for b in range(len(x)):
        if u[b, 3] >= probability:
            out.append(x[b])
            continue
        size, pads = [], []
        for n, place in zip(x.shape[2:], (u[b, 1], u[b, 2])):
            least = max(1, math.floor(rate * n))
            s = min(n - 1, least + math.floor(u[b, 0] * (n - least)))
            p = min(n - s - 1, math.floor(place * (n - s)))
            size.append(s)
            pads.append((p, n - s - p))
        small = F.interpolate(x[b : b + 1], size=size, mode="bilinear", align_corners=False)
        out.append(F.pad(small, (*pads[1], *pads[0]))[0])
    return torch.stack(out)


def kernel(name, size):
    k = (size - 1) / 2
    i = torch.arange(size, dtype=torch.float64) - k
    line = {"gaussian": torch.exp(-((3 * i / k) ** 2) / 2), "linear": 1 - i.abs() / (k + 1), "uniform": torch.ones(size).double()}[name]
    plane = torch.outer(line, line)
    return (plane / plane.sum()).expand(3, 1, size, size)


def trace(network, clean, target, goal, *, inputDiversity=0, resizeRate=0.9, translation=1, kernel_name="gaussian", scales=1, variance=0,
          neighborhood=1.5, decay=1, nesterov="off"):
    sign = 1 if goal == "untargeted" else -1

    def gradient(x, step, around):
        """Mean over the copies, and over the neighbors where there are any: the order of draws is ours (the last part's changes fastest)."""
        total = torch.zeros_like(x)
        neighbors = variance if around else 1
        for draw in range(neighbors * scales):
            i = draw % scales
            count = (x[0].numel() if around else 0) + (4 if inputDiversity else 0)
            raw = noise(len(x), count, draw, step, around) if count else None
            at = x.detach().requires_grad_(True)
            seen = at
            if around:
                seen = seen + EPSILON * neighborhood * raw[:, : x[0].numel()].reshape(x.shape)
            seen = seen / 2**i
            if inputDiversity:
                seen = diversity(seen, raw[:, -4:], inputDiversity, resizeRate)
            loss = F.cross_entropy(network(seen), target)
            total += torch.autograd.grad(loss, at)[0]
        return sign * total / (neighbors * scales)

    x, m, v = clean, torch.zeros_like(clean), torch.zeros_like(clean)
    xs, ms, vs = [], [], []
    for step in range(T):
        at = x if nesterov == "off" else x + decay * ALPHA * m
        g = gradient(at, step, False)
        followed = g + v
        if variance:
            v = gradient(x, step, True) - g
        if translation > 1:
            followed = F.conv2d(followed, kernel(kernel_name, translation), padding=translation // 2, groups=3)
        size = followed.abs().mean((1, 2, 3), keepdim=True) if nesterov == "released" else followed.abs().sum((1, 2, 3), keepdim=True)
        m = decay * m + followed / size
        x = (clean + (x + ALPHA * m.sign() - clean).clamp(-EPSILON, EPSILON)).clamp(0, 1)
        xs.append(x)
        ms.append(m)
        vs.append(F.conv2d(v, kernel(kernel_name, translation), padding=translation // 2, groups=3) if translation > 1 else v)
    kept = lambda values: torch.stack(values)[:, [2]].float().contiguous()
    margin = min((m.abs().amin() / m.abs().mean()).item() for m in ms)
    out = {"x": kept(xs), "momentum": kept(ms), "margin": torch.tensor([margin])}
    return {**out, "variance": kept(vs)} if variance else out


def main():
    import onnx2torch

    network = onnx2torch.convert(str(root / "attacks/classification/network.onnx")).double().eval()
    inputs = load_file(root / "attacks/classification/inputs.safetensors")
    clean = inputs["input"].double()
    for case in json.loads((root / "transfer/cases.json").read_text()):
        parameters = {**usual[case["attack"]], **case["parameters"]}
        parameters["kernel_name"] = parameters.pop("kernel", "gaussian")
        target = inputs["label" if case["goal"] == "untargeted" else "target"].long()
        found = trace(network, clean, target, case["goal"], **parameters)
        print(case["file"], f"margin {found['margin'].item():.1e}")
        save_file(found, root / f"transfer/{case['file']}.safetensors")


main()
