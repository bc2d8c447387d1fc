"""Classifiers of torchvision and timm, narrow or shallow where the published ones are large: the same layers, fewer of them."""

from functools import partial

import timm
import torchvision.models as tv
from timm.layers import BatchNormAct2d, GroupNormAct, StdConv2d
from torch import nn

from .registry import family

classifier = partial(family, task="classification")


def from_torchvision(name: str, model: str, **options):
    arguments = {key: options.pop(key) for key in list(options) if key not in ("size", "quantized")}
    classifier(name, source="torchvision", **options)(lambda: getattr(tv, model)(weights=None, num_classes=10, **arguments))


def from_timm(name: str, model: str, **options):
    arguments = {key: options.pop(key) for key in list(options) if key not in ("size", "quantized")}
    classifier(name, source="timm", **options)(lambda: timm.create_model(model, pretrained=False, num_classes=10, **arguments))


from_torchvision("ResNet-18", "resnet18", quantized=True)


@classifier("ResNeXt", source="torchvision")
def resnext():
    return tv.ResNet(tv.resnet.Bottleneck, [1, 1, 1, 1], num_classes=10, groups=32, width_per_group=4)


@classifier("VGG", source="torchvision", size=64)
def vgg():
    network = tv.vgg11_bn(weights=None, num_classes=10)
    network.avgpool = nn.Identity()  # 7 x 7 at 224 pixels; here 2 x 2
    network.classifier = nn.Sequential(nn.Linear(512 * 4, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 10))
    return network


@classifier("DenseNet", source="torchvision")
def densenet():
    return tv.DenseNet(growth_rate=16, block_config=(3, 4, 6, 3), num_init_features=32, num_classes=10)


from_torchvision("SqueezeNet", "squeezenet1_1")
from_torchvision("MobileNetV2", "mobilenet_v2", quantized=True)
from_torchvision("MobileNetV3", "mobilenet_v3_small", quantized=True)
from_torchvision("EfficientNet", "efficientnet_b0", quantized=True)
from_torchvision("ShuffleNetV2", "shufflenet_v2_x0_5", quantized=True)
from_torchvision("RegNet", "regnet_y_400mf")
from_torchvision("MNASNet", "mnasnet0_5")
from_torchvision("GoogLeNet", "googlenet", aux_logits=False, init_weights=False)
from_torchvision("Inception v3", "inception_v3", size=80, aux_logits=False, init_weights=False)


@classifier("Swin (torchvision)", source="torchvision")
def swin_torchvision():
    return tv.SwinTransformer([4, 4], 48, [2, 2], [2, 4], [4, 4], num_classes=10)


@classifier("Swin v2 (torchvision)", source="torchvision")
def swin_v2_torchvision():
    return tv.SwinTransformer([4, 4], 48, [2, 2], [2, 4], [4, 4], num_classes=10, block=tv.swin_transformer.SwinTransformerBlockV2, downsample_layer=tv.swin_transformer.PatchMergingV2)


@classifier("MaxViT (torchvision)", source="torchvision", size=64)
def maxvit_torchvision():
    return tv.MaxVit((64, 64), 32, 2, [32, 64], [1, 1], 16, 0.0, num_classes=10)


@classifier("ViT (torchvision)", source="torchvision")
def vit_torchvision():
    return tv.VisionTransformer(64, 16, 3, 3, 96, 192, num_classes=10)


from_timm("EfficientNetV2", "tf_efficientnetv2_b0")
from_timm("MobileNetV4", "mobilenetv4_conv_small")
from_timm("ConvNeXt", "convnext_atto", depths=(1, 1, 2, 1), quantized=True)
from_timm("ConvNeXt V2", "convnextv2_atto", depths=(1, 1, 2, 1))
from_timm("ViT", "vit_tiny_patch16_224", img_size=64, depth=3, quantized=True)
from_timm("DeiT", "deit_tiny_distilled_patch16_224", img_size=64, depth=3)
from_timm("DeiT III", "deit3_small_patch16_224", img_size=64, depth=2, embed_dim=192, num_heads=3)
from_timm("BEiT", "beit_base_patch16_224", img_size=64, depth=2, embed_dim=192, num_heads=3)
from_timm("EVA-02", "eva02_tiny_patch14_224", size=56, img_size=56, depth=2)
from_timm("CaiT", "cait_xxs24_224", img_size=64, depth=2)
from_timm("XCiT", "xcit_nano_12_p16_224", depth=2)
from_timm("Swin", "swin_tiny_patch4_window7_224", img_size=64, window_size=4, embed_dim=48, depths=(2, 2), num_heads=(2, 4))
from_timm("Swin v2", "swinv2_tiny_window8_256", img_size=64, window_size=4, embed_dim=48, depths=(2, 2), num_heads=(2, 4))
from_timm("MaxViT", "maxvit_rmlp_pico_rw_256", img_size=64)
from_timm("CoAtNet", "coatnet_pico_rw_224", img_size=64)
from_timm("PVT v2", "pvt_v2_b0")
from_timm("Twins", "twins_svt_small", img_size=64, embed_dims=(32, 64, 128, 256), depths=(1, 1, 2, 1))
from_timm("MobileViT", "mobilevit_xxs")
from_timm("MobileViTV2", "mobilevitv2_050")
from_timm("EdgeNeXt", "edgenext_xx_small")
from_timm("EfficientFormer", "efficientformer_l1", size=224)
from_timm("LeViT", "levit_128s", size=224)
from_timm("FastViT", "fastvit_t8")
from_timm("PoolFormer", "poolformer_s12")
from_timm("TinyViT", "tiny_vit_5m_224", size=224)
from_timm("RepVGG", "repvgg_a0")
from_timm("GhostNet", "ghostnet_050")
from_timm("HRNet", "hrnet_w18_small")
from_timm("Res2Net", "res2net50d", layers=(1, 1, 1, 1))
from_timm("ResNeSt", "resnest14d")
from_timm("SKNet", "skresnet18")
from_timm("VoVNet", "ese_vovnet19b_slim")
from_timm("LambdaNetwork", "lambda_resnet26t", size=64)


@classifier("BiT (ResNetV2, weight standardization)", source="timm")
def bit():
    return timm.models.resnetv2.ResNetV2([1, 1, 1, 1], (128, 256, 384, 512), num_classes=10, stem_type="fixed", conv_layer=StdConv2d, norm_layer=GroupNormAct)


@classifier("ResNetV2 (pre-activation)", source="timm")
def resnetv2():
    return timm.models.resnetv2.ResNetV2([1, 1, 1, 1], (64, 128, 256, 512), num_classes=10, norm_layer=BatchNormAct2d)


@classifier("MLP-Mixer", source="timm")
def mlp_mixer():
    return timm.models.mlp_mixer.MlpMixer(10, 64, patch_size=16, num_blocks=2, embed_dim=96)


@classifier("ResMLP", source="timm")
def resmlp():
    mixer = timm.models.mlp_mixer
    return mixer.MlpMixer(10, 64, patch_size=16, num_blocks=2, embed_dim=96, mlp_ratio=4, block_layer=mixer.ResBlock, norm_layer=mixer.Affine)


@classifier("ConvMixer", source="timm")
def convmixer():
    return timm.models.convmixer.ConvMixer(96, 3, kernel_size=7, patch_size=7, num_classes=10)


@classifier("FocalNet", source="timm")
def focalnet():
    return timm.models.focalnet.FocalNet(num_classes=10, embed_dim=32, depths=(1, 1, 1, 1), focal_levels=(2, 2, 2, 2), focal_windows=(3, 3, 3, 3))


@classifier("Hiera", source="timm", size=128)
def hiera():
    return timm.models.hiera.Hiera(img_size=(128, 128), num_classes=10, embed_dim=24, num_heads=1, stages=(1, 1, 2, 1))


@classifier("NFNet", source="timm")
def nfnet():
    blocks = timm.models.nfnet
    config = blocks._nfnet_cfg(depths=(1, 1, 1, 1), channels=(64, 128, 128, 192), group_size=16)
    return blocks.NormFreeNet(config, num_classes=10)
