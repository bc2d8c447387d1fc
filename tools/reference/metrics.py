"""Writes fixtures/metrics: inputs and reference values for the tests of src/vision/metrics.

PSNR and SSIM are scikit-image's own; the others are written here in numpy, after the definitions of the benchmarks (named below) and
independently of the TypeScript. Made with numpy 2.4.6 and scikit-image 0.26.0:

    python -m venv /tmp/metrics && /tmp/metrics/bin/pip install numpy scikit-image && /tmp/metrics/bin/python tools/reference/metrics.py
"""
import json

import numpy as np
import skimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

rng = np.random.default_rng(7)
SOURCE = f"tools/reference/metrics.py, numpy {np.__version__}, scikit-image {skimage.__version__}"


def clean(value):
    """JSON without NaN: null stands for it."""
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    if isinstance(value, np.ndarray):
        return clean(value.tolist())
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return value.item() if isinstance(value, np.generic) else value


def write(name, note, data):
    with open(f"fixtures/metrics/{name}.json", "w") as f:
        json.dump({"source": f"{SOURCE}. {note}", **clean(data)}, f, separators=(",", ":"))
        f.write("\n")


def segmentation():
    classes, ignore = 6, [255, -1]

    def scores(predictions, targets, valids):
        hist = np.zeros((classes, classes))
        inter, n_pred, n_true = (np.zeros(classes) for _ in range(3))
        for p, t, v in zip(predictions, targets, valids):
            keep = ~np.isin(t, ignore) & (v > 0)
            p, t = p[keep], t[keep]
            # MMSegmentation's intersect_and_union.
            edges = np.arange(classes + 1) - 0.5
            inter += np.histogram(p[p == t], edges)[0]
            n_pred += np.histogram(p, edges)[0]
            n_true += np.histogram(t, edges)[0]
            hist += np.histogram2d(t, p, bins=(edges, edges))[0]
        with np.errstate(invalid="ignore"):
            iou, acc = inter / (n_pred + n_true - inter), inter / n_true
        return {
            "pixels": int(n_true.sum()), "aAcc": inter.sum() / n_true.sum(), "mAcc": np.nanmean(acc), "mIoU": np.nanmean(iou),
            "iou": iou, "accuracy": acc, "confusion": hist.astype(int).ravel(),
        }

    # Class 4 is only predicted, class 5 never occurs.
    targets = [rng.choice([0, 1, 2, 3, 255, -1], 12 * 15, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05]) for _ in range(3)]
    predictions = [np.where(rng.random(t.size) < 0.6, np.clip(t, 0, 3), rng.integers(0, 5, t.size)) for t in targets]
    valids = [(rng.random(t.size) < share).astype(int) for t, share in zip(targets, [1, 0.8, 1])]
    samples = [
        {"prediction": p, "target": t, "valid": v, "expected": scores([p], [t], [v])} for p, t, v in zip(predictions, targets, valids)
    ]
    write("segmentation", "Definitions: MMSegmentation's intersect_and_union and mIoU.",
          {"classes": classes, "ignore": ignore, "samples": samples, "expected": scores(predictions, targets, valids)})


def classification():
    logits = np.round(rng.normal(size=(40, 12)), 1)
    targets = rng.integers(0, 12, 40)
    # A stable sort puts the lower class first among equals.
    order = np.argsort(-logits, axis=1, kind="stable")
    write("classification", "Ties: lower class first.", {
        "logits": logits, "targets": targets, "predicted": order[:, 0],
        "expected": {"samples": 40, "top1": (order[:, 0] == targets).mean(), "top5": (order[:, :5] == targets[:, None]).any(1).mean()},
    })


def flow_measures(p, t, v):
    epe = np.linalg.norm(p - t, axis=0)
    mag = np.linalg.norm(t, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = epe / mag > 0.05
    maps = {
        "endPointError": epe, "above1": epe > 1, "above3": epe > 3, "above5": epe > 5,
        "flAll": (epe > 3) & relative, "flAllEither": (epe > 3) | relative,
    }
    return {k: m[v > 0].astype(float) for k, m in maps.items()}


def disparity_measures(p, t, v):
    err = np.abs(p - t)
    maps = {"endPointError": err, "bad1": err > 1, "bad3": err > 3, "d1": (err > 3) & (err / np.abs(t) > 0.05)}
    return {k: m[v > 0].astype(float) for k, m in maps.items()}


def dense(name, channels, measures, note):
    samples, all_values = [], []
    for i, (h, w) in enumerate([(9, 14), (6, 8), (11, 5)]):
        t = np.round(rng.uniform(1, 120, (channels, h, w)) * (rng.choice([-1, 1], (channels, h, w)) if channels == 2 else 1), 2)
        p = np.round(t + rng.normal(scale=3, size=t.shape), 2)
        v = (rng.random((h, w)) < (1 if i == 0 else 0.7)).astype(int)
        if channels == 1:
            values = measures(p[0], t[0], v)
        else:
            t[:, 0, 0] = 0
            v[0, 0] = 1
            values = measures(p, t, v)
        all_values.append(values)
        samples.append({
            "prediction": p.ravel(), "target": t.ravel(), "valid": v.ravel(),
            "expected": {"pixels": int(v.sum()), **{k: m.mean() for k, m in values.items()}},
        })
    keys = all_values[0].keys()
    write(name, note, {"samples": samples, "expected": {
        "samples": len(samples), "pixels": sum(s["expected"]["pixels"] for s in samples),
        "perPixel": {k: np.concatenate([a[k] for a in all_values]).mean() for k in keys},
        "perSample": {k: np.mean([a[k].mean() for a in all_values]) for k in keys},
    }})


def restoration():
    def luma(image):
        return (image @ np.array([65.481, 128.553, 24.966]) + 16) / 255

    def both(a, b, **options):
        axis = -1 if a.ndim == 3 else None
        return {
            "psnr": peak_signal_noise_ratio(b, a, data_range=1),
            "ssim": structural_similarity(b, a, data_range=1, channel_axis=axis, **options),
        }

    samples = []
    for h, w, noise in [(16, 19, 0.05), (13, 24, 0.2)]:
        y, x = np.mgrid[0:h, 0:w] / 10.0
        smooth = np.stack([0.5 + 0.4 * np.sin(3 * x + c) * np.cos(2 * y - c) for c in range(3)], -1)
        b = np.round(smooth, 3)
        # Leaves [0, 1] here and there, so that clipping matters.
        a = np.round(smooth + noise * rng.normal(size=smooth.shape), 3)
        q = lambda image: (np.clip(image, 0, 1) * 255).round() / 255
        samples.append({
            "shape": [3, h, w], "prediction": a.transpose(2, 0, 1).ravel(), "target": b.transpose(2, 0, 1).ravel(),
            "expected": {
                "default": both(a, b),
                "gaussian": both(a, b, gaussian_weights=True),
                "gaussian population": both(a, b, gaussian_weights=True, use_sample_covariance=False),
                "uniform population": both(a, b, use_sample_covariance=False),
                "luma": both(luma(a), luma(b)),
                "8-bit": both(q(a), q(b)),
                "8-bit luma": both(luma(q(a)), luma(q(b))),
            },
        })
    write("restoration", "skimage.metrics in float64; luma: MATLAB's rgb2ycbcr.", {"samples": samples})


segmentation()
classification()
dense("flow", 2, flow_measures, "Definitions: KITTI 2015 development kit; flAllEither: released CosPGD evaluation.")
dense("disparity", 1, disparity_measures, "Definitions: KITTI 2015 development kit, Middlebury.")
restoration()
