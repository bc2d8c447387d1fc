"""Image restoration and deformable convolution."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import DeformConv2d
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

from .registry import Outputs, family


@family("Swin2SR", task="restoration", source="transformers", size=32)
def swin2sr():
    config = Swin2SRConfig(image_size=32, embed_dim=24, depths=[2, 2], num_heads=[2, 2], window_size=4, upscale=2, num_channels=3)
    return Outputs(Swin2SRForImageSuperResolution(config), "reconstruction")


@family("RRDBNet (ESRGAN)", task="restoration", source="written out", size=32)
def rrdb():
    class Dense(nn.Module):
        def __init__(self, width: int, growth: int):
            super().__init__()
            self.layers = nn.ModuleList([nn.Conv2d(width + i * growth, growth if i < 4 else width, 3, padding=1) for i in range(5)])

        def forward(self, x):
            features = [x]
            for layer in self.layers[:-1]:
                features.append(F.leaky_relu(layer(torch.cat(features, 1)), 0.2))
            return self.layers[-1](torch.cat(features, 1)) * 0.2 + x

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.blocks = nn.Conv2d(3, 16, 3, padding=1), nn.Sequential(*(Dense(16, 8) for _ in range(3)))
            self.up, self.last = nn.Conv2d(16, 16, 3, padding=1), nn.Conv2d(16, 3, 3, padding=1)

        def forward(self, x):
            x = self.first(x)
            x = x + self.blocks(x)
            return self.last(F.leaky_relu(self.up(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2))

    return Network()


@family("Deformable convolution", task="restoration", source="torchvision", size=32)
def deformable():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 8, 3, padding=1)
            self.offset, self.mask = nn.Conv2d(8, 18, 3, padding=1), nn.Conv2d(8, 9, 3, padding=1)
            self.deformed, self.last = DeformConv2d(8, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)

        def forward(self, x):
            x = F.relu(self.first(x))
            return self.last(F.relu(self.deformed(x, self.offset(x), torch.sigmoid(self.mask(x)))))

    return Network()
