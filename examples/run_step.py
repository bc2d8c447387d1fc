"""Runs an exported attack step with plain onnxruntime and numpy; nothing of Faultline is needed.

    faultline compile model.onnx --task segmentation --size 512x512 --attack pgd -o step.onnx --also start
    python3 run_step.py step.onnx data.safetensors adversarial.npz

data.safetensors holds each image by its role ("image"; "image1" and "image2"; "left" and "right"), float32 [B, 3, H, W] in [0, 1], and "target";
optionally "start.<role>", the point to begin at (default: a random one from step.start.onnx, or the clean image), and "valid" and "region" where the
step takes them.
"""
import json
import os
import struct
import sys

import numpy

try:
    import onnxruntime
except ImportError:
    sys.exit("this example needs onnxruntime: pip install onnxruntime")


def read_tensors(path):
    """The safetensors format: length of a JSON header, the header, raw little-endian data."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    types = {"F32": "<f4", "I64": "<i8"}
    return {
        name: numpy.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] in types
    }


def starting_points(about, step_file, data):
    """By role: those in the data; else random ones, where the attack has them and its start graph lies beside the step; else the clean images."""
    points = {role: data.get("start." + role, data[role]) for role in about["perturbed"]}
    if about["start"] == "clean" or any("start." + role in data for role in about["perturbed"]):
        return points
    start_file = step_file.removesuffix(".onnx") + ".start.onnx"
    if not os.path.exists(start_file):
        print(f"{about['attack']} begins at a random point; without {start_file} (compile with --also start) this begins at the clean image")
        return points
    session = onnxruntime.InferenceSession(start_file, providers=["CPUExecutionProvider"])
    feeds = {"epsilon": numpy.array(about["epsilon"], numpy.float32)}
    for entry in session.get_inputs():
        kind, _, role = entry.name.partition(".")
        if kind == "clean":
            feeds[entry.name] = data[role]
        elif kind == "start":
            feeds[entry.name] = numpy.random.uniform(-1, 1, entry.shape).astype(numpy.float32)
        elif kind == "region":
            feeds[entry.name] = data["region"]
    outputs = dict(zip((o.name for o in session.get_outputs()), session.run(None, feeds)))
    return {role: outputs["next." + role] for role in about["perturbed"]}


def main(step_file, data_file, output_file):
    session = onnxruntime.InferenceSession(step_file, providers=["CPUExecutionProvider"])
    about = json.loads(session.get_modelmeta().custom_metadata_map["faultline.step"])
    data = read_tensors(data_file)
    shapes = {i.name: i.shape for i in session.get_inputs()}
    feeds = {"epsilon": numpy.array(about["epsilon"], numpy.float32)}
    for name in ["target", "valid", "region", *about["fixed"]]:
        if name in shapes:
            feeds[name] = data[name]
    for role, point in starting_points(about, step_file, data).items():
        feeds["clean." + role] = data[role]
        feeds["x." + role] = point
    for state in about["state"]:
        initial = state["initial"]
        if isinstance(initial, dict):
            feeds[state["input"]] = feeds[initial["input"]]
        else:
            feeds[state["input"]] = numpy.full(shapes[state["input"]], initial, numpy.float32)
    names = [output.name for output in session.get_outputs()]
    for t in range(about["passes"]):
        for name, values in about["scalars"].items():
            feeds[name] = numpy.array(values[t], numpy.float32)
        for noise in about["noise"]:
            feeds[noise["input"]] = numpy.random.uniform(-1, 1, shapes[noise["input"]]).astype(numpy.float32)
        outputs = dict(zip(names, session.run(None, feeds)))
        for state in about["state"]:
            feeds[state["input"]] = outputs[state["output"]]
        print(f"step {t}: loss", *(f"{v:.6g}" for v in outputs["loss"]))
    numpy.savez(output_file, **{role: outputs[name] for role, name in about["result"].items()})


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
