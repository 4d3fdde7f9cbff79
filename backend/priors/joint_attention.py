"""Attention of a set's views to each other, in networks that drew single images before (MVDream,
section 3.1; Wonder3D, section 4.2): the weights of a self-attention stay, its tokens become those
of all views."""

from typing import Any

from torch import Tensor


class JointSelfAttention:
    """Stands in for diffusers' processor of an attention. Where it is a self-attention, ``views``
    following rows of the batch are one sequence: (sets * views, tokens, width) is looked at as
    (sets, views * tokens, width)."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: Any,
        views: int = 1,
        **kwargs: Any,
    ) -> Tensor:
        shape = hidden_states.shape
        if encoder_hidden_states is None:
            hidden_states = hidden_states.reshape(-1, views * shape[1], shape[2])
        found: Tensor = self.processor(
            attention, hidden_states, encoder_hidden_states, *args, **kwargs
        )
        return found.reshape(shape)


def attend_jointly(unet: Any) -> None:
    """Let the views of a set see each other in ``unet``, which from then on wants to be told how
    many they are: ``cross_attention_kwargs={"views": …}``."""
    unet.set_attn_processor({
        name: JointSelfAttention(processor) for name, processor in unet.attn_processors.items()
    })
