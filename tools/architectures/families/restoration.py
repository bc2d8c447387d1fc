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


class ChannelNorm(nn.Module):
    """Layer normalization over the channels of an image."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        return (x - mean) / (variance + 1e-6).sqrt() * self.weight[:, None, None] + self.bias[:, None, None]


class GatedBlock(nn.Module):
    """NAFNet's block (Chen et al. 2022): gates in place of activations, a simple channel attention."""

    def __init__(self, c: int):
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(c), ChannelNorm(c)
        self.spread, self.depthwise, self.join = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c), nn.Conv2d(c, c, 1)
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c, 1))
        self.widen, self.narrow = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(c, c, 1)
        self.beta, self.gamma = nn.Parameter(torch.zeros(1, c, 1, 1)), nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x):
        a, b = self.depthwise(self.spread(self.norm1(x))).chunk(2, dim=1)
        y = x + self.join(a * b * self.attention(a * b)) * self.beta
        a, b = self.widen(self.norm2(y)).chunk(2, dim=1)
        return y + self.narrow(a * b) * self.gamma


class TransposedAttention(nn.Module):
    """Restormer's block (Zamir et al. 2022): attention between channels, a gated feed-forward part with depthwise convolutions."""

    def __init__(self, c: int, heads: int):
        super().__init__()
        self.heads, self.temperature = heads, nn.Parameter(torch.ones(heads, 1, 1))
        self.norm1, self.norm2 = ChannelNorm(c), ChannelNorm(c)
        self.qkv, self.qkv_depthwise, self.join = nn.Conv2d(c, 3 * c, 1), nn.Conv2d(3 * c, 3 * c, 3, padding=1, groups=3 * c), nn.Conv2d(c, c, 1)
        self.widen, self.depthwise, self.narrow = nn.Conv2d(c, 4 * c, 1), nn.Conv2d(4 * c, 4 * c, 3, padding=1, groups=4 * c), nn.Conv2d(2 * c, c, 1)

    def forward(self, x):
        batch, c, height, width = x.shape
        q, k, v = (t.reshape(batch, self.heads, c // self.heads, height * width) for t in self.qkv_depthwise(self.qkv(self.norm1(x))).chunk(3, dim=1))
        weights = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * self.temperature).softmax(-1)
        y = x + self.join((weights @ v).reshape(batch, c, height, width))
        a, b = self.depthwise(self.widen(self.norm2(y))).chunk(2, dim=1)
        return y + self.narrow(F.gelu(a) * b)


class Hourglass(nn.Module):
    """Down once by a strided convolution, up again by PixelShuffle, added to the picture: how both networks are built, with more levels."""

    def __init__(self, block, width: int = 16):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)
        self.encoder, self.middle, self.decoder = block(width), block(2 * width), block(width)
        self.down, self.up = nn.Conv2d(width, 2 * width, 2, 2), nn.Sequential(nn.Conv2d(2 * width, 4 * width, 1, bias=False), nn.PixelShuffle(2))

    def forward(self, x):
        fine = self.encoder(self.first(x))
        return x + self.last(self.decoder(fine + self.up(self.middle(self.down(fine)))))


@family("NAFNet", task="restoration", source="written out", size=32, quantized=True)
def nafnet():
    return Hourglass(GatedBlock)


@family("Restormer", task="restoration", source="written out", size=32)
def restormer():
    return Hourglass(lambda width: TransposedAttention(width, width // 16))
