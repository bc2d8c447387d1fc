"""Writes fixtures/numpy with NumPy itself.

    python tools/reference/numpy_files.py fixtures/numpy
"""

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
a = np.arange(12).reshape(2, 3, 2)
arrays = {
    "float32": (a / 4 - 1).astype("<f4"),
    "float16": (a / 4 - 1).astype("<f2"),
    "float64-big-endian": (a / 4 - 1).astype(">f8"),
    "int64-fortran": np.asfortranarray(a.astype("<i8") * -(2**40)),
    "uint8": a.astype("u1"),
    "bool": np.array([True, False, True]),
    "scalar": np.float32(2.5),
    "complex": np.array([1 + 2j]),
    "text": np.array(["a"]),
    "records": np.zeros(2, dtype=[("x", "<f4")]),
}
for name, array in arrays.items():
    np.save(folder / f"{name}.npy", array)
np.savez_compressed(folder / "two.npz", images=(a / 16).astype("f4"), labels=np.array([3, 1]))
