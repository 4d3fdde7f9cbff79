"""The guarantee: what a region does not hold keeps its bits, optimizer state included."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
"""By the name of a parameter group: a weight for each row of its parameters."""


class Gate:
    """Stands before and after each step of an optimizer whose groups have names.

    Gradients are multiplied by the region's weights; rows of weight 0, in the parameters and in
    all that the optimizer keeps for them, have the same bits after a step as before it. ``weights``
    is asked at every step, so that it may follow densification. A group that it does not name may
    not be optimized at all: whatever has no place would change everything.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, weights: Callable[[], Weights]
    ) -> None:
        self.optimizer = optimizer
        self.weights = weights
        self._kept: list[tuple[Tensor, Tensor, Tensor]] = []
        optimizer.register_step_pre_hook(self._before)
        optimizer.register_step_post_hook(self._after)

    @torch.no_grad()
    def _before(self, *_: Any) -> None:
        self._kept = []
        for parameter, weights in self._gated():
            outside = weights == 0
            if parameter.grad is not None:
                shared = weights.reshape(-1, *[1] * (parameter.dim() - 1))
                # Not 0 * gradient, which is not 0 where the gradient is not finite.
                gradient = parameter.grad * shared
                gradient[outside] = 0
                parameter.grad = gradient
            for values in (parameter, *self._memory(parameter)):
                self._kept.append((values, outside, values[outside].clone()))

    @torch.no_grad()
    def _after(self, *_: Any) -> None:
        for values, outside, kept in self._kept:
            values[outside] = kept
        self._kept = []

    def _gated(self) -> Iterator[tuple[Tensor, Tensor]]:
        weights = self.weights()
        for group in self.optimizer.param_groups:
            if group["name"] not in weights:
                raise ValueError(f"the region says nothing of the parameters {group['name']!r}")
            for parameter in group["params"]:
                rows = weights[group["name"]].to(parameter)
                if rows.shape != parameter.shape[:1]:
                    raise ValueError(
                        f"{group['name']!r} has {len(parameter)} rows, its weights {len(rows)}"
                    )
                yield parameter, rows

    def _memory(self, parameter: Tensor) -> list[Tensor]:
        """What the optimizer keeps for each value of a parameter (Adam's moments)."""
        kept = self.optimizer.state.get(parameter, {}).values()
        return [v for v in kept if isinstance(v, Tensor) and v.shape == parameter.shape]
