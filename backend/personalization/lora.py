"""Low-rank adaptation (Hu et al., arXiv 2106.09685): W + B A for the linear layers of a network.

Through peft, which knows any torch module: the attention of diffusers' U-Nets (as in its DreamBooth
LoRA script) and the transformer blocks of the pocket network.
"""

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from backend.personalization.patch import require_network, twin_network
from backend.priors.base import Prior, PriorSpec

TARGETS = (
    "to_q", "to_k", "to_v", "to_out.0",  # attention in diffusers
    "qkv", "out", "mlp.0", "mlp.2",  # the pocket network's blocks
    "film", "film1", "film2", "words.1", "sentence.1",  # and what conditions it
)
RATE, RATE_OF_PIXELS = 5e-4, 5e-3
"""As released for Stable Diffusion; and of networks that predict clean pixels: the pocket network
normalizes what its layers add, so that a change of their weights counts less."""


class Lora:
    """A patch of rank ``rank``; it begins as no change at all (B = 0)."""

    kind = "lora"

    def __init__(self, base: Prior, generator: torch.Generator, rank: int = 16) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        self.base = require_network(base)
        self.rate = RATE_OF_PIXELS if base.spec.prediction == "x0" else RATE
        config = LoraConfig(r=rank, lora_alpha=rank, target_modules=list(TARGETS))
        self.network = inject_adapter_in_model(config, twin_network(self.base.network))
        self._weights = {
            name: weight for name, weight in self.network.named_parameters() if ".lora_" in name
        }
        self._begin(rank, generator)

    @torch.no_grad()
    def _begin(self, rank: int, generator: torch.Generator) -> None:
        # peft draws from torch's global generator; this depends on ours alone.
        for name, weight in self._weights.items():
            if ".lora_A" in name:
                drawn = torch.randn(weight.shape, generator=generator) / rank
                weight.copy_(drawn)
            else:
                nn.init.zeros_(weight)

    def apply(self, spec: PriorSpec) -> Prior:
        """See :class:`backend.personalization.patch.Patch`."""
        return self.base.with_network(self.network, spec)

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """One group, "patch"."""
        return {"patch": list(self._weights.values())}

    def state(self) -> dict[str, Tensor]:
        """Copies of A and B of all layers."""
        return {name: weight.detach().clone() for name, weight in self._weights.items()}

    @torch.no_grad()
    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up a saved state of the same rank and network."""
        for name, weight in self._weights.items():
            weight.copy_(state[name])
