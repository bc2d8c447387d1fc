"""Detectors: their predictions before boxes are sorted out, and torchvision's with all their post-processing."""

from functools import partial

import torch
import torchvision.models.detection as tv
from torch import nn
from torchvision.models import resnet18
from transformers import (
    ConditionalDetrConfig,
    ConditionalDetrForObjectDetection,
    DeformableDetrConfig,
    DeformableDetrForObjectDetection,
    DetrConfig,
    DetrForObjectDetection,
    ResNetConfig,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
    YolosConfig,
    YolosForObjectDetection,
)
from ultralytics.nn.tasks import ClassificationModel, DetectionModel, PoseModel, SegmentationModel

from .registry import Outputs, family

detector = partial(family, task="detection")


def from_ultralytics(name: str, kind: type, file: str, quantized: bool = False, size: int = 64):
    @detector(name, source="ultralytics", size=size, quantized=quantized)
    def build():
        network = kind(file, verbose=False)
        network.eval()
        for module in network.modules():  # as Ultralytics' own export sets it: one tensor of predictions, no cached grids
            if hasattr(module, "export"):
                module.export = True
                module.format = "onnx"
        return Outputs(network)


from_ultralytics("YOLOv5", DetectionModel, "yolov5n.yaml", quantized=True)
from_ultralytics("YOLOv8", DetectionModel, "yolov8n.yaml", quantized=True)
from_ultralytics("YOLO11", DetectionModel, "yolo11n.yaml")
from_ultralytics("YOLO11, segmentation", SegmentationModel, "yolo11n-seg.yaml")
from_ultralytics("YOLO11, pose", PoseModel, "yolo11n-pose.yaml")
from_ultralytics("YOLO11, classification", ClassificationModel, "yolo11n-cls.yaml")
from_ultralytics("YOLOv10", DetectionModel, "yolov10n.yaml")

small_transformer = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "num_queries": 10,
}  # fmt: skip


def small_resnet():
    return ResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"])


@detector("DETR", source="transformers", size=64)
def detr():
    config = DetrConfig(backbone_config=small_resnet(), use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, **small_transformer)
    return Outputs(DetrForObjectDetection(config), "logits", "pred_boxes")


@detector("Conditional DETR", source="transformers", size=64)
def conditional_detr():
    config = ConditionalDetrConfig(backbone_config=small_resnet(), use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, **small_transformer)
    return Outputs(ConditionalDetrForObjectDetection(config), "logits", "pred_boxes")


@detector("Deformable DETR", source="transformers", size=64)
def deformable_detr():
    backbone = ResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    config = DeformableDetrConfig(backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, num_feature_levels=3, **small_transformer)
    return Outputs(DeformableDetrForObjectDetection(config), "logits", "pred_boxes")


def rt_detr_config():
    backbone = RTDetrResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    return {
        "backbone_config": backbone, "encoder_hidden_dim": 32, "encoder_in_channels": [32, 48, 64], "encoder_ffn_dim": 64, "encoder_attention_heads": 2, "d_model": 32, "decoder_in_channels": [32, 32, 32],
        "decoder_ffn_dim": 64, "num_queries": 10, "decoder_layers": 2, "decoder_attention_heads": 2, "num_denoising": 0, "hidden_expansion": 1.0,
    }  # fmt: skip


@detector("RT-DETR", source="transformers", size=64)
def rt_detr():
    return Outputs(RTDetrForObjectDetection(RTDetrConfig(**rt_detr_config())), "logits", "pred_boxes")


@detector("RT-DETR v2", source="transformers", size=64)
def rt_detr_v2():
    return Outputs(RTDetrV2ForObjectDetection(RTDetrV2Config(**rt_detr_config())), "logits", "pred_boxes")


@detector("YOLOS", source="transformers", size=64)
def yolos():
    config = YolosConfig(hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96, image_size=[64, 64], num_detection_tokens=10)
    return Outputs(YolosForObjectDetection(config), "logits", "pred_boxes")


class Heads(nn.Module):
    """What a torchvision detector predicts for every anchor: backbone and head, without resizing before and sorting after."""

    def __init__(self, detector: nn.Module):
        super().__init__()
        self.backbone = detector.backbone
        self.head = detector.head

    def forward(self, x: torch.Tensor):
        features = self.backbone(x)
        predictions = self.head(list(features.values()) if isinstance(features, dict) else [features])
        return tuple(predictions.values())


@detector("SSDLite", source="torchvision", size=96)
def ssdlite():
    return Heads(tv.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5))


@detector("SSD", source="torchvision", size=128)
def ssd():
    from torchvision.models.detection._utils import retrieve_out_channels
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator

    backbone = resnet18_fpn()
    anchors = DefaultBoxGenerator([[2]] * 5)
    head = tv.ssd.SSDHead(retrieve_out_channels(backbone, (128, 128)), anchors.num_anchors_per_location(), 5)
    return Heads(tv.ssd.SSD(backbone, anchors, (128, 128), 5, head=head))


def resnet18_fpn():
    from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor

    return _resnet_fpn_extractor(resnet18(weights=None), 5)


@detector("RetinaNet", source="torchvision", size=64)
def retinanet():
    return Heads(tv.RetinaNet(resnet18_fpn(), 5))


@detector("FCOS", source="torchvision", size=64)
def fcos():
    return Heads(tv.FCOS(resnet18_fpn(), 5))


class Detections(nn.Module):
    """A torchvision detector as it is shipped: one picture in, boxes and scores out, non-maximum suppression inside."""

    def __init__(self, detector: nn.Module):
        super().__init__()
        self.detector = detector

    def forward(self, x: torch.Tensor):
        (found,) = self.detector([x[0]])
        return found["boxes"], found["scores"]


@detector("RetinaNet with its post-processing", source="torchvision", size=64)
def retinanet_complete():
    return Detections(tv.RetinaNet(resnet18_fpn(), 5, min_size=64, max_size=64, score_thresh=0.0, topk_candidates=30, detections_per_img=10))


@detector("Faster R-CNN with its post-processing", source="torchvision", size=64)
def faster_rcnn():
    return Detections(
        tv.FasterRCNN(resnet18_fpn(), 5, min_size=64, max_size=64, rpn_pre_nms_top_n_test=30, rpn_post_nms_top_n_test=10, box_score_thresh=0.0, box_detections_per_img=10)
    )
