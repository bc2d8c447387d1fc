"""Trains the two digit networks (networks), or attacks by torchattacks and scores its images and ours on both networks (peers): python peers.py STEP WORK"""
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

here = Path(__file__).parent
sys.path.insert(0, str(here / "../attacks"))
from networks import config as shared  # noqa: E402
from networks import digits, networks, train  # noqa: E402

config = json.loads((here / "config.json").read_text())


def make_networks(work: Path) -> None:
    """As bench/peers/attacks trains them."""
    images, labels = digits()
    n = shared["digits"]
    held, target = images[-n:], labels[-n:]
    for name in networks:
        torch.manual_seed(0)
        network = train(networks[name](), images[:-n], labels[:-n], epochs=2, batch=100)
        torch.save(network.state_dict(), work / f"{name}.pt")
        torch.onnx.export(network, held, work / f"{name}.onnx", input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}}, opset_version=17, dynamo=False)  # fmt: skip
    save_file({"image": held.contiguous(), "label": target.contiguous()}, work / "digits.safetensors")


def load(work: Path, name: str):
    network = networks[name]()
    network.load_state_dict(torch.load(work / f"{name}.pt", weights_only=True))
    return network.eval().requires_grad_(False)


def by_torchattacks(model, x, y, words: str):
    import torchattacks

    name, *options = words.split()
    given = {k: float(v) if "." in v else int(v) for k, v in (word.split("=") for word in options)}
    attack = getattr(torchattacks, name)(model, eps=config["epsilon"], alpha=0.01, steps=20, **given)
    return attack(x, y)


def file_of(source: str, title: str, seed: int) -> str:
    """As `fileOf` of compare.ts."""
    return re.sub("[^A-Za-z0-9.]+", "-", f"ours {source} {title} {seed}") + ".safetensors"


def peers(work: Path) -> None:
    data = load_file(work / "digits.safetensors")
    x, y = data["image"], data["label"]
    right = lambda model, images: model(images).argmax(1) == y
    rows = []
    for source, other in config["directions"]:
        attacked, second = load(work, source), load(work, other)
        with torch.no_grad():
            open_ = right(second, x)
        for row in config["rows"]:
            found = {"faultline": [], "torchattacks": []}
            source_right = {"faultline": [], "torchattacks": []}
            same = []
            for seed in config["seeds"]:
                torch.manual_seed(seed)
                images = {
                    "faultline": load_file(work / file_of(source, row["title"], seed))["image"],
                    "torchattacks": by_torchattacks(attacked, x, y, row["torchattacks"]).detach(),
                }
                for who, adversarial in images.items():
                    assert (adversarial - x).abs().max() <= config["epsilon"] + 1e-6
                    with torch.no_grad():
                        found[who].append(100 * (~right(second, adversarial))[open_].float().mean().item())
                        source_right[who].append(100 * right(attacked, adversarial).float().mean().item())
                near = (images["faultline"] - images["torchattacks"]).abs().amax(1) < 1e-5
                same.append(near.float().mean().item())
            rows.append({"source": source, "other": other, "title": row["title"], "success": found, "source_right": source_right,
                         "same": same, "open": int(open_.sum())})  # fmt: skip
            print(rows[-1], flush=True)
    versions = {p: version(p) for p in ("torchattacks", "torch")}
    (here / "results.json").write_text(json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n")


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
{"networks": make_networks, "peers": peers}[sys.argv[1]](Path(sys.argv[2]))
