"""PGD and CosPGD as one writes them in eager PyTorch, on an ONNX model: the other side of bench/attack.ts.

    python3 attack.py model.onnx clean.f32 target.bin TASK CLOCK

CLOCK is wall (time that passes, two threads) or cpu (processor time, one thread). TASK is classification or segmentation (target int64), flow or restoration (target float32). Reads one command a line, answers one
line of JSON each:
    forward N | gradient N | pgd N | cospgd N     N timed runs -> {"ms": [...]}; a step goes on from where the last one ended
    save ATTACK FILE                              the first iterate after the clean image, raw float32 -> {"shape": [...]}
"""

import json
import sys
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F

from run_onnx import Network

torch.set_num_threads({"wall": 2, "processor": 1}[sys.argv[5]])
clock = {"wall": time.perf_counter, "processor": time.process_time}[sys.argv[5]]

EPSILON, STEP_SIZE = 8 / 255, 0.01


def read(path, dtype, shape):
    return torch.from_numpy(np.fromfile(path, dtype=dtype).reshape(shape))


network = Network(sys.argv[1])
input_shape = [d.dim_value for d in onnx.load(sys.argv[1]).graph.input[0].type.tensor_type.shape.dim]
clean = read(sys.argv[2], np.float32, input_shape)
task = sys.argv[4]
with torch.no_grad():
    output_shape = network(clean).shape
labeled = task in ("classification", "segmentation")
target_shape = [output_shape[0], *output_shape[2:]] if labeled else output_shape
target = read(sys.argv[3], np.int64 if labeled else np.float32, target_shape)


def per_pixel_loss(prediction):
    if labeled:
        return F.cross_entropy(prediction, target, reduction="none")
    if task == "flow":
        return (prediction - target).norm(dim=1)
    return (prediction.clamp(0, 1) - target).abs().mean(dim=1)


if labeled:
    aligned_target = F.one_hot(target, output_shape[1]).movedim(-1, 1).float()
else:
    aligned_target = F.softmax(target, dim=1)


def alignment(prediction):
    p = prediction.clamp(0, 1) if task == "restoration" else prediction
    return F.cosine_similarity(F.softmax(p, dim=1), aligned_target, dim=1)


def gradient(x, weigh=None):
    x = x.detach().requires_grad_(True)
    prediction = network(x)
    loss = per_pixel_loss(prediction)
    if weigh is not None:
        with torch.no_grad():
            weight = weigh(prediction)
        loss = weight * loss
    return torch.autograd.grad(loss.mean(), x)[0]


def step(x, weigh):
    x = x + STEP_SIZE * gradient(x, weigh).sign()
    delta = torch.clamp(x - clean, -EPSILON, EPSILON)
    return torch.clamp(clean + delta, 0, 1)


def forward(x):
    with torch.no_grad():
        network(x)
    return x


def plain_gradient(x):
    gradient(x)
    return x


commands = {
    "forward": forward,
    "gradient": plain_gradient,
    "pgd": lambda x: step(x, None),
    "cospgd": lambda x: step(x, alignment),
}


def main():
    iterate = clean
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "save":
            result = commands[arguments[0]](clean)
            result.numpy().tofile(arguments[1])
            print(json.dumps({"shape": list(result.shape)}), flush=True)
            continue
        ms = []
        for _ in range(int(arguments[0])):
            begin = clock()
            iterate = commands[command](iterate)
            ms.append((clock() - begin) * 1000)
        print(json.dumps({"ms": ms}), flush=True)


main()
