"""A family: how a network is built, and the pictures it is fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Family:
    """One row of the table.

    `build` makes the module with whatever weights it has; export.py replaces them. `inputs` are shapes; pictures are drawn from [0, 1).
    `quantized` says whether quantized forms are made: they multiply the work, and a few families of each kind tell enough.
    """

    name: str
    task: str
    source: str
    build: Callable[[], nn.Module]
    inputs: tuple[tuple[int, ...], ...]
    quantized: bool


FAMILIES: dict[str, Family] = {}


def family(name: str, task: str, source: str, size: int | tuple[int, int] = 64, channels: int = 3, pictures: int = 1, quantized: bool = False):
    """Puts the decorated function into the table: two images of `size` for each of the `pictures` that the network takes at once."""
    height, width = size if isinstance(size, tuple) else (size, size)
    shape = (2, channels, height, width)

    def register(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        FAMILIES[name] = Family(name, task, source, build, (shape,) * pictures, quantized)
        return build

    return register


class Outputs(nn.Module):
    """Makes a module's result a tuple of tensors: `names` are the fields or keys to take; without any, every floating-point tensor."""

    def __init__(self, module: nn.Module, *names: str, call: Callable[..., object] | None = None):
        super().__init__()
        self.module = module
        self.names = names
        self.call = call

    def forward(self, *pictures: torch.Tensor):
        result = self.call(self.module, *pictures) if self.call else self.module(*pictures)
        if self.names:
            return tuple(result[name] if isinstance(result, dict) else getattr(result, name) for name in self.names)
        return tuple(_tensors(result))


def _tensors(result: object) -> list[torch.Tensor]:
    if isinstance(result, torch.Tensor):
        return [result] if result.is_floating_point() else []
    if isinstance(result, dict):
        result = list(result.values())
    return [tensor for part in result for tensor in _tensors(part)] if isinstance(result, (list, tuple)) else []
