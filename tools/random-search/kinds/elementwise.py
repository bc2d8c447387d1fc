"""Elementwise operators."""

from __future__ import annotations

import numpy as np
from case import Case, maker

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
