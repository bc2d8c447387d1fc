"""Writes fixtures/checkpoints: small files made by PyTorch itself, read by the tests of src/vision/nn/checkpoints.

Made with PyTorch 1.13. Run from the repository's root: python3 tools/reference/checkpoints.py
"""
import argparse
import collections

import numpy as np
import torch

folder = "fixtures/checkpoints/"
x = torch.arange(12, dtype=torch.float32).reshape(3, 4)
state = collections.OrderedDict(
    {
        "module.plain": x,
        "module.transposed": x.t(),
        "module.window": x[1:, 2:],
        "module.every_other": x[:, ::2],
        "module.expanded": x[0, 1].expand(2, 3),
        "module.parameter": torch.nn.Parameter(x + 0.5),
        "module.half": (x / 3).half().t(),
        "module.bfloat16": (x / 3).bfloat16(),
        "module.double": x.double() / 3,
        "module.long": torch.tensor([2**62, -1]),
        "module.int": torch.tensor([-(2**31), 5], dtype=torch.int32),
        "module.short": torch.tensor([-300], dtype=torch.int16),
        "module.char": torch.tensor([-128, 127], dtype=torch.int8),
        "module.byte": torch.tensor([0, 255], dtype=torch.uint8),
        "module.bool": torch.tensor([True, False]),
        "module.scalar": torch.tensor(3),
        "module.empty": torch.zeros(0, 3),
        "module.größe": torch.tensor([1.5]),
    }
)
state._metadata = collections.OrderedDict({"": {"version": 1}})
optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
checkpoint = {
    "model_state_dict": state,
    "optimizer": optimizer.state_dict(),
    "epoch": 3,
    "seed": 1 << 70,
    "best": np.float32(3),
    "curve": np.arange(3),
    "size": torch.Size([1, 2]),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
    "args": argparse.Namespace(lr=1e-3),
    "done": {1, 2},
    "raw": b"ab",
}
torch.save(checkpoint, folder + "mixed.pth")
torch.save(checkpoint, folder + "mixed_protocol4.pth", pickle_protocol=4)
torch.save(state, folder + "legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"params": {"w": x}, "params_ema": {"w": x + 1}}, folder + "two_states.pth")
torch.save(torch.nn.Linear(2, 2), folder + "module_object.pth")
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), folder + "script.pt")
