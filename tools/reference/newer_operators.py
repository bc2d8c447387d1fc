"""Writes fixtures/golden/newer-operators: operators that opset 18 does not have, or that are taken apart for their gradient, against PyTorch.

Form and tolerances are those of fixtures/golden/gradients (its README explains them): values and gradients by PyTorch in float64, files in
float32. Single operators are written with onnx.helper; networks are exported by torch.onnx (its exporter of 2.15, opset 23 or 24).
Made with PyTorch 2.15.0, torchvision 0.29.2 and onnx 1.23.2:

    python tools/reference/newer_operators.py
"""
import json
import math
import os
import warnings

import numpy as np
import onnx
import torch
import torchvision
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(__file__), "../../fixtures/golden/newer-operators")
MICROSOFT = "com.microsoft"
manifest = []
rng = np.random.default_rng(23)


def f32(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def relative(a, b):
    return float(np.linalg.norm(a.astype(np.float64) - b) / max(np.linalg.norm(b), 1e-30))


def reference(function, inputs, cotangents, dtype):
    """Outputs and gradients of the sum of v·y by PyTorch."""
    tensors = {k: torch.tensor(v).to(dtype).requires_grad_() if v.dtype == np.float32 else torch.tensor(v) for k, v in inputs.items()}
    outputs = function(**tensors)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    if cotangents is None:
        cotangents = [f32(*o.shape) for o in outputs]
    total = sum((o * torch.tensor(v).to(dtype)).sum() for o, v in zip(outputs, cotangents))
    wrt = [k for k, t in tensors.items() if t.requires_grad]
    slopes = torch.autograd.grad(total, [tensors[k] for k in wrt], allow_unused=True)
    return [o.detach().numpy() for o in outputs], dict(zip(wrt, slopes)), cotangents


def save(name, kind, model, inputs, function, outputs=("y",), without=(), note=""):
    """`without`: inputs whose gradient PyTorch does not give."""
    values, slopes, cotangents = reference(function, inputs, None, torch.float64)
    rough, rough_slopes, _ = reference(function, inputs, cotangents, torch.float32)
    stored, floor = dict(inputs), {}
    for o, value, v, r in zip(outputs, values, cotangents, rough):
        stored[o], stored[f"v.{o}"] = value.astype(np.float32), v
        floor[o] = {"relL2": float(f"{relative(r, value):.2e}")}
    gradients = []
    for k, g in slopes.items():
        if k in without:
            continue
        d = np.zeros(inputs[k].shape) if g is None else g.numpy()
        stored[f"d.{k}"] = d.astype(np.float32)
        floor[f"d.{k}"] = {"relL2": 0 if g is None else float(f"{relative(rough_slopes[k].numpy(), d):.2e}")}
        gradients.append(f"d.{k}")
    onnx.save(model, f"{OUT}/{name}.onnx")
    save_file({k: np.ascontiguousarray(v) for k, v in stored.items()}, f"{OUT}/{name}.safetensors")
    dtype = lambda a: {"f": "F32", "i": "I64", "b": "BOOL"}[a.dtype.kind]
    ops = sorted({n.op_type for n in model.graph.node})
    opset = next(o.version for o in model.opset_import if o.domain == "")
    manifest.append(
        {
            "name": name,
            "kind": kind,
            "ops": ops,
            "opset": opset,
            "inputs": [{"name": k, "dtype": dtype(v), "shape": list(v.shape)} for k, v in inputs.items()],
            "outputs": [{"name": o, "dtype": "F32", "shape": list(v.shape)} for o, v in zip(outputs, values)],
            "gradients": gradients,
            "float32NoiseFloor": floor,
            "sensitivity1e-6": 0,
            "note": note,
        }
    )


def operator(name, op, opset, inputs, function, constants=None, order=None, outputs=("y",), domain="", without=(), note="", **attributes):
    constants = constants or {}
    order = order or [*inputs, *constants]
    kinds = {"f": TensorProto.FLOAT, "i": TensorProto.INT64, "b": TensorProto.BOOL}
    node = helper.make_node(op, order, list(outputs), name=op, domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        name,
        [helper.make_tensor_value_info(k, kinds[v.dtype.kind], v.shape) for k, v in inputs.items()],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs if o],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=imports, producer_name="tools/reference/newer_operators.py")
    model.ir_version = 10
    save(name, "op", model, inputs, function, [o for o in outputs if o], without, note)


def exported(name, module, inputs, opset, note=""):
    module = module.eval()
    path = f"{OUT}/{name}.onnx"
    torch.onnx.export(
        module, tuple(torch.tensor(v) for v in inputs.values()), path, input_names=list(inputs), output_names=["y"],
        opset_version=opset, dynamo=True, external_data=False, verbose=False,
    )
    model = onnx.load(path)
    for n in model.graph.node:
        del n.metadata_props[:]
    for v in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del v.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    def function(**tensors):
        typed = module.double() if next(iter(tensors.values())).dtype == torch.float64 else module.float()
        return typed(*tensors.values())
    save(name, "model", model, inputs, function, note=note)


os.makedirs(OUT, exist_ok=True)

# ---- sampling ----------------------------------------------------------------------------------------------------------------------
for padding in ("zeros", "border", "reflection"):
    for corners in (0, 1):
        x, grid = f32(1, 2, 3, 4, 3), f32(1, 2, 3, 2, 3, scale=0.8)
        operator(
            f"gridsample_volume_{padding}_{'corners' if corners else 'half_pixel'}", "GridSample", 20, {"x": x, "grid": grid},
            lambda x, grid, padding=padding, corners=corners: F.grid_sample(x, grid, "bilinear", padding, bool(corners)),
            mode="linear", padding_mode=padding, align_corners=corners,
        )
operator(
    "gridsample_volume_nearest", "GridSample", 20, {"x": f32(1, 2, 3, 4, 3), "grid": f32(1, 2, 3, 2, 3, scale=0.8)},
    lambda x, grid: F.grid_sample(x, grid, "nearest", "zeros", False), mode="nearest",
)
for size, shape in (([2, 3, 4, 5], (2, 2, 3)), ([1, 1, 3, 4, 5], (1, 3, 4))):
    for corners in (0, 1):
        operator(
            f"affinegrid_{len(size) - 2}d_{'corners' if corners else 'half_pixel'}", "AffineGrid", 20, {"theta": f32(*shape)},
            lambda theta, size=size, corners=corners: F.affine_grid(theta, size, bool(corners)),
            {"size": np.array(size, np.int64)}, align_corners=corners,
        )

# ---- deformable convolution, regions ------------------------------------------------------------------------------------------------
deform = torchvision.ops.deform_conv2d
operator(
    "deformconv_mask", "DeformConv", 19,
    {"x": f32(1, 4, 5, 6), "w": f32(3, 4, 3, 3, scale=0.3), "offset": f32(1, 18, 5, 6), "b": f32(3), "mask": np.abs(f32(1, 9, 5, 6))},
    lambda x, w, offset, b, mask: deform(x, offset, w, b, padding=1, mask=mask), pads=[1, 1, 1, 1], kernel_shape=[3, 3],
)
operator(
    "deformconv_groups", "DeformConv", 19,
    {"x": f32(2, 4, 6, 7), "w": f32(4, 2, 2, 3, scale=0.4), "offset": f32(2, 24, 3, 2)},
    lambda x, w, offset: deform(x, offset, w, stride=2, padding=(1, 0), dilation=(2, 2)),
    group=2, offset_group=2, strides=[2, 2], pads=[1, 0, 1, 0], dilations=[2, 2],
)
boxes = np.array([[0, 0.43, 0.83, 4.62, 3.87], [1, 2.13, 1.37, 6.84, 6.53], [0, -1.45, 1.91, 2.76, 9.13]], np.float32)
for aligned in (0, 1):
    for ratio in (0, 2):
        operator(
            f"roialign_{'half_pixel' if aligned else 'output_half_pixel'}_{ratio or 'adaptive'}", "RoiAlign", 16, {"x": f32(2, 3, 6, 7)},
            lambda x, aligned=aligned, ratio=ratio: torchvision.ops.roi_align(
                x, torch.tensor(boxes).to(x.dtype), (2, 3), 0.9, ratio or -1, bool(aligned)
            ),
            {"rois": boxes[:, 1:].copy(), "batch": boxes[:, 0].astype(np.int64)},
            output_height=2, output_width=3, spatial_scale=0.9, sampling_ratio=ratio,
            coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel",
        )

# ---- recurrent ---------------------------------------------------------------------------------------------------------------------
T, N, I, H = 5, 2, 3, 4


def onnx_weights(module, gates):
    """PyTorch's weights, gates in ONNX's order, directions along the first axis."""
    def part(kind):
        rows = []
        for suffix in ("", "_reverse")[: 2 if module.bidirectional else 1]:
            t = getattr(module, f"{kind}_l0{suffix}").detach().numpy()
            blocks = np.split(t, len(gates))
            rows.append(np.concatenate([blocks[g] for g in gates]))
        return np.stack(rows)
    return part("weight_ih"), part("weight_hh"), np.concatenate([part("bias_ih"), part("bias_hh")], 1)


torch.manual_seed(5)
for op, kind, gates in (("LSTM", nn.LSTM, [0, 3, 1, 2]), ("GRU", nn.GRU, [1, 0, 2]), ("RNN", nn.RNN, [0])):
    for both in (False, True):
        module = kind(I, H, bidirectional=both)
        w, r, b = onnx_weights(module, gates)
        D = 2 if both else 1
        states = {"h": f32(D, N, H), **({"c": f32(D, N, H)} if op == "LSTM" else {})}

        def run(x, h, c=None, module=module, D=D):
            typed = module.to(x.dtype)
            y, last = typed(x, (h, c) if c is not None else h)
            y = y.reshape(T, N, D, H).transpose(1, 2)
            return (y, *last) if c is not None else (y, last)

        constants = {"w": w, "r": r, "b": b}
        operator(
            f"{op.lower()}_{'bidirectional' if both else 'forward'}", op, 14, {"x": f32(T, N, I), **states}, run, constants,
            ["x", "w", "r", "b", "", *states], ("y", "y_h", "y_c")[: 3 if op == "LSTM" else 2],
            hidden_size=H, direction="bidirectional" if both else "forward", **({"linear_before_reset": 1} if op == "GRU" else {}),
        )

# ---- attention and normalization ------------------------------------------------------------------------------------------------------
sdpa = F.scaled_dot_product_attention
B, heads, S, L, D = 2, 4, 3, 5, 6
qkv = lambda groups=heads: {"q": f32(B, heads, S, D), "k": f32(B, groups, L, D), "v": f32(B, groups, L, 2)}
operator("attention_plain", "Attention", 23, qkv(), lambda q, k, v: sdpa(q, k, v))
operator("attention_scale", "Attention", 23, qkv(), lambda q, k, v: sdpa(q, k, v, scale=0.3), scale=0.3)
operator("attention_causal", "Attention", 23, qkv(), lambda q, k, v: sdpa(q, k, v, is_causal=True), is_causal=1)
operator("attention_heads_shared", "Attention", 24, qkv(2), lambda q, k, v: sdpa(q, k, v, enable_gqa=True))
operator("attention_added", "Attention", 24, {**qkv(), "mask": f32(1, heads, S, L)}, lambda q, k, v, mask: sdpa(q, k, v, mask))
closed = np.arange(S * L).reshape(S, L) % 3 != 1
operator(
    "attention_masked", "Attention", 23, qkv(), lambda q, k, v: sdpa(q, k, v, torch.tensor(closed)), {"mask": closed},
)
short = closed[:, : L - 1]
operator(
    "attention_short_mask", "Attention", 24, qkv(),
    lambda q, k, v: sdpa(q, k, v, torch.tensor(np.pad(short, ((0, 0), (0, 1))))), {"mask": short},
    note="the mask is shorter than the keys; the rest is forbidden",
)
operator(
    "rmsnormalization", "RMSNormalization", 23, {"x": f32(2, 3, 8), "g": f32(8)},
    lambda x, g: F.rms_norm(x, (8,), g, 1e-6), axis=-1, epsilon=1e-6,
)
# ---- ONNX Runtime's own, which have no kernel on the CPU ------------------------------------------------------------------------------


def group_norm(x, gamma, beta, groups, silu):
    y = F.group_norm(x.movedim(-1, 1), groups, gamma, beta, 1e-5).movedim(1, -1)
    return F.silu(y) if silu else y


for silu in (0, 1):
    operator(
        f"microsoft_groupnorm_{'silu' if silu else 'plain'}", "GroupNorm", 17, {"x": f32(2, 3, 4, 6), "gamma": f32(6), "beta": f32(6)},
        lambda x, gamma, beta, silu=silu: group_norm(x, gamma, beta, 3, silu), domain=MICROSOFT, groups=3, activation=silu,
    )
operator(
    "microsoft_groupnorm_channels_first", "GroupNorm", 17, {"x": f32(2, 6, 3, 4), "gamma": f32(6), "beta": f32(6)},
    lambda x, gamma, beta: F.group_norm(x, 2, gamma, beta, 1e-5), domain=MICROSOFT, groups=2, channels_last=0,
)
operator(
    "microsoft_skipgroupnorm", "SkipGroupNorm", 17,
    {"x": f32(2, 3, 4, 6), "gamma": f32(6), "beta": f32(6), "skip": f32(2, 6), "bias": f32(6)},
    lambda x, gamma, beta, skip, bias: (
        group_norm(x + skip[:, None, None] + bias, gamma, beta, 3, 1), x + skip[:, None, None] + bias,
    ),
    outputs=("y", "s"), domain=MICROSOFT, groups=3, activation=1,
)
operator(
    "microsoft_nhwcfusedconv", "NhwcFusedConv", 17,
    {"x": f32(1, 5, 6, 2), "w": f32(3, 2, 3, 3, scale=0.3), "b": f32(3), "z": f32(1, 5, 6, 3)},
    lambda x, w, b, z: torch.sigmoid(F.conv2d(x.movedim(-1, 1), w, b, padding=1).movedim(1, -1) + z),
    domain=MICROSOFT, pads=[1, 1, 1, 1], kernel_shape=[3, 3], activation="Sigmoid",
)
operator(
    "microsoft_biasadd", "BiasAdd", 17, {"x": f32(2, 3, 4), "bias": f32(4), "skip": f32(2, 3, 4)},
    lambda x, bias, skip: x + bias + skip, domain=MICROSOFT,
)
operator(
    "microsoft_biassplitgelu", "BiasSplitGelu", 17, {"x": f32(2, 3, 8), "bias": f32(8)},
    lambda x, bias: (x + bias).chunk(2, -1)[0] * F.gelu((x + bias).chunk(2, -1)[1]), domain=MICROSOFT,
)
operator(
    "microsoft_biassoftmax", "BiasSoftmax", 17, {"x": f32(2, 3, 4, 5), "bias": f32(2, 1, 1, 5)},
    lambda x, bias: F.softmax(x + bias, -1), domain=MICROSOFT, axis=3, is_inner_broadcast=1,
)


def multi_head(q, k, v):
    split = lambda x: x.unflatten(-1, (2, -1)).transpose(1, 2)
    return sdpa(split(q), split(k), split(v)).transpose(1, 2).flatten(2)


operator(
    "microsoft_multiheadattention_packed", "MultiHeadAttention", 17, {"qkv": f32(2, 3, 2, 3, 4)},
    lambda qkv: multi_head(*(part.flatten(2) for part in qkv.unbind(3))), domain=MICROSOFT, num_heads=2,
)
operator(
    "microsoft_multiheadattention_packed_kv", "MultiHeadAttention", 17, {"q": f32(2, 3, 8), "kv": f32(2, 5, 2, 2, 4)},
    lambda q, kv: multi_head(q, *(part.flatten(2) for part in kv.unbind(3))), domain=MICROSOFT, num_heads=2,
)
operator(
    "microsoft_multiheadattention_projected", "MultiHeadAttention", 17,
    {"q": f32(2, 3, 8), "k": f32(2, 2, 5, 4), "v": f32(2, 2, 5, 4)},
    lambda q, k, v: sdpa(q.unflatten(-1, (2, -1)).transpose(1, 2), k, v).transpose(1, 2).flatten(2), domain=MICROSOFT, num_heads=2,
)
w = f32(5, 24, scale=0.4)
operator(
    "microsoft_attention_without_bias", "Attention", 17, {"x": f32(2, 3, 5)},
    lambda x: multi_head(*(x @ torch.tensor(w).to(x.dtype)).chunk(3, -1)), {"w": w}, domain=MICROSOFT, num_heads=2,
)

# ---- networks as PyTorch exports them today -------------------------------------------------------------------------------------------


class Attending(nn.Module):
    """A block of a vision transformer with what opset 23 has operators for."""

    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.out = nn.RMSNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in self.qkv(self.norm(x)).chunk(3, -1))
        return x + self.out(sdpa(q, k, v, is_causal=True).transpose(1, 2).flatten(2))


class Recognizer(nn.Module):
    """A text recognizer in small: convolution, columns, LSTM in both directions."""

    def __init__(self):
        super().__init__()
        self.conv, self.lstm, self.head = nn.Conv2d(1, 4, 3, padding=1), nn.LSTM(16, 5, bidirectional=True), nn.Linear(10, 6)

    def forward(self, x):
        columns = F.max_pool2d(F.gelu(self.conv(x)), 2).permute(3, 0, 1, 2).flatten(2)
        return self.head(self.lstm(columns)[0])


class Standardized(nn.Module):
    """Weight standardization as timm writes it (NFNet, BiT)."""

    def __init__(self):
        super().__init__()
        self.weight, self.gain = nn.Parameter(torch.randn(4, 3, 3, 3)), nn.Parameter(torch.rand(4) + 0.5)

    def forward(self, x):
        w = F.batch_norm(self.weight.reshape(1, 4, -1), None, None, self.gain * 0.3, training=True, momentum=0.0, eps=1e-6)
        return F.silu(F.conv2d(x, w.reshape_as(self.weight)))


class Transformed(nn.Module):
    """A spatial transformer over a volume."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Linear(8, 12)

    def forward(self, x):
        theta = self.theta(F.avg_pool3d(x, 2)[:, 0].flatten(1)).view(-1, 3, 4) * 0.3 + torch.eye(3, 4).to(x.dtype)
        return F.grid_sample(x, F.affine_grid(theta, x.shape, False), "bilinear", "border", False)


torch.manual_seed(11)
exported("exported_attention_23", Attending(), {"x": f32(2, 5, 8)}, 23)
exported("exported_attention_24", Attending(), {"x": f32(1, 6, 8)}, 24)
exported("exported_text_recognizer", Recognizer(), {"x": f32(1, 1, 8, 12)}, 23)
exported("exported_weight_standardization", Standardized(), {"x": f32(1, 3, 6, 6)}, 23)
exported("exported_spatial_transformer", Transformed(), {"x": f32(1, 1, 4, 4, 4)}, 23)

manifest.sort(key=lambda c: c["name"])
with open(f"{OUT}/manifest.json", "w") as file:
    json.dump(manifest, file, indent=1)
    file.write("\n")
print(len(manifest), "cases,", sum(os.path.getsize(f"{OUT}/{f}") for f in os.listdir(OUT)) // 1000, "kB")
