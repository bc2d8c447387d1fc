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

# Not from Hugging Face: plain bytes, two numbers that may be the class.
plain = {"img": pa.array([picture(0)], pa.binary()), "fine": pa.array([7], pa.int32()), "coarse": pa.array([1], pa.int32()), "name": pa.array(["a"])}
write("plain/0000.parquet", plain, {}, compression="gzip")
write("numbers/numbers.parquet", {"x": pa.array([1]), "name": pa.array(["a"])}, {}, compression="none")
