"""The packages' side: attacks each row of config.json with each seed and writes WORK/peers-....json: python peers.py WORK [ROWS [SEEDS]]"""
import json
import logging
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from networks import config, load

norms = {"l_inf": "Linf", "l_2": "L2", "l_1": "L1"}


class Turns(logging.Handler):
    """Reads the robust accuracy after each attack off pyautoattack's log."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.found = {}

    def emit(self, record):
        said = re.match(r"robust accuracy after (\S+): ([\d.]+)%", record.getMessage())
        if said:
            self.found[said[1].lower()] = float(said[2])


def autoattack(model, x, y, row, seed):
    from pyautoattack.autoattack import AutoAttack

    turns = Turns()
    logger = logging.getLogger("auto-attack")
    logger.setLevel(logging.DEBUG)
    logger.handlers = [turns]
    attack = AutoAttack(model, norm=norms[row["norm"]], eps=row["epsilon"], version="standard", seed=seed, device="cpu")
    return attack.run_standard_evaluation(x, y, batch_size=250)[0], {"turns": turns.found}


def square(model, x, y, row, seed):
    from pyautoattack.square import SquareAttack

    attack = SquareAttack(model, norm=norms[row["norm"]], n_queries=row["queries"], eps=row["epsilon"], p_init=0.8,
                          seed=seed, resc_schedule=True, device="cpu")  # fmt: skip
    return attack.perturb(x, y), {}


def simba(model, x, y, row, seed):
    """One picture after the other: the package changes a batch in one direction at a time."""
    from art.attacks.evasion import SimBA
    from art.estimators.classification import PyTorchClassifier

    network = torch.nn.Sequential(model, torch.nn.Softmax(1))
    classifier = PyTorchClassifier(network, torch.nn.CrossEntropyLoss(), (3, 28, 28), 10, clip_values=(0, 1), device_type="cpu")
    np.random.seed(seed)
    kind = {"pixel": "px", "dct": "dct"}[row["basis"]]
    attack = SimBA(classifier, attack=kind, max_iter=row["queries"] // 2, epsilon=0.2, order="random", freq_dim=28, stride=1,
                   batch_size=1, verbose=False)  # fmt: skip
    right = model(x).argmax(1) == y
    found = x.clone()
    for i in right.nonzero().squeeze(1).tolist():
        label = np.eye(10, dtype=np.float32)[y[i : i + 1].numpy()]
        found[i] = torch.from_numpy(attack.generate(x[i : i + 1].numpy(), y=label))[0]
    return found, {}


def main(work: Path, wanted: str = "", seeds: str = "") -> None:
    torch.set_num_threads(1)
    data = load_file(work / "digits.safetensors")
    for seed in map(int, seeds.split(",")) if seeds else config["seeds"]:
        for row in [*config["rows"], *config["blackBox"]]:
            kind = row.get("attack", "autoattack")
            name = f"{kind} {row['network']} {row.get('norm', row.get('basis'))}"
            out = work / f"peers-{name.replace(' ', '-')}-{seed}.json"
            if wanted not in name or out.exists():
                continue
            model = load(work, row["network"])
            x, y = data["image"][: row["images"]], data["label"][: row["images"]]
            torch.manual_seed(seed)
            began = time.process_time()
            images, more = {"autoattack": autoattack, "square": square, "simba": simba}[kind](model, x, y, row, seed)
            cpu = time.process_time() - began
            assert images.min() >= 0 and images.max() <= 1
            before, after = model(x).argmax(1) == y, model(images).argmax(1) == y
            lengths = (images - x).square().sum((1, 2, 3)).sqrt()[before & ~after]
            percent = lambda v: 100 * v.float().mean().item()
            found = {"name": name, "seed": seed, "clean": percent(before), "right": percent(after), **more,
                     "length": lengths.mean().item(), "cpu": cpu}  # fmt: skip
            out.write_text(json.dumps(found) + "\n")
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
