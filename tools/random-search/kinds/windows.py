"""Convolutions, pools and resampling."""

from __future__ import annotations

import numpy as np
from case import Case, Skip, maker


@maker
def conv(c: Case):
    rank = c.pick(1, 2, 2, 3)
    group = c.pick(1, 1, 2, 3)
    cin, cout = group * c.pick(1, 2), group * c.pick(1, 2)
    transposed = c.chance(0.4)
    kernel = [c.pick(1, 2, 3) for _ in range(rank)]
    dilations = c.pick(None, [c.pick(1, 2) for _ in range(rank)])
    strides = c.pick(None, [c.pick(1, 2, 3) for _ in range(rank)])
    auto = c.pick(None, None, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    pads = None if auto not in (None, "NOTSET") else c.pick(None, [c.pick(0, 1, 2) for _ in range(2 * rank)])
    x = c.input([c.dim(1, 2), cin, *[c.dim(3, 8, 0) for _ in range(rank)]])
    w = c.operand([cin, cout // group, *kernel] if transposed else [cout, cin // group, *kernel], 0.3)
    extra = {}
    if transposed and c.chance(0.3):
        extra["output_padding"] = [min(1, (strides or [1] * rank)[i] - 1) for i in range(rank)]
    c.outputs = [c.node("ConvTranspose" if transposed else "Conv", [x, w, *c.pick([], [c.operand([cout], 0.3)])], kernel_shape=c.pick(None, kernel), dilations=dilations, strides=strides,
                        pads=pads, auto_pad=auto, group=c.pick(group, group if group > 1 else None), **extra)]


@maker
def pool(c: Case):
    op = c.pick("AveragePool", "MaxPool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "AveragePool", "MaxPool")
    rank = c.pick(1, 2, 2, 3)
    x = c.input([c.dim(1, 2), c.dim(1, 3), *[c.dim(2, 9, 0) for _ in range(rank)]])
    if op.startswith("Global"):
        c.outputs = [c.node(op, [x], **({"p": c.pick(1, 2, 3)} if op == "GlobalLpPool" and c.chance(0.5) else {}))]
        return
    kernel = [c.pick(1, 2, 3) for _ in range(rank)]
    strides = c.pick(None, [c.pick(1, 2, 3, 4) for _ in range(rank)])
    auto = c.pick(None, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    pads = None if auto not in (None, "NOTSET") else c.pick(None, [c.pick(0, k - 1, k // 2) for k in kernel * 2])
    extra = {}
    if c.opset >= 10 and op != "LpPool" or c.opset >= 18:
        extra["ceil_mode"] = c.pick(None, 0, 1)
    if (op == "MaxPool" and c.opset >= 10) or c.opset >= 19 and op == "AveragePool" or c.opset >= 18 and op == "LpPool":
        extra["dilations"] = c.pick(None, None, [c.pick(1, 2) for _ in range(rank)])
    if op == "AveragePool":
        extra["count_include_pad"] = c.pick(None, 0, 1)
    if op == "LpPool":
        extra["p"] = c.pick(None, 1, 2, 3)
    outputs = c.pick(1, [1, 1]) if op == "MaxPool" else 1
    if op == "MaxPool":
        extra["storage_order"] = c.pick(None, None, 1)
    y = c.node(op, [x], outputs=outputs, kernel_shape=kernel, strides=strides, pads=pads, auto_pad=auto, **extra)
    c.outputs = [y] if isinstance(y, str) else y


@maker
def resize(c: Case):
    c.opset = max(c.opset, 11)
    rank = c.pick(1, 2, 2)
    shape = [c.dim(1, 2), c.dim(1, 2), *[c.dim(2, 6, 0) for _ in range(rank)]]
    x = c.input(shape)
    mode = c.pick("nearest", "linear", "cubic")
    if mode == "cubic" and rank != 2:
        raise Skip
    transform = c.pick(None, "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", *(["half_pixel_symmetric"] if c.opset >= 19 else []))
    extra = {"nearest_mode": c.pick(None, "floor", "ceil", "round_prefer_ceil", "round_prefer_floor")} if mode == "nearest" else {}
    if mode == "cubic":
        extra = {"cubic_coeff_a": c.pick(None, -0.5), "exclude_outside": c.pick(None, 1)}
    if c.opset >= 18 and mode != "nearest":
        extra["antialias"] = c.pick(None, None, 1)
    if c.chance(0.5):
        inputs = [x, "", c.weight(np.array([1, 1, *[c.pick(2, 0.5, 1.5, 3, 0.7) for _ in range(rank)]], np.float32))]
    else:
        inputs = [x, "", "", c.ints([*shape[:2], *[c.pick(1, 2, 5, 8) for _ in range(rank)]])]
    if c.opset < 13:
        inputs[1] = c.weight(np.zeros(0, np.float32))
        if inputs[2] == "":
            inputs[2] = c.weight(np.zeros(0, np.float32))
    c.outputs = [c.node("Resize", inputs, mode=mode, coordinate_transformation_mode=transform, **extra)]


@maker
def sampling(c: Case):
    op = c.pick("GridSample", "RoiAlign", "AffineGrid", "MaxUnpool", "Col2Im", "CenterCropPad", "DeformConv")
    if op == "GridSample":
        c.opset = max(c.opset, 16)
        shape = [c.dim(1, 2), c.dim(1, 3), c.dim(2, 5, 0), c.dim(2, 5, 0)]
        grid = c.operand([shape[0], c.dim(1, 4), c.dim(1, 4), 2], 0.6)
        new = c.opset >= 20
        c.outputs = [c.node(op, [c.input(shape), grid], mode=c.pick(None, *(("linear", "nearest", "cubic") if new else ("bilinear", "nearest", "bicubic"))), padding_mode=c.pick(None, "border", "reflection", "zeros"), align_corners=c.pick(None, 1))]
    elif op == "RoiAlign":
        c.opset = max(c.opset, 10)
        shape = [2, c.dim(1, 3), 8, 7]
        n = c.dim(1, 3, 0)
        low = c.rng.random((n, 2)) * 4
        boxes = np.concatenate([low, low + c.rng.random((n, 2)) * 6 + 0.3], 1).astype(c.kind)
        rois = c.input([], boxes) if c.chance(0.5) else c.weight(boxes)
        c.outputs = [c.node(op, [c.input(shape), rois, c.weight(c.rng.integers(0, 2, size=n))], output_height=c.pick(None, 2), output_width=c.pick(None, 3), sampling_ratio=c.pick(None, 0, 1, 2), spatial_scale=c.pick(None, 0.5),
                            mode=c.pick(None, "avg", "max"), **({"coordinate_transformation_mode": c.pick(None, "half_pixel", "output_half_pixel")} if c.opset >= 16 else {}))]
    elif op == "AffineGrid":
        c.opset = max(c.opset, 20)
        c.outputs = [c.node(op, [c.input([2, 2, 3]), c.ints([2, 1, c.dim(2, 5, 0), c.dim(2, 5, 0)])], align_corners=c.pick(None, 1))]
    elif op == "MaxUnpool":
        y = c.node("MaxPool", [c.input([1, 2, 6, 6])], outputs=2, kernel_shape=[2, 2], strides=[2, 2])
        c.outputs = [c.node(op, y, kernel_shape=[2, 2], strides=[2, 2])]
    elif op == "Col2Im":
        c.opset = max(c.opset, 18)
        c.outputs = [c.node(op, [c.input([1, 8, 12]), c.ints([5, 4]), c.ints([2, 2])], **c.pick({}, {"pads": [0, 0, 0, 0]}))]
    elif op == "CenterCropPad":
        c.opset = max(c.opset, 18)
        shape = c.shape(1, 3, 0)
        axes = sorted({a % len(shape) for a in c.axes(len(shape))})
        c.outputs = [c.node(op, [c.input(shape), c.ints([c.dim(1, 8, 0) for _ in axes])], axes=axes)]
    else:
        c.opset = max(c.opset, 19)
        x, w, off = c.input([1, 2, 5, 5]), c.operand([2, 2, 2, 2]), c.input([], (c.numbers([1, 8, 4, 4], 0.4)))
        c.outputs = [c.node(op, [x, w, off, *c.pick([], ["", c.operand([1, 4, 4, 4])], [c.operand([2])])], kernel_shape=[2, 2])]
