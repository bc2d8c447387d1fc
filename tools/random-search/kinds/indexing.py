"""Gather and scatter."""

from __future__ import annotations

import numpy as np
from case import Case, Skip, maker


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
