"""Resize with all that it takes, and convolutions of whole numbers."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto as T
from case import Case, Skip, maker


@maker
def resize_all(c: Case):
    """Axes in any order, crops, policies, antialiasing, sizes of 1 and of 0."""
    c.opset = max(c.opset, 11)
    mode = c.pick("nearest", "linear", "linear", "cubic", "cubic")
    rank = 4 if mode == "cubic" else c.pick(3, 4, 4, 5)
    spatial = rank - 2
    shape = [c.dim(1, 2, 0.02), c.dim(1, 2, 0.02), *[c.dim(1, 7, 0.02) for _ in range(spatial)]]
    x = c.input(shape)
    transform = c.pick(None, "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "tf_crop_and_resize", "tf_crop_and_resize", *(["half_pixel_symmetric"] if c.opset >= 19 else []))
    extra = {"nearest_mode": c.pick(None, "floor", "ceil", "round_prefer_ceil", "round_prefer_floor")} if mode == "nearest" else {}
    if mode != "nearest":
        extra["exclude_outside"] = c.pick(None, None, 1) if mode == "cubic" or c.opset >= 18 else None
        if c.opset >= 18:
            extra["antialias"] = c.pick(None, 1, 1)
    if mode == "cubic":
        extra["cubic_coeff_a"] = c.pick(None, -0.5)
    axes = list(range(rank))
    if c.opset >= 18 and c.chance(0.6):
        axes = c.pick([2, 3], [3, 2], [-1, -2], [3], [2])[: spatial] if rank == 4 else list(range(2, rank))
        extra["axes"] = axes
    crop = ""
    if transform == "tf_crop_and_resize":
        starts = [float(c.pick(0, 0.2, -0.2, 0.5)) if a % rank >= 2 else 0.0 for a in axes]
        ends = [float(c.pick(1, 0.8, 1.3, 0.1)) if a % rank >= 2 else 1.0 for a in axes]
        crop = c.weight(np.array(starts + ends, c.kind))
        extra["extrapolation_value"] = c.pick(None, 2.5)
    empty = c.weight(np.zeros(0, np.float32)) if c.opset < 13 else ""
    if not crop and c.opset < 13:
        crop = empty
    if c.chance(0.4):
        scales = [float(c.pick(2, 0.5, 1.5, 3, 0.7, 0.3)) if a % rank >= 2 else 1.0 for a in axes]
        inputs = [x, crop, c.weight(np.array(scales, np.float32))]
    else:
        sizes = [c.pick(1, 2, 5, 8, 11) if a % rank >= 2 else shape[a % rank] for a in axes]
        inputs = [x, crop, empty, c.ints(sizes)]
        if c.opset >= 18 and "axes" in extra:
            extra["keep_aspect_ratio_policy"] = c.pick(None, "stretch", "not_larger", "not_smaller")
    c.outputs = [c.node("Resize", inputs, mode=mode, coordinate_transformation_mode=transform, **extra)]


@maker
def whole_windows(c: Case):
    """ConvInteger and QLinearConv in all paddings, and pools of whole numbers; a float output beside them."""
    c.opset = max(c.opset, 12)
    op = c.pick("ConvInteger", "QLinearConv", "MaxPool")
    rank = c.pick(1, 2, 2)
    cin, cout = c.pick(1, 2), c.pick(1, 2)
    kernel = [c.pick(1, 2, 3) for _ in range(rank)]
    strides = c.pick(None, [c.pick(1, 2, 3) for _ in range(rank)])
    dilations = c.pick(None, [c.pick(1, 2) for _ in range(rank)])
    auto = c.pick(None, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    pads = None if auto not in (None, "NOTSET") else c.pick(None, [c.pick(0, 1, 2) for _ in range(2 * rank)])
    window = dict(strides=strides, dilations=dilations, auto_pad=auto, pads=pads)
    x = c.input([c.dim(1, 2, 0), cin, *[c.dim(3, 8, 0) for _ in range(rank)]])
    c.kind = np.float32
    c.inputs[x] = c.inputs[x].astype(np.float32)
    scale, zero = c.weight(np.array(0.03, np.float32)), c.weight(np.array(120, np.uint8))
    q = c.node("QuantizeLinear", [x, scale, zero])
    w, wz = c.weight(c.rng.integers(100, 156, size=[cout, cin, *kernel]).astype(np.uint8)), c.weight(np.array(128, np.uint8))
    if op == "ConvInteger":
        y = c.node("Cast", [c.node(op, [q, w, zero, wz], kernel_shape=c.pick(None, kernel), **window)], to=T.FLOAT)
    elif op == "QLinearConv":
        ws, ys, yz = c.weight(np.array(0.02, np.float32)), c.weight(np.array(0.0973, np.float32)), c.weight(np.array(128, np.uint8))
        y = c.node("DequantizeLinear", [c.node(op, [q, scale, zero, w, ws, wz, ys, yz], kernel_shape=c.pick(None, kernel), **window), ys, yz])
    else:
        if pads:
            pads = [min(p, k - 1) for p, k in zip(pads, kernel * 2)]
        y = c.node("DequantizeLinear", [c.node(op, [q], kernel_shape=kernel, ceil_mode=c.pick(None, 1), **{**window, "pads": pads}), scale, zero])
    c.outputs = [y]
