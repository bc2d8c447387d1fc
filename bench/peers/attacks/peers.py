"""Attacks the networks by the peers' packages, scores their images and ours alike, and writes results.json: python peers.py WORK [ROWS]"""
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file

from networks import config, load

here = Path(__file__).parent


def arguments(words: list[str]) -> dict:
    read = lambda v: 8 / 255 if v == "8/255" else float(v) if v.replace(".", "").isdigit() else v
    pairs = (word.split("=") for word in words)
    return {k: int(read(v)) if k in ("steps", "n_iter") else read(v) for k, v in pairs}


def by_torchattacks(model, x, y, seed, name, options):
    import torchattacks

    if name == "APGD":
        options["seed"] = seed
    return getattr(torchattacks, name)(model, **options)(x, y)


def by_foolbox(model, x, y, seed, name, options):
    import foolbox

    epsilon = options.pop("eps")
    if name == "SparseL1DescentAttack":
        options["random_start"] = True
    attack = getattr(foolbox.attacks, name)(**options)
    # its random starts are NumPy's, of its own global state, or PyTorch's
    return attack(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y, epsilons=epsilon)[1]


def by_pyautoattack(model, x, y, seed, name, options):
    from pyautoattack.autopgd_base import APGDAttack

    return APGDAttack(model, seed=seed, device="cpu", **options).perturb(x, y)


def by_cospgd(model, x, y, noise, name, options):
    from cospgd.attack_implementations import Attack

    epsilon, alpha, steps, inf = options["eps"], options["alpha"], options["steps"], options["norm"] == "l_inf"
    start = epsilon * noise if inf else Attack.lp_normalize(noise, p=2, epsilon=epsilon)
    adversarial = (x + start).clamp(0, 1)
    step = Attack.step_inf if inf else Attack.step_l2
    for t in range(steps):
        adversarial.requires_grad_(True)
        logits = model(adversarial)
        loss = torch.nn.functional.cross_entropy(logits, y, reduction="none")
        if name == "cospgd":
            loss = Attack.cospgd_scale(logits, y, loss, num_classes=logits.shape[1])
        if name == "segpgd":
            loss = Attack.segpgd_scale(logits, y, loss, t, steps)
        gradient = torch.autograd.grad(loss.mean(), adversarial)[0]
        adversarial = step(adversarial, torch.tensor(epsilon), gradient, x, torch.tensor(alpha), targeted=False)
    return adversarial


packages = {"torchattacks": by_torchattacks, "foolbox": by_foolbox, "pyautoattack": by_pyautoattack, "cospgd": by_cospgd}
sizes = {
    "l_inf": lambda d: d.abs().amax((1, 2, 3)),
    "l_2": lambda d: d.square().sum((1, 2, 3)).sqrt(),
    "l_1": lambda d: d.abs().sum((1, 2, 3)),
}


def score(model, images, y) -> float:
    """Percent: right predictions of pictures; mean intersection over union of scenes."""
    with torch.no_grad():
        predicted = model(images).argmax(1)
    if y.dim() == 1:
        return 100 * (predicted == y).float().mean().item()
    ious = []
    for c in y.unique():
        union = ((predicted == c) | (y == c)).sum()
        ious.append((((predicted == c) & (y == c)).sum() / union).item())
    return 100 * sum(ious) / len(ious)


def file_of(row: dict, seed: int) -> str:
    """As `fileOf` of compare.ts."""
    return re.sub("[^A-Za-z0-9.]+", "-", f"ours {row['network']} {row['title']} {seed}") + ".safetensors"


def main(work: Path, rows: str = "") -> None:
    """Those rows whose network and title hold `rows`; the others keep what results.json has."""
    torch.set_num_threads(1)
    known = here / "results.json"
    old = {(r["network"], r["title"]): r for r in json.loads(known.read_text())["rows"]} if rows else {}
    results = []
    for row in config["rows"]:
        name = row["network"]
        if rows not in f"{name} {row['title']}":
            results += [old[name, row["title"]]] if (name, row["title"]) in old else []
            continue
        model = load(work, name)
        data = load_file(work / f"{name}.safetensors")
        x, y = data["image"], data["label"]
        norm = next(n for n in sizes if f" {n}" in row["ours"])
        found: dict = {"faultline": [], **{peer: [] for peer in row["peers"]}}
        largest: dict = {key: 0.0 for key in found}
        same = []
        for seed in config["seeds"]:
            images = {"faultline": load_file(work / file_of(row, seed))["image"]}
            for peer, words in row["peers"].items():
                torch.manual_seed(seed)
                attack, *options = words.split()
                given = load_file(work / f"scenes-start-{seed}.safetensors")["noise"] if peer == "cospgd" else seed
                images[peer] = packages[peer](model, x, y, given, attack, arguments(options)).detach()
            for key, adversarial in images.items():
                assert adversarial.min() >= 0 and adversarial.max() <= 1
                found[key].append(score(model, adversarial, y))
                largest[key] = max(largest[key], sizes[norm](adversarial - x).max().item())
            if "cospgd" in images:
                near = (images["faultline"] - images["cospgd"]).abs().amax(1) < 1e-5
                same.append(near.float().mean().item())
        result = {"network": name, "title": row["title"], "clean": score(model, x, y), "found": found, "largest": largest}
        results.append({**result, **({"same": same} if same else {})})
        print(result, same, flush=True)
    installed = {p: version(p) for p in [*packages, "torch"]}
    known.write_text(json.dumps({"versions": installed, "seeds": config["seeds"], "rows": results}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
