"""Pixel-wise prediction: segmentation and depth."""

from collections import OrderedDict
from functools import partial

import segmentation_models_pytorch as smp
import torchvision.models as tv
from transformers import (
    BeitConfig,
    BeitForSemanticSegmentation,
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTConfig,
    DPTForDepthEstimation,
    GLPNConfig,
    GLPNForDepthEstimation,
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    MaskFormerConfig,
    MaskFormerForInstanceSegmentation,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SwinConfig,
    UperNetConfig,
    UperNetForSemanticSegmentation,
    ConvNextConfig,
)

from .registry import Outputs, family

segmentation = partial(family, task="segmentation")
depth = partial(family, task="depth", source="transformers")


@segmentation("DeepLabV3", source="torchvision", size=64, quantized=True)
def deeplab():
    return Outputs(tv.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5), "out")


@segmentation("FCN", source="torchvision", size=64)
def fcn():
    backbone = tv._utils.IntermediateLayerGetter(tv.resnet18(weights=None), OrderedDict(layer4="out"))
    return Outputs(tv.segmentation.FCN(backbone, tv.segmentation.fcn.FCNHead(512, 5)), "out")


@segmentation("LRASPP", source="torchvision", size=64)
def lraspp():
    return Outputs(tv.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5), "out")


def from_smp(name: str, model: str, encoder: str = "resnet18", size: int = 64, quantized: bool = False, **arguments):
    segmentation(name, source="segmentation-models-pytorch", size=size, quantized=quantized)(
        lambda: getattr(smp, model)(encoder, encoder_weights=None, classes=5, **arguments)
    )


from_smp("U-Net", "Unet", "mobilenet_v2", quantized=True)
from_smp("U-Net (scSE attention)", "Unet", "mobilenet_v2", decoder_attention_type="scse")
from_smp("U-Net++", "UnetPlusPlus", "mobilenet_v2")
from_smp("MAnet", "MAnet", "mobilenet_v2", decoder_channels=(64, 48, 32, 24, 16))
from_smp("Linknet", "Linknet")
from_smp("FPN", "FPN", "mobilenet_v2")
from_smp("PSPNet", "PSPNet", "mobilenet_v2")
from_smp("PAN", "PAN", "mobilenet_v2", size=128)
from_smp("DeepLabV3+", "DeepLabV3Plus", "mobilenet_v2")
from_smp("UPerNet (smp)", "UPerNet", "mobilenet_v2")
from_smp("SegFormer (smp)", "Segformer", "mit_b0")


@segmentation("DPT (smp)", source="segmentation-models-pytorch", size=64)
def dpt_smp():
    return smp.DPT("tu-vit_tiny_patch16_224", encoder_weights=None, encoder_depth=4, decoder_intermediate_channels=(32, 32, 64, 64), decoder_fusion_channels=32, classes=5, dynamic_img_size=True)


@segmentation("SegFormer", source="transformers", size=64, quantized=True)
def segformer():
    config = SegformerConfig(depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 48, 64], num_attention_heads=[1, 1, 2, 4], decoder_hidden_size=64, num_labels=5)
    return Outputs(SegformerForSemanticSegmentation(config), "logits")


def small_swin():
    return SwinConfig(image_size=64, patch_size=4, embed_dim=24, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 4], window_size=4, out_features=["stage1", "stage2", "stage3", "stage4"])


@segmentation("Mask2Former", source="transformers", size=64)
def mask2former():
    config = Mask2FormerConfig(
        backbone_config=small_swin(), feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=64, encoder_layers=2, decoder_layers=3, num_attention_heads=2,
        dim_feedforward=64, num_queries=10, num_labels=5,
    )
    return Outputs(Mask2FormerForUniversalSegmentation(config), "class_queries_logits", "masks_queries_logits")


@segmentation("MaskFormer", source="transformers", size=64)
def maskformer():
    from transformers import DetrConfig

    decoder = DetrConfig(d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_queries=10)
    config = MaskFormerConfig(backbone_config=small_swin(), decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, num_labels=5)
    return Outputs(MaskFormerForInstanceSegmentation(config), "class_queries_logits", "masks_queries_logits")


@segmentation("UPerNet (ConvNeXt)", source="transformers", size=64)
def upernet():
    backbone = ConvNextConfig(hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], out_features=["stage1", "stage2", "stage3", "stage4"])
    return Outputs(UperNetForSemanticSegmentation(UperNetConfig(backbone_config=backbone, hidden_size=32, num_labels=5, use_auxiliary_head=False, auxiliary_in_channels=48)), "logits")


@segmentation("BEiT with a segmentation head", source="transformers", size=64)
def beit():
    config = BeitConfig(image_size=64, patch_size=16, hidden_size=48, num_hidden_layers=4, num_attention_heads=3, intermediate_size=96, out_indices=[1, 2, 3, 4], num_labels=5, use_relative_position_bias=True, use_auxiliary_head=False)
    return Outputs(BeitForSemanticSegmentation(config), "logits")


@depth("DPT", size=64)
def dpt():
    config = DPTConfig(image_size=64, patch_size=16, hidden_size=48, num_hidden_layers=4, num_attention_heads=3, intermediate_size=96, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[16, 24, 32, 48], fusion_hidden_size=32)
    return Outputs(DPTForDepthEstimation(config), "predicted_depth")


@depth("Depth Anything", size=56)
def depth_anything():
    backbone = Dinov2Config(hidden_size=48, num_hidden_layers=4, num_attention_heads=3, image_size=56, patch_size=14, out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True)
    config = DepthAnythingConfig(backbone_config=backbone, reassemble_hidden_size=48, neck_hidden_sizes=[16, 24, 32, 48], fusion_hidden_size=32, head_hidden_size=16)
    return Outputs(DepthAnythingForDepthEstimation(config), "predicted_depth")


@depth("GLPN", size=64)
def glpn():
    config = GLPNConfig(depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 48, 64], num_attention_heads=[1, 1, 2, 4], decoder_hidden_size=32)
    return Outputs(GLPNForDepthEstimation(config), "predicted_depth")
