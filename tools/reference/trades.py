"""Writes fixtures/training/trades.safetensors: the TRADES objective (Zhang et al. 2019, as in the authors' code), its gradient and the running statistics after it, in
float64, on the network, weights and images of fixtures/training/steps.pth. Run from the repository's root: python3 tools/reference/trades.py

The attacked images are clip(images[0] + 0.2 (images[1] - 0.5)). "segmentation" has labels[0], of which some are ignored; "classification" has the means of
the logits over the picture, and labels 2 and 0.
"""
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

BETA = 6


class Small(torch.nn.Module):
    """The network of training.py."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(6)
        self.depthwise = torch.nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.down = torch.nn.Conv2d(6, 8, 2, stride=2)
        self.up = torch.nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.last = torch.nn.Conv2d(6, 3, 1)

    def forward(self, x):
        h = F.gelu(self.norm(self.first(x)))
        h = h + self.up(F.gelu(self.down(self.depthwise(h))))
        return self.last(h) + x


given = torch.load("fixtures/training/steps.pth", weights_only=True)
clean = given["images"][0].double()
attacked = (clean + 0.2 * (given["images"][1].double() - 0.5)).clamp(0, 1)
out = {}
for task, head, labels in [
    ("segmentation", lambda z: z, given["labels"][0]),
    ("classification", lambda z: z.mean((2, 3)), torch.tensor([2, 0])),
]:
    net = Small().double()
    net.load_state_dict({n[len("initial/"):]: t for n, t in given.items() if n.startswith("initial/")}, strict=False)
    net.train()
    z, other = head(net(clean)), head(net(attacked))
    counted = labels != 255
    kl = F.kl_div(F.log_softmax(other, 1), F.softmax(z, 1), reduction="none").sum(1)
    loss = F.cross_entropy(z, labels, ignore_index=255) + BETA * kl[counted].mean()
    loss.backward()
    out[f"{task}/loss"] = loss.detach().float()[None]
    out.update({f"{task}/gradient/{n}": p.grad.float().contiguous() for n, p in net.named_parameters()})
    out.update({f"{task}/after/{n}": b.float() for n, b in net.named_buffers() if b.dim() > 0})
    print(task, loss.item(), kl[counted].mean().item())
save_file(out, "fixtures/training/trades.safetensors")
