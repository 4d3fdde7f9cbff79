"""Which prior answers a capability: the one that ships, as long as no other is configured."""

from functools import cache
from typing import TYPE_CHECKING

from backend.priors.base import Capability, Prior
from protocol.errors import DistilleryError

if TYPE_CHECKING:
    from backend.priors.pocket import PocketPrior


def find_prior(capability: Capability, device: str) -> Prior:
    """The prior for ``capability`` on ``device``, loaded once a process.

    Raises DistilleryError where no installed prior can do it, or its weights are missing.
    """
    prior = _pocket(device)
    if capability not in prior.spec.capabilities:
        raise DistilleryError(
            "capability_missing",
            f"No installed prior can do {capability!r}.",
            f"The pocket prior can do: {', '.join(sorted(prior.spec.capabilities))}.",
        )
    return prior


def capabilities() -> dict[str, str]:
    """Capability to the name of the prior that answers it; empty where none can be loaded."""
    try:
        spec = _pocket("cpu").spec
    except (ImportError, OSError, DistilleryError):
        return {}
    return dict.fromkeys(sorted(spec.capabilities), spec.name)


@cache
def _pocket(device: str) -> "PocketPrior":
    import torch

    from backend.priors.pocket import PocketPrior

    return PocketPrior.load(torch.device(device))
