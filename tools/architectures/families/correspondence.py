"""Optical flow."""

import torchvision.models.optical_flow as tv

from .registry import Outputs, family


@family("RAFT", task="flow", source="torchvision", size=128, pictures=2)
def raft():
    return Outputs(tv.raft_small(weights=None), call=lambda network, first, second: network(first, second, num_flow_updates=2)[-1])
