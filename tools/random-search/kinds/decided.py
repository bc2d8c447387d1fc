"""What is decided when the model runs: branches, loops, scans, and operands that are computed."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto as T
from onnx import helper
from case import Case, Skip, maker


def body(nodes, inputs, outputs):
    """A subgraph; inputs are names with element types and shapes, where they are stated."""
    stated = lambda name, kind=T.FLOAT, shape=None: helper.make_tensor_value_info(name, kind, shape)
    return helper.make_graph(nodes, "body", [stated(*i) if isinstance(i, tuple) else stated(i) for i in inputs], [stated(*o) if isinstance(o, tuple) else stated(o) for o in outputs])


def element(c: Case) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(c.kind))


def one(c: Case, x: str, y: str, outside: str, number: str = "") -> list:
    """A node or two that keep the shape of x; of newer operators where the opset has them."""
    op = c.pick("Sin", "Tanh", "Mul", "Sub", "Exp", "Counter", *(["Gelu"] if c.opset >= 20 else []), *(["Swish"] if c.opset >= 24 else []), *(["Mish"] if c.opset >= 18 else []))
    if op in ("Mul", "Sub"):
        return [helper.make_node(op, [x, outside], [y])]
    if op == "Counter" and number:
        return [helper.make_node("Cast", [number], [y + "c"], to=element(c)), helper.make_node("Add", [x, y + "c"], [y])]
    if op == "Exp":
        return [helper.make_node("Tanh", [x], [y + "t"]), helper.make_node("Exp", [y + "t"], [y])]
    return [helper.make_node("Sin" if op == "Counter" else op, [x], [y])]


def flag(c: Case, x: str) -> str:
    """A truth value: fed, or computed from numbers."""
    if c.chance(0.4):
        return c.input([], np.array(c.pick(True, False)))
    c.opset = max(c.opset, 13)
    total = c.node("ReduceSum", [x], keepdims=0)
    return c.node("Greater", [total, c.weight(np.array(c.pick(-0.5, 0.5), c.kind))])


def consumed(c: Case, stacked: str, turns: int) -> str:
    """What reads a value whose first axis has as many entries as a loop has turns."""
    use = c.pick("as it is", "as it is", "sum", "mean", "max", "last", "first", "head", "elementwise")
    if use == "as it is":
        return stacked
    c.opset = max(c.opset, 13)
    if use == "sum":
        return c.node("ReduceSum", [stacked, c.ints([0])], keepdims=c.pick(None, 0))
    if use in ("mean", "max"):
        op = "ReduceMean" if use == "mean" else "ReduceMax"
        return c.node(op, [stacked, c.ints([0])], keepdims=0) if c.opset >= 18 else c.node(op, [stacked], axes=[0], keepdims=0)
    if use in ("last", "first"):
        return c.node("Gather", [stacked, c.weight(np.array(-1 if use == "last" else 0, np.int64))], axis=0)
    if use == "head":
        return c.node("Slice", [stacked, c.ints([0]), c.ints([1]), c.ints([0])])
    return c.node("ReduceSum", [c.node("Sin", [stacked]), c.ints([0])], keepdims=0)


@maker
def loop(c: Case):
    c.opset = max(c.opset, 11)
    shape = c.shape(0, 2, zero=0)
    x, w = c.input(shape), c.operand(shape)
    kind = element(c)
    turns = c.pick(1, 2, 3, 4)
    count = c.pick("constant", "fed", "none")
    ends = count == "none" or c.chance(0.4)
    limit = "" if count == "none" else c.weight(np.array(turns, np.int64)) if count == "constant" else c.input([], np.array(turns, np.int64))
    first = c.pick("", c.weight(np.array(True)))
    stacks = c.pick(0, 1, 1, 2)
    nodes = one(c, "s", "next", c.pick(w, x), "i")
    outputs = [("still", T.BOOL, [])]
    if ends:
        c.opset = max(c.opset, 13)
        until = c.weight(np.array(c.pick(1, 2), np.int64))
        where = c.pick("turn", "data") if count != "none" else "turn"
        if where == "turn":
            nodes.append(helper.make_node("Less", ["i", until], ["still"]))
        else:
            nodes += [helper.make_node("ReduceSum", ["next"], ["total"], keepdims=0), helper.make_node("Less", ["total", c.weight(np.array(0.6, c.kind))], ["still"])]
    else:
        nodes.append(helper.make_node("Identity", ["going"], ["still"]))
    for k in range(stacks):
        if c.chance(0.5):
            nodes += one(c, c.pick("s", "next"), f"row{k}", w, "i")
        else:
            nodes.append(helper.make_node("ReduceSum" if c.opset >= 13 else "Neg", ["next"], [f"row{k}"], **({"keepdims": 0} if c.opset >= 13 else {})))
    graph = body(nodes, [("i", T.INT64, []), ("going", T.BOOL, []), ("s", kind, shape)], [*outputs, ("next", kind), *[(f"row{k}", kind) for k in range(stacks)]])
    out = c.node("Loop", [limit, first, x], outputs=1 + stacks, body=graph)
    out = [out] if isinstance(out, str) else out
    c.outputs = [c.node("Neg", [out[0]]), *[consumed(c, o, turns) for o in out[1:]]]


@maker
def branch(c: Case):
    c.opset = max(c.opset, 11)
    shape = c.shape(1, 3, zero=0)
    x, w = c.input(shape), c.operand(shape)
    kind = element(c)
    chosen = flag(c, x)
    sides = []
    for side in "ab":
        how = c.pick("keep", "keep", "keep", "reduce", "pick")
        nodes = one(c, c.pick(x, w), side, c.pick(w, x))
        last = side
        if how == "reduce":
            c.opset = max(c.opset, 13)
            nodes.append(helper.make_node("ReduceSum", [side, c.ints([0])], [side + "r"], keepdims=1))
            last = side + "r"
        elif how == "pick":
            c.opset = max(c.opset, 13)
            nodes += [helper.make_node("Greater", [side, c.weight(np.array(0, c.kind))], [side + "g"]), helper.make_node("NonZero", [side + "g"], [side + "p"]),
                      helper.make_node("Transpose", [side + "p"], [side + "i"]), helper.make_node("GatherND", [side, side + "i"], [side + "v"]), helper.make_node("ReduceSum", [side + "v"], [side + "r"], keepdims=0),
                      helper.make_node("Add", [side + "r", side], [side + "o"])]
            last = side + "o"
        sides.append(body(nodes, [], [(last, kind)]))
    y = c.node("If", [chosen], then_branch=sides[0], else_branch=sides[1])
    c.outputs = [y if c.chance(0.5) else c.node("ReduceSum", [y], keepdims=0) if c.opset >= 13 else c.node("Neg", [y]), c.node("Cos", [x])]


@maker
def scan(c: Case):
    c.opset = max(c.opset, 11)
    rank = c.pick(1, 2, 3)
    shape = [c.dim(1, 4, 0.02) for _ in range(rank)]
    axis = int(c.rng.integers(-rank, rank))
    rest = [d for i, d in enumerate(shape) if i != axis % rank]
    x, s, w = c.input(shape), c.operand(rest), c.operand(rest)
    kind = element(c)
    nodes = [*one(c, "s", "t", "e"), helper.make_node("Add", ["t", "e"], ["next"]), *one(c, "next", "row", c.pick(w, "s"))]
    graph = body(nodes, [("s", kind, rest), ("e", kind, rest)], [("next", kind, rest), ("row", kind, rest)])
    c.outputs = c.node("Scan", [s, x], outputs=2, body=graph, num_scan_inputs=1, scan_input_axes=[axis], scan_input_directions=c.pick(None, [1]), scan_output_axes=c.pick(None, [0], [len(rest)], [-1]), scan_output_directions=c.pick(None, [1]))


@maker
def computed(c: Case):
    """Operands that say sizes and places, where they come from an input."""
    c.opset = max(c.opset, 13)
    op = c.pick("Slice", "Range", "TopK", "OneHot", "Pad", "Tile", "Gather", "Expand", "Slice", "Trilu", "CumSum", "Reshape")
    shape = [c.dim(2, 6, 0), c.dim(2, 6, 0)]
    x = c.input(shape)
    at = c.input([1], np.array([c.pick(0, 1)], np.int64))
    scalar = lambda v: c.node("Squeeze", [v])
    if op == "Slice":
        use = c.pick("window", "stride", "open")
        if use == "open":
            y = c.node(op, [x, at, c.ints([2**31]), c.ints([0])])
        else:
            y = c.node(op, [x, at, c.node("Add", [at, c.ints([c.pick(1, 2)])]), c.ints([c.pick(0, 1, -1)]), *([c.ints([1])] if use == "stride" else [])])
        if c.chance(0.4):
            y = c.node("ReduceSum", [y, c.ints([0])], keepdims=0)
    elif op == "Range":
        start = scalar(at)
        r = c.node(op, [start, c.node("Add", [start, c.weight(np.array(shape[1], np.int64))]), c.weight(np.array(1, np.int64))])
        y = c.node("Mul", [x, c.node("Cast", [r], to=element(c))])
    elif op == "TopK":
        k = c.node("Add", [at, c.ints([1])])
        y = c.node("ReduceSum", [c.node(op, [x, k], outputs=2)[0], c.ints([1])], keepdims=0)
    elif op == "OneHot":
        y = c.node("Mul", [x, c.node(op, [at, c.ints([shape[1]]), c.input([2])])])
    elif op == "Pad":
        zero = c.ints([0])
        y = c.node(op, [x, c.node("Concat", [at, zero, c.node("Sub", [c.ints([2]), at]), zero], axis=0)], mode=c.pick(None, "constant", "edge"))
    elif op == "Tile":
        y = c.node("ReduceSum", [c.node(op, [x, c.node("Concat", [c.node("Add", [at, c.ints([1])]), c.ints([1])], axis=0)]), c.ints([0])], keepdims=0)
    elif op == "Gather":
        y = c.node(op, [x, at], axis=c.pick(0, 1, -1))
    elif op == "Expand":
        y = c.node("ReduceMean", [c.node(op, [c.node("Unsqueeze", [x, c.ints([0])]), c.node("Concat", [c.node("Add", [at, c.ints([1])]), c.ints([1, 1])], axis=0)])], keepdims=0, **({} if c.opset >= 18 else {"axes": [0]}))
        if c.opset >= 18:
            raise Skip
    elif op == "Trilu":
        c.opset = max(c.opset, 14)
        y = c.node(op, [x, scalar(at)], upper=c.pick(None, 0, 1))
    elif op == "CumSum":
        y = c.node(op, [x, scalar(at)], exclusive=c.pick(None, 1), reverse=c.pick(None, 1))
    else:
        y = c.node("ReduceSum", [c.node(op, [x, c.node("Concat", [c.node("Add", [at, c.node("Sub", [c.ints([1]), at])]), c.ints([-1])], axis=0)])], keepdims=0)
    c.outputs = [y]
