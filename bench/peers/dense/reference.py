"""SEA and PCFA once more, from the papers, in PyTorch, since no package has them: python reference.py WORK prepare | python reference.py WORK attack

`prepare` writes WORK/flow.onnx and WORK/pairs.safetensors, a small network of motion with weights drawn by seed and pairs of pictures that it is attacked on. `attack` needs
WORK/scenes.safetensors (of ../attacks/scenes.ts) and writes WORK/reference.json.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

here = Path(__file__).parent
config = json.loads((here / "config.json").read_text())
segmenter = here / "../../../fixtures/models/segmenter.onnx"


# --- SEA (Croce, Singh & Hein 2024, section 4): Auto-PGD once with each loss, in balls of 2, 1.5 and 1 epsilon; of each image the result of fewest right pixels.


def losses():
    """Losses for each pixel: logits [B, K, H, W], labels [B, H, W] -> [B, H, W]."""
    entropy = nn.CrossEntropyLoss(reduction="none")

    def masked(z, y):
        return entropy(z, y) * (z.argmax(1) == y)

    def balanced(z, y):
        weight = torch.zeros_like(y, dtype=z.dtype)
        for b in range(len(y)):
            classes, pixels = y[b].unique(return_counts=True)
            for k, n in zip(classes, pixels):
                weight[b][y[b] == k] = y[b].numel() / (len(classes) * n)
        return masked(z, y) * weight

    def jensen_shannon(z, y):
        p = z.softmax(1)
        label = nn.functional.one_hot(y, z.shape[1]).movedim(-1, 1).to(z.dtype)
        middle = (p + label) / 2
        first = (p * (p.clamp_min(1e-30) / middle.clamp_min(1e-30)).log()).sum(1)
        second = -(label * middle.clamp_min(1e-30).log()).sum(1)
        return (first + second) / 2

    return {"balanced-masked-cross-entropy": balanced, "masked-cross-entropy": masked, "jensen-shannon": jensen_shannon}


def look(model, x, y, loss):
    x = x.detach().requires_grad_(True)
    z = model(x)
    slope = torch.autograd.grad(loss(z, y).mean((1, 2)).sum(), x)[0]
    z = z.detach()
    tracked = nn.functional.cross_entropy(z, y, reduction="none").mean((1, 2))
    return slope, tracked, (z.argmax(1) == y).float().mean((1, 2))


def wide(v):
    return v.view(-1, 1, 1, 1)


def auto_pgd(model, clean, y, loss, start, epsilon, steps):
    """Auto-PGD in l_inf by the rules of its authors' code; gives for each image the iterate of fewest right pixels, of equal ones that of highest cross-entropy."""

    def inside(x):
        return torch.min(torch.max(x, clean - epsilon), clean + epsilon).clamp(0, 1)

    count = len(clean)
    x = before = start.clone()
    step = torch.full((count,), 2 * epsilon)
    history, best = [], torch.full((count,), -torch.inf)
    best_x, best_slope = x.clone(), torch.zeros_like(x)
    fewest, at_fewest, found = torch.full((count,), 2.0), torch.full((count,), -torch.inf), x.clone()
    gap, since = max(int(0.22 * steps), 1), 0
    halved, best_then = torch.ones(count, dtype=torch.bool), None
    for t in range(steps + 1):
        slope, tracked, right = look(model, x, y, loss)
        history.append(tracked)
        better = tracked > best
        best_x[better], best_slope[better], best[better] = x[better], slope[better], tracked[better]
        further = (right < fewest) | ((right == fewest) & (tracked > at_fewest))
        found[further], fewest[further], at_fewest[further] = x[further], right[further], tracked[further]
        if best_then is None:
            best_then = best.clone()
        if t == steps:
            break
        since += t > 0
        start_of_step = x
        if t > 0 and since == gap:
            rises = sum(((history[i] > (history[i - 1] if i > 1 else 0)).float() for i in range(t - gap + 1, t + 1)))
            halve = (rises <= 0.75 * gap) | (~halved & (best <= best_then))
            step[halve] /= 2
            start_of_step = torch.where(wide(halve), best_x, x)
            slope = torch.where(wide(halve), best_slope, slope)
            halved, best_then, since = halve, best.clone(), 0
            gap = max(gap - max(int(0.03 * steps), 1), max(int(0.06 * steps), 1))
        ahead = inside(start_of_step + wide(step) * slope.sign())
        momentum = 0.75 if t > 0 else 1.0
        following = inside(start_of_step + momentum * (ahead - start_of_step) + (1 - momentum) * (start_of_step - before))
        x, before = following, start_of_step
    return found


def sea(model, clean, y, epsilon, steps, seed):
    torch.manual_seed(seed)
    worst, fewest, each = clean.clone(), torch.full((len(clean),), 2.0), {}
    for name, loss in losses().items():
        x, left = None, steps
        for radius, share in ((2, 0.3), (1.5, 0.3), (1, 0.4)):
            own = left if radius == 1 else int(share * steps)
            left -= own
            reach = radius * epsilon
            x = clean + reach * (2 * torch.rand_like(clean) - 1) if x is None else torch.min(torch.max(x, clean - reach), clean + reach)
            x = auto_pgd(model, clean, y, loss, x.clamp(0, 1), reach, own)
        right = (model(x).argmax(1) == y).float().mean((1, 2))
        each[name] = right.mean().item()
        better = right < fewest
        worst[better], fewest[better] = x[better], right[better]
    return worst, each


def scores(model, x, y):
    with torch.no_grad():
        p = model(x).argmax(1)
    classes = [k for k in range(int(max(p.max(), y.max())) + 1) if ((p == k) | (y == k)).any()]
    overlap = [((p == k) & (y == k)).sum() / ((p == k) | (y == k)).sum() for k in classes]
    return {"accuracy": 100 * (p == y).float().mean().item(), "mIoU": 100 * torch.stack(overlap).mean().item()}


# --- PCFA (Schmalfuss, Scholze & Bruhn 2022, section 3): L-BFGS on distance to the target plus a penalty beyond the bound.


class Motion(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(6, 16, 5, padding=2), nn.Softplus(), nn.Conv2d(16, 16, 5, padding=2), nn.Softplus(), nn.Conv2d(16, 2, 3, padding=1)
        )  # fmt: skip
        with torch.no_grad():
            # What is drawn at first hardly depends on the pictures.
            for layer in (self.body[0], self.body[2], self.body[4]):
                layer.weight *= 2
                layer.bias *= 0

    def forward(self, image1, image2):
        return self.body(torch.cat([image1, image2], 1) - 0.5)


def motion(work: Path) -> nn.Module:
    model = Motion()
    model.load_state_dict(torch.load(work / "flow.pt", weights_only=True))
    return model.eval().requires_grad_(False)


def distance(flow, target):
    return (flow - target).square().sum(1).sqrt().mean()


def pcfa(model, images, bound, steps, box, lineSearch, name):
    """One pair [1, 3, H, W] each, towards no motion at all."""
    del name
    edge, weight = 1e-7, 2500 / bound
    clean = torch.cat(images)
    free = clean if box == "clipping" else torch.atanh(2 * (1 - edge) * clean - (1 - edge))
    free = free.clone().requires_grad_(True)

    def shown():
        return free.clamp(0, 1) if box == "clipping" else (0.5 / (1 - edge) * (torch.tanh(free) + (1 - edge))).clamp(0, 1)

    def state():
        x = shown()
        return distance(model(x[:1], x[1:]), 0), (x - clean).square().mean()

    optimizer = torch.optim.LBFGS([free], lr=1, max_iter=10, line_search_fn="strong_wolfe" if lineSearch == "strong-wolfe" else None)

    def closure():
        optimizer.zero_grad()
        loss, size = state()
        total = loss + weight * torch.relu(size - bound**2)
        total.backward()
        return total

    with torch.no_grad():
        before = distance(model(*images), 0).item()
    best, radius = before, 0.0
    for _ in range(steps):
        optimizer.step(closure)
        with torch.no_grad():
            loss, size = state()
        if size.sqrt() <= bound and loss < best:
            best, radius = loss.item(), size.sqrt().item()
    return {"before": before, "after": best, "delta": radius}


def prepare(work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = Motion().eval()
    torch.save(model.state_dict(), work / "flow.pt")
    n = config["pcfa"]["pairs"]
    coarse = torch.rand(n, 6, 12, 16)
    pairs = 0.05 + 0.9 * nn.functional.interpolate(coarse, size=(48, 64), mode="bicubic").clamp(0, 1)
    one, two = (pairs[:, :3].contiguous(), pairs[:, 3:].contiguous())
    save_file({"image1": one, "image2": two}, work / "pairs.safetensors")
    torch.onnx.export(model, (one, two), work / "flow.onnx", input_names=["image1", "image2"], output_names=["flow"],
                      dynamic_axes={k: {0: "n"} for k in ("image1", "image2", "flow")}, opset_version=17, dynamo=False)  # fmt: skip


def attack(work: Path) -> None:
    import onnx2torch

    scenes = load_file(work / "scenes.safetensors")
    model = onnx2torch.convert(str(segmenter)).eval().requires_grad_(False)
    x, y = scenes["image"], scenes["label"]
    setting = config["sea"]
    out = work / "reference.json"
    # What is there is not made again.
    results = json.loads(out.read_text()) if out.exists() else {"sea": [], "pcfa": []}
    keep = lambda: out.write_text(json.dumps(results, indent=1) + "\n")
    results["clean"] = scores(model, x, y)
    for seed in config["seeds"][len(results["sea"]) :]:
        found, each = sea(model, x, y, setting["epsilon"], setting["steps"], seed)
        assert (found - x).abs().max() <= setting["epsilon"] + 1e-6 and found.min() >= 0 and found.max() <= 1
        results["sea"].append({**scores(model, found, y), "each": each})
        keep()
        print(results["sea"][-1], flush=True)
    pairs = load_file(work / "pairs.safetensors")
    flow = motion(work)
    for row in config["pcfa"]["rows"][len(results["pcfa"]) :]:
        each = [(pairs["image1"][b : b + 1], pairs["image2"][b : b + 1]) for b in range(len(pairs["image1"]))]
        results["pcfa"].append([pcfa(flow, pair, **row) for pair in each])
        keep()
        print(row["name"], results["pcfa"][-1], flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    {"prepare": prepare, "attack": attack}[sys.argv[2]](folder)
