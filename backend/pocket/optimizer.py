"""Muon for weight matrices, AdamW for everything else.

A step of Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) moves a matrix along
the nearest orthogonal one to its momentum, so that rare directions of the gradient, what one kind
or one given view asks for, count as much as common ones.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from backend.pocket.precision import has_bfloat16

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic: singular values go to 0.7 - 1.2 in five rounds (Jordan et al.)."""
ROUNDS = 5
ADAM_SCALE = 0.2
"""Root mean square of an update, over the rate, as AdamW's are (Liu et al., 2502.16982, 2.2)."""
NARROWEST = 32
"""Matrices with a side below this, the last layer among them, are AdamW's."""


def orthogonalized(matrix: Tensor) -> Tensor:
    """About the nearest matrix with orthonormal rows, or columns where these are fewer, (m, n), in
    half precision where the CPU has it."""
    rows, columns = matrix.shape
    x = (matrix.mT if rows > columns else matrix).contiguous()
    x = x.bfloat16() if has_bfloat16(matrix.device) else x
    x = x / x.float().norm().clamp_min(1e-20).to(x)
    a, b, c = NEWTON_SCHULZ
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if rows > columns else x


class Muon(torch.optim.Optimizer):
    """Of matrices and of kernels of convolutions, these as (outputs, inputs * area), with Nesterov
    momentum and decay of the weights. `workers` threads share them, each on a core of its own."""

    def __init__(
        self, matrices: Iterable[Tensor], rate: float, momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(
            matrices, {"lr": rate, "momentum": momentum, "weight_decay": weight_decay}
        )
        self.workers = 1

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all that have a gradient."""
        for group in self.param_groups:
            moving = [p for p in group["params"] if p.grad is not None]
            with ThreadPoolExecutor(self.workers) as pool:
                list(pool.map(partial(self._move, group), moving))

    @torch.no_grad()  # holds for the thread it runs in
    def _move(self, group: dict[str, Any], matrix: Tensor) -> None:
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = torch.lerp(gradient, state["momentum"], group["momentum"]).flatten(1)
        scale = ADAM_SCALE * max(ahead.shape) ** 0.5
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        update = orthogonalized(ahead).reshape(matrix.shape)
        matrix.sub_(update.to(matrix), alpha=scale * group["lr"])


class Optimizer:
    """Muon for the linear layers and convolutions of a network, AdamW for its other parameters:
    biases, gains, embeddings, and layers that are narrow."""

    def __init__(self, network: nn.Module, rate: float) -> None:
        matrices = [
            layer.weight for layer in network.modules()
            if isinstance(layer, nn.Linear | nn.Conv2d)
            and min(layer.weight.flatten(1).shape) >= NARROWEST
        ]
        others = [p for p in network.parameters() if not any(p is each for each in matrices)]
        self.muon = Muon(matrices, rate)
        adam = torch.optim.AdamW(
            others, rate, betas=(0.9, 0.99), eps=1e-10, weight_decay=0.01, fused=True
        )
        self.parts: dict[str, torch.optim.Optimizer] = {"muon": self.muon, "adam": adam}

    def step(self, rate: float, workers: int = 1) -> None:
        """Move the network, and forget its gradients."""
        self.muon.workers = workers
        for part in self.parts.values():
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Of both parts."""
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
