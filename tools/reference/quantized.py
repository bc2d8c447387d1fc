"""Golden gradients of quantized files (fixtures/golden/quantized).

Three small networks are exported by PyTorch, quantized by ONNX Runtime's own quantizer in every form that it writes, and differentiated by
PyTorch in float64 with straight-through rounding: an interpreter (quantized_interpreter.py) runs the quantized file node by node, pins every value to what ONNX
Runtime computes for it (so that masks and maxima are those of the file), and lets autograd do the rest.

    python tools/reference/quantized.py fixtures/golden/quantized

Needs torch, onnx, onnxruntime, onnx_ir, safetensors. Weights keep to 7 bits where ONNX Runtime multiplies uint8 by int8, whose sums saturate
on processors without VNNI.
"""

import copy
import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

from quantized_interpreter import Interpreter

logging.disable(logging.WARNING)
ort.set_default_logger_severity(3)
torch.set_num_threads(1)


# ---- networks ----------------------------------------------------------------------------------------------------------------------


class Mlp(nn.Module):
    shape = (2, 32)

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(32, 16), nn.Linear(16, 4, bias=False)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


class Convnet(nn.Module):
    shape = (1, 3, 8, 8)

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.c = nn.Conv2d(8, 4, 1)
        self.d = nn.Linear(4, 3)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.a(x)), 2)
        y = F.leaky_relu(self.b(x), 0.1)
        z = torch.cat([torch.sigmoid(y) * y, F.avg_pool2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), 2)], 1)
        return self.d(F.adaptive_avg_pool2d(self.c(z) + x, 1).flatten(1))


class Transformer(nn.Module):
    shape = (1, 5, 8)

    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(0.3 * torch.randn(1, 5, 8))
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = x + self.position
        q, k, v = self.qkv(x).split([8, 8, 8], -1)
        heads = lambda t: t.reshape(1, 5, 2, 4).transpose(1, 2)
        weights = torch.softmax(heads(q) @ heads(k).transpose(-1, -2) / 2, -1)
        x = self.norm(x + self.out((weights @ heads(v)).transpose(1, 2).reshape(1, 5, 8)))
        x = x + self.down(torch.relu(self.up(x)))
        return self.head(x[:, 0])


def exported(network: nn.Module) -> onnx.ModelProto:
    with tempfile.NamedTemporaryFile(suffix=".onnx") as f:
        torch.onnx.export(network, torch.zeros(network.shape), f.name, opset_version=17, dynamo=False, input_names=["x"], output_names=["y"])
        return onnx.load(f.name)


# ---- quantization ------------------------------------------------------------------------------------------------------------------


class Samples(CalibrationDataReader):
    def __init__(self, shape):
        random = np.random.default_rng(7)
        self.left = [{"x": random.uniform(-1.2, 1.2, shape).astype(np.float32)} for _ in range(64)]

    def get_next(self):
        return self.left.pop() if self.left else None


def static(model, shape, form, **options):
    def make(source, target):
        quantize_static(source, target, Samples(shape), quant_format=form, reduce_range=options.pop("reduce_range", True), **options)

    return through_files(model, make)


def dynamic(model, **options):
    return through_files(model, lambda source, target: quantize_dynamic(source, target, reduce_range=True, **options))


def through_files(model, make):
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/source.onnx", f"{folder}/target.onnx"
        onnx.save(model, source)
        make(source, target)
        return onnx.load(target)


def few_bits(model, form, symmetric=False):
    quantizer = MatMulNBitsQuantizer(copy.deepcopy(model), bits=4, block_size=16, is_symmetric=symmetric, quant_format=form, op_types_to_quantize=("MatMul",))
    quantizer.process()
    return quantizer.model.model


def with_mat_mul(model):
    """Gemm as MatMul and Add, which the quantizer of few bits takes."""
    model = copy.deepcopy(model)
    nodes = []
    for node in model.graph.node:
        if node.op_type != "Gemm":
            nodes.append(node)
            continue
        name = node.input[1]
        weight = next(t for t in model.graph.initializer if t.name == name)
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).T.copy(), name))
        biased = len(node.input) > 2
        product = node.output[0] + "_product" if biased else node.output[0]
        nodes.append(helper.make_node("MatMul", [node.input[0], name], [product], name=node.name + "_product"))
        if biased:
            nodes.append(helper.make_node("Add", [product, node.input[2]], node.output, name=node.name + "_bias"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


QDQ, QOPERATOR = QuantFormat.QDQ, QuantFormat.QOperator
U8, I8, U16, I16 = QuantType.QUInt8, QuantType.QInt8, QuantType.QUInt16, QuantType.QInt16


def cases():
    for kind in (Mlp, Convnet, Transformer):
        torch.manual_seed(3)
        network = kind().eval()
        model = exported(network)
        name = kind.__name__.lower()
        shape = kind.shape
        yield name, model, shape, ("float", None)
        yield name, dynamic(model), shape, ("dynamic", None)
        yield name, dynamic(model, weight_type=QuantType.QUInt8), shape, ("dynamic-u8", None)
        yield name, static(model, shape, QDQ, activation_type=U8, weight_type=I8), shape, ("qdq", None)
        yield name, static(model, shape, QDQ, activation_type=I8, weight_type=I8, per_channel=True), shape, ("qdq-i8-channel", None)
        yield name, static(model, shape, QOPERATOR, activation_type=U8, weight_type=I8), shape, ("qoperator", None)
        yield name, static(model, shape, QOPERATOR, activation_type=I8, weight_type=I8), shape, ("qoperator-i8", None)
        yield name, static(model, shape, QDQ, activation_type=U16, weight_type=I8), shape, ("qdq-u16", None)
        contrib = {"UseQDQContribOps": True}
        yield name, static(model, shape, QDQ, activation_type=I16, weight_type=I8, extra_options=contrib), shape, ("qdq-i16-microsoft", None)
        opset21 = onnx.version_converter.convert_version(model, 21)
        yield name, static(opset21, shape, QDQ, activation_type=I16, weight_type=I8), shape, ("qdq-i16-opset21", None)
        pairs = {"AddQDQPairToWeight": True}
        yield name, static(model, shape, QDQ, activation_type=U8, weight_type=I8, extra_options=pairs), shape, ("qdq-weights-in-pairs", None)
        if kind is Mlp:
            plain = with_mat_mul(model)
            yield name, few_bits(plain, QOPERATOR), shape, ("nbits", None)
            yield name, few_bits(with_mat_mul(opset21), QDQ, symmetric=True), shape, ("qdq-int4-blocks", None)
            yield name, dynamic(plain, per_channel=True), shape, ("dynamic-channel", None)


# ---- writing -----------------------------------------------------------------------------------------------------------------------


def golden(model, shape):
    """x, v, y and d.x, at a point where no value lies within 1/500 of a step from a tie of rounding."""
    best = None
    for seed in range(400):
        random = np.random.default_rng(seed)
        x = random.uniform(-1, 1, shape).astype(np.float32)
        interpreter = Interpreter(model, {"x": x})
        leaf = torch.from_numpy(x.astype(np.float64)).requires_grad_()
        y = interpreter.run(leaf)
        if best is None or interpreter.margin > best[0]:
            v = random.normal(size=tuple(y.shape)).astype(np.float32)
            (gradient,) = torch.autograd.grad((y * torch.from_numpy(v.astype(np.float64))).sum(), leaf)
            best = interpreter.margin, {"x": x, "v.y": v, "y": np.asarray(interpreter.truth["y"]), "d.x": gradient.numpy()}
        if best[0] > 2e-3:
            break
    return best


def main(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for name, model, shape, (form, _) in cases():
        case = f"{name}.{form}"
        # what the exporter says of itself, and shapes that a reader infers
        model.doc_string = ""
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        try:
            margin, tensors = golden(model, shape)
        except Exception as error:  # a form that ONNX Runtime's quantizer writes but its kernels do not run
            print(f"{case}: left out, {type(error).__name__}: {str(error)[:200]}")
            continue
        onnx.save(model, folder / f"{case}.onnx")
        save_file(tensors, folder / f"{case}.safetensors")
        operators = sorted({n.op_type for n in model.graph.node})
        manifest.append({"name": case, "network": name, "form": form, "ops": operators, "margin": round(margin, 5)})
        print(case, round(margin, 5), len(model.SerializeToString()), " ".join(operators))
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
