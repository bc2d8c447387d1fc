"""Writes fixtures/cases/engine/float16/bfloat16*.onnx: small models in bfloat16 and, as X.float32.onnx, the same graphs in float32.

    python tools/reference/bfloat16.py

Needs numpy and onnx. `bfloat16` casts inside, as mixed-precision exporters write it; `bfloat16_all` has bfloat16 inputs and outputs as well.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

folder = Path(__file__).parents[2] / "fixtures" / "cases" / "engine" / "float16"


def weights(name: str, shape: list[int], kind: int, rng: np.random.Generator):
    values = rng.normal(size=shape).astype(np.float32)
    # a bfloat16 is the upper half of a float32; both files hold the same numbers
    upper = (values.view(np.uint32) >> 16).astype(np.uint16)
    if kind == TensorProto.BFLOAT16:
        return helper.make_tensor(name, kind, shape, upper.tobytes(), raw=True)
    return numpy_helper.from_array((upper.astype(np.uint32) << 16).view(np.float32).reshape(shape), name)


def write(name: str, inside: int, outside: int) -> None:
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Cast", ["x"], ["xh"], to=inside),
        helper.make_node("Conv", ["xh", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Mul", ["p", "half"], ["m"]),
        helper.make_node("GlobalAveragePool", ["m"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("LayerNormalization", ["f", "s", "t"], ["n"]),
        helper.make_node("Cast", ["n"], ["y"], to=outside),
    ]
    half = helper.make_tensor("half", inside, [], b"\x00\x3f" if inside == TensorProto.BFLOAT16 else b"\x00\x00\x00\x3f", raw=True)
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", outside, [2, 3, 8, 8])],
        [helper.make_tensor_value_info("y", outside, [2, 4])],
        [
            weights("w", [4, 3, 3, 3], inside, rng),
            weights("b", [4], inside, rng),
            half,
            weights("s", [4], inside, rng),
            weights("t", [4], inside, rng),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    checker.check_model(model)
    save(model, folder / f"{name}.onnx")


for form, outside in [("bfloat16", TensorProto.FLOAT), ("bfloat16_all", TensorProto.BFLOAT16)]:
    write(form, TensorProto.BFLOAT16, outside)
    write(f"{form}.float32", TensorProto.FLOAT, TensorProto.FLOAT)
