"""The published loop in PyTorch, for bench/criticality.ts to be compared with: restore all weights, load one layer's fresh ones, run everything.

    python3 bench/criticality.py [batch, default 4]
"""
import copy
import sys
import time

import torch
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        same = stride == 1 and inputs == 4 * width
        self.downsample = None if same else nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Sequential):
    def __init__(self):
        layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        inputs = 64
        for stage, count in enumerate([3, 4, 6, 3]):
            for block in range(count):
                layers.append(Bottleneck(inputs, 64 * 2**stage, 2 if block == 0 and stage > 0 else 1))
                inputs = 256 * 2**stage
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000))


batch = int(sys.argv[1]) if len(sys.argv) > 1 else 4
torch.manual_seed(0)
model, fresh = ResNet50().eval(), ResNet50().eval()
backup = copy.deepcopy(model.state_dict())
new = dict(fresh.named_modules())
modules = [(n, m) for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
images = torch.rand(batch, 3, 224, 224)
with torch.no_grad():
    model(images)
    begin = time.perf_counter()
    reference = model(images).softmax(1)
    forward = time.perf_counter() - begin
    begin = time.perf_counter()
    for name, module in modules:
        model.load_state_dict(backup)
        module.load_state_dict(new[name].state_dict())
        nn.functional.cosine_similarity(reference, model(images).softmax(1))
    each = (time.perf_counter() - begin) / len(modules)
print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, batch {batch}: forward {1000 * forward:.0f} ms, a reset {1000 * each:.0f} ms ({len(modules)} layers)")
