"""Writes fixtures/parquet: image data sets as Hugging Face's `datasets` writes them. Pixels are those of src/vision/data/testing/fixture-values.ts.

Run: python tools/reference/parquet.py (pyarrow 26, pillow)
"""

import io
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

ROOT = os.path.join(os.path.dirname(__file__), "../../fixtures/parquet")
W, H = 6, 4


def png(array):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


def picture(salt):
    y, x, c = np.meshgrid(np.arange(H), np.arange(W), np.arange(3), indexing="ij")
    return png(((40 * x + 11 * y + 83 * c + 29 * salt) % 256).astype(np.uint8))


def mask(values):
    return png(np.resize(np.array(values, np.uint8), (H, W)))


FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(path, columns, features, **settings):
    note = json.dumps({"info": {"features": features}})
    table = pa.table(columns).replace_schema_metadata({"huggingface": note})
    os.makedirs(os.path.dirname(os.path.join(ROOT, path)), exist_ok=True)
    pq.write_table(table, os.path.join(ROOT, path), write_statistics=False, **settings)


IMAGE = {"_type": "Image"}
CLASS = {"names": ["cat", "dog", "newt"], "_type": "ClassLabel"}


def classes(path, salts, labels, **settings):
    files = pa.array([{"bytes": picture(s), "path": f"pets/pet_{s}.png"} for s in salts], FILE)
    write(path, {"image": files, "label": pa.array(labels, pa.int64()), "year": pa.array([2020] * len(labels), pa.int32())}, {"image": IMAGE, "label": CLASS, "year": {"dtype": "int32", "_type": "Value"}}, **settings)


# Two shards: snappy in two groups of rows, zstd in one; a split whose classes are not given out, without compression.
classes("pets/data/train-00000-of-00002.parquet", [0, 1, 2], [2, 0, 1], compression="snappy", row_group_size=2)
classes("pets/data/train-00001-of-00002.parquet", [3, 4], [1, 1], compression="zstd")
classes("pets/data/test-00000-of-00003.parquet", [5], [-1], compression="none")

# Masks, with an index of pages; pictures without names.
files = pa.array([{"bytes": picture(s), "path": None} for s in (0, 1)], FILE)
masks = pa.array([{"bytes": mask([0, 1, 2, 255]), "path": None}, {"bytes": mask([1, 2]), "path": None}], FILE)
write("scenes/validation.parquet", {"image": files, "annotation": masks}, {"image": IMAGE, "annotation": IMAGE}, compression="zstd", write_page_index=True)

# Objects: corner and sides as in CPPE-5 (columns of a struct, with the size of the picture), two corners as in detection-datasets/coco (a list of structs, names of classes deeper
# down), and boxes so small that either would do. Pictures of 64x48.
def blank(salt):
    return png(np.full((48, 64, 3), 40 + salt, np.uint8))


def objects(path, pictures, columns, value, feature, sides=True, **settings):
    files = pa.array([{"bytes": blank(s), "path": None} for s in range(pictures)], FILE)
    size = {"width": pa.array([64] * pictures, pa.int64()), "height": pa.array([48] * pictures, pa.int64())} if sides else {}
    write(path, {"image": files, **size, "objects": pa.array(value, columns)}, {"image": IMAGE, "objects": feature}, **settings)


F = pa.list_(pa.float32())
columns = pa.struct([("id", pa.list_(pa.int64())), ("area", pa.list_(pa.int64())), ("bbox", pa.list_(F)), ("category", pa.list_(pa.int64()))])
rows = [
    {"id": [1, 2], "area": [160, 30], "bbox": [[40, 30, 16, 10], [50, 2, 5, 6]], "category": [2, 0]},
    {"id": [], "area": [], "bbox": [], "category": []},
]
objects("objects/corner-and-sides.parquet", 2, columns, rows, {"feature": {"bbox": {"feature": {"dtype": "float32", "_type": "Value"}, "length": 4, "_type": "Sequence"}, "category": CLASS}, "_type": "Sequence"}, compression="snappy")
one = pa.struct([("bbox_id", pa.int64()), ("category", pa.int64()), ("bbox", F), ("area", pa.float32()), ("iscrowd", pa.bool_())])
rows = [[{"bbox_id": 7, "category": 1, "bbox": [40, 30, 56, 40], "area": 100.5, "iscrowd": False}, {"bbox_id": 8, "category": 2, "bbox": [0, 0, 64, 48], "area": 900, "iscrowd": True}], None]
objects("objects/two-corners.parquet", 2, pa.list_(one), rows, [{"category": CLASS, "bbox": {"feature": {"dtype": "float32", "_type": "Value"}, "length": 4, "_type": "Sequence"}}], sides=False)
rows = [{"id": [1], "area": None, "bbox": [[2, 3, 20, 30]], "category": [0]}]
objects("objects/either.parquet", 1, columns, rows, {}, compression="none")

# Not from Hugging Face: plain bytes, two numbers that may be the class.
plain = {"img": pa.array([picture(0)], pa.binary()), "fine": pa.array([7], pa.int32()), "coarse": pa.array([1], pa.int32()), "name": pa.array(["a"])}
write("plain/0000.parquet", plain, {}, compression="gzip")
write("numbers/numbers.parquet", {"x": pa.array([1]), "name": pa.array(["a"])}, {}, compression="none")
