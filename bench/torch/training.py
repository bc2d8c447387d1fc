"""Trains an ONNX model as an eager PyTorch module and times it: the other side of bench/training.ts.

    python3 training.py model.onnx image.f32 target.f32 wall|processor

Parameters are the initializers with a dot in their name, as in checkpoints. Reads one command a line, answers one line of JSON each:
    step N       N timed training steps (forward, mean absolute error, backward, AdamW) -> {"ms": [...], "losses": [...]}
    gradient N   the same without the optimizer
"""

import json
import sys
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F

from run_onnx import Network

clock, threads = {"wall": (time.perf_counter, 2), "processor": (time.process_time, 1)}[sys.argv[4]]
torch.set_num_threads(threads)
network = Network(sys.argv[1])
shape = [d.dim_value for d in onnx.load(sys.argv[1]).graph.input[0].type.tensor_type.shape.dim]
image, target = (torch.from_numpy(np.fromfile(path, dtype=np.float32).reshape(shape)) for path in sys.argv[2:4])
parameters = [network.ready[name].requires_grad_(True) for name in network.constants if "." in name]
optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01)


def gradient():
    optimizer.zero_grad(set_to_none=True)
    loss = F.l1_loss(network(image), target)
    loss.backward()
    return loss


def step():
    loss = gradient()
    optimizer.step()
    return loss


print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    command, count = line.split()
    work = {"step": step, "gradient": gradient}[command]
    ms, losses = [], []
    for _ in range(int(count)):
        begin = clock()
        losses.append(work().item())
        ms.append((clock() - begin) * 1000)
    print(json.dumps({"ms": ms, "losses": losses}), flush=True)
