"""A float32 file in another element type, as converters write it."""

from __future__ import annotations

import copy

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

KINDS = {"float16": (np.float16, T.FLOAT16), "bfloat16": (ml_dtypes.bfloat16, T.BFLOAT16), "float64": (np.float64, T.DOUBLE)}
# these operands stay float32, by the specification
FLOAT32_OPERANDS = {"Resize": {2}, "Upsample": {1}}
TYPE_ATTRIBUTES = {"to", "dtype", "output_datatype"}


def converted(source: onnx.ModelProto, feeds: dict, rng: np.random.Generator) -> tuple[str, onnx.ModelProto, dict]:
    """Its name, the file, and feeds: float32 ones where the whole file is bfloat16, which no array holds."""
    name = str(rng.choice(list(KINDS)))
    kind, code = KINDS[name]
    inside = bool(rng.random() < 0.5)
    model = copy.deepcopy(source)
    graph = model.graph
    keep = {n.input[i] for n in graph.node for i in FLOAT32_OPERANDS.get(n.op_type, ()) if i < len(n.input)}
    for tensor in graph.initializer:
        if tensor.data_type == T.FLOAT and tensor.name not in keep:
            tensor.CopyFrom(in_type(tensor, kind, code))
    for node in graph.node:
        for a in node.attribute:
            if a.name in TYPE_ATTRIBUTES and a.i == T.FLOAT:
                a.i = code
            if a.type == onnx.AttributeProto.TENSOR and a.t.data_type == T.FLOAT:
                a.t.CopyFrom(in_type(a.t, kind, code))
    if not inside:
        for info in [*graph.input, *graph.output]:
            if info.type.tensor_type.elem_type == T.FLOAT:
                info.type.tensor_type.elem_type = code
        cast = (lambda v: v) if name == "bfloat16" else (lambda v: v.astype(kind) if v.dtype == np.float32 else v)
        return name, model, {n: cast(v) for n, v in feeds.items()}
    wrapped = [i.name for i in graph.input if i.type.tensor_type.elem_type == T.FLOAT]
    results = [o.name for o in graph.output if o.type.tensor_type.elem_type == T.FLOAT and o.name not in wrapped]
    names = {n: f"{n}~in" for n in wrapped} | {n: f"{n}~out" for n in results}
    for node in graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
    before = [helper.make_node("Cast", [n], [f"{n}~in"], to=code) for n in wrapped]
    after = [helper.make_node("Cast", [f"{n}~out"], [n], to=T.FLOAT) for n in results]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    return f"{name} inside", model, feeds


def in_type(tensor: onnx.TensorProto, kind, code: int) -> onnx.TensorProto:
    values = numpy_helper.to_array(tensor).astype(kind)
    return helper.make_tensor(tensor.name, code, values.shape, values.tobytes(), raw=True)
