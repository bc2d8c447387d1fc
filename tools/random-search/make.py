"""Writes random small ONNX files with inputs and the outputs that ONNX Runtime has for them, in the layout of the ONNX project's backend tests.

    python tools/random-search/make.py FOLDER [--seed 0] [--count 500] [--only PARTS] [--types | --mutate]

Needs numpy, onnx and onnxruntime. FOLDER/node/NAME gets model.onnx and test_data_set_0/{input,output}_N.pb; what ONNX Runtime itself refuses is
not written. run.ts takes it from there. Shapes have sizes of 0 and 1, attributes are unusual, optional inputs and outputs come and go, names are
unkind, and files are of opset 7 to 24, in float32, float16 and float64. Quantized files have a float twin beside them, twin.onnx, whose gradient
theirs is held against; with --types so do all others, which are converted to float16, bfloat16 or float64 as a whole or between casts. With
--mutate one attribute of each file is changed; those that ONNX Runtime then refuses are written too, without outputs, under names that begin with "refused".
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

import kinds
from case import MAKERS, TYPES, Case, Skip
from convert import converted
from mutate import mutate


def write(folder: Path, name: str, model: onnx.ModelProto, twin: onnx.ModelProto | None, feeds, expected) -> None:
    target = folder / "node" / name
    data = target / "test_data_set_0"
    data.mkdir(parents=True)
    (target / "model.onnx").write_bytes(model.SerializeToString())
    if twin:
        (target / "twin.onnx").write_bytes(twin.SerializeToString())
    for kind, values in (("input", list(feeds.values())), ("output", expected)):
        for i, v in enumerate(values):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(np.asarray(v), "").SerializeToString())


def build(seed: int, index: int, only: str, kind: type | None = None):
    rng = np.random.default_rng([seed, index])
    names = [n for n in MAKERS if any(part in n for part in only.split(","))]
    which = names[int(rng.integers(len(names)))]
    opset = int(rng.choice([7, 9, 10, 11, 13, 15, 17, 18, 19, 20, 21, 22, 23, 24]))
    drawn = TYPES[rng.choice(["float32", "float32", "float32", "float16", "float64"])]
    case = Case(rng, opset, kind or drawn)
    MAKERS[which](case)
    return which, case


def run(model: onnx.ModelProto, outputs, feeds) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(outputs, feeds)


def stated(model: onnx.ModelProto, values) -> None:
    """Gives the outputs their types, which a file must state."""
    for info, value in zip(model.graph.output, values, strict=True):
        v = np.asarray(value)
        info.CopyFrom(helper.make_tensor_value_info(info.name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--only", default="")
    parser.add_argument("--types", action="store_true")
    parser.add_argument("--mutate", action="store_true")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder / "node", ignore_errors=True)
    written, refused = 0, {}
    for index in range(arguments.count):
        try:
            which, case = build(arguments.seed, index, arguments.only, np.float32 if arguments.types or arguments.mutate else None)
            model = case.model()
        except Skip:
            continue
        twin, form = None, {np.float32: "f32", np.float16: "f16", np.float64: "f64"}[case.kind]
        feeds = case.feeds
        try:
            expected = run(model, case.final, feeds)
            stated(model, expected)
            if arguments.mutate:
                changed = mutate(model, np.random.default_rng([arguments.seed, index, 1]))
                if changed is None:
                    continue
                try:
                    expected = run(model, case.final, feeds)
                    stated(model, expected)
                    status = "runs"
                except Exception:
                    expected, status = [], "refused"
                write(arguments.folder, f"{status}_{index:05d}_{which}_{changed}_opset{case.opset}".replace("/", ""), model, None, feeds, expected)
                written += 1
                continue
            if case.twin:
                # the same opset and names, so that feeds are the same
                twin = case.twin.plain({old: new for old, new in zip(case.inputs, case.feeds)})
                stated(twin, run(twin, case.twin.final, feeds))
            elif arguments.types:
                twin = model
                form, model, feeds = converted(model, feeds, case.rng)
                if not form.startswith("bfloat16"):
                    expected = run(model, case.final, feeds)
        except Exception as error:
            key = f"{which}: {str(error)[:110]}"
            refused[key] = refused.get(key, 0) + 1
            continue
        label = f"{index:05d}_{which}_{'+'.join(n.op_type for n in model.graph.node)}"[:120]
        write(arguments.folder, f"{label}_{form}_opset{case.opset}", model, twin, feeds, [] if form.startswith("bfloat16") else expected)
        written += 1
    print(f"{written} files; ONNX Runtime refuses {sum(refused.values())}")
    for key, n in sorted(refused.items(), key=lambda item: -item[1])[:40]:
        print(f"  {n} {key}")


if __name__ == "__main__":
    assert kinds
    main()
