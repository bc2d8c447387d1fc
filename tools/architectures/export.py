"""Exports one family with PyTorch, in every form, beside the gradient that autograd has in float64.

    python export.py FOLDER [--exporter NAME ...] [--form NAME ...]

reads names of families from standard input, one a line, and ends its answer to each with an empty line. Before the first it says which there are.

FOLDER gets, for each exporter and form, a folder with model.onnx and reference.safetensors: inputs, cotangents v.<output>, outputs y.<output> and
gradients d.<input> (float64). One JSON line a case goes to standard output: {"exporter", "form", "folder", "yardstick", "against"}, or {"exporter", "form",
"failed"} with the exporter's own words.

Of a quantized file the gradient is its own, straight-through, where the interpreter has all its operators ("against": "file"), or else that of the
float network.

The yardstick is how far the gradient can lie from float64 without being wrong (relative L2, the worst image): PyTorch's own error in the form's
precision, or what noise of that precision on the pictures changes, whichever is larger. It is what flipped decisions of ReLU and pools cost.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

# Answers go to the standard output that we were given; what libraries print, in C++ too, goes to the other stream.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
os.environ.setdefault("YOLO_CONFIG_DIR", "/tmp/ultralytics")
warnings.filterwarnings("ignore")

import numpy as np
import onnx
import torch
from safetensors.numpy import save_file

torch.set_num_threads(1)

from families import FAMILIES, Family
from forms import FORMS, QUANTIZED
from quantized import file_gradient
from seeded import gradient, outputs_of, seed_of, seeded_network

NEWEST_OPSET = 24
TORCHSCRIPT_OPSET = 17
# Relative noise on the pictures: what the layers' rounding amounts to.
NOISE = {torch.float32: 1e-6, torch.float16: 1e-3}


def torchscript(network, pictures, path: Path, inputs, outputs, axes) -> None:
    torch.onnx.export(
        network, tuple(pictures), path, dynamo=False, opset_version=TORCHSCRIPT_OPSET, input_names=inputs, output_names=outputs, dynamic_axes=axes and {name: {0: "batch"} for name in inputs + outputs}
    )


def dynamo(opset: int | None):
    def export(network, pictures, path: Path, inputs, outputs, axes) -> None:
        batch = torch.export.Dim("batch", min=1, max=64)
        shapes = [{0: batch} for _ in pictures] if axes else None
        shapes = (shapes,) if shapes and takes_any_number(network) else shapes
        torch.onnx.export(
            network, tuple(pictures), path, dynamo=True, external_data=False, opset_version=opset, input_names=inputs, output_names=outputs, dynamic_shapes=shapes and tuple(shapes)
        )

    return export


def takes_any_number(network) -> bool:
    """Whether its forward takes `*pictures`: torch.export then wants the shapes in one more tuple."""
    return bool(network.forward.__code__.co_flags & 0x04)


EXPORTERS = {"torchscript": torchscript, "dynamo": dynamo(None), "dynamo, newest opset": dynamo(NEWEST_OPSET)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exporter", action="append", default=[])
    parser.add_argument("--form", action="append", default=[])
    arguments = parser.parse_args()
    print(json.dumps([{"name": f.name, "task": f.task, "source": f.source} for f in FAMILIES.values()]), file=answers, flush=True)
    for name in map(str.strip, sys.stdin):
        try:
            export_family(FAMILIES[name], arguments.folder, arguments.exporter or list(EXPORTERS), arguments.form)
        except Exception as error:  # a family that cannot be built must not end those after it
            print(f"{name}: {one_line(error)}", file=sys.stderr)
        print(file=answers, flush=True)


def export_family(family: Family, root: Path, exporters: list[str], forms: list[str]) -> None:
    """Without `forms`, all that the family and the exporter have; a form that is named is tried of any family."""
    network, pictures = seeded_network(family)
    torch.manual_seed(seed_of(family) + 1)
    outputs = outputs_of(network, pictures)
    cotangents = [torch.randn_like(y) for y in outputs]
    reference, exact = gradient(network, pictures, cotangents, torch.float64)
    measured = functools.cache(lambda kind: yardstick(network, pictures, cotangents, exact, kind))
    names = [f"x{i}" for i in range(len(pictures))], [f"y{i}" for i in range(len(outputs))]

    def report(exporter: str, form: str, **what: str | float) -> None:
        print(json.dumps({"exporter": exporter, "form": form, **what}), file=answers, flush=True)

    def keep(folder: Path, exporter: str, form: str, make) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                make(folder / "model.onnx")
                onnx.load(folder / "model.onnx", load_external_data=False)
        except Exception as error:  # whatever an exporter raises is the answer that this row holds
            report(exporter, form, failed=one_line(error))
            return False
        kind = torch.float16 if form == "float16" else torch.float32
        outputs_of_file, exact_of_file, against = reference, exact, "float network"
        precision = torch.float16 if form.startswith("float16") else torch.float32
        if form in QUANTIZED and len(pictures) == 1:
            try:
                y, d = file_gradient(folder / "model.onnx", pictures[0], cotangents)
                change = quantized_yardstick(folder / "model.onnx", pictures[0], cotangents, d)
                outputs_of_file, exact_of_file, against = y, [d], "file"
            except Exception as error:  # an operator that the interpreter lacks: then the float network stands in
                print(f"{family.name}, {form}: {one_line(error)}", file=sys.stderr)
        save_reference(folder, names, pictures, cotangents, outputs_of_file, exact_of_file, kind)
        report(exporter, form, folder=str(folder), yardstick=change if against == "file" else measured(precision), against=against)
        return True

    def wanted(form: str) -> bool:
        return not forms or form in forms

    feeds = {n: p.numpy() for n, p in zip(names[0], pictures)}
    for exporter in exporters:
        newest = exporter == "dynamo, newest opset"
        folder = root / exporter
        plain = folder / "float32" / "model.onnx"
        made = keep(plain.parent, exporter, "float32", lambda path: EXPORTERS[exporter](network, pictures, path, *names, None))
        if not newest and wanted("dynamic batch"):
            keep(folder / "dynamic batch", exporter, "dynamic batch", lambda path: EXPORTERS[exporter](network, pictures, path, *names, True))
        converted = {**FORMS, **(QUANTIZED if family.quantized or forms else {})} if made and not newest else {}
        for form in filter(wanted, converted):
            keep(folder / form, exporter, form, lambda path: converted[form](plain, path, feeds))


def yardstick(network, pictures, cotangents, exact, kind: torch.dtype) -> float:
    errors = []
    try:
        errors.append(worst(gradient(network, pictures, cotangents, kind)[1], exact))
    except RuntimeError:  # no kernels for float16, or for this network in it
        pass
    torch.manual_seed(1)
    for _ in range(3):
        noisy = [p.double() * (1 + NOISE[kind] * torch.randn_like(p, dtype=torch.float64)) for p in pictures]
        errors.append(worst(gradient(network, noisy, cotangents, torch.float64)[1], exact))
    return float(f"{max(e for e in errors if np.isfinite(e)):.2g}")


def quantized_yardstick(path: Path, picture: torch.Tensor, cotangents: list[torch.Tensor], exact: torch.Tensor) -> float:
    """What a few values that lie at a tie of rounding change: one step in one value of the first layer reaches every mask after it."""
    torch.manual_seed(1)
    noisy = [picture * (1 + size * torch.randn_like(picture)) for size in (1e-6, 3e-6, 1e-5)]
    return float(f"{max(worst([file_gradient(path, p, cotangents)[1]], [exact]) for p in noisy):.2g}")


def worst(found, exact) -> float:
    """Relative L2, the largest of all images of all inputs."""
    return max(float((f - e).norm() / e.norm()) for found_of, exact_of in zip(found, exact) for f, e in zip(found_of.double(), exact_of.double()))


def save_reference(folder: Path, names, pictures, cotangents, reference, exact, kind: torch.dtype) -> None:
    inputs, outputs = names
    tensors: dict[str, np.ndarray] = {}
    tensors.update({name: p.to(kind).numpy() for name, p in zip(inputs, pictures)})
    tensors.update({f"v.{name}": v.to(kind).numpy() for name, v in zip(outputs, cotangents)})
    tensors.update({f"y.{name}": y.double().numpy() for name, y in zip(outputs, reference)})
    tensors.update({f"d.{name}": d.double().numpy() for name, d in zip(inputs, exact)})
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, folder / "reference.safetensors")


def one_line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", f"{type(error).__name__}: {error}")
    return re.sub(r"\s+", " ", text)[:300]


if __name__ == "__main__":
    main()
