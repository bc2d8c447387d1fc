"""What moves elements, and products of matrices."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto as T
from onnx import numpy_helper
from case import Case, Skip, maker


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
