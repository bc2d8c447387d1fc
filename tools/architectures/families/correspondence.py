"""Optical flow."""

import torchvision.models.optical_flow as tv
from torchvision.models.optical_flow import raft as raft_module

from .registry import Outputs, family

coords_grid = raft_module.make_coords_grid


@family("RAFT", task="flow", source="torchvision", size=128, pictures=2)
def raft():
    def call(network, first, second):
        # torchvision makes its grid of positions float32, which float64 features cannot be sampled at
        raft_module.make_coords_grid = lambda *arguments, **named: coords_grid(*arguments, **named).to(first.dtype)
        return network(first, second, num_flow_updates=2)[-1]

    return Outputs(tv.raft_small(weights=None), call=call)
