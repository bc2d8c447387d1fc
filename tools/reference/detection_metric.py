"""Average precision and recall of pycocotools on seeded random boxes with ties, crowds, empty pictures and classes that never occur; by size, with sizes that
never occur, that of the box and (a seventh number) that of an outline, on the very borders too.

    pip install pycocotools numpy
    python tools/reference/detection_metric.py fixtures/metrics/detection.json
"""

import contextlib
import io
import json
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def by_size(seed, pictures, classes, sides, outlined):
    """Boxes of very different sizes; the area of an object is that of its box, or a share of it as outlines have it."""
    r = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(pictures):
        objects, boxes = [], []
        for _ in range(int(r.integers(1, 6))):
            x, y = (int(v) for v in r.integers(0, 90, 2))
            w, h = (int(v) for v in r.choice(sides, 2))
            covers = [int(w * h * r.choice([0.5, 0.8, 1.0]))] if outlined else []
            objects.append([x, y, x + w, y + h, int(r.integers(0, classes)), 2 if r.random() < 0.1 else 1] + covers)
            for _ in range(int(r.integers(0, 4))):
                dx, dy = (int(v) for v in r.integers(-3, 4, 2))
                f = float(r.choice([0.75, 1.0, 1.25]))
                box = [max(0, x + dx), max(0, y + dy), int(x + f * w), int(y + f * h)]
                boxes.append(box + [objects[-1][4] if r.random() < 0.9 else int(r.integers(0, classes)), score(r, True)])
        # The first picture has more than 10 boxes of a class that are surer than the right ones.
        for _ in range(3) if truth else range(12):
            x, y = (int(v) for v in r.integers(0, 90, 2))
            w, h = (int(v) for v in r.choice(sides, 2))
            boxes.append([x, y, x + w, y + h, objects[0][4], score(r, True) if truth else 1.0])
        boxes.sort(key=lambda b: -b[5])
        truth.append(objects)
        found.append(boxes)
    return {"truth": truth, "found": found, "expected": evaluate(truth, found, classes)}


def case(seed, pictures, classes, coarse):
    r = np.random.default_rng(seed)
    truth, found = [], []
    for p in range(pictures):
        objects = []
        for _ in range(int(r.integers(0, 7)) if p % 5 else 0 if p == 0 else 3):
            x, y = (int(v) for v in r.integers(0, 60, 2))
            w, h = (int(v) for v in r.integers(6, 36, 2))
            objects.append([x, y, x + w, y + h, int(r.integers(0, classes - 1)), 2 if r.random() < 0.15 else 1])
        boxes = []
        for o in objects:
            for _ in range(int(r.integers(0, 4))):
                d = [int(v) for v in r.integers(-4, 5, 4)]
                box = [max(0, o[0] + d[0]), max(0, o[1] + d[1]), o[2] + d[2], o[3] + d[3]]
                label = o[4] if r.random() < 0.8 else int(r.integers(0, classes))
                boxes.append(box + [label, score(r, coarse)])
        for _ in range(int(r.integers(0, 8))):
            x, y = (int(v) for v in r.integers(0, 60, 2))
            w, h = (int(v) for v in r.integers(6, 36, 2))
            boxes.append([x, y, x + w, y + h, int(r.integers(0, classes)), score(r, coarse)])
        boxes.sort(key=lambda b: -b[5])
        truth.append(objects)
        found.append(boxes)
    return {"truth": truth, "found": found, "expected": evaluate(truth, found, classes)}


def score(r, coarse):
    return round(float(r.random()), 1 if coarse else 4)


def evaluate(truth, found, classes):
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        annotations = []
        for p, objects in enumerate(truth):
            for x1, y1, x2, y2, label, state, *covers in objects:
                w, h = x2 - x1, y2 - y1
                area = covers[0] if covers else w * h
                annotations.append(
                    dict(id=len(annotations) + 1, image_id=p + 1, category_id=label, bbox=[x1, y1, w, h], area=area, iscrowd=int(state == 2))
                )
        gt.dataset = dict(images=[dict(id=p + 1) for p in range(len(truth))], annotations=annotations, categories=[dict(id=k, name=str(k)) for k in range(classes)], info={})
        gt.createIndex()
        results = [
            dict(image_id=p + 1, category_id=label, bbox=[x1, y1, x2 - x1, y2 - y1], score=s)
            for p, boxes in enumerate(found)
            for x1, y1, x2, y2, label, s in boxes
        ]
        e = COCOeval(gt, gt.loadRes(results), "bbox")
        e.evaluate()
        e.accumulate()
        e.summarize()
    precision = e.eval["precision"][:, :, :, 0, 2]
    each = {k: float(precision[:, :, k].mean()) for k in range(classes) if (precision[:, :, k] > -1).all()}
    return {**{name: float(v) for name, v in zip(names, e.stats)}, "classes": each}


# In the order of COCOeval.summarize; -1: no object is of the size.
names = ["mAP", "mAP50", "mAP75", "mAP small", "mAP medium", "mAP large", "recall@1", "recall@10", "recall", "recall small", "recall medium", "recall large"]

cases = [
    *[case(1, 12, 4, False), case(2, 12, 4, True), case(3, 5, 2, True)],
    *[by_size(4, 6, 2, [16, 32, 48, 96, 128], False), by_size(7, 7, 2, [16, 32, 36, 96, 128], True)],
]
with open(sys.argv[1], "w") as f:
    f.write(json.dumps(cases, separators=(",", ":")) + "\n")
for c in cases:
    print(c["expected"])
