"""Encoders of the transformers library that others build on: configured small, weights random."""

from functools import partial

from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
    SamVisionConfig,
    SiglipVisionConfig,
    SiglipVisionModel,
)
from transformers.models.sam.modeling_sam import SamVisionEncoder

from .registry import Outputs, family

encoder = partial(family, task="encoder", source="transformers")
small = {"hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 192, "image_size": 64, "patch_size": 16}


@encoder("CLIP image encoder")
def clip():
    return Outputs(CLIPVisionModel(CLIPVisionConfig(**small)), "pooler_output")


@encoder("SigLIP image encoder")
def siglip():
    return Outputs(SiglipVisionModel(SiglipVisionConfig(**small)), "pooler_output")


@encoder("DINOv2", size=56)
def dinov2():
    return Outputs(Dinov2Model(Dinov2Config(hidden_size=96, num_hidden_layers=2, num_attention_heads=3, image_size=70, patch_size=14)), "last_hidden_state")


@encoder("SAM image encoder", size=128)
def sam():
    config = SamVisionConfig(
        hidden_size=96, output_channels=32, num_hidden_layers=3, num_attention_heads=3, image_size=128, patch_size=16, mlp_dim=192, window_size=5, global_attn_indexes=[1]
    )
    return Outputs(SamVisionEncoder(config), "last_hidden_state")
