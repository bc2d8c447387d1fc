"""Writes random small ONNX files with inputs and the outputs that ONNX Runtime has for them, in the layout of the ONNX project's backend tests.

    python tools/random-search/make.py FOLDER [--seed 0] [--count 500] [--only PART]

Needs numpy, onnx and onnxruntime. FOLDER/node/NAME gets model.onnx and test_data_set_0/{input,output}_N.pb; what ONNX Runtime itself refuses is
not written. run.ts takes it from there. Shapes have sizes of 0 and 1, attributes are unusual, optional inputs and outputs come and go, names are
unkind, and files are of opset 7 to 24, in float32, float16 and float64.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
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

    def model(self) -> bytes:
        names = {}
        used = [*self.inputs, *self.weights, *[o for n in self.nodes for o in n.output if o]]
        for name in used:
            names[name] = name
        if self.chance(0.3):
            spare = list(self.rng.permutation([n for n in NAMES if n]))
            for name in used:
                # an output of that name is lost in ONNX Runtime's binding for Node, which the checks run files with
                if spare and self.chance(0.5) and not (spare[-1] == "__proto__" and name in self.outputs):
                    names[name] = spare.pop()
        nodes = []
        for n in self.nodes:
            m = onnx.NodeProto()
            m.CopyFrom(n)
            del m.input[:], m.output[:]
            m.input.extend([names.get(i, i) for i in n.input])
            m.output.extend([names.get(o, o) for o in n.output])
            if self.chance(0.2):
                m.name = self.pick(*NAMES)
            nodes.append(m)
        self.final = [names[o] for o in self.outputs]
        self.feeds = {names[n]: v for n, v in self.inputs.items()}
        graph = helper.make_graph(
            nodes, "g",
            [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in self.feeds.items()],
            [onnx.ValueInfoProto(name=n) for n in self.final],
            [numpy_helper.from_array(v, names[n]) for n, v in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", self.opset)] + ([helper.make_opsetid("com.microsoft", 1)] if self.microsoft else [])
        m = helper.make_model(graph, opset_imports=opsets, ir_version=10 if self.opset > 20 else 8)
        return m


# ---- operators ---------------------------------------------------------------------------------------------------------------------

MAKERS: dict[str, object] = {}


def maker(f):
    MAKERS[f.__name__] = f
    return f


UNARY = "Abs Neg Exp Log Sqrt Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Sigmoid Tanh Relu Softplus Softsign Reciprocal Sign Floor Ceil Round Identity HardSwish Mish Not".split()


@maker
def unary(c: Case):
    op = c.pick(*[u for u in UNARY if u != "Not"])
    shape = c.shape()
    values = np.abs(c.numbers(shape)) + 1.1 if op in ("Log", "Sqrt", "Acosh") else np.clip(c.numbers(shape) * 0.3, -0.9, 0.9)
    c.outputs = [c.node(op, [c.input(shape, values.astype(c.kind))])]


@maker
def activation(c: Case):
    op = c.pick("Elu", "Celu", "Selu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu", "Shrink", "Gelu", "Swish")
    a = lambda: float(np.float32(c.rng.normal()))
    attributes = {
        "Elu": {"alpha": a()}, "Celu": {"alpha": abs(a()) + 0.1}, "Selu": {"alpha": abs(a()), "gamma": a()}, "LeakyRelu": {"alpha": a()},
        "HardSigmoid": {"alpha": abs(a()), "beta": a()}, "ThresholdedRelu": {"alpha": a()}, "Shrink": {"lambd": abs(a()), "bias": a()},
        "Gelu": {"approximate": c.pick(None, "none", "tanh")}, "Swish": {"alpha": c.pick(None, a())},
    }[op]
    if c.chance(0.3):
        attributes = {}
    if op == "Gelu":
        c.opset = max(c.opset, 20)
    if op == "Swish":
        c.opset = 24
    c.outputs = [c.node(op, [c.input(c.shape())], **attributes)]


@maker
def binary(c: Case):
    op = c.pick("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mean", "Sum", "Mod", "PRelu")
    shape = c.shape()
    other = [1 if c.chance(0.4) else d for d in shape[int(c.rng.integers(0, len(shape) + 1)) :]]
    if op in ("Max", "Min", "Mean", "Sum"):
        c.outputs = [c.node(op, [c.operand(shape, 1), *[c.operand(c.pick(shape, other)) for _ in range(int(c.rng.integers(0, 3)))]])]
        return
    x = c.input(shape, (np.abs(c.numbers(shape)) + 0.2).astype(c.kind) if op == "Pow" else None)
    if op == "Pow" and c.chance(0.5):
        y = c.weight(np.array(c.pick(2, 0.5, 3, -1, 0, 1, 2.5), c.pick(c.kind, np.float32, np.int64)))
    else:
        y = c.operand(other)
    pair = [x, y] if c.chance(0.6) or op in ("Pow", "PRelu") else [y, x]
    c.outputs = [c.node(op, pair, **({"fmod": 1} if op == "Mod" else {}))]


@maker
def clip(c: Case):
    x = c.input(c.shape())
    if c.opset < 11:
        c.outputs = [c.node("Clip", [x], min=c.pick(None, -0.5), max=c.pick(None, 0.4))]
        return
    bound = lambda v: c.pick("", c.weight(np.array(v, c.kind)), c.weight(np.array(v, c.kind)))
    c.outputs = [c.node("Clip", [x, bound(-0.5), bound(c.pick(0.4, -0.7, np.inf))])]


@maker
def reduce(c: Case):
    op = c.pick("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")
    shape = c.shape(1, 4)
    values = np.abs(c.numbers(shape)) + 0.1 if op == "ReduceLogSum" else c.numbers(shape)
    x = c.input(shape, values.astype(c.kind))
    axes = c.pick(None, c.axes(len(shape)), c.axes(len(shape)))
    keep = c.pick(None, 0, 1)
    if c.opset >= (13 if op == "ReduceSum" else 18):
        inputs = [x] if axes is None else [x, c.ints(c.pick(axes, []))]
        c.outputs = [c.node(op, inputs, keepdims=keep, noop_with_empty_axes=c.pick(None, 1))]
    else:
        c.outputs = [c.node(op, [x], axes=axes, keepdims=keep)]


@maker
def soft(c: Case):
    op = c.pick("Softmax", "LogSoftmax", "Hardmax", "LpNormalization", "MeanVarianceNormalization", "CumSum", "ArgMax")
    shape = c.shape(1, 4)
    axis = int(c.rng.integers(-len(shape), len(shape)))
    x = c.input(shape)
    if op == "CumSum":
        c.outputs = [c.node(op, [x, c.weight(np.array(axis, c.pick(np.int32, np.int64)))], exclusive=c.pick(None, 1), reverse=c.pick(None, 1))]
    elif op == "MeanVarianceNormalization":
        c.outputs = [c.node(op, [x], axes=c.axes(len(shape)))]
    elif op == "LpNormalization":
        c.outputs = [c.node(op, [x], axis=axis, p=c.pick(None, 1, 2))]
    elif op == "ArgMax":
        i = c.node(op, [x], axis=axis, keepdims=c.pick(None, 0), select_last_index=c.pick(None, 1) if c.opset > 11 else None)
        c.outputs = [i, c.node("Neg", [x])]
    else:
        c.outputs = [c.node(op, [x], axis=axis if c.chance(0.8) and (c.opset > 10 or axis >= 0) else None)]


@maker
def normalization(c: Case):
    op = c.pick("LayerNormalization", "InstanceNormalization", "GroupNormalization", "BatchNormalization", "RMSNormalization", "LRN")
    shape = [c.dim(), c.pick(2, 4, 6), *c.shape(0 if op in ("LayerNormalization", "RMSNormalization") else 1, 2)]
    x, channels = c.input(shape), shape[1]
    eps = c.pick(None, 1e-2)
    if op in ("LayerNormalization", "RMSNormalization"):
        c.opset = max(c.opset, 17 if op[0] == "L" else 23)
        axis = int(c.rng.integers(-len(shape), len(shape)))
        scale = [1 if c.chance(0.2) else d for d in shape[axis % len(shape):]] if axis else shape
        more = [c.operand(scale)] if op[0] == "L" and c.chance(0.6) else []
        outputs = c.pick(1, 1, 1, [1, 0, 1], [1, 1]) if op[0] == "L" else 1
        y = c.node(op, [x, c.operand(scale), *more], outputs=outputs, axis=axis, epsilon=eps)
        c.outputs = [n for n in ([y] if isinstance(y, str) else y) if n]
    elif op == "InstanceNormalization":
        c.outputs = [c.node(op, [x, c.operand([channels]), c.operand([channels])], epsilon=eps)]
    elif op == "GroupNormalization":
        c.opset = max(c.opset, 18)
        groups = c.pick(1, 2, channels)
        n = groups if c.opset < 21 else channels
        c.outputs = [c.node(op, [x, c.operand([n]), c.operand([n])], num_groups=groups, epsilon=eps)]
    elif op == "BatchNormalization":
        mean, var = c.weight(c.numbers([channels])), c.weight((np.abs(c.numbers([channels])) + 0.3).astype(c.kind))
        c.outputs = [c.node(op, [x, c.operand([channels]), c.operand([channels]), mean, var], epsilon=eps)]
    else:
        c.outputs = [c.node(op, [x], size=c.pick(1, 3, 5, 2), alpha=c.pick(None, 0.3), beta=c.pick(None, 0.5), bias=c.pick(None, 2.0))]


@maker
def conv(c: Case):
    rank = c.pick(1, 2, 2, 3)
    group = c.pick(1, 1, 2, 3)
    cin, cout = group * c.pick(1, 2), group * c.pick(1, 2)
    transposed = c.chance(0.4)
    kernel = [c.pick(1, 2, 3) for _ in range(rank)]
    dilations = c.pick(None, [c.pick(1, 2) for _ in range(rank)])
    strides = c.pick(None, [c.pick(1, 2, 3) for _ in range(rank)])
    auto = c.pick(None, None, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    pads = None if auto not in (None, "NOTSET") else c.pick(None, [c.pick(0, 1, 2) for _ in range(2 * rank)])
    x = c.input([c.dim(1, 2), cin, *[c.dim(3, 8, 0) for _ in range(rank)]])
    w = c.operand([cin, cout // group, *kernel] if transposed else [cout, cin // group, *kernel], 0.3)
    extra = {}
    if transposed and c.chance(0.3):
        extra["output_padding"] = [min(1, (strides or [1] * rank)[i] - 1) for i in range(rank)]
    c.outputs = [c.node("ConvTranspose" if transposed else "Conv", [x, w, *c.pick([], [c.operand([cout], 0.3)])], kernel_shape=c.pick(None, kernel), dilations=dilations, strides=strides,
                        pads=pads, auto_pad=auto, group=c.pick(group, group if group > 1 else None), **extra)]


@maker
def pool(c: Case):
    op = c.pick("AveragePool", "MaxPool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "AveragePool", "MaxPool")
    rank = c.pick(1, 2, 2, 3)
    x = c.input([c.dim(1, 2), c.dim(1, 3), *[c.dim(2, 9, 0) for _ in range(rank)]])
    if op.startswith("Global"):
        c.outputs = [c.node(op, [x], **({"p": c.pick(1, 2, 3)} if op == "GlobalLpPool" and c.chance(0.5) else {}))]
        return
    kernel = [c.pick(1, 2, 3) for _ in range(rank)]
    strides = c.pick(None, [c.pick(1, 2, 3, 4) for _ in range(rank)])
    auto = c.pick(None, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    pads = None if auto not in (None, "NOTSET") else c.pick(None, [c.pick(0, k - 1, k // 2) for k in kernel * 2])
    extra = {}
    if c.opset >= 10 and op != "LpPool" or c.opset >= 18:
        extra["ceil_mode"] = c.pick(None, 0, 1)
    if (op == "MaxPool" and c.opset >= 10) or c.opset >= 19 and op == "AveragePool" or c.opset >= 18 and op == "LpPool":
        extra["dilations"] = c.pick(None, None, [c.pick(1, 2) for _ in range(rank)])
    if op == "AveragePool":
        extra["count_include_pad"] = c.pick(None, 0, 1)
    if op == "LpPool":
        extra["p"] = c.pick(None, 1, 2, 3)
    outputs = c.pick(1, [1, 1]) if op == "MaxPool" else 1
    if op == "MaxPool":
        extra["storage_order"] = c.pick(None, None, 1)
    y = c.node(op, [x], outputs=outputs, kernel_shape=kernel, strides=strides, pads=pads, auto_pad=auto, **extra)
    c.outputs = [y] if isinstance(y, str) else y


@maker
def matrices(c: Case):
    op = c.pick("MatMul", "Gemm", "Einsum", "FusedMatMul")
    if op == "Gemm":
        n, k, m = c.dim(), c.dim(), c.dim()
        ta, tb = c.pick(None, 0, 1), c.pick(None, 0, 1)
        bias = c.pick([], [c.operand(c.pick([n, m], [m], [1, m], [n, 1], [1], []))])
        c.outputs = [c.node(op, [c.operand([k, n] if ta else [n, k], 1), c.operand([m, k] if tb else [k, m]), *bias], transA=ta, transB=tb, alpha=c.pick(None, 0.5), beta=c.pick(None, 2.0, 0.0))]
    elif op == "Einsum":
        c.opset = max(c.opset, 12)
        equation, a, b = c.pick(("ij,jk->ik", [2, 3], [3, 4]), ("bij,bkj->bik", [2, 3, 4], [2, 5, 4]), ("...i,i->...", [2, 3, 4], [4]), ("ii,i->i", [3, 3], [3]), ("ij,ij", [2, 3], [2, 3]),
                                ("bhqd,bhkd->bhqk", [1, 2, 3, 4], [1, 2, 5, 4]), (" i , j -> i j ", [2], [3]), ("aib,ai->b", [2, 3, 4], [2, 3]))
        c.outputs = [c.node(op, [c.operand(a, 1), c.operand(b)], equation=equation)]
    else:
        batch = c.shape(0, 2)
        n, k, m = c.dim(), c.dim(), c.dim()
        a = c.pick([k], [n, k], [*batch, n, k])
        b = c.pick([k], [k, m], [*[1 if c.chance(0.4) else d for d in batch], k, m])
        if op == "FusedMatMul":
            if len(a) < 2 or len(b) < 2:
                raise Skip
            ta, tb = c.pick(0, 1), c.pick(0, 1)
            if ta:
                a = [*a[:-2], a[-1], a[-2]]
            if tb:
                b = [*b[:-2], b[-1], b[-2]]
            c.outputs = [c.node(op, [c.operand(a, 1), c.operand(b)], domain="com.microsoft", transA=ta, transB=tb, alpha=c.pick(None, 0.3))]
        else:
            c.outputs = [c.node(op, [c.operand(a, 1), c.operand(b)])]


@maker
def layout(c: Case):
    op = c.pick("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat", "Split", "Slice", "Expand", "Tile", "Pad", "DepthToSpace", "SpaceToDepth", "Trilu", "Shape")
    shape = c.shape(1, 4)
    rank = len(shape)
    x = c.input(shape)
    if op == "Transpose":
        c.outputs = [c.node(op, [x], perm=c.pick(None, [int(i) for i in c.rng.permutation(rank)]))]
    elif op == "Reshape":
        target = c.pick([-1], [0, -1] if rank > 1 else [-1], shape[::-1], [1, *shape], [*shape, 1])
        c.outputs = [c.node(op, [x, c.ints(target)], allowzero=c.pick(None, 1) if c.opset >= 14 else None)]
    elif op == "Flatten":
        c.outputs = [c.node(op, [x], axis=c.pick(None, 0, rank, *([-1] if c.opset >= 11 else [])))]
    elif op in ("Squeeze", "Unsqueeze"):
        if op == "Squeeze":
            shape = [1 if c.chance(0.5) else d for d in shape]
            c.inputs[x] = c.numbers(shape)
            axes = [i for i, d in enumerate(shape) if d == 1]
            axes = c.pick(None, axes) if axes else None
        else:
            axes = c.pick([0], [rank], [0, rank + 1], [-1] if c.opset >= 11 else [0])
        if c.opset >= 13:
            c.outputs = [c.node(op, [x] if axes is None else [x, c.ints(axes)])]
        else:
            c.outputs = [c.node(op, [x], axes=axes)]
    elif op == "Concat":
        axis = int(c.rng.integers(-rank if c.opset >= 11 else 0, rank))
        others = []
        for _ in range(int(c.rng.integers(0, 3))):
            s = list(shape)
            s[axis] = c.dim()
            others.append(c.operand(s))
        c.outputs = [c.node(op, [x, *others], axis=axis)]
    elif op == "Split":
        axis = int(c.rng.integers(-rank if c.opset >= 11 else 0, rank))
        size = shape[axis]
        parts = sorted(int(v) for v in c.rng.integers(0, size + 1, size=2))
        parts = [parts[0], parts[1] - parts[0], size - parts[1]]
        if c.chance(0.3) and c.opset >= 18:
            c.outputs = c.node(op, [x], outputs=2, axis=axis, num_outputs=2)
        elif c.opset >= 13:
            c.outputs = [o for o in c.node(op, [x, c.ints(parts)], outputs=[1, 1, 1], axis=axis)]
        else:
            c.outputs = c.node(op, [x], outputs=3, axis=axis, split=parts)
        if c.chance(0.3):
            c.outputs = c.outputs[:1]
    elif op == "Slice":
        axes = c.axes(rank)
        axes = list({a % rank: a for a in axes}.values())
        starts = [c.pick(0, 1, -1, -2, 100, -100) for _ in axes]
        ends = [c.pick(1, 2, -1, 2**31 - 1, -(2**31), 0) for _ in axes]
        steps = [c.pick(1, 1, 2, -1, -2) for _ in axes]
        if c.opset < 10:
            c.outputs = [c.node(op, [x], starts=starts, ends=ends, axes=[a % rank for a in axes])]
        else:
            kind = c.pick(np.int32, np.int64)
            vec = lambda v: c.weight(np.array(v, kind))
            c.outputs = [c.node(op, [x, vec(starts), vec(ends), vec(axes), *([vec(steps)] if c.chance(0.6) else [])])]
    elif op == "Expand":
        target = [c.pick(1, 3) if d == 1 else d for d in shape]
        c.opset = max(c.opset, 8)
        c.outputs = [c.node(op, [x, c.ints([*c.pick([], [2]), *target])])]
    elif op == "Tile":
        c.outputs = [c.node(op, [x, c.ints([c.pick(0, 1, 2, 3) if c.chance(0.9) else 1 for _ in shape])])]
    elif op == "Pad":
        mode = c.pick(None, "constant", "reflect", "edge", *(["wrap"] if c.opset >= 19 else []))
        pads = [c.pick(0, 1, 2, *([-1] if mode in (None, "constant") else [])) for _ in range(2 * rank)]
        if c.opset < 11:
            c.outputs = [c.node(op, [x], pads=pads, mode=mode, value=c.pick(None, 0.5))]
        else:
            more = c.pick([], [""], [c.weight(np.array(0.25, c.kind))]) if mode in (None, "constant") else []
            if c.opset >= 18 and c.chance(0.4):
                axes = sorted({a % rank for a in c.axes(rank)})
                pads = [c.pick(0, 1) for _ in range(2 * len(axes))]
                more = [*(more or [""]), c.ints(axes)]
            c.outputs = [c.node(op, [x, c.ints(pads), *more], mode=mode)]
    elif op in ("DepthToSpace", "SpaceToDepth"):
        b = c.pick(1, 2, 3)
        shape = [c.dim(1, 2), 2 * b * b, c.dim(), c.dim()] if op[0] == "D" else [c.dim(1, 2), c.dim(), b * c.dim(), b * c.dim()]
        c.inputs[x] = c.numbers(shape)
        c.outputs = [c.node(op, [x], blocksize=b, mode=c.pick(None, "CRD", "DCR") if op[0] == "D" and c.opset >= 11 else None)]
    elif op == "Trilu":
        c.opset = max(c.opset, 14)
        if rank < 2:
            raise Skip
        c.outputs = [c.node(op, [x, *c.pick([], [c.weight(np.array(c.pick(-1, 0, 1, 5), np.int64))])], upper=c.pick(None, 0, 1))]
    else:
        s = c.node("Shape", [x], **({"start": c.pick(None, -1, 1), "end": c.pick(None, -1)} if c.opset >= 15 else {}))
        c.outputs = [s, c.node("Neg", [x])]


@maker
def indexing(c: Case):
    op = c.pick("Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Where", "TopK", "OneHot", "Compress", "ReverseSequence", "Range")
    shape = c.shape(1, 3, zero=0)
    rank = len(shape)
    axis = int(c.rng.integers(-rank, rank))
    x = c.input(shape)
    index = lambda size, s: c.weight(c.rng.integers(-size if c.opset >= 11 else 0, size, size=s).astype(c.pick(np.int32, np.int64)))
    if op == "Gather":
        c.outputs = [c.node(op, [x, index(shape[axis], c.shape(0, 2))], axis=axis)]
    elif op == "GatherElements":
        s = [c.dim(1, d, 0) for d in shape]
        s[axis] = c.dim()
        c.opset = max(c.opset, 11)
        c.outputs = [c.node(op, [x, index(shape[axis], s)], axis=axis)]
    elif op == "GatherND":
        c.opset = max(c.opset, 11)
        k = int(c.rng.integers(1, rank + 1))
        s = c.shape(0, 2)
        indices = np.stack([c.rng.integers(0, d, size=s) for d in shape[:k]], -1).astype(np.int64)
        c.outputs = [c.node(op, [x, c.weight(indices)])]
    elif op == "ScatterElements":
        c.opset = max(c.opset, 18)
        s = [c.dim(1, d, 0) for d in shape]
        reduction = c.pick(None, "none", "add", "mul", "max", "min")
        if reduction in (None, "none"):
            s[axis] = 1
        c.outputs = [c.node(op, [x, index(shape[axis], s), c.operand(s)], axis=axis, reduction=reduction)]
    elif op == "ScatterND":
        c.opset = max(c.opset, 18)
        k = int(c.rng.integers(1, rank + 1))
        n = c.dim(1, 3, 0)
        reduction = c.pick(None, "add", "mul", "max", "min")
        if reduction is None:
            n = 1
        indices = np.stack([c.rng.integers(0, d, size=[n]) for d in shape[:k]], -1).astype(np.int64)
        c.outputs = [c.node(op, [x, c.weight(indices), c.operand([n, *shape[k:]])], reduction=reduction)]
    elif op == "Where":
        mask = c.rng.random(c.pick(shape, [1], [])) < 0.5
        c.opset = max(c.opset, 9)
        c.outputs = [c.node(op, [c.weight(np.asarray(mask)), x, c.operand(c.pick(shape, [], [1]))])]
    elif op == "TopK":
        k = c.dim(1, shape[axis], 0.05)
        c.opset = max(c.opset, 11)
        outputs = c.pick([1, 1], [1, 0])
        y = c.node(op, [x, c.ints([k])], outputs=outputs, axis=axis, largest=c.pick(None, 0), sorted=None)
        c.outputs = [n for n in y if n]
    elif op == "OneHot":
        c.opset = max(c.opset, 11)
        values = c.input([2])
        c.outputs = [c.node(op, [c.weight(c.rng.integers(-3, 3, size=c.shape(1, 2))), c.weight(np.array(c.pick(3, 4), np.int64)), values], axis=c.pick(None, 0, -1)), c.node("Neg", [x])]
    elif op == "Compress":
        c.opset = max(c.opset, 9)
        whole = c.chance(0.3)
        n = int(np.prod(shape)) if whole else shape[axis]
        c.outputs = [c.node(op, [x, c.weight(c.rng.random(c.pick(n, max(n - 1, 1))) < 0.6)], axis=None if whole else (axis if c.opset >= 11 else axis % rank))]
    elif op == "ReverseSequence":
        if rank < 2:
            raise Skip
        c.opset = max(c.opset, 10)
        b, t = c.pick((0, 1), (1, 0))
        c.outputs = [c.node(op, [x, c.weight(c.rng.integers(0, shape[t] + 1, size=shape[b]).astype(np.int64))], batch_axis=b, time_axis=t)]
    else:
        c.opset = max(c.opset, 11)
        r = c.node(op, [c.weight(np.array(c.pick(0, 5), c.kind if c.kind != np.float16 else np.float32)), c.weight(np.array(c.pick(4, -3, 0), c.kind if c.kind != np.float16 else np.float32)), c.weight(np.array(c.pick(1, 2, -1.5), c.kind if c.kind != np.float16 else np.float32))])
        c.outputs = [r, c.node("Neg", [x])]


@maker
def resize(c: Case):
    c.opset = max(c.opset, 11)
    rank = c.pick(1, 2, 2)
    shape = [c.dim(1, 2), c.dim(1, 2), *[c.dim(2, 6, 0) for _ in range(rank)]]
    x = c.input(shape)
    mode = c.pick("nearest", "linear", "cubic")
    if mode == "cubic" and rank != 2:
        raise Skip
    transform = c.pick(None, "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", *(["half_pixel_symmetric"] if c.opset >= 19 else []))
    extra = {"nearest_mode": c.pick(None, "floor", "ceil", "round_prefer_ceil", "round_prefer_floor")} if mode == "nearest" else {}
    if mode == "cubic":
        extra = {"cubic_coeff_a": c.pick(None, -0.5), "exclude_outside": c.pick(None, 1)}
    if c.opset >= 18 and mode != "nearest":
        extra["antialias"] = c.pick(None, None, 1)
    if c.chance(0.5):
        inputs = [x, "", c.weight(np.array([1, 1, *[c.pick(2, 0.5, 1.5, 3, 0.7) for _ in range(rank)]], np.float32))]
    else:
        inputs = [x, "", "", c.ints([*shape[:2], *[c.pick(1, 2, 5, 8) for _ in range(rank)]])]
    if c.opset < 13:
        inputs[1] = c.weight(np.zeros(0, np.float32))
        if inputs[2] == "":
            inputs[2] = c.weight(np.zeros(0, np.float32))
    c.outputs = [c.node("Resize", inputs, mode=mode, coordinate_transformation_mode=transform, **extra)]


@maker
def sampling(c: Case):
    op = c.pick("GridSample", "RoiAlign", "AffineGrid", "MaxUnpool", "Col2Im", "CenterCropPad", "DeformConv")
    if op == "GridSample":
        c.opset = max(c.opset, 16)
        shape = [c.dim(1, 2), c.dim(1, 3), c.dim(2, 5, 0), c.dim(2, 5, 0)]
        grid = c.operand([shape[0], c.dim(1, 4), c.dim(1, 4), 2], 0.6)
        new = c.opset >= 20
        c.outputs = [c.node(op, [c.input(shape), grid], mode=c.pick(None, *(("linear", "nearest", "cubic") if new else ("bilinear", "nearest", "bicubic"))), padding_mode=c.pick(None, "border", "reflection", "zeros"), align_corners=c.pick(None, 1))]
    elif op == "RoiAlign":
        c.opset = max(c.opset, 10)
        shape = [2, c.dim(1, 3), 8, 7]
        n = c.dim(1, 3, 0)
        low = c.rng.random((n, 2)) * 4
        boxes = np.concatenate([low, low + c.rng.random((n, 2)) * 6 + 0.3], 1).astype(c.kind)
        rois = c.input([], boxes) if c.chance(0.5) else c.weight(boxes)
        c.outputs = [c.node(op, [c.input(shape), rois, c.weight(c.rng.integers(0, 2, size=n))], output_height=c.pick(None, 2), output_width=c.pick(None, 3), sampling_ratio=c.pick(None, 0, 1, 2), spatial_scale=c.pick(None, 0.5),
                            mode=c.pick(None, "avg", "max"), **({"coordinate_transformation_mode": c.pick(None, "half_pixel", "output_half_pixel")} if c.opset >= 16 else {}))]
    elif op == "AffineGrid":
        c.opset = max(c.opset, 20)
        c.outputs = [c.node(op, [c.input([2, 2, 3]), c.ints([2, 1, c.dim(2, 5, 0), c.dim(2, 5, 0)])], align_corners=c.pick(None, 1))]
    elif op == "MaxUnpool":
        y = c.node("MaxPool", [c.input([1, 2, 6, 6])], outputs=2, kernel_shape=[2, 2], strides=[2, 2])
        c.outputs = [c.node(op, y, kernel_shape=[2, 2], strides=[2, 2])]
    elif op == "Col2Im":
        c.opset = max(c.opset, 18)
        c.outputs = [c.node(op, [c.input([1, 8, 12]), c.ints([5, 4]), c.ints([2, 2])], **c.pick({}, {"pads": [0, 0, 0, 0]}))]
    elif op == "CenterCropPad":
        c.opset = max(c.opset, 18)
        shape = c.shape(1, 3, 0)
        axes = sorted({a % len(shape) for a in c.axes(len(shape))})
        c.outputs = [c.node(op, [c.input(shape), c.ints([c.dim(1, 8, 0) for _ in axes])], axes=axes)]
    else:
        c.opset = max(c.opset, 19)
        x, w, off = c.input([1, 2, 5, 5]), c.operand([2, 2, 2, 2]), c.input([], (c.numbers([1, 8, 4, 4], 0.4)))
        c.outputs = [c.node(op, [x, w, off, *c.pick([], ["", c.operand([1, 4, 4, 4])], [c.operand([2])])], kernel_shape=[2, 2])]


@maker
def recurrent(c: Case):
    op = c.pick("LSTM", "GRU", "RNN")
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    direction = c.pick(None, "forward", "reverse", "bidirectional")
    d = 2 if direction == "bidirectional" else 1
    t, b, i, h = c.dim(1, 4, 0), c.dim(1, 3, 0), c.dim(1, 3, 0), c.dim(1, 3, 0)
    more = [c.weight(c.numbers([d, 2 * gates * h])) if c.chance(0.6) else "", c.weight(c.rng.integers(1, t + 1, size=b).astype(np.int32)) if c.chance(0.4) else "", c.operand([d, b, h]) if c.chance(0.4) else ""]
    if op == "LSTM":
        more += [c.operand([d, b, h]) if c.chance(0.4) else "", c.weight(c.numbers([d, 3 * h])) if c.chance(0.3) else ""]
    outputs = c.pick([1, 1], [0, 1], [1], *([[1, 1, 1], [0, 0, 1]] if op == "LSTM" else []))
    y = c.node(op, [c.input([t, b, i]), c.weight(c.numbers([d, gates * h, i])), c.weight(c.numbers([d, gates * h, h])), *more], outputs=outputs, hidden_size=h, direction=direction,
               **({"linear_before_reset": c.pick(None, 1)} if op == "GRU" else {}), clip=c.pick(None, None, 0.4))
    c.outputs = [n for n in ([y] if isinstance(y, str) else y) if n]


@maker
def attention(c: Case):
    op = c.pick("Attention", "RotaryEmbedding", "MultiHeadAttention")
    b, q, k, heads, size = c.dim(1, 2, 0), c.dim(1, 4, 0), c.dim(1, 5, 0), c.pick(2, 4), c.pick(4, 8)
    if op == "Attention":
        c.opset = max(c.opset, 23)
        kv = c.pick(heads, 2, 1)
        if heads % kv:
            raise Skip
        if c.chance(0.5):
            shapes, extra = ([b, heads, q, size], [b, kv, k, size]), {}
        else:
            shapes, extra = ([b, q, heads * size], [b, k, kv * size]), {"q_num_heads": heads, "kv_num_heads": kv}
        mask = c.pick([], [], [c.weight(c.numbers([q, k]))], [c.weight(np.asarray(c.rng.random([q, k]) < 0.7))])
        c.outputs = [c.node(op, [c.operand(shapes[0], 1), c.operand(shapes[1]), c.operand(shapes[1]), *mask], is_causal=c.pick(None, 1), scale=c.pick(None, 0.3), softcap=c.pick(None, 2.0), **extra)]
    elif op == "RotaryEmbedding":
        c.opset = max(c.opset, 23)
        x = c.input([b, heads, q, size])
        n = size // 2
        positions = c.chance(0.5)
        cache = [8, n] if positions else [b, q, n]
        c.outputs = [c.node(op, [x, c.weight(c.numbers(cache)), c.weight(c.numbers(cache)), *([c.weight(c.rng.integers(0, 8, size=[b, q]))] if positions else [])], interleaved=c.pick(None, 1))]
    else:
        c.outputs = [c.node(op, [c.operand([b, q, heads * size], 1), c.operand([b, k, heads * size]), c.operand([b, k, heads * size]), *c.pick([], [c.operand([3 * heads * size])])], domain="com.microsoft", num_heads=heads, scale=c.pick(None, 0.3))]


@maker
def quantized(c: Case):
    kind = c.pick("qdq", "qoperator", "integer", "dynamic")
    c.kind = np.float32
    c.opset = max(c.opset, 13)
    u8 = c.pick(np.uint8, np.int8, *([np.uint16, np.int16] if c.opset >= 21 and kind == "qdq" else []))
    zero = c.weight(np.array(c.pick(0, 3, 100) if u8 != np.int8 else c.pick(0, -3, 5), u8))
    scale = c.weight(np.array(c.pick(0.02, 0.1), np.float32))
    # a scale of its own for weights: sums then do not lie at ties of rounding
    fine = c.weight(np.array(0.0317, np.float32))
    shape = [1, c.pick(2, 3), 5, 5]
    x = c.input(shape)
    wq = c.rng.integers(-50, 50, size=[4, shape[1], 3, 3]).astype(np.int8)
    q = lambda v, z=zero: c.node("QuantizeLinear", [v, scale, z])
    dq = lambda v, z=zero: c.node("DequantizeLinear", [v, scale, z])
    if kind == "qdq":
        per = c.chance(0.5)
        ws = c.weight(np.abs(c.rng.normal(size=[4] if per else []) * 0.02 + 0.03).astype(np.float32))
        wz = c.weight(np.zeros([4] if per else [], np.int8))
        w = c.node("DequantizeLinear", [c.weight(wq), ws, wz], axis=0)
        y = c.node("Conv", [dq(q(x)), w], pads=[1, 1, 1, 1])
        y = c.pick(lambda: c.node("Relu", [y]), lambda: c.node("MaxPool", [dq(q(y))], kernel_shape=[2, 2]), lambda: c.node("Softmax", [y], axis=1), lambda: y)()
        c.outputs = [dq(q(y)) if c.chance(0.5) else y]
    elif kind == "qoperator":
        u8 = c.pick(np.uint8, np.int8)
        zero = c.weight(np.array(3, u8))
        wz = c.weight(np.array(0, np.int8))
        y = c.node("QLinearConv", [q(x, zero), scale, zero, c.weight(wq), fine, wz, scale, zero], pads=[1, 1, 1, 1])
        op = c.pick("none", "QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearConcat", "MaxPool", "Transpose", "Reshape", "Pad")
        if op in ("QLinearAdd", "QLinearMul"):
            y = c.node(op, [y, scale, zero, y, scale, zero, scale, zero], domain="com.microsoft")
        elif op in ("QLinearSigmoid", "QLinearLeakyRelu"):
            y = c.node(op, [y, scale, zero, scale, zero], domain="com.microsoft", **({"alpha": 0.1} if op[-1] == "u" else {}))
        elif op == "QLinearAveragePool":
            y = c.node(op, [y, scale, zero, scale, zero], domain="com.microsoft", kernel_shape=[2, 2], **c.pick({}, {"ceil_mode": 1}, {"pads": [1, 1, 0, 0], "count_include_pad": 1}))
        elif op == "QLinearGlobalAveragePool":
            y = c.node(op, [y, scale, zero, scale, zero], domain="com.microsoft")
        elif op == "QLinearConcat":
            y = c.node(op, [scale, zero, y, scale, zero, y, scale, zero], domain="com.microsoft", axis=1)
        elif op == "MaxPool":
            y = c.node(op, [y], kernel_shape=[2, 2])
        elif op == "Transpose":
            y = c.node(op, [y])
        elif op == "Reshape":
            y = c.node(op, [y, c.ints([1, -1])])
        elif op == "Pad":
            y = c.node(op, [y, c.ints([0, 0, 1, 1, 0, 0, 0, 1])], mode=c.pick(None, "edge"))
        c.outputs = [dq(y, zero)]
    elif kind == "integer":
        a, s, z = c.node("DynamicQuantizeLinear", [x], outputs=3)
        y = c.node("ConvInteger", [a, c.weight(wq), z], pads=c.pick(None, [1, 1, 1, 1]))
        c.outputs = [c.node("Mul", [c.node("Cast", [y], to=1), s])]
    else:
        x = c.inputs.clear() or c.input([c.dim(1, 3, 0), 4])
        w = c.weight(c.rng.integers(-50, 50, size=[4, 3]).astype(np.int8))
        op = c.pick("MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat")
        if op == "DynamicQuantizeMatMul":
            c.outputs = [c.node(op, [x, w, scale, *c.pick([], [c.weight(np.array(0, np.int8))])], domain="com.microsoft")]
        else:
            a, s, z = c.node("DynamicQuantizeLinear", [x], outputs=3)
            if op == "MatMulInteger":
                c.outputs = [c.node("Mul", [c.node("Cast", [c.node(op, [a, w, z])], to=1), s])]
            else:
                c.outputs = [c.node(op, [a, w, s, scale, z], domain="com.microsoft")]


@maker
def microsoft(c: Case):
    op = c.pick("Gelu", "FastGelu", "BiasGelu", "QuickGelu", "SkipLayerNormalization", "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "FusedConv", "FusedGemm", "BiasSplitGelu", "LayerNormalization")
    b, s, h = c.dim(1, 2, 0), c.dim(1, 4, 0), c.pick(4, 8)
    x = c.input([b, s, h])
    d = {"domain": "com.microsoft"}
    if op in ("Gelu", "QuickGelu"):
        y = c.node(op, [x], **d, **({"alpha": c.pick(1.0, 1.702)} if op[0] == "Q" and c.chance(0.6) else {}))
    elif op == "FastGelu":
        y = c.node(op, [x, *c.pick([], [c.weight(c.numbers([h]))])], **d)
    elif op == "BiasGelu":
        y = c.node(op, [x, c.weight(c.numbers([h]))], **d)
    elif op.startswith("Skip"):
        more = [c.weight(c.numbers([h]))] + ([c.weight(c.numbers([h]))] if op == "SkipLayerNormalization" and c.chance(0.5) else [])
        outputs = c.pick([1], [1, 0, 0, 1])
        y = c.node(op, [x, c.operand([b, s, h]), *more], outputs=outputs, **d, epsilon=1e-3)
        c.outputs = [n for n in ([y] if isinstance(y, str) else y) if n]
        return
    elif op == "SimplifiedLayerNormalization":
        y = c.node(op, [x, c.weight(c.numbers([h]))], axis=-1, epsilon=c.pick(None, 1e-3))
    elif op == "LayerNormalization":
        c.opset = max(c.opset, 17)
        y = c.node(op, [c.node("Add", [x, c.operand([b, s, h])]), c.weight(c.numbers([h])), c.weight(c.numbers([h]))])
    elif op == "FusedGemm":
        c.inputs.clear()
        y = c.node(op, [c.input([2, 3]), c.weight(c.numbers([3, 4])), c.weight(c.numbers([4]))], **d, activation=c.pick("Relu", "Sigmoid", "Tanh"))
    elif op == "FusedConv":
        c.inputs.clear()
        activation = c.pick(("Relu", None), ("Sigmoid", None), ("Clip", [0.0, 1.5]), ("LeakyRelu", [0.1]), ("HardSigmoid", [0.2, 0.5]), ("Tanh", None))
        y = c.node(op, [c.input([1, 2, 5, 5]), c.weight(c.numbers([4, 2, 3, 3])), *c.pick([], [c.weight(c.numbers([4]))])], **d, activation=activation[0], activation_params=activation[1])
    else:
        raise Skip
    c.outputs = [y]


@maker
def fusible(c: Case):
    """Patterns that ONNX Runtime's optimizer turns into operators of its own, which may lack a kernel for the type."""
    x = c.input([c.dim(1, 2, 0), c.dim(1, 4, 0), 8])
    const = lambda v: c.weight(np.array(v, c.kind))
    c.opset = max(c.opset, 13)
    which = c.pick("gelu", "fastgelu", "quickgelu", "layernorm", "rms", "matmul scale", "matmul transpose", "bias gelu", "skip", "softmax bias", "gemm act", "conv act", "div mul", "dq")
    w = c.weight(c.numbers([8]))
    if which in ("gelu", "bias gelu"):
        v = c.node("Add", [x, w]) if which[0] == "b" else x
        e = c.node("Erf", [c.node("Div", [v, const(np.sqrt(2))])])
        y = c.node("Mul", [c.node("Mul", [v, c.node("Add", [e, const(1)])]), const(0.5)])
    elif which == "fastgelu":
        t = c.node("Tanh", [c.node("Mul", [c.node("Add", [x, c.node("Mul", [c.node("Pow", [x, const(3)]), const(0.044715)])]), const(0.7978845608)])])
        y = c.node("Mul", [c.node("Mul", [x, const(0.5)]), c.node("Add", [t, const(1)])])
    elif which == "quickgelu":
        y = c.node("Mul", [x, c.node("Sigmoid", [c.pick(x, c.node("Mul", [x, const(1.702)]))])])
    elif which == "layernorm":
        axes = {"axes": [-1]} if c.opset < 18 else {}
        m = c.node("ReduceMean", [x] if axes else [x, c.ints([-1])], **axes)
        d = c.node("Sub", [x, m])
        p = c.node("Pow", [d, const(2)])
        v = c.node("ReduceMean", [p] if axes else [p, c.ints([-1])], **axes)
        y = c.node("Add", [c.node("Mul", [c.node("Div", [d, c.node("Sqrt", [c.node("Add", [v, const(1e-3)])])]), w]), c.weight(c.numbers([8]))])
    elif which == "rms":
        axes = {"axes": [-1]} if c.opset < 18 else {}
        p = c.node("Pow", [x, const(2)])
        v = c.node("ReduceMean", [p] if axes else [p, c.ints([-1])], **axes)
        y = c.node("Mul", [c.node("Div", [x, c.node("Sqrt", [c.node("Add", [v, const(1e-3)])])]), w])
    elif which == "matmul scale":
        y = c.node("MatMul", [c.node("Mul", [x, const(0.3)]), c.weight(c.numbers([8, 4]))])
        y = c.node("Div", [y, const(2)])
    elif which == "matmul transpose":
        y = c.node("MatMul", [x, c.node("Transpose", [c.operand(c.inputs["x"].shape, 0.5)], perm=[0, 2, 1])])
    elif which == "skip":
        c.opset = max(c.opset, 17)
        y = c.node("LayerNormalization", [c.node("Add", [x, c.node("Add", [c.operand(c.inputs["x"].shape), w])]), w, w], axis=-1)
    elif which == "softmax bias":
        y = c.node("Softmax", [c.node("Add", [x, c.operand(c.inputs["x"].shape)])], axis=-1)
    elif which == "gemm act":
        c.inputs.clear()
        y = c.node(c.pick("Relu", "LeakyRelu", "Sigmoid", "Tanh"), [c.node("Add", [c.node("MatMul", [c.input([3, 4]), c.weight(c.numbers([4, 5]))]), c.weight(c.numbers([5]))])])
    elif which == "conv act":
        c.inputs.clear()
        y = c.node("Conv", [c.input([1, 2, 5, 5]), c.weight(c.numbers([4, 2, 3, 3])), c.weight(c.numbers([4]))], pads=[1, 1, 1, 1])
        y = c.node("Add", [y, c.operand([1, 4, 5, 5])]) if c.chance(0.5) else y
        y = c.node(c.pick("Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid"), [y])
    elif which == "div mul":
        y = c.node("Mul", [c.node("Div", [const(1), x]), x if c.chance(0.2) else c.operand(c.inputs["x"].shape)])
    else:
        y = c.node("Relu", [c.node("Add", [x, c.weight(c.numbers([8]))])])
    c.outputs = [y]


@maker
def training_mode(c: Case):
    op = c.pick("Dropout", "Identity", "Cast", "CastLike", "EyeLike", "ConstantOfShape", "Det", "IsNaN", "Not")
    x = c.input(c.shape(2, 3))
    if op == "Dropout":
        c.outputs = [n for n in c.node(op, [x, *([] if c.opset < 12 else c.pick([], [c.weight(np.array(0.3, np.float32))]))], outputs=[1, 1]) if n][: c.pick(1, 2)]
    elif op == "Cast":
        y = c.node(op, [x], to=c.pick(T.INT32, T.FLOAT16, T.DOUBLE, T.FLOAT, T.BOOL, T.UINT8))
        c.outputs = [y, c.node("Neg", [x])]
    elif op == "CastLike":
        c.opset = max(c.opset, 15)
        c.outputs = [c.node(op, [x, c.weight(np.zeros([1], c.pick(np.float32, np.float64, np.float16)))])]
    elif op == "EyeLike":
        c.inputs[x] = c.numbers(c.shape(2, 2))
        c.outputs = [c.node("Add", [c.node(op, [x], k=c.pick(None, 1, -1)), x])]
    elif op == "ConstantOfShape":
        s = c.node("Shape", [x])
        c.outputs = [c.node("Mul", [c.node(op, [s], value=numpy_helper.from_array(np.array([2.5], c.kind))), x])]
    elif op == "Det":
        c.inputs[x] = c.numbers([2, 3, 3])
        c.opset = max(c.opset, 11)
        c.outputs = [c.node(op, [x])]
    elif op == "IsNaN":
        c.outputs = [c.node(op, [x]), c.node("Neg", [x])]
    else:
        c.outputs = [x if op == "Identity" and c.chance(0.3) else c.node("Identity", [x])]


# ---- files -------------------------------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, model: onnx.ModelProto, feeds, expected, outputs) -> None:
    target = folder / "node" / name
    data = target / "test_data_set_0"
    data.mkdir(parents=True)
    (target / "model.onnx").write_bytes(model.SerializeToString())
    for kind, values in (("input", list(feeds.values())), ("output", expected)):
        for i, v in enumerate(values):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(np.asarray(v), "").SerializeToString())


def build(seed: int, index: int, only: str, kind: type | None = None):
    rng = np.random.default_rng([seed, index])
    names = [n for n in MAKERS if only in n]
    which = names[int(rng.integers(len(names)))]
    opset = int(rng.choice([7, 9, 10, 11, 13, 15, 17, 18, 19, 20, 21, 22, 23, 24]))
    drawn = TYPES[rng.choice(["float32", "float32", "float32", "float16", "float64"])]
    case = Case(rng, opset, kind or drawn)
    MAKERS[which](case)
    return which, case, drawn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder / "node", ignore_errors=True)
    written = refused = 0
    for index in range(arguments.count):
        try:
            which, case, drawn = build(arguments.seed, index, arguments.only)
            model = case.model()
        except Skip:
            continue
        try:
            options = ort.SessionOptions()
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.log_severity_level = 4
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            expected = session.run(case.final, case.feeds)
        except Exception:
            refused += 1
            continue
        # the outputs' types, which a file must state
        for info, value in zip(model.graph.output, expected):
            v = np.asarray(value)
            info.CopyFrom(helper.make_tensor_value_info(info.name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape))
        kind = {np.float32: "f32", np.float16: "f16", np.float64: "f64"}[case.kind]
        write(arguments.folder, f"{index:05d}_{which}_{'+'.join(n.op_type for n in model.graph.node)}_{kind}_opset{case.opset}"[:150], model, case.feeds, expected, case.final)
        written += 1
    print(f"{written} files; ONNX Runtime refuses {refused}")


if __name__ == "__main__":
    main()
