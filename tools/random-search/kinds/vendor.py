"""What ONNX Runtime's optimizer writes, and what it makes it from."""

from __future__ import annotations

import numpy as np
from case import Case, Skip, maker


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
