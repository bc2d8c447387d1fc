"""The straight-through gradient of a quantized file, by PyTorch in float64: tools/reference/quantized_interpreter.py, for whole networks."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
import quantized_interpreter  # noqa: E402


def file_gradient(path: Path, x: torch.Tensor, cotangents: list[torch.Tensor]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Outputs of the file as ONNX Runtime computes them, and the gradient of Σ ⟨v, y⟩ by its one input.

    Raises AttributeError for an operator that the interpreter does not have.
    """
    model = renamed(onnx.load(path))
    leaf = x.double().requires_grad_(True)
    interpreter = Interpreter(model, {"x": x.numpy()})
    interpreter.run(leaf)
    outputs = [interpreter.values[o.name] for o in model.graph.output]
    (gradient,) = torch.autograd.grad(sum((y * v.double()).sum() for y, v in zip(outputs, cotangents, strict=True)), leaf)
    return [y.detach() for y in outputs], gradient


def renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """One input x and a first output y, as the interpreter wants them."""
    model = copy.deepcopy(model)
    constants = {t.name for t in model.graph.initializer}
    (source,) = [i.name for i in model.graph.input if i.name not in constants]
    result = model.graph.output[0].name
    names = {source: "x", result: "y"}
    for node in model.graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
    for value in [*model.graph.input, *model.graph.output]:
        value.name = names.get(value.name, value.name)
    return model


def padded(a: dict, x: torch.Tensor, value: float) -> torch.Tensor:
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    return F.pad(x, (left, right, top, bottom), value=value) if any((top, left, bottom, right)) else x


class Interpreter(quantized_interpreter.Interpreter):
    """With the operators and modes that networks of the table have."""

    def Clip(self, a, x, low=None, high=None):
        y = x.clone()
        # at a bound the gradient passes
        if low is not None:
            y = torch.where(y < low, low.detach(), y)
        if high is not None:
            y = torch.where(y > high, high.detach(), y)
        return y

    def MaxPool(self, a, x):
        return F.max_pool2d(padded(a, x, -torch.inf), a["kernel_shape"], a.get("strides", 1), ceil_mode=bool(a.get("ceil_mode", 0)))

    def AveragePool(self, a, x):
        ones = padded(a, torch.ones_like(x), float(a.get("count_include_pad", 0)))
        pool = lambda t: F.avg_pool2d(t, a["kernel_shape"], a.get("strides", 1))
        return pool(padded(a, x, 0.0)) / pool(ones)

    def Conv(self, a, x, w, b=None):
        return F.conv2d(padded(a, x, 0.0), w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))

    def ConvTranspose(self, a, x, w, b=None):
        return F.conv_transpose2d(x, w, b, a.get("strides", 1), a.get("pads", [0, 0])[:2], a.get("output_padding", 0), a.get("group", 1))

    def HardSigmoid(self, a, x):
        return self.Clip(a, x * a.get("alpha", 0.2) + a.get("beta", 0.5), torch.zeros((), dtype=x.dtype), torch.ones((), dtype=x.dtype))

    def HardSwish(self, a, x):
        return x * self.HardSigmoid({"alpha": 1 / 6, "beta": 0.5}, x)

    def Erf(self, a, x):
        return torch.erf(x)

    def Tanh(self, a, x):
        return torch.tanh(x)

    def Exp(self, a, x):
        return torch.exp(x)

    def Reciprocal(self, a, x):
        return 1 / x

    def Pad(self, a, x, pads, value=None):
        n = x.dim()
        order = [int(p) for axis in reversed(range(n)) for p in (pads[axis], pads[axis + n])]
        return F.pad(x, order, value=0.0 if value is None else value.item())

    def Slice(self, a, x, starts, ends, axes=None, steps=None):
        index = [slice(None)] * x.dim()
        for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist())):
            axis = int(axes[i]) if axes is not None else i
            index[axis] = slice(int(start), int(max(min(end, 2**62), -(2**62))), 1 if steps is None else int(steps[i]))
        return x[tuple(index)]

    def Squeeze(self, a, x, axes):
        return x.squeeze([int(i) for i in axes.reshape(-1)])

    def Unsqueeze(self, a, x, axes):
        for axis in sorted(int(i) for i in axes.reshape(-1)):
            x = x.unsqueeze(axis)
        return x

    def Reshape(self, a, x, shape):
        return x.reshape([x.shape[i] if d == 0 else int(d) for i, d in enumerate(shape.tolist())])

    def Expand(self, a, x, shape):
        return x.expand(torch.broadcast_shapes(x.shape, [int(d) for d in shape.tolist()]))

    def Shape(self, a, x):
        return torch.tensor(x.shape, dtype=torch.float64)

    def Resize(self, a, x, *rest):
        size = np.asarray(self.truth[self.node.output[0]]).shape[2:]
        mode = a.get("mode", b"nearest").decode()
        if mode == "nearest":
            assert all(after % before == 0 for after, before in zip(size, x.shape[2:]))
            return F.interpolate(x, size=size, mode="nearest")
        corners = a.get("coordinate_transformation_mode", b"half_pixel") == b"align_corners"
        return F.interpolate(x, size=size, mode="bilinear", align_corners=corners)

    def InstanceNormalization(self, a, x, w, b):
        return F.instance_norm(x, None, None, w, b, True, 0.0, a.get("epsilon", 1e-5))

    def BatchNormalization(self, a, x, w, b, mean, variance):
        return F.batch_norm(x, mean, variance, w, b, False, 0.0, a.get("epsilon", 1e-5))

    def ReduceSum(self, a, x, axes=None):
        return x.sum([int(i) for i in (a["axes"] if axes is None else axes)], keepdim=bool(a.get("keepdims", 1)))

    def ReduceL2(self, a, x, axes=None):
        return (x * x).sum([int(i) for i in (a["axes"] if axes is None else axes)], keepdim=bool(a.get("keepdims", 1))).sqrt()

    def Flatten(self, a, x):
        axis = a.get("axis", 1)
        return x.reshape(int(np.prod(x.shape[:axis])), -1)

    def Einsum(self, a, *x):
        return torch.einsum(a["equation"].decode(), *x)

    def Log(self, a, x):
        return torch.log(x)

    def Tile(self, a, x, times):
        return x.repeat([int(t) for t in times])

    def ReduceMax(self, a, x, axes=None):
        return x.amax([int(i) for i in (a["axes"] if axes is None else axes)], keepdim=bool(a.get("keepdims", 1)))

    def TopK(self, a, x, k):
        # which are the largest is what ONNX Runtime found
        places = torch.from_numpy(np.asarray(self.truth[self.node.output[1]]))
        return x.gather(a.get("axis", -1), places), places.double()

    def Gather(self, a, x, i):
        axis = a.get("axis", 0)
        places = i.long() % x.shape[axis]
        picked = x.index_select(axis, places.reshape(-1))
        return picked.reshape([*x.shape[:axis], *i.shape, *x.shape[axis + 1 :]])

    def GatherElements(self, a, x, i):
        return x.gather(a.get("axis", 0), i.long())

    def GridSample(self, a, x, grid):
        mode, padding = a.get("mode", b"bilinear").decode(), a.get("padding_mode", b"zeros").decode()
        return F.grid_sample(x, grid, {"linear": "bilinear"}.get(mode, mode), padding, bool(a.get("align_corners", 0)))

    def QLinearMaxPool(self, a, *t):
        return self.triple(self.MaxPool)(a, *t)
