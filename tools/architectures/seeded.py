"""Weights that hide nothing, and the gradient that a file has to have."""

from __future__ import annotations

import contextlib
import copy
import zlib
from collections.abc import Iterator

import torch
from torch import nn

from families import Family


def seed_of(family: Family) -> int:
    return zlib.crc32(family.name.encode())


def seeded_network(family: Family) -> tuple[nn.Module, list[torch.Tensor]]:
    """The network with random weights and its pictures, both float32.

    Freshly built networks are too tame to test with: layer scales of 1e-6, last normalizations of zero and biases of zero take whole branches out of
    the gradient. So every parameter that is constant is moved, and batch normalizations take the statistics of random pictures, which keeps
    activations at the size they have in trained networks.
    """
    torch.manual_seed(seed_of(family))
    network = family.build()
    pictures = [torch.rand(shape) for shape in family.inputs]
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.is_floating_point() and parameter.numel() > 1 and parameter.std() < 1e-3 * max(1.0, float(parameter.abs().max())):
                size = float(parameter.abs().mean())
                parameter.copy_(torch.full_like(parameter, size if size > 0.1 else 0.2) * (1 + 0.3 * torch.randn_like(parameter)))
    calibrate(network, pictures)
    return network.eval().requires_grad_(False), pictures


def calibrate(network: nn.Module, pictures: list[torch.Tensor]) -> None:
    """Each batch normalization, in the order in which they run, takes mean and variance of what it is given."""

    def take(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        x = inputs[0]
        axes = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x, axes, correction=0)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance + 0.01 * float(variance.mean()) + 1e-4)

    normalizations = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.running_mean is not None]
    handles = [m.register_forward_pre_hook(take) for m in normalizations]
    with torch.no_grad():
        network.eval()(*pictures)
    for handle in handles:
        handle.remove()


def gradient(network: nn.Module, pictures: list[torch.Tensor], cotangents: list[torch.Tensor], kind: torch.dtype) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Outputs, and the gradient of Σ⟨v, y⟩ by each picture, computed in `kind`."""
    copied = copy.deepcopy(network).to(kind)
    x = [p.detach().clone().to(kind).requires_grad_(True) for p in pictures]
    with attached():
        y = outputs_of(copied, x)
    total = sum((v.to(kind) * part).sum() for v, part in zip(cotangents, y))
    return [part.detach() for part in y], list(torch.autograd.grad(total, x))


@contextlib.contextmanager
def attached() -> Iterator[None]:
    """A file has no `detach`: flow fields and boxes that training keeps gradients from are computed from the pictures all the same."""
    detach = torch.Tensor.detach
    torch.Tensor.detach = lambda self: self
    try:
        yield
    finally:
        torch.Tensor.detach = detach


def outputs_of(network: nn.Module, pictures: list[torch.Tensor]) -> list[torch.Tensor]:
    y = network(*pictures)
    return list(y) if isinstance(y, (tuple, list)) else [y]
