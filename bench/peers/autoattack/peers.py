"""The packages' side: attacks each row of config.json with each seed and writes WORK/peers-....json: python peers.py WORK [ROWS [SEEDS [PARTS]]]"""
import json
import logging
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from networks import config, load

packages = {"simba": "adversarial-robustness-toolbox"}
norms = {"l_inf": "Linf", "l_2": "L2", "l_1": "L1"}


class Turns(logging.Handler):
    """Reads the robust accuracy after each attack off pyautoattack's log."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.found = {}

    def emit(self, record):
        said = re.match(r"robust accuracy after (\S+): ([\d.]+)%", record.getMessage())
        if said:
            self.found[said[1].lower()] = round(float(said[2]) * config["part"] / 100)


def autoattack(model, x, y, row, seed):
    from pyautoattack.autoattack import AutoAttack

    turns = Turns()
    logger = logging.getLogger("auto-attack")
    logger.setLevel(logging.DEBUG)
    logger.handlers = [turns]
    attack = AutoAttack(model, norm=norms[row["norm"]], eps=row["epsilon"], version="standard", seed=seed, device="cpu")
    return attack.run_standard_evaluation(x, y, batch_size=len(x))[0], {"turns": turns.found}


def square(model, x, y, row, seed):
    from pyautoattack.square import SquareAttack

    attack = SquareAttack(model, norm=norms[row["norm"]], n_queries=row["queries"], eps=row["epsilon"], p_init=0.8,
                          seed=seed, resc_schedule=True, device="cpu")  # fmt: skip
    return attack.perturb(x, y), {}


def simba(model, x, y, row, seed):
    """One picture after the other: the package changes a batch in one direction at a time. Queries are counted here; the clean one is none."""
    from art.attacks.evasion import SimBA
    from art.estimators.classification import PyTorchClassifier

    network = torch.nn.Sequential(model, torch.nn.Softmax(1))

    class Counted(PyTorchClassifier):
        """The package's own builds a loader for each picture, ten times as long as the network takes."""

        queries = 0

        def predict(self, x, **_):
            self.queries += 1
            with torch.no_grad():
                return network(torch.from_numpy(x)).numpy()

    classifier = Counted(network, torch.nn.CrossEntropyLoss(), (3, 28, 28), 10, clip_values=(0, 1), device_type="cpu")
    np.random.seed(seed)
    kind = {"pixel": "px", "dct": "dct"}[row["basis"]]
    attack = SimBA(classifier, attack=kind, max_iter=row["queries"] // 2, epsilon=0.2, order="random", freq_dim=28, stride=1,
                   batch_size=1, verbose=False)  # fmt: skip
    right = model(x).argmax(1) == y
    found, queries = x.clone(), 0
    for i in right.nonzero().squeeze(1).tolist():
        label = np.eye(10, dtype=np.float32)[y[i : i + 1].numpy()]
        classifier.queries = -1
        found[i] = torch.from_numpy(attack.generate(x[i : i + 1].numpy(), y=label))[0]
        if model(found[i : i + 1]).argmax() != y[i]:
            queries += classifier.queries
    return found, {"queries": queries}


def equal_starts(model, x, y, row, seed):
    """APGD-T from starts that both sides have, for every class the same one; in l_1 in larger balls first, as AutoAttack has it."""
    from pyautoattack.autopgd_base import APGDAttack_targeted, L1_projection

    sparse = row["norm"] == "l_1"
    epsilon, noise = row["epsilon"], row["start"]
    stages = [(3, 30), (2, 30), (1, 40)] if sparse else [(1, 100)]
    attack = APGDAttack_targeted(model, n_iter=100, norm=norms[row["norm"]], eps=epsilon, seed=0, device="cpu")
    attack.init_hyperparam(x)
    if sparse:
        start = x + noise + L1_projection(x, noise, 3.0 * epsilon)
    else:
        scale = 1 if row["norm"] == "l_inf" else noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        start = (x + epsilon * noise / scale).clamp(0, 1)
    found, right = x.clone(), model(x).argmax(1) == y
    for rank in range(2, 7 if sparse else 11):
        left = right.nonzero().squeeze(1)
        if len(left) == 0:
            break
        attack.y_target = model(x[left]).argsort(dim=1)[:, -rank]
        best = start[left]
        for radius, steps in stages:
            attack.n_iter, attack.eps = steps, radius * epsilon
            if sparse:
                best = best + L1_projection(x[left], best - x[left], float(attack.eps))
            best, still, _, images = attack.attack_single_run(x[left], y[left], x_init=best)
        found[left[~still]], right[left[~still]] = images[~still], False
    return found, {"digits": right.int().tolist()}


def main(work: Path, wanted: str = "", seeds: str = "", parts: str = "") -> None:
    torch.set_num_threads(1)
    data = load_file(work / "digits.safetensors")
    start = load_file(work / "starts.safetensors")["start"]
    size = config["part"]
    for seed in map(int, seeds.split(",")) if seeds else config["seeds"]:
        for row in [*config["rows"], *config["equalStarts"], *config["blackBox"]]:
            kind = row.get("attack", "autoattack")
            name = f"{kind} {row['network']} {row.get('norm', row.get('basis'))}"
            if wanted not in name or (kind == "equal-starts" and seed > 0):
                continue
            for part in map(int, parts.split(",")) if parts else range(row["images"] // size):
                out = work / f"peers-{name.replace(' ', '-')}-{seed}-{part}.json"
                if out.exists() or part >= row["images"] // size:
                    continue
                model = load(work, row["network"])
                some = slice(part * size, (part + 1) * size)
                x, y = data["image"][some], data["label"][some]
                torch.manual_seed(seed)
                began = time.process_time()
                attacks = {"autoattack": autoattack, "equal-starts": equal_starts, "square": square, "simba": simba}
                images, more = attacks[kind](model, x, y, {**row, "start": start[some]}, seed)
                cpu = time.process_time() - began
                # its Square in l_1 leaves [0, 1] by a rounding (1.0000002)
                assert images.min() >= -1e-5 and images.max() <= 1 + 1e-5
                before, after = model(x).argmax(1) == y, model(images).argmax(1) == y
                lengths = (images - x).square().sum((1, 2, 3)).sqrt()[before & ~after]
                package = packages.get(kind, "pyautoattack")
                found = {"name": name, "seed": seed, "by": f"{package} {version(package)}", "images": size, "clean": before.sum().item(), "right": after.sum().item(),
                         **more, "broken": len(lengths), "length": lengths.sum().item(), "cpu": cpu}  # fmt: skip
                out.write_text(json.dumps(found) + "\n")
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
