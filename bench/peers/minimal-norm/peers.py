"""The networks, and the packages' attacks on them: python peers.py WORK networks | python peers.py WORK results [ROWS]"""
import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

here = Path(__file__).parent
sys.path.insert(0, str(here / "../attacks"))
from networks import config as setting, digits, networks, train  # noqa: E402

rows = json.loads((here / "config.json").read_text())["rows"]
parts = json.loads((here / "config.json").read_text())["parts"]
sizes = {
    "l_inf": lambda d: d.abs().amax((1, 2, 3)),
    "l_2": lambda d: d.double().square().sum((1, 2, 3)).sqrt().float(),
    "l_1": lambda d: d.double().abs().sum((1, 2, 3)).float(),
    "l_0": lambda d: (d != 0).float().sum((1, 2, 3)),
}


def prepare(work: Path) -> None:
    """The digit networks of ../attacks, trained alike."""
    images, labels = digits()
    n = setting["digits"]
    held, target = images[-n:], labels[-n:]
    for name in networks:
        torch.manual_seed(0)
        network = train(networks[name](), images[:-n], labels[:-n], epochs=2, batch=100)
        torch.save(network.state_dict(), work / f"{name}.pt")
        torch.onnx.export(network, held, work / f"{name}.onnx", input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}}, opset_version=17, dynamo=False)  # fmt: skip
        save_file({"image": held.contiguous(), "label": target.contiguous()}, work / f"{name}.safetensors")


def by_foolbox(model, x, y, name, options):
    import foolbox

    attack = getattr(foolbox.attacks, name)(**options)
    return attack(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y, epsilons=None)[0]


def by_pyautoattack(model, x, y, name, options):
    from pyautoattack.fab_pt import FABAttack_PT

    attack = FABAttack_PT(model, n_restarts=1, device="cpu", **options)
    if name == "FAB":
        return attack.attack_single_run(x, y)
    # FAB-T stops at the first class that is near enough; what is held against ours is the nearest of all
    best, radius = x.clone(), torch.full((len(x),), float("inf"))
    size = sizes[{"Linf": "l_inf", "L2": "l_2", "L1": "l_1"}[options["norm"]]]
    for target in range(2, attack.n_target_classes + 2):
        attack.target_class = target
        found = attack.attack_single_run(x, y, is_targeted=True)
        own = size(found - x)
        nearer = (model(found).argmax(1) != y) & (own < radius)
        best[nearer], radius[nearer] = found[nearer], own[nearer]
    return best


packages = {"foolbox": by_foolbox, "pyautoattack": by_pyautoattack}


def radii(model, x, y, found, norm):
    """Of images that were right: size where they are wrong now, infinite where not."""
    with torch.no_grad():
        right, broken = model(x).argmax(1) == y, model(found).argmax(1) != y
    own = torch.where(broken, sizes[norm](found - x), torch.tensor(float("inf")))
    return own[right], right


def median(values: torch.Tensor) -> float | None:
    """None where half of the digits were never broken."""
    found = values.double().sort().values
    if len(found) == 0 or found[len(found) // 2].isinf():
        return None
    return ((found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2).item()


def main(work: Path, only: str) -> None:
    torch.set_num_threads(1)
    path = here / "results.json"
    before = json.loads(path.read_text())["rows"] if path.exists() else []
    results = []
    versions = {name: version(name) for name in ("foolbox", "pyautoattack", "torch")}
    for network in networks:
        model = networks[network]()
        model.load_state_dict(torch.load(work / f"{network}.pt", weights_only=True))
        model = model.eval().requires_grad_(False)
        data = load_file(work / f"{network}.safetensors")
        x, y = data["image"], data["label"]
        for row in rows:
            kept = [r for r in before if r["network"] == network and r["title"] == row["title"]]
            if only not in f"{network} {row['title']}" and kept:
                results += kept
                continue
            file = work / f"{network} {row['title']}.safetensors".replace("&", "and")
            if not file.exists():
                print(f"{file.name} is not there: --only ours makes it", flush=True)
                continue
            ours = load_file(file)["image"]
            torch.manual_seed(0)
            theirs = packages[row["peer"]](model, x, y, row["attack"], dict(row["options"]))
            found = {"faultline": radii(model, x, y, ours, row["norm"])[0], row["peer"]: radii(model, x, y, theirs, row["norm"])[0]}
            results.append({
                "network": network, "title": row["title"], "norm": row["norm"], "pictures": len(found["faultline"]),
                "median": {who: median(v) for who, v in found.items()},
                "parts": {who: [median(v[k::parts]) for k in range(parts)] for who, v in found.items()},
                "unbroken": {who: int(v.isinf().sum()) for who, v in found.items()},
                "smaller": float((found["faultline"] <= found[row["peer"]] * (1 + 1e-6)).float().mean()),
            })  # fmt: skip
            rest = [r for r in before if all((r["network"], r["title"]) != (n["network"], n["title"]) for n in results)]
            path.write_text(json.dumps({"versions": versions, "rows": results + rest}, indent=2) + "\n")
            print(network, row["title"], results[-1]["median"], results[-1]["unbroken"], flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder = Path(sys.argv[1])
    if sys.argv[2] == "networks":
        prepare(folder)
    else:
        main(folder, sys.argv[3] if len(sys.argv) > 3 else "")
