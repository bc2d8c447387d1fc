"""A file with one attribute changed: of another kind, value, length or name."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper


def mutate(model: onnx.ModelProto, rng: np.random.Generator) -> str | None:
    """Says what it is now; None where there is nothing to change."""
    nodes = [node for node in model.graph.node if any(a.type != onnx.AttributeProto.GRAPH for a in node.attribute)]
    if not nodes:
        return None
    node = nodes[rng.integers(len(nodes))]
    given = [a for a in node.attribute if a.type != onnx.AttributeProto.GRAPH]
    attribute = given[rng.integers(len(given))]
    name, old = attribute.name, helper.get_attribute_value(attribute)
    change = str(rng.choice(["kind", "value", "value", "length", "name"]))
    if change == "name":
        name, new = str(rng.choice(["foo", "__proto__", "constructor", "Axis"])), 1
    elif change == "kind":
        new = [1.5, 2, "abc", [1, 2], [1.5, 2.5]][rng.integers(5)]
    elif isinstance(old, (list, tuple)) and len(old):
        new = list(old)
        if change == "length":
            new = new[:-1] if len(new) > 1 and rng.random() < 0.5 else [*new, new[0]]
        else:
            new[rng.integers(len(new))] = type(new[0])(rng.choice([-1, 0, 99, -99]))
    elif isinstance(old, bytes):
        new = str(rng.choice(["", "Constant", "foo", "linear ", "LINEAR"]))
    elif isinstance(old, int):
        new = int(rng.choice([-1, -100, 100, 7, 2**40, -(2**40)]))
    elif isinstance(old, float):
        new = float(rng.choice([np.nan, np.inf, -1.0, 0.0, 1e30]))
    else:
        return None
    if change != "name":
        node.attribute.remove(attribute)
    node.attribute.append(helper.make_attribute(name, new))
    return f"{node.op_type}.{name}={str(new)[:20]}"
