"""Writes fixtures/training/steps.pth: training runs of a small network by PyTorch, for the tests of src/methods/training.

Made with PyTorch 1.13. Run from the repository's root: python3 tools/reference/training.py
"""
import copy
import math

import torch
import torch.nn.functional as F

STEPS, BATCH, SIZE = 5, 2, 8


class Small(torch.nn.Module):
    """Every kind of weight that has a gradient form of its own, and running statistics."""

    def __init__(self):
        super().__init__()
        # No bias: before the normalization its gradient is 0 but for rounding, which Adam blows up to whole steps.
        self.first = torch.nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(6)
        self.depthwise = torch.nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.down = torch.nn.Conv2d(6, 8, 2, stride=2)
        self.up = torch.nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.last = torch.nn.Conv2d(6, 3, 1)

    def forward(self, x):
        h = F.gelu(self.norm(self.first(x)))
        h = h + self.up(F.gelu(self.down(self.depthwise(h))))
        return self.last(h) + x


LOSSES = {
    "l1": lambda p, y, _: F.l1_loss(p, y),
    "mse": lambda p, y, _: F.mse_loss(p, y),
    "charbonnier": lambda p, y, _: torch.sqrt((p - y) ** 2 + 1e-6).mean(),
    "psnr": lambda p, y, _: 10 / math.log(10) * torch.log(((p - y) ** 2).mean(dim=(1, 2, 3)) + 1e-8).mean(),
    "cross-entropy": lambda p, _, labels: F.cross_entropy(p, labels, ignore_index=255),
}



def grouped(named, rate, other_rate, decay):
    """The other rate for `down` and `depthwise`, no decay for tensors of one axis."""
    groups = {}
    for name, p in named:
        lr = other_rate if name.startswith("d") else rate
        weight_decay = 0 if p.dim() == 1 else decay
        groups.setdefault((lr, weight_decay), []).append(p)
    return [dict(params=params, lr=lr, weight_decay=wd) for (lr, wd), params in groups.items()]


CASES = {
    "adamw": dict(loss="l1", optimizer=lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1)),
    "adamw-psnr": dict(loss="psnr", optimizer=lambda p: torch.optim.AdamW(p, lr=1e-3, betas=(0.9, 0.9), weight_decay=0)),
    "adamw-clipped": dict(loss="mse", clip=0.05, average=0.9, optimizer=lambda p: torch.optim.AdamW(p, lr=1e-2)),
    "sgd": dict(loss="mse", optimizer=lambda p: torch.optim.SGD(p, lr=0.1)),
    "sgd-momentum": dict(loss="charbonnier", optimizer=lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-2)),
    "sgd-nesterov": dict(
        loss="cross-entropy", optimizer=lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)
    ),
    "adamw-groups": dict(loss="l1", clip=0.5, optimizer=lambda p: torch.optim.AdamW(grouped(p, 1e-2, 3e-3, 0.2), lr=1e-2, weight_decay=0.2)),
    "sgd-groups": dict(loss="mse", optimizer=lambda p: torch.optim.SGD(grouped(p, 0.05, 0.02, 0.1), lr=0.05, momentum=0.9, weight_decay=0.1)),
    "accumulated": dict(loss="l1", pieces=2, optimizer=lambda p: torch.optim.AdamW(p, lr=1e-2)),
}

torch.manual_seed(0)
initial = Small().state_dict()
images = torch.rand(STEPS * 2, BATCH, 3, SIZE, SIZE)
targets = torch.rand(STEPS * 2, BATCH, 3, SIZE, SIZE)
labels = torch.randint(0, 3, (STEPS * 2, BATCH, SIZE, SIZE))
labels[:, :, :2] = 255

out = {"images": images, "targets": targets, "labels": labels}
out.update({f"initial/{name}": t for name, t in initial.items() if t.dtype == torch.float32})
for case, settings in CASES.items():
    net = Small()
    net.load_state_dict(initial)
    net.train()
    named = case.endswith("groups")
    optimizer = settings["optimizer"](net.named_parameters() if named else net.parameters())
    average = copy.deepcopy(net)
    pieces = settings.get("pieces", 1)
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for piece in range(pieces):
            i = step * pieces + piece
            loss = LOSSES[settings["loss"]](net(images[i]), targets[i], labels[i]) / pieces
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), settings.get("clip", 1e9))
        optimizer.step()
        for a, p in zip(average.parameters(), net.parameters()):
            a.data.mul_(0.9).add_(p.data, alpha=0.1)
        losses.append(total)
        norms.append(norm.item())
    out[f"{case}/losses"] = torch.tensor(losses)
    out[f"{case}/norms"] = torch.tensor(norms)
    out.update({f"{case}/final/{name}": t.detach() for name, t in net.state_dict().items() if t.dtype == torch.float32})
    if "average" in settings:
        out.update({f"{case}/average/{name}": t.detach() for name, t in average.named_parameters()})

torch.save({name: t.clone().contiguous() for name, t in out.items()}, "fixtures/training/steps.pth")
