"""Exports the networks at the sizes at which they are used, beside their gradient in float64.

    python networks.py FOLDER [name ...]

FOLDER/NAME gets model.onnx (input x, output y) and reference.safetensors (x, v, and d = autograd's gradient of Σ⟨v, y⟩ in float64).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).parents[3] / "tools" / "architectures"))

import segmentation_models_pytorch as smp
import timm
import torchvision.models as tv
from families.registry import Family, Outputs
from seeded import gradient, outputs_of, seeded_network
from transformers import SegformerConfig, SegformerForSemanticSegmentation


def yolo():
    from families.detection import DetectionModel

    network = DetectionModel("yolov8n.yaml", verbose=False).eval()
    network.model[-1].export, network.model[-1].format = True, "onnx"
    return Outputs(network)


NETWORKS = {
    "ResNet-18": (lambda: tv.resnet18(weights=None), 224),
    "MobileNetV2": (lambda: tv.mobilenet_v2(weights=None), 224),
    "EfficientNet-B0": (lambda: tv.efficientnet_b0(weights=None), 224),
    "DenseNet-121": (lambda: tv.densenet121(weights=None), 224),
    "ShuffleNetV2": (lambda: tv.shufflenet_v2_x1_0(weights=None), 224),
    "ConvNeXt-T": (lambda: timm.create_model("convnext_tiny", pretrained=False), 224),
    "ViT-Ti/16": (lambda: timm.create_model("vit_tiny_patch16_224", pretrained=False), 224),
    "U-Net": (lambda: smp.Unet("resnet18", encoder_weights=None, classes=5), 224),
    "DeepLabV3": (lambda: Outputs(tv.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21), "out"), 224),
    "SegFormer-B0": (lambda: Outputs(SegformerForSemanticSegmentation(SegformerConfig(num_labels=19)), "logits"), 224),
    "YOLOv8n": (yolo, 320),
}


def main() -> None:
    root, *names = sys.argv[1:]
    for name in names or NETWORKS:
        build, size = NETWORKS[name]
        folder = Path(root) / name.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        network, (x,) = seeded_network(Family(name, "", "", build, ((1, 3, size, size),), False))
        y = outputs_of(network, [x])[0].detach()
        torch.manual_seed(1)
        v = torch.randn_like(y)
        _, (d,) = gradient(network, [x], [v], torch.float64)
        torch.onnx.export(network, (x,), folder / "model.onnx", dynamo=True, external_data=False, opset_version=18, input_names=["x"], output_names=["y"])
        tensors = {"x": x, "v": v, "d": d}
        save_file({key: np.ascontiguousarray(t.detach().numpy()) for key, t in tensors.items()}, folder / "reference.safetensors")
        print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
