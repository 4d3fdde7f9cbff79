"""Wonder3D's attention between colors and normals (Long et al., arXiv 2310.15008, section 4.2),
put into diffusers' network of single images."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


class CrossDomainBlock(nn.Module):
    """diffusers' transformer block with one attention more: after its self-attention the tokens of
    a view's normals and of its colors look at each other. The first half of the batch are all
    normals, the second the colors of the same views."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.norm1, self.attn1 = block.norm1, block.attn1
        self.norm_joint_mid, self.attn_joint_mid = deepcopy(block.norm1), deepcopy(block.attn1)
        self.norm2, self.attn2 = block.norm2, block.attn2
        self.norm3, self.ff = block.norm3, block.ff

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        cross_attention_kwargs: dict[str, Any] | None = None,
        **unused: Any,
    ) -> Tensor:
        """Tokens (batch, tokens, width) to the same."""
        x = hidden_states
        x = x + self.attn1(self.norm1(x), **(cross_attention_kwargs or {}))
        both = torch.cat(x.chunk(2), 1)
        both = both + self.attn_joint_mid(self.norm_joint_mid(both))
        x = torch.cat(both.chunk(2, 1))
        x = x + self.attn2(self.norm2(x), encoder_hidden_states)
        found: Tensor = x + self.ff(self.norm3(x))
        return found


def attend_across_domains(unet: nn.Module, state: dict[str, Tensor]) -> None:
    """Put such blocks into ``unet`` where ``state``, its weights, has that attention."""
    for name in [name for name, _ in unet.named_modules()]:
        if f"{name}.attn_joint_mid.to_q.weight" in state:
            parent, _, child = name.rpartition(".")
            setattr(unet.get_submodule(parent), child, CrossDomainBlock(unet.get_submodule(name)))
