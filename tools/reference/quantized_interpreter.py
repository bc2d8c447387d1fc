"""A quantized file run node by node in PyTorch, in float64 with straight-through rounding: its gradient is autograd's. Used by quantized.py and tools/architectures."""

import copy

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional as F

RANGES = {np.uint8: (0, 255), np.int8: (-128, 127), np.uint16: (0, 65535), np.int16: (-32768, 32767)}


class Rounded(torch.autograd.Function):
    """Rounds (ties to even); the gradient passes as if it had not."""

    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, g):
        return g


class Pinned(torch.autograd.Function):
    """Has the second value and the gradient of the first."""

    @staticmethod
    def forward(ctx, x, truth):
        return truth.clone()

    @staticmethod
    def backward(ctx, g):
        return g, None


class Interpreter:
    """Values are float64; integers too, and carry the gradients of the numbers they stand for."""

    def __init__(self, model, feeds):
        self.model = model
        self.margin = 1.0  # distance of the nearest value from a tie of rounding, in steps
        everything = onnx.shape_inference.infer_shapes(model)
        probe = copy.deepcopy(model)
        known = {o.name for o in probe.graph.output}
        names = [o for n in probe.graph.node for o in n.output if o and o not in known]
        probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(probe.SerializeToString(), options)
        outputs = [o.name for o in session.get_outputs()]
        self.truth = dict(zip(outputs, session.run(outputs, feeds)))
        self.types = {t.name: self.array(t) for t in model.graph.initializer}
        del everything

    @staticmethod
    def array(t):
        values = numpy_helper.to_array(t)
        if t.data_type in (TensorProto.INT4, TensorProto.UINT4):
            values = values.astype(np.int8 if t.data_type == TensorProto.INT4 else np.uint8)
        return values

    def run(self, x):
        values = self.values = {"x": x, "": None}
        for name, array in self.types.items():
            values[name] = torch.from_numpy(array.astype(np.float64))
        for node in self.model.graph.node:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant":
                array = numpy_helper.to_array(attributes["value"])
                self.types[node.output[0]] = array
                values[node.output[0]] = torch.from_numpy(np.asarray(array, np.float64))
                continue
            self.node = node
            inputs = [values[n] for n in node.input]
            results = getattr(self, node.op_type)(attributes, *inputs)
            for name, result in zip(node.output, results if isinstance(results, (tuple, list)) else [results]):
                truth = torch.from_numpy(np.asarray(self.truth[name], np.float64))
                assert result.shape == truth.shape, (node.op_type, result.shape, truth.shape)
                error = (result - truth).abs().max().item()
                limit = 1.01 if self.truth[name].dtype.kind in "iu" else 1e-3 * max(1, truth.abs().max().item())
                assert error <= limit, (node.op_type, node.name, error)
                values[name] = Pinned.apply(result, truth)
        return values["y"]

    def numbers(self, i):
        name = self.node.input[i] if i < len(self.node.input) else ""
        return self.types[name] if name in self.types else self.truth.get(name)

    # quantization

    def layout(self, x, s, axis, block=0):
        if s is None:
            return None
        if block:
            return s.repeat_interleave(block, axis).narrow(axis, 0, x.shape[axis])
        if s.numel() == 1:
            return s.reshape(())
        return s.reshape([-1 if i == axis % x.dim() else 1 for i in range(x.dim())])

    def quantize(self, x, scale, zero, axis=1, block=0):
        s, z = self.layout(x, scale, axis, block), self.layout(x, zero, axis, block)
        ratio = x / s
        part = (ratio.detach() - torch.floor(ratio.detach()) - 0.5).abs()
        if x.requires_grad:
            self.margin = min(self.margin, part.min().item())
        low, high = RANGES[self.truth[self.node.output[0]].dtype.type]
        q = Rounded.apply(ratio) + (0 if z is None else z)
        # whatever is representable passes, the ends of the range too; of torch.clamp versions differ there
        return torch.where((q < low) | (q > high), torch.clamp(q.detach(), low, high), q)

    def dequantize(self, x, scale, zero, axis=1, block=0):
        s, z = self.layout(x, scale, axis, block), self.layout(x, zero, axis, block)
        return (x - (0 if z is None else z)) * s

    def QuantizeLinear(self, a, x, s, z=None):
        return self.quantize(x, s, z, a.get("axis", 1), a.get("block_size", 0))

    def DequantizeLinear(self, a, x, s, z=None):
        return self.dequantize(x, s, z, a.get("axis", 1), a.get("block_size", 0))

    def DynamicQuantizeLinear(self, a, x):
        low, high = min(x.min().item(), 0), max(x.max().item(), 0)
        scale = torch.tensor((high - low) / 255, dtype=torch.float64)
        zero = torch.round(torch.clamp(-low / scale, 0, 255))
        # the range is that of x: what lies half a step beyond it, for the zero point was rounded too, has not saturated
        q = self.quantize(x, scale, zero)
        return Pinned.apply(x / scale, q.detach()), scale, zero

    def MatMulInteger(self, a, x, w, xz=None, wz=None):
        return (x - (0 if xz is None else xz)) @ (w - (0 if wz is None else wz))

    def ConvInteger(self, a, x, w, xz=None, wz=None):
        return self.Conv(a, x - (0 if xz is None else xz), w - (0 if wz is None else wz))

    def MatMulNBits(self, a, x, w, scales, zeros=None):
        n, k, block = a["N"], a["K"], a["block_size"]
        unpack = lambda v: torch.stack([v.reshape(n, -1) % 16, torch.floor(v.reshape(n, -1) / 16)], -1).reshape(n, -1)
        weights, blocks = unpack(w)[:, :k], k // block
        middle = 8 if zeros is None else unpack(zeros)[:, :blocks].repeat_interleave(block, 1)
        return x @ ((weights - middle) * scales.reshape(n, blocks).repeat_interleave(block, 1)).T

    def triple(self, operator, *, axis=1):
        def apply(a, x, xs, xz, ys, yz):
            return self.quantize(operator(a, self.dequantize(x, xs, xz)), ys, yz)

        return apply

    def QLinearConv(self, a, x, xs, xz, w, ws, wz, ys, yz, b=None):
        bias = None if b is None else b * xs * ws
        return self.quantize(self.Conv(a, self.dequantize(x, xs, xz), self.dequantize(w, ws, wz, 0), bias), ys, yz)

    def QLinearMatMul(self, a, x, xs, xz, w, ws, wz, ys, yz):
        return self.quantize(self.dequantize(x, xs, xz) @ self.dequantize(w, ws, wz, -1), ys, yz)

    def QGemm(self, a, x, xs, xz, w, ws, wz, b=None, ys=None, yz=None):
        w = self.dequantize(w, ws, wz, 0 if a.get("transB") else 1)
        y = self.dequantize(x, xs, xz) @ (w.T if a.get("transB") else w)
        y = y if b is None else y + b * xs * ws
        return y if ys is None else self.quantize(y, ys, yz)

    def QLinearAdd(self, a, x, xs, xz, y, ys, yz, zs, zz):
        return self.quantize(self.dequantize(x, xs, xz) + self.dequantize(y, ys, yz), zs, zz)

    def QLinearMul(self, a, x, xs, xz, y, ys, yz, zs, zz):
        return self.quantize(self.dequantize(x, xs, xz) * self.dequantize(y, ys, yz), zs, zz)

    def QLinearConcat(self, a, ys, yz, *parts):
        return self.quantize(torch.cat([self.dequantize(*parts[i : i + 3]) for i in range(0, len(parts), 3)], a["axis"]), ys, yz)

    def QLinearSigmoid(self, a, *t):
        return self.triple(lambda a, x: torch.sigmoid(x))(a, *t)

    def QLinearLeakyRelu(self, a, *t):
        return self.triple(lambda a, x: F.leaky_relu(x, a["alpha"]))(a, *t)

    def QLinearSoftmax(self, a, *t):
        return self.triple(lambda a, x: torch.softmax(x, a.get("axis", -1)))(a, *t)

    def QLinearAveragePool(self, a, *t):
        return self.triple(self.AveragePool)(a, *t)

    def QLinearGlobalAveragePool(self, a, *t):
        return self.triple(self.GlobalAveragePool)(a, *t)

    # ordinary operators

    def Cast(self, a, x):
        return x

    def Identity(self, a, x):
        return x

    def Add(self, a, x, y):
        return x + y

    def Sub(self, a, x, y):
        return x - y

    def Mul(self, a, x, y):
        return x * y

    def Div(self, a, x, y):
        return x / y

    def Pow(self, a, x, y):
        return x**y

    def Sqrt(self, a, x):
        return torch.sqrt(x)

    def Relu(self, a, x):
        return torch.relu(x)

    def LeakyRelu(self, a, x):
        return F.leaky_relu(x, a["alpha"])

    def Sigmoid(self, a, x):
        return torch.sigmoid(x)

    def Softmax(self, a, x):
        return torch.softmax(x, a.get("axis", -1))

    def MatMul(self, a, x, y):
        return x @ y

    def Gemm(self, a, x, w, b=None):
        y = x @ (w.T if a.get("transB") else w)
        return y if b is None else y + b

    def Conv(self, a, x, w, b=None):
        pads = a.get("pads", [0, 0, 0, 0])
        assert pads[:2] == pads[2:]
        return F.conv2d(x, w, b, a.get("strides", 1), pads[:2], a.get("dilations", 1), a.get("group", 1))

    def MaxPool(self, a, x):
        return F.max_pool2d(x, a["kernel_shape"], a["strides"])

    def AveragePool(self, a, x):
        return F.avg_pool2d(x, a["kernel_shape"], a["strides"])

    def GlobalAveragePool(self, a, x):
        return x.mean((2, 3), keepdim=True)

    def Resize(self, a, x, *rest):
        return F.interpolate(x, scale_factor=2.0, mode="nearest")

    def Flatten(self, a, x):
        return x.flatten(1)

    def Reshape(self, a, x, shape):
        return x.reshape([int(d) for d in shape])

    def Transpose(self, a, x):
        return x.permute(a["perm"])

    def Concat(self, a, *x):
        return torch.cat(x, a["axis"])

    def Split(self, a, x, sizes=None):
        parts = len(self.node.output)
        return x.split([int(s) for s in sizes] if sizes is not None else x.shape[a.get("axis", 0)] // parts, a.get("axis", 0))

    def Gather(self, a, x, i):
        picked = x.index_select(a.get("axis", 0), i.long().reshape(-1))
        return picked.squeeze(a.get("axis", 0)) if i.dim() == 0 else picked

    def Unsqueeze(self, a, x, axes):
        return x.unsqueeze(int(axes.reshape(-1)[0]))

    def Squeeze(self, a, x, axes):
        return x.squeeze(int(axes.reshape(-1)[0]))

    def ReduceMean(self, a, x, axes=None):
        return x.mean([int(i) for i in (a["axes"] if axes is None else axes)], keepdim=bool(a.get("keepdims", 1)))

    def LayerNormalization(self, a, x, w, b):
        return F.layer_norm(x, w.shape, w, b, a.get("epsilon", 1e-5))
