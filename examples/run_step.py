"""Runs an exported attack step with plain onnxruntime and numpy; nothing of Faultline is needed.

    faultline compile model.onnx --task segmentation --size 512x512 --attack pgd -o step.onnx
    python3 run_step.py step.onnx data.safetensors adversarial.npz

data.safetensors holds each image by its role ("image"; "image1" and "image2"; "left" and "right"), float32 [B, 3, H, W] in [0, 1], and "target";
optionally "start.<role>", the point to begin at (default: the clean image), and "valid" and "region" where the step takes them.
"""
import json
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


def main(step_file, data_file, output_file):
    session = onnxruntime.InferenceSession(step_file, providers=["CPUExecutionProvider"])
    about = json.loads(session.get_modelmeta().custom_metadata_map["faultline.step"])
    data = read_tensors(data_file)
    shapes = {i.name: i.shape for i in session.get_inputs()}
    feeds = {"epsilon": numpy.float32(about["epsilon"])}
    for name in ["target", "valid", "region", *about["fixed"]]:
        if name in shapes:
            feeds[name] = data[name]
    for role in about["perturbed"]:
        feeds["clean." + role] = data[role]
        feeds["x." + role] = data.get("start." + role, data[role])
    for state in about["state"]:
        initial = state["initial"]
        if isinstance(initial, dict):
            feeds[state["input"]] = feeds[initial["input"]]
        else:
            feeds[state["input"]] = numpy.full(shapes[state["input"]], initial, numpy.float32)
    names = [output.name for output in session.get_outputs()]
    for t in range(about["passes"]):
        for name, values in about["scalars"].items():
            feeds[name] = numpy.float32(values[t])
        for noise in about["noise"]:
            feeds[noise["input"]] = numpy.random.uniform(-1, 1, shapes[noise["input"]]).astype(numpy.float32)
        outputs = dict(zip(names, session.run(None, {k: numpy.asarray(v) for k, v in feeds.items()})))
        for state in about["state"]:
            feeds[state["input"]] = outputs[state["output"]]
        print(f"step {t}: loss", *(f"{v:.6g}" for v in outputs["loss"]))
    numpy.savez(output_file, **{role: outputs[name] for role, name in about["result"].items()})


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
