"""What real detectors yield, and the boxes that their own post-processing makes of it.

    pip install torch torchvision transformers ultralytics
    python tools/reference/detection_heads.py fixtures/metrics/detection-heads.json

Weights are random (seeded) and the pictures small; class biases are raised so that some scores are high. Of heads with thousands of anchors a few
dozens are taken. Numbers are float32, in six digits.
"""

import json
import sys

import numpy as np
import torch

torch.manual_seed(0)
image = torch.rand(1, 3, 64, 64)
cases = []


def numbers(t):
    return [float(f"{v:.6g}") for v in t.detach().flatten().tolist()]


def add(name, head, size, outputs, found, least, nms):
    cases.append(
        {
            "name": name,
            "head": head,
            "size": size,
            "least": least,
            "nms": nms,
            "outputs": [{"shape": list(o.shape), "data": numbers(o)} for o in outputs],
            "found": [[float(f"{v:.6g}") for v in row] for row in found],
        }
    )
    print(name, [list(o.shape) for o in outputs], len(found))


def ultralytics_case(name, yaml, head):
    from ultralytics.nn.tasks import DetectionModel

    try:
        from ultralytics.utils.nms import non_max_suppression
    except ImportError:
        from ultralytics.utils.ops import non_max_suppression
    model = DetectionModel(yaml, ch=3, nc=3, verbose=False)
    with torch.no_grad():
        for _ in range(40):  # statistics of the normalization, without which nothing comes through
            model.train()(torch.rand(4, 3, 64, 64))
    model.eval()
    for m in model.model[-1].cv3:
        torch.nn.init.normal_(m[-1].weight, std=0.25)
        torch.nn.init.constant_(m[-1].bias, -0.5)
    # small boxes: what lies beyond the picture is cut before non-maximum suppression here, and after it there
    for m in model.model[-1].cv2:
        torch.nn.init.normal_(m[-1].weight, std=0.1)
        m[-1].bias.data = (-1.2 * torch.arange(16.0)).repeat(4)
    model.model[-1].export = True
    model.model[-1].format = "onnx"
    raw = model(image)
    raw = raw[0] if isinstance(raw, (tuple, list)) else raw
    found = non_max_suppression(raw.clone(), 0.25, 0.7, multi_label=True, max_det=100)[0]
    add(name, head, [64, 64], [raw], found.tolist(), 0.25, 0.7)


ultralytics_case("YOLOv8n (ultralytics)", "yolov8n.yaml", "yolov8")
ultralytics_case("YOLO11n (ultralytics)", "yolo11n.yaml", "yolov8")
ultralytics_case("YOLOv5nu (ultralytics)", "yolov5n.yaml", "yolov8")


def torchvision_ssd():
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=4).eval()
    x = torch.rand(1, 3, 320, 320)
    features = list(model.backbone(x).values())
    out = model.head(features)
    from torchvision.models.detection.image_list import ImageList

    anchors = model.anchor_generator(ImageList(x, [(320, 320)]), features)[0]
    pick = torch.randperm(len(anchors))[:40]
    logits = torch.randn(1, 40, 4) * 2.5
    offsets = torch.randn(1, 40, 4) * 0.4
    a = anchors[pick]
    theirs = model.postprocess_detections({"bbox_regression": offsets, "cls_logits": logits}, [a], [(320, 320)])[0]
    boxes = model.box_coder.decode_single(offsets[0], a)[None]
    found = torch.cat([theirs["boxes"], theirs["scores"][:, None], theirs["labels"][:, None] - 1], 1)
    found = found[found[:, 4] >= 0.25]
    add("SSDLite (torchvision)", "ssd", [320, 320], [logits, boxes], found.tolist(), 0.25, model.nms_thresh)
    assert out["cls_logits"].shape[-1] == 4


def torchvision_retinanet():
    from torchvision.models.detection import retinanet_resnet50_fpn

    model = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3).eval()
    from torchvision.models.detection.image_list import ImageList

    x = torch.rand(1, 3, 128, 128)
    features = list(model.backbone(x).values())
    anchors = model.anchor_generator(ImageList(x, [(128, 128)]), features)[0]
    pick = torch.randperm(len(anchors))[:40]
    a = anchors[pick]
    logits, offsets = torch.randn(1, 40, 3) * 1.5 - 0.5, torch.randn(1, 40, 4) * 0.4
    theirs = model.postprocess_detections({"cls_logits": [logits], "bbox_regression": [offsets]}, [[a]], [(128, 128)])[0]
    boxes = model.box_coder.decode_single(offsets[0], a)[None]
    found = torch.cat([theirs["boxes"], theirs["scores"][:, None], theirs["labels"][:, None]], 1)
    found = found[found[:, 4] >= 0.25]
    add("RetinaNet (torchvision)", "retinanet", [128, 128], [boxes, logits], found.tolist(), 0.25, model.nms_thresh)


def hf_detr():
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessor, ResNetConfig

    backbone = ResNetConfig(embedding_size=16, hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"])
    config = DetrConfig(
        backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, num_labels=3, num_queries=12, d_model=32,
        encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, backbone=None,
    )
    model = DetrForObjectDetection(config).eval()
    torch.nn.init.normal_(model.class_labels_classifier.weight, std=0.5)
    out = model(image)
    theirs = DetrImageProcessor().post_process_object_detection(out, threshold=0.25, target_sizes=[(64, 64)])[0]
    found = torch.cat([theirs["boxes"], theirs["scores"][:, None], theirs["labels"][:, None].float()], 1)
    add("DETR (transformers)", "detr", [64, 64], [out.logits, out.pred_boxes], found.tolist(), 0.25, 1)


torchvision_ssd()
torchvision_retinanet()
hf_detr()
with open(sys.argv[1], "w") as f:
    f.write(json.dumps(cases, separators=(",", ":")) + "\n")
