"""Trains a U-Net behind a rectangular sensor in eager PyTorch and times it: the other side of bench/sensor.ts.

    python3 sensor.py folder wall|processor

The folder holds settings.json and, as raw float32 (targets int64), image, target, offsets_x, offsets_y and a file for each tensor of the network.
The sensor is differentiated through grid_sample (interior estimator). Reads one command a line, answers one line of JSON each:
    step N       N timed training steps -> {"ms": [...], "losses": [...]}
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

clock, threads = {"wall": (time.perf_counter, 2), "processor": (time.process_time, 1)}[sys.argv[2]]
torch.set_num_threads(threads)
folder = Path(sys.argv[1])
settings = json.loads((folder / "settings.json").read_text())
height, width = settings["sensor"]
levels = settings["levels"]


def read(name, shape, kind=np.float32):
    return torch.from_numpy(np.fromfile(folder / name, dtype=kind).reshape(shape).copy())


image = read("image", settings["image"])
target = read("target", [image.shape[0], *image.shape[2:]], np.int64)
offsets = torch.stack([read("offsets_x", [height * width, -1]), read("offsets_y", [height * width, -1])], -1)
state = {name: read(f"tensor.{name}", shape) for name, shape in settings["tensors"].items()}
buffers = ("running_mean", "running_var", "shift")
trained = [t.requires_grad_(True) for name, t in state.items() if not name.endswith(buffers)]
optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)

pixel = torch.arange(height * width)
corner = torch.stack([-1 + 2 * (pixel % width) / width, -1 + 2 * torch.div(pixel, width, rounding_mode="floor") / height], -1)[:, None]
extent = torch.tensor([2 / width, 2 / height])
stride = torch.tensor([0.7548776662466927, 0.5698402909980532])
rows, columns = torch.meshgrid(
    (2 * torch.arange(image.shape[2]) + 1) / image.shape[2] - 1, (2 * torch.arange(image.shape[3]) + 1) / image.shape[3] - 1, indexing="ij"
)
centers = torch.stack([columns, rows], -1)


def bend(p, theta):
    return p * (1 - theta) / (1 + theta - 2 * theta * p.abs())


def sense(x, theta):
    shift = state["sensor.shift"]
    p = corner + ((offsets + shift) % 1) * extent
    state["sensor.shift"] = (shift + stride) % 1
    d = 1 + theta - 2 * theta * p.abs()
    area = ((1 - theta * theta) / (d * d)).prod(-1)
    n, c, h, w = x.shape
    seen = F.grid_sample(x.reshape(1, n * c, h, w), bend(p, theta)[None], padding_mode="border", align_corners=False)[0]
    return ((seen * area).sum(-1) / area.sum(-1)).reshape(n, c, height, width)


def double_conv(x, path):
    for i in (0, 3):
        x = F.conv2d(x, state[f"{path}.double_conv.{i}.weight"], padding=1)
        norm = f"{path}.double_conv.{i + 1}"
        x = F.batch_norm(
            x, state[f"{norm}.running_mean"], state[f"{norm}.running_var"], state[f"{norm}.weight"], state[f"{norm}.bias"], training=True
        )
        x = F.relu(x)
    return x


def unet(x):
    x = double_conv(x, "network.inc")
    skips = []
    for level in range(1, levels + 1):
        skips.append(x)
        x = double_conv(F.max_pool2d(x, 2), f"network.down{level}.maxpool_conv.1")
    for level in range(1, levels + 1):
        path = f"network.up{level}"
        x = F.conv_transpose2d(x, state[f"{path}.up.weight"], state[f"{path}.up.bias"], stride=2)
        x = double_conv(torch.cat([skips.pop(), x], 1), f"{path}.conv")
    return F.conv2d(x, state["network.outc.conv.weight"], state["network.outc.conv.bias"])


def step():
    optimizer.zero_grad(set_to_none=True)
    theta = 0.6 * torch.tanh(state["sensor.raw"])
    prediction = unet(sense(image, theta))
    n, k, h, w = prediction.shape
    back = F.grid_sample(prediction.reshape(1, n * k, h, w), bend(centers, -theta)[None], padding_mode="border", align_corners=False)
    loss = F.cross_entropy(back.reshape(n, k, *image.shape[2:]), target)
    loss.backward()
    optimizer.step()
    return loss


print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    _, count = line.split()
    ms, losses = [], []
    for _ in range(int(count)):
        begin = clock()
        losses.append(step().item())
        ms.append((clock() - begin) * 1000)
    print(json.dumps({"ms": ms, "losses": losses}), flush=True)
