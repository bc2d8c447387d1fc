"""Quantized values, beside a float twin: the same network with Clip in the place of each rounding, whose gradient is the straight-through one up to rounding."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from case import Case, Skip, maker

MS = {"domain": "com.microsoft"}
RANGES = {np.uint8: (0, 255), np.int8: (-128, 127), np.uint16: (0, 65535), np.int16: (-32768, 32767)}


class Quantized:
    """A value of the quantized file (name, scale, zero point) beside the same value of the twin."""

    def __init__(self, both: Both, name: str, scale: str, zero: str, twin: str, step: float, offset: int, kind: type):
        self.both, self.name, self.scale, self.zero, self.twin = both, name, scale, zero, twin
        self.step, self.offset, self.kind = step, offset, kind

    @property
    def triple(self) -> list[str]:
        return [self.name, self.scale, self.zero]

    def moved(self, op, inputs=(), twin_inputs=None, **attributes) -> Quantized:
        """What a node makes of it that only moves elements."""
        name = self.both.c.node(op, [self.name, *inputs], **attributes)
        twin = self.both.t.node(op, [self.twin, *(inputs if twin_inputs is None else twin_inputs)], **attributes)
        return Quantized(self.both, name, self.scale, self.zero, twin, self.step, self.offset, self.kind)


class Both:
    """The quantized file and its twin, which share inputs and weights."""

    def __init__(self, c: Case):
        c.kind = np.float32
        self.c = c
        self.t = c.twin = Case(c.rng, c.opset, np.float32)
        self.t.inputs, self.t.weights = c.inputs, c.weights

    def value(self, name: str) -> np.ndarray:
        """What the twin has there."""
        if name in self.c.weights:
            return self.c.weights[name]
        if name in self.c.inputs:
            return self.c.inputs[name]
        outputs, self.t.outputs = self.t.outputs, [name]
        model = self.t.plain()
        self.t.outputs = outputs
        options = ort.SessionOptions()
        options.log_severity_level = 4
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, self.c.inputs)[0]

    def steps(self, twin: str, kind: type, tight=1.0) -> tuple[float, int]:
        """Scale and zero point that hold a value, or nearly all of it."""
        v = self.value(twin)
        low, high = RANGES[kind]
        least, most = (min(float(v.min()), 0) * tight, max(float(v.max()), 0) * tight) if v.size else (-1.0, 1.0)
        step = np.float32(max(most - least, 1e-3) / (high - low))
        return float(step), int(np.clip(np.rint(low - least / step), low, high))

    def clipped(self, twin: str, step: float, offset: int, kind: type) -> str:
        # what is beyond by less than half a step is rounded to the last
        low, high = ((b - offset + half) * step for b, half in zip(RANGES[kind], (-0.49, 0.49)))
        return self.t.node("Max", [self.t.node("Min", [twin, self.c.weight(np.array(high, np.float32))]), self.c.weight(np.array(low, np.float32))])

    def quantize(self, name: str, twin: str, kind: type, domain="") -> Quantized:
        step, offset = self.steps(twin, kind, self.c.pick(1.0, 0.9))
        form = self.c.pick([], [1]) if domain == "" else []
        scale, zero = self.c.weight(np.array([step] if form else step, np.float32)), self.c.weight(np.array([offset] if form else offset, kind))
        if kind is np.uint8 and offset == 0 and domain == "" and self.c.chance(0.5):
            q = self.c.node("QuantizeLinear", [name, scale])
        else:
            q = self.c.node("QuantizeLinear", [name, scale, zero], domain=domain)
        return Quantized(self, q, scale, zero, self.clipped(twin, step, offset, kind), step, offset, kind)

    def made(self, op, inputs, twin: str, kind: type, before=False, **attributes) -> Quantized:
        """What a QLinear operator makes: `twin` is what it makes of the real numbers."""
        step, offset = self.steps(twin, kind, 1.1)
        scale, zero = self.c.weight(np.array(step, np.float32)), self.c.weight(np.array(offset, kind))
        operands = [scale, zero, *inputs] if before else [*inputs, scale, zero]
        q = self.c.node(op, operands, **attributes)
        return Quantized(self, q, scale, zero, self.clipped(twin, step, offset, kind), step, offset, kind)

    def real(self, q: Quantized, domain="") -> tuple[str, str]:
        without = q.offset == 0 and self.c.chance(0.5)
        return self.c.node("DequantizeLinear", [q.name, q.scale, *([] if without else [q.zero])], domain=domain), q.twin

    def weights(self, shape, channels: int | None, kind: type = np.int8) -> tuple[list[str], str]:
        """Quantized weights (value, scale, zero point), with a scale for each channel along an axis or one for all, and the real ones."""
        low, high = (-60, 60) if kind is np.int8 else (70, 190)
        q = self.c.rng.integers(low, high, size=shape).astype(kind)
        sizes = [] if channels is None else [shape[channels]]
        scale = (np.abs(self.c.rng.normal(size=sizes)) * 0.004 + 0.006).astype(np.float32)
        zero = np.asarray(self.c.rng.integers(-5, 5, size=sizes) if kind is np.int8 and self.c.chance(0.3) else np.zeros(sizes), np.int32)
        zero = (zero + (0 if kind is np.int8 else 128)).astype(kind)
        along = [-1 if i == channels else 1 for i in range(len(shape))] if channels is not None else []
        real = (q.astype(np.float32) - zero.reshape(along).astype(np.float32)) * scale.reshape(along)
        return [self.c.weight(q), self.c.weight(scale), self.c.weight(zero)], self.c.weight(real.astype(np.float32))

    def bias(self, n: int, step: float, scale: str) -> tuple[str, str]:
        real = step * self.c.weights[scale]
        q = self.c.rng.integers(-300, 300, size=[n]).astype(np.int32)
        return self.c.weight(q), self.c.weight((q * real).astype(np.float32))


def image(b: Both) -> str:
    return b.c.input([1, b.c.pick(2, 3, 4), b.c.pick(5, 6, 8), b.c.pick(5, 6, 7)])


def conv(b: Both, x: Quantized, kind: type) -> Quantized:
    channels, n = b.value(x.twin).shape[1], b.c.pick(2, 4)
    group = b.c.pick(1, channels)
    n = n * group if group > 1 else n
    w, real = b.weights([n, channels // group, 3, 3], b.c.pick(None, 0), np.int8)
    more, twin = ([], [])
    if b.c.chance(0.5):
        q, r = b.bias(n, x.step, w[1])
        more, twin = [q], [r]
    attributes = {"pads": b.c.pick(None, [1, 1, 1, 1]), "group": group, "strides": b.c.pick(None, [2, 2])}
    y = b.t.node("Conv", [x.twin, real, *twin], **attributes)
    step, offset = b.steps(y, kind, 1.1)
    scale, zero = b.c.weight(np.array(step, np.float32)), b.c.weight(np.array(offset, kind))
    q = b.c.node("QLinearConv", [*x.triple, *w, scale, zero, *more], **attributes)
    return Quantized(b, q, scale, zero, b.clipped(y, step, offset, kind), step, offset, kind)


def step_of(b: Both, x: Quantized, kind: type) -> Quantized:
    """One operator on a quantized image."""
    c = b.c
    shape = list(b.value(x.twin).shape)
    op = c.pick("QLinearConv", "QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearConcat", "QLinearReduceMean", "QLinearWhere",
                "QLinearSoftmax", "MaxPool", "Transpose", "Reshape", "Pad", "Slice", "Gather", "Split", "Concat", "Expand", "Tile", "DepthToSpace", "Resize", "Squeeze", "Where", "ReduceMax", "Max", "GatherElements",
                "Flatten", "NhwcMaxPool", "Identity", "GatherND", "ScatterElements", "Clip", "Trilu", "ReverseSequence", "CenterCropPad", "If")
    spatial = len(shape) == 4 and min(shape[2:]) >= 3
    if op in ("QLinearConv", "QLinearAveragePool", "MaxPool", "QLinearGlobalAveragePool", "NhwcMaxPool", "Resize") and not spatial:
        op = "QLinearMul"
    if op == "QLinearConv":
        return conv(b, x, kind)
    if op in ("QLinearAdd", "QLinearMul"):
        values = c.numbers(c.pick(shape, shape[-1:], [1] * len(shape)))
        other = b.quantize(w := c.weight(values), w, kind) if c.chance(0.5) else x
        pair = [x, other] if c.chance(0.5) else [other, x]
        return b.made(op, [*pair[0].triple, *pair[1].triple], b.t.node(op[7:], [p.twin for p in pair]), kind, **MS)
    if op in ("QLinearSigmoid", "QLinearLeakyRelu"):
        alpha = {"alpha": 0.3} if op[-1] == "u" else {}
        return b.made(op, x.triple, b.t.node(op[7:], [x.twin], **alpha), kind, **MS, **alpha)
    if op == "QLinearSoftmax":
        return b.made(op, x.triple, b.t.node("Softmax", [x.twin], axis=-1), kind, axis=-1, opset=13, **MS)
    if op == "QLinearAveragePool":
        a = {"kernel_shape": [2, 2], **c.pick({}, {"ceil_mode": 1, "strides": [2, 2]}, {"pads": [1, 1, 0, 0], "count_include_pad": 1}, {"pads": [1, 1, 0, 0]})}
        return b.made(op, x.triple, b.t.node("AveragePool", [x.twin], **a), kind, **MS, **a)
    if op == "QLinearGlobalAveragePool":
        return b.made(op, x.triple, b.t.node("GlobalAveragePool", [x.twin]), kind, **MS)
    if op == "QLinearConcat":
        other = b.quantize(w := c.weight(c.numbers(shape)), w, kind)
        axis = int(c.rng.integers(0, len(shape)))
        return b.made(op, [*x.triple, *other.triple, *x.triple], b.t.node("Concat", [x.twin, other.twin, x.twin], axis=axis), kind, before=True, axis=axis, **MS)
    if op == "QLinearReduceMean":
        axis = len(shape) - 1
        mean = b.t.node("ReduceMean", [x.twin, c.ints([axis])] if c.opset >= 18 else [x.twin], keepdims=1, **({} if c.opset >= 18 else {"axes": [axis]}))
        return b.made(op, x.triple, mean, kind, axes=[axis], keepdims=1, **MS)
    if op == "QLinearWhere":
        other = b.quantize(w := c.weight(c.numbers(shape)), w, kind)
        mask = c.weight(c.rng.random(shape) < 0.6)
        return b.made(op, [mask, *x.triple, *other.triple], b.t.node("Where", [mask, x.twin, other.twin]), kind, **MS)
    return moving(b, x, op, shape, kind)


def moving(b: Both, x: Quantized, op: str, shape: list[int], kind: type) -> Quantized:
    """One operator of ONNX's own that takes quantized integers as they are."""
    c, rank = b.c, len(shape)
    axis = int(c.rng.integers(0, rank))
    constant = lambda real: np.array(np.clip(np.rint(real / x.step) + x.offset, *RANGES[kind]), kind)
    number = lambda v: (c.weight(v), c.weight(((v.astype(np.float32) - x.offset) * np.float32(x.step)).astype(np.float32)))
    if op == "MaxPool":
        return x.moved(op, kernel_shape=[2, 2], strides=c.pick(None, [2, 2]), pads=c.pick(None, [1, 0, 0, 1]))
    if op == "NhwcMaxPool":
        last = x.moved("Transpose", perm=[0, 2, 3, 1])
        name = c.node(op, [last.name], kernel_shape=[2, 2], strides=[2, 2], **MS)
        twin = b.t.node("Transpose", [b.t.node("MaxPool", [x.twin], kernel_shape=[2, 2], strides=[2, 2])], perm=[0, 2, 3, 1])
        return Quantized(b, name, x.scale, x.zero, twin, x.step, x.offset, kind)
    if op == "Transpose":
        return x.moved(op, perm=[int(i) for i in c.rng.permutation(rank)])
    if op == "Reshape":
        return x.moved(op, [c.ints([shape[0], -1])])
    if op == "Flatten":
        return x.moved(op, axis=min(2, rank))
    if op == "Squeeze":
        return x.moved("Unsqueeze", [c.ints([0])]).moved(op, [c.ints([0])])
    if op == "Pad":
        mode = c.pick(None, "constant", "edge", "reflect")
        q, real = number(constant(c.pick(0.0, 0.3)))
        pads = [0] * (2 * rank)
        pads[rank - 1], pads[-1] = 1, 1
        filled = mode in (None, "constant")
        return x.moved(op, [c.ints(pads), *([q] if filled else [])], [c.ints(pads), *([real] if filled else [])], mode=mode)
    if op == "Slice":
        return x.moved(op, [c.ints([0]), c.ints([max(shape[axis] - 1, 1)]), c.ints([axis])])
    if op == "Gather":
        return x.moved(op, [c.weight(c.rng.integers(0, shape[axis], size=[3]))], axis=axis)
    if op == "GatherElements":
        return x.moved(op, [c.weight(c.rng.integers(0, shape[axis], size=shape))], axis=axis)
    if op == "GatherND":
        return x.moved(op, [c.weight(c.rng.integers(0, shape[0], size=[2, 1]))])
    if op == "Split":
        if shape[axis] < 2:
            return x.moved("Identity")
        sizes = c.ints([1, shape[axis] - 1])
        q, t = c.node(op, [x.name, sizes], outputs=2, axis=axis)[1], b.t.node(op, [x.twin, sizes], outputs=2, axis=axis)[1]
        return Quantized(b, q, x.scale, x.zero, t, x.step, x.offset, kind)
    if op == "Concat":
        return x.moved(op, [x.name], [x.twin], axis=axis)
    if op == "Expand":
        return x.moved("Unsqueeze", [c.ints([0])]).moved(op, [c.ints([2, *[1] * rank])])
    if op == "Tile":
        return x.moved(op, [c.ints([2 if i == axis else 1 for i in range(rank)])])
    if op == "DepthToSpace":
        return x.moved("Concat", [x.name] * 3, [x.twin] * 3, axis=1).moved(op, blocksize=2) if rank == 4 else x.moved("Identity")
    if op == "Resize":
        return x.moved(op, ["", c.weight(np.array([1, 1, 2, 2], np.float32))], mode="nearest")
    if op == "Where" and kind is np.int8:
        op = "Identity"  # ONNX Runtime's binding for Node, 1.30, has no kernel for it
    if op in ("Where", "Max"):
        q, real = number(constant(c.numbers(shape) if op == "Where" else c.numbers([]) * 0.3))
        if op == "Max":
            return x.moved(c.pick("Max", "Min"), [q], [real])
        mask = c.weight(c.rng.random(shape) < 0.6)
        name, twin = c.node(op, [mask, x.name, q]), b.t.node(op, [mask, x.twin, real])
        return Quantized(b, name, x.scale, x.zero, twin, x.step, x.offset, kind)
    if op == "Clip":
        (low, real_low), (high, real_high) = number(constant(-0.5)), number(constant(0.7))
        return x.moved(op, [low, high], [real_low, real_high])
    if op == "ReduceMax":
        return x.moved(op, **({"axes": [axis]})) if c.opset < 18 else x.moved(op, [c.ints([axis])])
    if op == "ScatterElements":
        q, real = number(constant(c.numbers([1] * rank)))
        where = c.weight(np.zeros([1] * rank, np.int64))
        return x.moved(op, [where, q], [where, real], axis=axis)
    if op == "Trilu":
        return x.moved(op) if c.opset >= 14 and x.offset == 0 else x.moved("Identity")
    if op == "ReverseSequence":
        return x.moved(op, [c.weight(np.array([shape[1]] * shape[0], np.int64))], batch_axis=0, time_axis=1)
    if op == "CenterCropPad":
        return x.moved(op, [c.ints([max(shape[axis] - 1, 1)])], axes=[axis]) if c.opset >= 18 else x.moved("Identity")
    if op == "If":
        branch = lambda name: helper.make_graph([helper.make_node("Identity", [name], [f"{name}_b"])], "b", [], [helper.make_empty_tensor_value_info(f"{name}_b")])
        flag = c.node("Greater", [c.node("ReduceMax", [next(iter(c.inputs))], keepdims=0), c.weight(np.array(0, np.float32))])
        t_flag = b.t.node("Greater", [b.t.node("ReduceMax", [next(iter(c.inputs))], keepdims=0), c.weight(np.array(0, np.float32))])
        name = c.node("If", [flag], then_branch=branch(x.name), else_branch=branch(x.name))
        twin = b.t.node("If", [t_flag], then_branch=branch(x.twin), else_branch=branch(x.twin))
        return Quantized(b, name, x.scale, x.zero, twin, x.step, x.offset, kind)
    return x.moved("Identity")


@maker
def qoperator(c: Case):
    c.opset = max(c.opset, 13)
    b = Both(c)
    kind = c.pick(np.uint8, np.int8)
    x = image(b)
    q = b.quantize(x, x, kind)
    for _ in range(c.pick(1, 2, 3)):
        q = step_of(b, q, kind)
    y, twin = b.real(q)
    c.outputs, c.twin.outputs = [y], [twin]


@maker
def qdq(c: Case):
    """Pairs about float operators, of 8 and 16 bits, of one domain or the other."""
    c.opset = max(c.opset, 13)
    b = Both(c)
    domain = c.pick("", "com.microsoft")
    kind = c.pick(np.uint8, np.int8, *([np.uint16, np.int16] if c.opset >= 21 or domain else []))
    x = image(b)
    pair = lambda v, t: b.real(b.quantize(v, t, kind, domain), domain)
    v, t = pair(x, x)
    for _ in range(c.pick(1, 2)):
        channels = b.value(t).shape[1]
        w, real = b.weights([4, channels, 3, 3], axis := c.pick(None, 0, 1), np.int8)
        op = c.pick("Conv", "ConvTranspose", "Relu", "MatMul", "Softmax", "HardSwish")
        if op == "ConvTranspose":
            w, real = b.weights([channels, 4, 3, 3], axis := c.pick(None, 0, 1), np.int8)
        if op == "MatMul":
            w, real = b.weights([b.value(t).shape[-1], 3], axis := c.pick(None, 0, 1), np.int8)
        if op in ("Conv", "ConvTranspose", "MatMul"):
            dw = c.node("DequantizeLinear", w, domain=domain, axis=None if axis is None else c.pick(axis, axis - len(b.value(real).shape)))
            v, t = c.node(op, [v, dw], pads=(p := [1, 1, 1, 1] if op != "MatMul" else None)), b.t.node(op, [t, real], pads=p)
        elif op != "HardSwish" or c.opset >= 14:
            v, t = c.node(op, [v]), b.t.node(op, [t])
        v, t = pair(v, t)
    c.outputs, c.twin.outputs = [v], [t]


@maker
def integer(c: Case):
    """Products of integers, quantized when they run or before."""
    c.opset = max(c.opset, 13)
    b = Both(c)
    op = c.pick("MatMulInteger", "ConvInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QLinearMatMul", "QGemm", "MatMulNBits", "QAttention")
    if op == "ConvInteger":
        x = image(b)
        w, real = b.weights([4, c.inputs[x].shape[1], 3, 3], None, c.pick(np.int8, np.uint8))
        a, s, z = c.node("DynamicQuantizeLinear", [x], outputs=3)
        attributes = {"pads": c.pick(None, [1, 1, 1, 1])}
        y = c.node("Cast", [c.node(op, [a, w[0], z, w[2]], **attributes)], to=1)
        c.outputs, c.twin.outputs = [c.node("Mul", [y, c.node("Mul", [s, w[1]])])], [b.t.node("Conv", [x, real], **attributes)]
        return
    batch = c.pick([], [2], [1, 2])
    m, k, n = c.pick(1, 2, 4), c.pick(3, 8), c.pick(3, 5)
    if op == "MatMulNBits":
        bits, block = c.pick(4, 8), 16
        k = c.pick(16, 24, 32, 40)
        blocks = -(-k // block)
        x = c.input([*batch, m, k])
        q = c.rng.integers(0, 2**bits, size=[n, blocks, block])
        scale = (np.abs(c.rng.normal(size=[n, blocks])) * 0.01 + 0.02).astype(np.float32)
        zero = c.rng.integers(0, 2**bits, size=[n, blocks])
        packed = lambda v: (v if bits == 8 else np.pad(v, [(0, 0)] * (v.ndim - 1) + [(0, v.shape[-1] % 2)])).astype(np.uint8)
        pack = lambda v: packed(v) if bits == 8 else (packed(v)[..., ::2] | (packed(v)[..., 1::2] << 4)).astype(np.uint8)
        given = c.pick("none", "packed", "float")
        if given == "none":
            zero = np.full_like(zero, 2 ** (bits - 1))
        real = ((q - zero[..., None]) * scale[..., None]).reshape(n, -1)[:, :k].T
        extra = {"none": [], "packed": [c.weight(pack(zero).reshape(-1))], "float": [c.weight(zero.astype(np.float32))]}[given]
        c.outputs = [c.node(op, [x, c.weight(pack(q)), c.weight(scale.reshape(-1)), *extra], K=k, N=n, bits=bits, block_size=block, **MS)]
        c.twin.outputs = [b.t.node("MatMul", [x, c.weight(np.ascontiguousarray(real).astype(np.float32))])]
        return
    x = c.input([m, k] if op == "QGemm" else [*batch, m, k])
    # what stands for columns: the last axis of B, or its first where it is transposed
    if op in ("QLinearMatMul", "QGemm"):
        kind = c.pick(np.uint8, np.int8)
        a = b.quantize(x, x, kind)
        transposed = op == "QGemm" and c.chance(0.5)
        w, real = b.weights([n, k] if transposed else [k, n], c.pick(None, 0 if transposed else 1), np.int8 if kind is np.int8 else c.pick(np.int8, np.uint8))
        if op == "QLinearMatMul":
            q = b.made(op, [*a.triple, *w], b.t.node("MatMul", [a.twin, real]), kind)
            y, twin = b.real(q)
        else:
            more, twins = c.pick(([], []), None) or ([[v] for v in b.bias(n, a.step, w[1])])
            alpha = c.pick(None, 0.5)
            t = b.t.node("Gemm", [a.twin, real, *twins], alpha=alpha, transB=int(transposed))
            if alpha is not None and twins:
                raise Skip
            if c.chance(0.5):
                y, twin = c.node(op, [*a.triple, *w, *(more or [])], alpha=alpha, transB=int(transposed), **MS), t
            else:
                y, twin = b.real(b.made(op, [*a.triple, *w, *(more or [""])], t, kind, alpha=alpha, transB=int(transposed), **MS))
        c.outputs, c.twin.outputs = [y], [twin]
        return
    if op == "QAttention":
        c.inputs.clear()
        x = c.input([1, 3, 8])
        a = b.quantize(x, x, np.uint8)
        w, real = b.weights([8, 24], c.pick(None, 1), c.pick(np.int8, np.uint8))
        bias = c.weight(c.numbers([24]))
        c.outputs = [c.node(op, [a.name, w[0], bias, a.scale, w[1], "", a.zero, w[2]], num_heads=2, unidirectional=(u := c.pick(None, 1)), **MS)]
        c.twin.outputs = [b.t.node("Attention", [a.twin, real, bias], num_heads=2, unidirectional=u, **MS)]
        return
    w, real = b.weights([k, n], c.pick(None, 1), c.pick(np.int8, np.uint8))
    bias = [c.weight(c.numbers([n]))] if c.chance(0.5) else []
    product = b.t.node("MatMul", [x, real])
    twin = b.t.node("Add", [product, *bias]) if bias and op != "MatMulInteger" else product
    if op == "DynamicQuantizeMatMul":
        y = c.node(op, [x, *w, *bias], **MS)
    else:
        a, s, z = c.node("DynamicQuantizeLinear", [x], outputs=3)
        if op == "MatMulInteger":
            y = c.node("Mul", [c.node("Cast", [c.node(op, [a, w[0], z, w[2]])], to=1), c.node("Mul", [s, w[1]])])
        else:
            y = c.node(op, [a, w[0], s, w[1], z, w[2], *bias], **MS)
    c.outputs, c.twin.outputs = [y], [twin]


@maker
def few_bits(c: Case):
    """Weights of 4 bits, in blocks, of odd sizes; constants that a chain of nodes makes."""
    c.opset = max(c.opset, 21)
    b = Both(c)
    kind, (low, high) = c.pick((T.INT4, (-8, 7)), (T.UINT4, (0, 15)))
    k, n = c.pick(3, 5, 6, 8), c.pick(3, 5, 7)
    x = c.input([2, k])
    q = c.rng.integers(low, high + 1, size=[k, n])
    block = c.pick(None, 2, 3)
    axis = c.pick(0, 1, -1, -2)
    along = axis % 2
    shape = [k, n]
    sizes = c.pick([], [shape[along]]) if block is None else [-(-d // block) if i == along else d for i, d in enumerate(shape)]
    scale = (np.abs(c.rng.normal(size=sizes)) * 0.05 + 0.05).astype(np.float32)
    zero = c.rng.integers(low, high + 1, size=sizes)
    spread = lambda v: v if v.ndim == 0 else (v.reshape([-1 if i == along else 1 for i in range(2)]) if block is None else np.repeat(v, block, along)[tuple(slice(d) for d in shape)])
    with_zero = c.chance(0.6)
    real = (q - (spread(zero) if with_zero else 0)) * spread(scale)
    tensor = lambda name, v: c.raw(helper.make_tensor(name, kind, v.shape, v.reshape(-1).tolist()))
    w = c.node("DequantizeLinear", [tensor("q", q), c.weight(scale), *([tensor("z", zero)] if with_zero else [])], axis=axis, block_size=block)
    moved = c.pick(lambda v: v, lambda v: c.node("Identity", [v]), lambda v: c.node("Transpose", [c.node("Transpose", [v])]))(w)
    c.outputs, c.twin.outputs = [c.node("MatMul", [x, moved])], [b.t.node("MatMul", [x, c.weight(real.astype(np.float32))])]
