"""Frequency-preserving resampling and large transposed convolutions at sizes at which code goes wrong (1, 2, odd, 2 mod 4, not square), batches of two, in
PyTorch and float64 with FFTs where we multiply matrices: outputs, and gradients of sum(cotangent * output).

    python tools/reference/resampling_sizes.py fixtures/resampling-sizes
"""

import json
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from resampling import cut, fft, flc, freq_avg, ifft, shift, unshift

torch.set_default_dtype(torch.float64)


def rounded(n):
    return int(round(n))


def center_crop(x, h, w):
    top, left = rounded((x.shape[-2] - h) / 2), rounded((x.shape[-1] - w) / 2)
    return x[..., top : top + h, left : left + w]


def halves(n):
    return slice(int(n / 4), int(3 * n / 4))


def hamming(n):
    return torch.hamming_window(n, periodic=False) if n > 1 else torch.ones(1)


def asap(x, stride):
    h, w = x.shape[-2:]
    window = torch.sqrt(torch.outer(hamming(h), hamming(w)))
    return ifft(unshift(cut(shift(fft(x)) * window, h // stride, w // stride))).real


def boa(x, alpha, convention, padding):
    h, w = x.shape[-2:]
    top, left = 3 * h // 4 + 1, 3 * w // 4 + 1
    spectrum = shift(fft(F.pad(x, (left, 3 * w // 4, top, 3 * h // 4), mode=padding)))
    rows, columns = halves(spectrum.shape[-2]), halves(spectrum.shape[-1])
    part = torch.abs if convention == "as-published" else torch.real
    low = center_crop(part(ifft(unshift(spectrum[..., rows, columns]))), h // 2, w // 2)
    kept = torch.zeros_like(spectrum)
    kept[..., rows, columns] = spectrum[..., rows, columns]
    full = part(ifft(unshift(kept)))
    full = full[..., top : top + h, left : left + w] if convention == "corrected-aligned" else center_crop(full, h, w)
    low4 = torch.cat([low] * 4, 1) if convention.startswith("as-published") else low.repeat_interleave(4, 1)
    return (1 - alpha) * low4 + alpha * F.pixel_unshuffle(x - full, 2)


def freq_avg_as_published(y, beta):
    b, c, h, w = y.shape
    spectrum = fft(y).view(b, c // 4, 4, h, w)
    mean = spectrum.mean(2)
    high = F.pixel_shuffle(ifft((spectrum - mean[:, :, None]).reshape(b, c, h, w)).real, 2)
    return (1 - beta) * ifft(F.pad(mean, (w, 0, h, 0))).real + beta * high


def split_up(x, beta):
    spectrum = shift(fft(x))
    kept = torch.zeros_like(spectrum)
    rows, columns = halves(x.shape[-2]), halves(x.shape[-1])
    kept[..., rows, columns] = spectrum[..., rows, columns]
    low = ifft(unshift(kept)).real
    return (1 - beta) * low + beta * (x - low)


def main():
    folder = sys.argv[1]
    torch.manual_seed(1)
    tensors, cases = {}, []

    def case(operator, given, of, **settings):
        given = {k: v.float().double().requires_grad_(True) for k, v in given.items()}
        y = of(given)
        cotangent = torch.randn(y.shape).float().double()
        gradients = torch.autograd.grad((y * cotangent).sum(), list(given.values()))
        n = len(cases)
        cases.append({"operator": operator, **settings})
        stored = {**given, "output": y, "cotangent": cotangent, **{f"grad.{k}": g for k, g in zip(given, gradients)}}
        tensors.update({f"{n}/{k}": v.detach().float().contiguous() for k, v in stored.items()})

    scalar = torch.tensor([0.3])
    for h, w in [(1, 1), (1, 7), (2, 6), (3, 5), (9, 4)]:
        for stride in [s for s in (1, 2, 3) if s <= min(h, w)]:
            case("flc", {"input": torch.randn(2, 1, h, w)}, lambda t: flc(t["input"], h // stride, w // stride), stride=stride)
            case("asap", {"input": torch.randn(2, 1, h, w)}, lambda t: asap(t["input"], stride), stride=stride)
    for h, w in [(2, 2), (2, 4), (6, 10), (8, 6)]:
        for convention in ["corrected-aligned", "corrected", "as-published", "as-published-v2"]:
            for padding in ["constant", "reflect"] if min(h, w) >= 6 else ["constant"]:
                given = {"input": torch.randn(2 if w < 6 else 1, 2, h, w), "alpha": scalar}
                case("boa", given, lambda t: boa(t["input"], t["alpha"], convention, padding), convention=convention, padding=padding)
    for h, w in [(1, 1), (1, 2), (3, 2), (5, 3)]:
        for convention, of in [("corrected", freq_avg), ("as-published", freq_avg_as_published)]:
            given = {"input": torch.randn(2, 4, h, w), "beta": scalar}
            case("freq-avg", given, lambda t: of(t["input"], t["beta"]), convention=convention)
        case("split-up", {"input": torch.randn(2, 1, h, w), "beta": scalar}, lambda t: split_up(t["input"], t["beta"]), convention="corrected")
    for k in (7, 9, 11, 15, 31):
        given = {"input": torch.randn(2, 1, *((1, 3) if k % 4 == 3 else (2, 1))), "weight": torch.randn(1, 1, k, k) / k}
        case("lctc", given, lambda t: F.conv_transpose2d(t["input"], t["weight"], None, 2, (k - 1) // 2, 1))
    save_file(tensors, f"{folder}/cases.safetensors")
    with open(f"{folder}/cases.json", "w") as file:
        json.dump(cases, file, indent=0)
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
