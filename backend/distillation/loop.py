"""The loop of an optimization: explicit state, one generator, and watchdogs."""

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import Parameter

from backend.diffusion.annealing import Number, value_at
from backend.distillation.watchdog import Watchdog
from backend.studio import Progress
from protocol.assets import Asset
from protocol.errors import DistilleryError

PATIENCE = 10
"""How many steps in a row may be skipped for values that are not finite."""

CURVE_POINTS = 5
"""How often a curve is measured: at the start, at the end, and evenly between."""


class Trained(Protocol):
    """What an optimization changes: a representation, or a patch of a prior."""

    def parameter_groups(self) -> dict[str, list[Parameter]]: ...

    def state(self) -> dict[str, Tensor]: ...

    def load_state(self, state: dict[str, Tensor]) -> None: ...


@dataclass
class State:
    """Everything that a step changes; what a checkpoint holds.

    ``skipped``: steps without an update, because a loss or gradient was not finite. ``curve``:
    (step, value) of what :func:`distill` was told to measure. ``pace`` multiplies all learning
    rates; a ``watchdog``, where there is one, lowers it when it brings a former state back.
    """

    representation: Trained
    optimizer: torch.optim.Optimizer
    step: int = 0
    skipped: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)
    pace: float = 1.0
    watchdog: Watchdog | None = None

    @classmethod
    def create(
        cls, representation: Trained, rates: Mapping[str, Number], **adam: Any
    ) -> "State":
        """With Adam over the parameter groups that ``rates`` names; others stay as they are."""
        groups = representation.parameter_groups()
        optimizer = torch.optim.Adam(
            [
                {"params": groups[name], "lr": value_at(rate, 0.0), "name": name}
                for name, rate in rates.items()
            ],
            **adam,
        )
        return cls(representation, optimizer)

    def state(self) -> dict[str, Any]:
        """For a checkpoint: parameters, Adam's moments, counters."""
        return {
            "representation": self.representation.state(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "skipped": self.skipped,
            "curve": list(self.curve),
            "pace": self.pace,
            "watchdog": None if self.watchdog is None else self.watchdog.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint, bitwise."""
        self.representation.load_state(state["representation"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.skipped, self.curve = state["step"], state["skipped"], state["curve"]
        self.pace = state["pace"]
        if self.watchdog is not None:
            self.watchdog.load_state(state["watchdog"])

    def snapshot(self) -> dict[str, Any]:
        """Parameters and moments, copied, for :meth:`go_back`."""
        return deepcopy({name: self.state()[name] for name in ("representation", "optimizer")})

    def go_back(self, snapshot: dict[str, Any], pace: float) -> None:
        """Take up former parameters and moments with all learning rates multiplied by ``pace``;
        the step stays. Call only while no graph of a loss is alive: shapes may change."""
        kept = deepcopy(snapshot)
        rates = [group["lr"] for group in self.optimizer.param_groups]
        self.representation.load_state(kept["representation"])
        self.optimizer.load_state_dict(kept["optimizer"])
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * pace / self.pace
        self.pace = pace


def distill(
    state: State,
    steps: int,
    losses: Callable[[int], Mapping[str, Tensor]],
    weights: Mapping[str, Number],
    *,
    rates: Mapping[str, Number] | None = None,
    gradient_norm: float | None = None,
    after_step: Callable[[int], None] | None = None,
    preview: Callable[[], Asset] | None = None,
    measure: Callable[[], float] | None = None,
) -> Iterator[Progress]:
    """Optimize ``state`` from where it stands up to ``steps``, yielding after each step.

    ``losses(step)`` renders and gives losses by name, each of which needs an entry (its lambda) in
    ``weights``. ``rates``: learning rates by parameter group, followed over the run where given.
    ``gradient_norm``: the whole gradient is shortened to it. ``after_step(step)`` is for upkeep
    (occupancy, densification). ``measure`` gives the points of ``state.curve``. Where
    ``state.watchdog`` is set, ``losses`` shows it each step's alpha.

    A step whose loss or gradient is not finite changes nothing and is counted;
    :class:`DistilleryError` when that happens ``PATIENCE`` times in a row.
    """
    in_a_row = 0
    _measure(state, steps, measure)
    while state.step < steps:
        progress = state.step / steps
        _set_rates(state, rates or {}, progress)
        terms = losses(state.step)
        values = {name: float(loss.detach()) for name, loss in terms.items()}
        total = torch.stack(
            [value_at(weights[name], progress) * loss for name, loss in terms.items()]
        ).sum()
        del terms  # no graph shall outlive its step: upkeep and recovery may change shapes
        updated = _update(state.optimizer, total, gradient_norm)
        del total
        in_a_row = 0 if updated else in_a_row + 1
        state.skipped += not updated
        if in_a_row >= PATIENCE:
            raise _diverged(state.step, values)
        if updated and after_step is not None:
            after_step(state.step)
        state.step += 1
        if state.watchdog is not None:
            state.watchdog.guard(state)
        _measure(state, steps, measure)
        yield Progress(
            state.step, steps, message=_troubles(state), losses=values, preview=preview
        )


def _troubles(state: State) -> str:
    """What a user should know went wrong and was dealt with; "" where nothing did."""
    said = [f"steps skipped, not finite: {state.skipped}"] if state.skipped else []
    if state.watchdog is not None and state.watchdog.recovered:
        said.append(f"recovered from a collapse: {state.watchdog.recovered} times")
    return "; ".join(said)


def _measure(state: State, steps: int, measure: Callable[[], float] | None) -> None:
    """A point of the curve where one is due and not there yet (a resumed run begins on one)."""
    due = {round(steps * point / (CURVE_POINTS - 1)) for point in range(CURVE_POINTS)}
    measured = {step for step, _ in state.curve}
    if measure is not None and state.step in due - measured:
        state.curve.append((state.step, measure()))


def _set_rates(state: State, rates: Mapping[str, Number], progress: float) -> None:
    for group in state.optimizer.param_groups:
        if group["name"] in rates:
            group["lr"] = state.pace * value_at(rates[group["name"]], progress)


def _update(optimizer: torch.optim.Optimizer, loss: Tensor, gradient_norm: float | None) -> bool:
    """One step of the optimizer; False, with nothing changed, where values are not finite."""
    optimizer.zero_grad(set_to_none=True)
    if not loss.isfinite():
        return False
    loss.backward()
    parameters = [entry for group in optimizer.param_groups for entry in group["params"]]
    norm = torch.nn.utils.get_total_norm(
        [entry.grad for entry in parameters if entry.grad is not None]
    )
    if not norm.isfinite():
        return False
    if gradient_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(parameters, gradient_norm, norm)
    optimizer.step()
    return True


def _diverged(step: int, values: Mapping[str, float]) -> DistilleryError:
    broken = [name for name, value in values.items() if not math.isfinite(value)]
    where = f"the loss {', '.join(broken)}" if broken else "the gradient"
    return DistilleryError(
        "diverged",
        f"The optimization broke down at step {step}: {where} has not been finite "
        f"for {PATIENCE} steps.",
        "Try another seed, or lower the learning rate or the guidance scale.",
    )
