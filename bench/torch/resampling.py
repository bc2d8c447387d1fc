"""FLC pooling and large transposed convolutions in eager PyTorch, timed: the other side of bench/resampling.ts.

    python3 resampling.py '{"kind": "flc", "shape": [1, 48, 64, 64]}' input.f32 wall|processor
    python3 resampling.py '{"kind": "lctc", "shape": [1, 96, 64, 64], "kernels": [11, 3], "groups": 48}' input.f32 wall|processor

Reads one command a line, answers one line of JSON each:
    forward N | gradient N | tidy N | products N     N timed runs -> {"ms": [...]}; products: FLC as matrix products, as we have it
    save FILE                               y, raw float32 -> {"shape": [...]}

FLC is as published (MKL on a CPU): fft2, fftshift, the middle of the spectrum, ifftshift, ifft2, real part. The published shifts name no axes, so
they move batch and channels too and back again; "tidy" names the two that matter.
"""

import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F


def flc(x):
    return between(x, None)


def tidy(x):
    return between(x, (-2, -1))


def between(x, axes):
    spectrum = torch.fft.fftshift(torch.fft.fft2(x, norm="forward"), dim=axes)
    h, w = x.shape[-2:]
    middle = spectrum[..., h // 4 : 3 * h // 4, w // 4 : 3 * w // 4]
    return torch.fft.ifft2(torch.fft.ifftshift(middle, dim=axes), norm="forward").real


def axis(n):
    """1/n sum over the band of e^(2 pi i f (i / m - j / n))"""
    m = n // 2
    f = torch.arange(-(m // 2), m - m // 2, dtype=torch.float64)
    i, j = torch.arange(m, dtype=torch.float64), torch.arange(n, dtype=torch.float64)
    angle = 2 * torch.pi * f[:, None, None] * (i[:, None] / m - j / n)
    return (angle.cos().sum(0) / n).float(), (angle.sin().sum(0) / n).float()


def main():
    case = json.loads(sys.argv[1])
    clock, threads = {"wall": (time.perf_counter, 2), "processor": (time.process_time, 1)}[sys.argv[3]]
    torch.set_num_threads(threads)
    image = torch.from_numpy(np.fromfile(sys.argv[2], dtype=np.float32).reshape(case["shape"]))
    weights = []
    if case["kind"] == "flc":
        run = flc
        (rows, rows_i), (columns, columns_i) = axis(image.shape[-2]), axis(image.shape[-1])
        products = lambda x: rows @ (x @ columns.T) - rows_i @ (x @ columns_i.T)
    else:
        channels, groups = case["shape"][1], case["groups"]
        out = channels // 2
        for k in case["kernels"]:
            count = channels * (out // groups) * k * k
            w = torch.sin(torch.arange(count, dtype=torch.float64) * 0.7).float().reshape(channels, out // groups, k, k) / k
            weights.append(w.requires_grad_(True))

        def run(x):
            return sum(F.conv_transpose2d(x, w, None, 2, w.shape[-1] // 2, 1, groups) for w in weights)

    def forward(which):
        with torch.no_grad():
            return which(image)

    def gradient():
        x = image.clone().requires_grad_(True)
        return torch.autograd.grad(run(x).square().sum() / 2, [x, *weights])[0]

    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        command, argument = line.split()
        if command == "save":
            result = forward(run)
            result.contiguous().numpy().tofile(argument)
            print(json.dumps({"shape": list(result.shape)}), flush=True)
            continue
        timed = {"forward": lambda: forward(run), "tidy": lambda: forward(tidy), "products": lambda: forward(products), "gradient": gradient}[command]
        ms = []
        for _ in range(int(argument)):
            begin = clock()
            timed()
            ms.append((clock() - begin) * 1000)
        print(json.dumps({"ms": ms}), flush=True)


if __name__ == "__main__":
    main()
