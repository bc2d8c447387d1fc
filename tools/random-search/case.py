"""One file in the making, and the draws that it is made of."""

from __future__ import annotations

import copy

import numpy as np
import onnx
from onnx import helper, numpy_helper

TYPES = {"float32": np.float32, "float16": np.float16, "float64": np.float64}
NAMES = ["constructor", "__proto__", "toString", "x y", "", "a/b", "y.bfloat16", "hasOwnProperty", "0", "d.x", "v.y", "ünïcode", "t.x", "then", "length"]


class Skip(Exception):
    """The draw makes no sense."""


class Case:
    """One file in the making."""

    def __init__(self, rng: np.random.Generator, opset: int, kind: type):
        self.rng, self.opset, self.kind = rng, opset, kind
        self.nodes, self.inputs, self.weights = [], {}, {}
        self.outputs: list[str] = []
        self.microsoft = False
        # the float network of a quantized one
        self.twin: Case | None = None

    # ---- draws
    def pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def dim(self, low=1, high=6, zero=0.03) -> int:
        return 0 if self.chance(zero) else int(self.rng.integers(low, high + 1))

    def shape(self, low=0, high=4, zero=0.03) -> list[int]:
        return [self.dim(zero=zero) for _ in range(int(self.rng.integers(low, high + 1)))]

    def numbers(self, shape, scale=1.0):
        values = self.rng.normal(size=shape) * scale
        # away from ties of rounding and from 0
        return (np.sign(values) * (np.abs(values) + 0.07)).astype(self.kind)

    # ---- what a file is made of
    def input(self, shape, values=None) -> str:
        name = f"x{len(self.inputs)}" if self.inputs else "x"
        self.inputs[name] = np.asarray(self.numbers(shape) if values is None else values)
        return name

    def weight(self, values, name=None) -> str:
        name = name or f"w{len(self.weights)}"
        self.weights[name] = np.asarray(values)
        return name

    def operand(self, shape, p_input=0.5) -> str:
        return self.input(shape) if self.chance(p_input) else self.weight(self.numbers(shape))

    def node(self, op, inputs, outputs=1, domain="", **attributes):
        names = [f"n{len(self.nodes)}_{i}" if o else "" for i, o in enumerate([1] * outputs if isinstance(outputs, int) else outputs)]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        self.microsoft |= domain == "com.microsoft"
        return names[0] if len(names) == 1 else names

    def ints(self, values) -> str:
        return self.weight(np.array(values, np.int64).reshape(-1))

    def axes(self, rank) -> list[int]:
        if rank == 0:
            return []
        chosen = self.rng.permutation(rank)[: int(self.rng.integers(1, rank + 1))]
        return [int(a) - (rank if self.chance(0.4) else 0) for a in chosen]

    def raw(self, tensor: onnx.TensorProto) -> str:
        """A weight of a type that NumPy lacks."""
        name = f"w{len(self.weights)}"
        tensor.name = name
        self.weights[name] = tensor
        return name

    def model(self) -> onnx.ModelProto:
        """The file, with unkind names now and then."""
        names = {}
        if self.chance(0.3):
            spare = list(self.rng.permutation([n for n in NAMES if n]))
            for name in [*self.inputs, *self.weights, *[o for n in self.nodes for o in n.output if o]]:
                # an output of that name is lost in ONNX Runtime's binding for Node, which the checks run files with
                if spare and self.chance(0.5) and not (spare[-1] == "__proto__" and name in self.outputs):
                    names[name] = spare.pop()
        return self.plain(names, lambda: self.pick(*NAMES) if self.chance(0.2) else "")

    def plain(self, names={}, label=lambda: "") -> onnx.ModelProto:
        nodes = [renamed(n, names) for n in self.nodes]
        for node in nodes:
            node.name = label()
        self.final = [names.get(o, o) for o in self.outputs]
        self.feeds = {names.get(n, n): v for n, v in self.inputs.items()}
        read = {i for n in nodes for i in reads(n)} | set(self.final)
        tensors = {names.get(n, n): v for n, v in self.weights.items() if names.get(n, n) in read}
        graph = helper.make_graph(
            nodes, "g",
            [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in self.feeds.items()],
            [onnx.ValueInfoProto(name=n) for n in self.final],
            [tensor_of(n, v) for n, v in tensors.items()],
        )
        opsets = [helper.make_opsetid("", self.opset)] + ([helper.make_opsetid("com.microsoft", 1)] if self.microsoft else [])
        return helper.make_model(graph, opset_imports=opsets, ir_version=10 if self.opset > 20 else 8)


def tensor_of(name: str, value) -> onnx.TensorProto:
    tensor = copy.deepcopy(value) if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value, name)
    tensor.name = name
    return tensor


def renamed(node: onnx.NodeProto, names) -> onnx.NodeProto:
    node = copy.deepcopy(node)
    node.input[:] = [names.get(i, i) for i in node.input]
    node.output[:] = [names.get(o, o) for o in node.output]
    for a in node.attribute:
        for inner in a.g.node:
            inner.CopyFrom(renamed(inner, names))
    return node


def reads(node: onnx.NodeProto) -> list[str]:
    return [*node.input, *[i for a in node.attribute for inner in a.g.node for i in reads(inner)]]


# ---- what draws files: functions that fill in a case -------------------------------------------------------------------------------

MAKERS: dict[str, object] = {}


def maker(f):
    MAKERS[f.__name__] = f
    return f
