"""onnx-ad's reverse model of a file, for one direction.

    python reverse.py model.onnx adjoint.onnx

Its inputs are x and adj_y (the shape of y and a last axis of 1), its outputs y and adj_x. The number of directions is fixed to 1 in the file, so
that ONNX Runtime folds what depends on it.
"""

import sys

import onnx
from onnx_ad import reverse

source, target = sys.argv[1:]
adjoint = reverse(onnx.load(source), layout="onnx")
for value in [*adjoint.graph.input, *adjoint.graph.output]:
    for axis in value.type.tensor_type.shape.dim:
        if axis.dim_param == "nadj":
            axis.dim_value = 1
onnx.save(adjoint, target)
