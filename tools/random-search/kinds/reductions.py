"""Reductions and normalizations."""

from __future__ import annotations

import numpy as np
from case import Case, maker


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
