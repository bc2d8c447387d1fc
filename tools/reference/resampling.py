"""Forward passes of tiny networks with other resampling, in PyTorch and float64, after the published descriptions and with FFTs where we multiply matrices.

    python tools/reference/resampling.py > fixtures/golden/networks/resampling.json

Weights, running statistics and images are the sines of src/vision/nn/networks/forward.test.ts.
"""

import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def f32(t):
    return t.to(torch.float32).to(torch.float64)


class Weights:
    """Two passes: the first collects names and shapes, the second knows every value, because sines are numbered by sorted name."""

    def __init__(self):
        self.shapes, self.values = {}, None

    def __call__(self, name, *shape):
        self.shapes[name] = shape
        if self.values is None:
            return torch.ones(shape)
        return self.values[name]

    def fill(self):
        self.values = {}
        for i, name in enumerate(sorted(self.shapes)):
            shape = self.shapes[name]
            s = torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * (0.7 + 0.01 * i) + i).reshape(shape)
            if name.endswith("running_var"):
                v = 1 + 0.5 * s
            elif len(shape) > 1:
                v = 1.5 * s / math.sqrt(math.prod(shape[1:]))
            else:
                v = 1 + 0.3 * s if name.endswith("weight") else 0.2 * s
            self.values[name] = f32(v)


shift = lambda x: torch.fft.fftshift(x, dim=(-2, -1))
unshift = lambda x: torch.fft.ifftshift(x, dim=(-2, -1))
fft = lambda x: torch.fft.fft2(x, norm="forward")
ifft = lambda x: torch.fft.ifft2(x, norm="forward")


def cut(x, h, w):
    """The middle h x w frequencies, 0 among them at floor(h / 2), floor(w / 2)."""
    top, left = x.shape[-2] // 2 - h // 2, x.shape[-1] // 2 - w // 2
    return x[..., top : top + h, left : left + w]


def flc(x, h, w):
    return ifft(unshift(cut(shift(fft(x)), h, w))).real


def boa(x, alpha):
    h, w = x.shape[-2:]
    top, left = 3 * h // 4 + 1, 3 * w // 4 + 1
    p = F.pad(x, (left, 3 * w // 4, top, 3 * h // 4))
    ph, pw = p.shape[-2:]
    spectrum = shift(fft(p))
    rows, columns = slice(int(ph / 4), int(3 * ph / 4)), slice(int(pw / 4), int(3 * pw / 4))
    low = ifft(unshift(spectrum[..., rows, columns])).real
    y, x0 = round((low.shape[-2] - h // 2) / 2), round((low.shape[-1] - w // 2) / 2)
    low = low[..., y : y + h // 2, x0 : x0 + w // 2]
    kept = torch.zeros_like(spectrum)
    kept[..., rows, columns] = spectrum[..., rows, columns]
    full = ifft(unshift(kept)).real[..., top : top + h, left : left + w]
    return (1 - alpha) * low.repeat_interleave(4, 1) + alpha * F.pixel_unshuffle(x - full, 2)


def freq_avg(y, beta):
    b, c, h, w = y.shape
    spectrum = fft(y).view(b, c // 4, 4, h, w)
    mean = spectrum.mean(2)
    wide = F.pad(shift(mean), (w - w // 2, w // 2, h - h // 2, h // 2))
    high = F.pixel_shuffle(ifft((spectrum - mean[:, :, None]).reshape(b, c, h, w)).real, 2)
    return (1 - beta) * ifft(unshift(wide)).real + beta * high


def transposed(p, name, x, out, k, groups, bias):
    weight = p(f"{name}.weight", x.shape[1], out // groups, k, k)
    b = p(f"{name}.bias", out) if bias else None
    return F.conv_transpose2d(x, weight, b, stride=2, padding=(k - 1) // 2, output_padding=1, groups=groups)


def conv(p, name, x, out, k=1, stride=1, groups=1, bias=True, padding=None):
    weight = p(f"{name}.weight", out, x.shape[1] // groups, k, k)
    padding = (k - 1) // 2 if padding is None else padding
    return F.conv2d(x, weight, p(f"{name}.bias", out) if bias else None, stride, padding, 1, groups)


def bn(p, name, x):
    c = x.shape[1]
    mean, var = p(f"{name}.running_mean", c), p(f"{name}.running_var", c)
    return F.batch_norm(x, mean, var, p(f"{name}.weight", c), p(f"{name}.bias", c), eps=1e-5)


def half_up(x):
    return -(-x.shape[-2] // 2), -(-x.shape[-1] // 2)


def resnet(p, x, c):
    """FLC before stem, max pooling's place, strided convolutions and shortcuts (Grabinski et al. 2022)."""
    w = c["width"]
    if c["stem"] == "imagenet":
        x = F.relu(bn(p, "bn1", conv(p, "conv1", flc(x, *half_up(x)), w, 7, bias=False)))
        x = flc(x, *half_up(x))
    else:
        x = F.relu(bn(p, "bn1", conv(p, "conv1", x, w, 3, bias=False)))
    for stage, count in enumerate(c["blocks"]):
        for i in range(count):
            n, out = f"layer{stage + 1}.{i}", w * 2**stage
            low = flc(x, *half_up(x)) if stage > 0 and i == 0 else x
            y = F.relu(bn(p, n + ".bn1", conv(p, n + ".conv1", low, out, 3, bias=False)))
            y = bn(p, n + ".bn2", conv(p, n + ".conv2", y, out, 3, bias=False))
            if stage > 0 and i == 0:
                x = bn(p, n + ".downsample.1", conv(p, n + ".downsample.0", low, out, 1, bias=False))
            x = F.relu(y + x)
    return F.linear(x.mean((2, 3)), p("fc.weight", c["classes"], x.shape[1]), p("fc.bias", c["classes"]))


def unet(p, x, c):
    """milesial's U-Net; FLC for max pooling, a grouped 7x7 transposed convolution for the 2x2 one."""

    def double(n, x, out):
        for i in (0, 3):
            x = F.relu(bn(p, f"{n}.double_conv.{i + 1}", conv(p, f"{n}.double_conv.{i}", x, out, 3, bias=False)))
        return x

    x, skips = double("inc", x, c["width"]), []
    for level in range(1, c["levels"] + 1):
        skips.append(x)
        x = double(f"down{level}.maxpool_conv.1", flc(x, x.shape[-2] // 2, x.shape[-1] // 2), c["width"] * 2**level)
    for level in range(1, c["levels"] + 1):
        skip = skips.pop()
        y = transposed(p, f"up{level}.up", x, skip.shape[1], 7, skip.shape[1], True)
        dy, dx = skip.shape[-2] - y.shape[-2], skip.shape[-1] - y.shape[-1]
        y = F.pad(y, (dx // 2, dx - dx // 2, dy // 2, dy - dy // 2))
        x = double(f"up{level}.conv", torch.cat([skip, y], 1), skip.shape[1])
    return conv(p, "outc.conv", x, c["outputChannels"])


def layer_norm(p, name, x, eps):
    m = x.mean(1, keepdim=True)
    v = ((x - m) ** 2).mean(1, keepdim=True)
    w, b = p(f"{name}.weight", x.shape[1]), p(f"{name}.bias", x.shape[1])
    return (x - m) / torch.sqrt(v + eps) * w.view(1, -1, 1, 1) + b.view(1, -1, 1, 1)


def nafnet(p, image, c):
    def block(n, inp):
        ch = inp.shape[1]
        x = conv(p, n + ".conv1", layer_norm(p, n + ".norm1", inp, 1e-6), 2 * ch)
        a, b = conv(p, n + ".conv2", x, 2 * ch, 3, groups=2 * ch).chunk(2, 1)
        x = a * b
        x = x * conv(p, n + ".sca.1", x.mean((2, 3), keepdim=True), ch)
        y = inp + conv(p, n + ".conv3", x, ch) * p(n + ".beta", 1, ch, 1, 1)
        a, b = conv(p, n + ".conv4", layer_norm(p, n + ".norm2", y, 1e-6), 2 * ch).chunk(2, 1)
        return y + conv(p, n + ".conv5", a * b, ch) * p(n + ".gamma", 1, ch, 1, 1)

    x, skips = conv(p, "intro", image, c["width"], 3), []
    for i, count in enumerate(c["encoderBlocks"]):
        for j in range(count):
            x = block(f"encoders.{i}.{j}", x)
        skips.append(x)
        if c["down"] == "boa":
            x = boa(x, p(f"downs.{i}.alpha", 1))
        else:
            x = conv(p, f"downs.{i}", flc(x, x.shape[-2] // 2, x.shape[-1] // 2), 2 * x.shape[1], 3)
    for j in range(c["middleBlocks"]):
        x = block(f"middle_blks.{j}", x)
    for i, count in enumerate(c["decoderBlocks"]):
        skip = skips.pop()
        out = skip.shape[1]
        if c["up"] == "lctc-11+3":
            x = transposed(p, f"ups.{i}.large_path", x, out, 11, 1, False) + transposed(p, f"ups.{i}.small_path", x, out, 3, 1, False)
        else:
            x = freq_avg(conv(p, f"ups.{i}.body", x, 4 * out, 3, bias=False), p(f"ups.{i}.beta", 1))
        x = x + skip
        for j in range(count):
            x = block(f"decoders.{i}.{j}", x)
    return conv(p, "ending", x, image.shape[1], 3) + image


def restormer(p, image, c):
    """With bias: "learned" the first convolution and those that resample have none all the same."""
    heads, hidden = c["heads"], c["feedForwardExpansion"]

    def block(n, x, h):
        b, ch, height, width = x.shape
        y = conv(p, n + ".attn.qkv", layer_norm(p, n + ".norm1.body", x, 1e-5), 3 * ch)
        y = conv(p, n + ".attn.qkv_dwconv", y, 3 * ch, 3, groups=3 * ch)
        q, k, v = [t.reshape(b, h, ch // h, -1) for t in y.chunk(3, 1)]
        a = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * p(n + ".attn.temperature", h, 1, 1)
        x = x + conv(p, n + ".attn.project_out", (a.softmax(-1) @ v).reshape(b, ch, height, width), ch)
        f = int(ch * hidden)
        y = conv(p, n + ".ffn.project_in", layer_norm(p, n + ".norm2.body", x, 1e-5), 2 * f)
        a, g = conv(p, n + ".ffn.dwconv", y, 2 * f, 3, groups=2 * f).chunk(2, 1)
        return x + conv(p, n + ".ffn.project_out", F.gelu(a) * g, ch)

    down = lambda n, x: F.pixel_unshuffle(conv(p, n + ".body.0", x, x.shape[1] // 2, 3, bias=False), 2)
    up = lambda n, x: F.pixel_shuffle(conv(p, n + ".body.0", x, 2 * x.shape[1], 3, bias=False), 2)
    e1 = block("encoder_level1.0", conv(p, "patch_embed.proj", image, c["width"], 3, bias=False), heads[0])
    e2 = block("encoder_level2.0", down("down1_2", e1), heads[1])
    e3 = block("encoder_level3.0", down("down2_3", e2), heads[2])
    x = block("latent.0", down("down3_4", e3), heads[3])
    x = block("decoder_level3.0", conv(p, "reduce_chan_level3", torch.cat([up("up4_3", x), e3], 1), e3.shape[1]), heads[2])
    x = block("decoder_level2.0", conv(p, "reduce_chan_level2", torch.cat([up("up3_2", x), e2], 1), e2.shape[1]), heads[1])
    x = block("decoder_level1.0", torch.cat([up("up2_1", x), e1], 1), heads[0])
    x = block("refinement.0", x, heads[0])
    return conv(p, "output", x, image.shape[1], 3) + image


NAF = dict(family="nafnet", activation="simple-gate", attention="simplified-channel", depthwiseExpansion=2, feedForwardExpansion=2)
CASES = [
    (resnet, dict(family="resnet", block="basic", blocks=[1, 1, 1], width=4, stem="cifar", classes=5, down="flc"), [2, 3, 17, 14], 1),
    (resnet, dict(family="resnet", block="basic", blocks=[1, 2], width=4, stem="imagenet", classes=5, down="flc"), [1, 3, 34, 29], 1),
    (unet, dict(family="unet", width=4, levels=2, outputChannels=2, normalization="batch", output="plain", down="flc", up="lctc-7"), [1, 3, 19, 22], 13),
    (nafnet, dict(NAF, width=4, encoderBlocks=[1, 1], middleBlocks=1, decoderBlocks=[1, 1], down="boa", up="lctc-11+3"), [1, 3, 20, 24], 23),
    (nafnet, dict(NAF, width=4, encoderBlocks=[1, 1], middleBlocks=1, decoderBlocks=[1, 1], down="flc", up="freq-avg"), [2, 3, 12, 20], 23),
    (restormer, dict(family="restormer", width=4, blocks=[1, 1, 1, 1], refinementBlocks=1, heads=[1, 1, 2, 2], feedForwardExpansion=2, normalization="with-bias", bias="learned"), [1, 3, 16, 24], 19),
]

if __name__ == "__main__":
    results = []
    for function, configuration, shape, step in CASES:
        image = f32(0.5 * torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * 0.37 + 0.3).reshape(shape) + 0.5)
        weights = Weights()
        with torch.no_grad():
            function(weights, image, configuration)
            weights.fill()
            y = function(weights, image, configuration)
        output = [round(v, 7) for v in y.flatten()[::step].tolist()]
        results.append(dict(configuration=configuration, input=shape, shape=list(y.shape), step=step, output=output))
    print(json.dumps(results))
