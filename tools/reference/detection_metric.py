"""Average precision of pycocotools on seeded random boxes with ties, crowds, empty pictures and classes that never occur.

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
            for x1, y1, x2, y2, label, state in objects:
                w, h = x2 - x1, y2 - y1
                annotations.append(
                    dict(id=len(annotations) + 1, image_id=p + 1, category_id=label, bbox=[x1, y1, w, h], area=w * h, iscrowd=int(state == 2))
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
    return {"mAP": float(e.stats[0]), "mAP50": float(e.stats[1]), "mAP75": float(e.stats[2]), "recall": float(e.stats[8]), "classes": each}


cases = [case(1, 12, 4, False), case(2, 12, 4, True), case(3, 5, 2, True)]
with open(sys.argv[1], "w") as f:
    f.write(json.dumps(cases, separators=(",", ":")) + "\n")
for c in cases:
    print(c["expected"])
