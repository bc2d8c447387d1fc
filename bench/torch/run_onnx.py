"""Runs an ONNX model as an eager PyTorch module and times it: the other side of bench/gradient.ts.

    python3 run_onnx.py model.onnx input.f32 wall|processor

Reads one command a line, answers one line of JSON each:
    forward N | gradient N | compiled N     N timed runs -> {"ms": [...]}, or {"failed": why}; compiled is the gradient under torch.compile
    save FILE                  the gradient of half the sum of squared outputs by the input, raw float32 -> {"shape": [...]}

Operators are fused where PyTorch has one function for what the file writes in several nodes (GELU, linear layers, L2
normalization), so that PyTorch is measured at its best. Weights need no gradient, only the input does.
"""

import functools
import json
import sys
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch.fx.experimental.proxy_tensor import make_fx

torch.set_num_threads(2)


def attributes(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def two_sided(pads):
    """ONNX pads of two axes as PyTorch's symmetric padding, or None."""
    top, left, bottom, right = pads or [0, 0, 0, 0]
    return (top, left) if (top, left) == (bottom, right) else None


def conv(a, x, w, b=None):
    padding = two_sided(a.get("pads"))
    if padding is None:
        top, left, bottom, right = a["pads"]
        x, padding = F.pad(x, (left, right, top, bottom)), 0
    return F.conv2d(x, w, b, a.get("strides", 1), padding, a.get("dilations", 1), a.get("group", 1))


def conv_transpose(a, x, w, b=None):
    padding = two_sided(a.get("pads")) or (0, 0)
    return F.conv_transpose2d(x, w, b, a.get("strides", 1), padding, a.get("output_padding", 0), a.get("group", 1), a.get("dilations", 1))


def resize(a, x, region, scales, sizes):
    corners = a.get("coordinate_transformation_mode", b"") == b"align_corners"
    return F.interpolate(x, size=sizes[2:], mode="bilinear", align_corners=corners)


def pad(a, x, pads, value=None):
    n = len(pads) // 2
    order = [p for axis in reversed(range(n)) for p in (pads[axis], pads[axis + n])]
    return F.pad(x, order, value=0.0 if value is None else value.item())


def slice_(a, x, starts, ends, axes=None, steps=None):
    index = [slice(None)] * x.dim()
    for i, (start, end) in enumerate(zip(starts, ends)):
        assert not steps or steps[i] == 1
        index[axes[i] if axes else i] = slice(start, end)
    return x[tuple(index)]


def pixel_shuffle(a, x):
    assert a.get("mode") == b"CRD"
    return F.pixel_shuffle(x, a["blocksize"])


def reduce(function):
    # Axes are an input since opset 18, an attribute before.
    return lambda a, x, axes=None: function(x, dim=axes or a["axes"], keepdim=bool(a.get("keepdims", 1)))


# Operands that follow the first and are whole-number constants come as Python lists.
OPERATORS = {
    "Add": lambda a, x, y: x + y,
    "AveragePool": lambda a, x: F.avg_pool2d(x, a["kernel_shape"], a.get("strides")),
    "Clip": lambda a, x, low, high: F.hardtanh(x, low.item(), high.item()),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DepthToSpace": pixel_shuffle,
    "Div": lambda a, x, y: x / y,
    "Expand": lambda a, x, shape: x.expand(shape),
    "Gather": lambda a, x, i: x.select(a.get("axis", 0), i),
    "GridSample": lambda a, x, grid: F.grid_sample(x, grid, align_corners=bool(a.get("align_corners", 0))),
    "LayerNormalization": lambda a, x, w, b: F.layer_norm(x, w.shape, w, b, a["epsilon"]),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a["alpha"]),
    "MatMul": lambda a, x, y: x @ y,
    "Max": lambda a, x, y: torch.maximum(x, y),
    "MaxPool": lambda a, x: F.max_pool2d(x, a["kernel_shape"], a["strides"], two_sided(a.get("pads"))),
    "Mul": lambda a, x, y: x * y,
    "Pad": pad,
    "ReduceL2": reduce(torch.linalg.vector_norm),
    "ReduceMean": reduce(torch.mean),
    "Relu": lambda a, x: F.relu(x),
    "Reshape": lambda a, x, shape: x.reshape(shape),
    "Resize": resize,
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Slice": slice_,
    "Softmax": lambda a, x: F.softmax(x, a.get("axis", -1)),
    "Split": lambda a, x, sizes: torch.split(x, sizes, a.get("axis", 0)),
    "Sqrt": lambda a, x: torch.sqrt(x),
    "Sub": lambda a, x, y: x - y,
    "Transpose": lambda a, x: x.permute(a["perm"]),
    # what fusion makes
    "fused Gelu": lambda a, x: F.gelu(x),
    "fused Linear": lambda a, x, w, b=None: F.linear(x, w, b),
    "fused Normalize": lambda a, x: F.normalize(x, dim=a["dim"], eps=a["eps"]),
    "fused PixelUnshuffle": lambda a, x: F.pixel_unshuffle(x, a["factor"]),
}


class Network:
    def __init__(self, path):
        graph = onnx.load(path).graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        nodes = [(n.op_type, attributes(n), list(n.input), list(n.output)) for n in graph.node]
        self.output = graph.output[0].name
        self.input = graph.input[0].name
        nodes = self.fuse(nodes)
        readers = {}
        for step, (_, _, inputs, _) in enumerate(nodes):
            for name in inputs:
                readers[name] = step
        self.steps = []
        for step, (op, a, inputs, outputs) in enumerate(nodes):
            dead = [n for n in set(inputs) if readers[n] == step and n and n not in self.constants and n != self.output]
            self.steps.append((OPERATORS[op], a, inputs, outputs, dead))
        self.ready = {"": None}
        for name, value in self.constants.items():
            whole = value.dtype == np.int64
            self.ready[name] = value.tolist() if whole else torch.from_numpy(value.copy())

    def fuse(self, nodes):
        """Whole patterns first to last; what they leave unused is dropped."""
        makers = {o: n for n in nodes for o in n[3]}

        def made(name, op):
            node = makers.get(name)
            return node if node and node[0] == op else None

        def number(name):
            value = self.constants.get(name)
            return value.item() if value is not None and value.size == 1 else None

        def gelu(node):  # x (erf(x / sqrt 2) + 1) / 2
            if node[0] != "Mul" or number(node[2][1]) != 0.5:
                return None
            product = made(node[2][0], "Mul")
            shifted = product and made(product[2][1], "Add")
            erf = shifted and made(shifted[2][0], "Erf")
            return erf and ("fused Gelu", {}, [product[2][0]], node[3])

        def linear(node):
            bias = []
            product = node
            if node[0] == "Add" and node[2][1] in self.constants:
                bias, product = [node[2][1]], made(node[2][0], "MatMul")
            if not product or product[0] != "MatMul":
                return None
            turned = made(product[2][1], "Transpose")
            return turned and turned[2][0] in self.constants and ("fused Linear", {}, [product[2][0], turned[2][0]] + bias, node[3])

        def normalize(node):  # x / max(||x||, epsilon)
            limit = node[0] == "Div" and made(node[2][1], "Max")
            norm = limit and made(limit[2][0], "ReduceL2")
            return norm and norm[2][0] == node[2][0] and ("fused Normalize", {"dim": -1, "eps": number(limit[2][1])}, [node[2][0]], node[3])

        def unshuffle(node):  # Reshape, Transpose, Reshape
            turned = node[0] == "Reshape" and made(node[2][0], "Transpose")
            cut = turned and turned[1]["perm"] == [0, 1, 3, 5, 2, 4] and made(turned[2][0], "Reshape")
            return cut and ("fused PixelUnshuffle", {"factor": int(self.constants[cut[2][1]][3])}, [cut[2][0]], node[3])

        fused = []
        for node in nodes:
            fused.append(gelu(node) or linear(node) or normalize(node) or unshuffle(node) or node)
        while True:
            used = {name for n in fused for name in n[2]} | {self.output}
            kept = [n for n in fused if any(o in used for o in n[3])]
            if len(kept) == len(fused):
                return kept
            fused = kept

    def __call__(self, x):
        values = dict(self.ready)
        values[self.input] = x
        for operator, a, inputs, outputs, dead in self.steps:
            result = operator(a, *[values[name] for name in inputs])
            for name in dead:  # as Python variables of a module go out of scope
                del values[name]
            if len(outputs) == 1:
                values[outputs[0]] = result
            else:
                values.update(zip(outputs, result))
        return values[self.output]


def main():
    # Processor time is taken on one thread, so that waiting for each other does not count.
    clock, threads = {"wall": (time.perf_counter, 2), "processor": (time.process_time, 1)}[sys.argv[3]]
    torch.set_num_threads(threads)
    network = Network(sys.argv[1])
    shape = [d.dim_value for d in onnx.load(sys.argv[1]).graph.input[0].type.tensor_type.shape.dim]
    image = torch.from_numpy(np.fromfile(sys.argv[2], dtype=np.float32).reshape(shape))

    def forward():
        with torch.no_grad():
            return network(image)

    def gradient(run=network):
        x = image.clone().requires_grad_(True)
        return torch.autograd.grad(run(x).square().sum() / 2, x)[0]

    @functools.cache
    def compiled():
        # as straight-line code: our loop over the steps would be many small graphs
        with torch.no_grad():
            return torch.compile(make_fx(network)(image))

    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        command, argument = line.split()
        if command == "save":
            result = gradient()
            result.numpy().tofile(argument)
            print(json.dumps({"shape": list(result.shape)}), flush=True)
            continue
        run, ms = {"forward": forward, "gradient": gradient, "compiled": lambda: gradient(compiled())}[command], []
        try:
            for _ in range(int(argument)):
                begin = clock()
                run()
                ms.append((clock() - begin) * 1000)
        except Exception as error:  # torch.compile needs a C++ compiler, and does not take every network
            print(json.dumps({"failed": str(error).strip().split("\n")[0]}), flush=True)
            continue
        print(json.dumps({"ms": ms}), flush=True)


if __name__ == "__main__":
    main()
