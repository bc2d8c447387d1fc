"""Writes ONNX's own list of operators, as the pip package `onnx` has it, for the test that holds our table against it.

    python tools/reference/onnx_operators.py > src/engine/operators/onnx-operators.json
"""

import json

import onnx
from onnx import defs

newest = 24  # what Faultline reads
versions: dict[str, list[int]] = {}
deprecated: set[str] = set()
for schema in defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= newest:
        versions.setdefault(schema.name, []).append(schema.since_version)
        if schema.deprecated:
            deprecated.add(schema.name)

operators = {
    name: {"versions": sorted(set(found)), **({"deprecated": True} if name in deprecated else {})}
    for name, found in sorted(versions.items())
}
print(json.dumps({"source": f"onnx {onnx.__version__}, onnx.defs.get_all_schemas_with_history()", "domain": "ai.onnx", "newest": newest, "operators": operators}))
