"""Prompts that the pocket prior cannot know: refused at once, with the nearest words it does."""

import re
from collections.abc import Collection

import torch

from backend.pocket.text import embed_text
from backend.pocket.world import COLORS, KINDS
from backend.pocket.world.edits import ORDERS, PLAIN_ORDERS
from backend.pocket.world.vocabulary import known_words, nearest_words, read
from protocol.errors import InputError


def check_prompt(
    prompt: str, kinds: Collection[str] = KINDS, colors: Collection[str] = COLORS
) -> None:
    """Raise InputError (`prompt_unknown`) where a prompt has no word that the world knows."""
    if known_words(prompt, kinds, colors):
        return
    spelled = [
        near
        for word in read(prompt, kinds, colors).unknown
        for near in nearest_words(word, 1, kinds, colors, least=0.75)
    ]
    near = dict.fromkeys([*spelled, *nearest_kinds(prompt, tuple(kinds))])
    raise InputError(
        "prompt_unknown",
        f"The pocket prior knows no word of “{prompt.strip()}”.",
        f"Nearest words that it knows: {', '.join(near)}. Or choose another model in the settings.",
    )


def check_instruction(
    prompt: str, kinds: Collection[str] = KINDS, colors: Collection[str] = COLORS
) -> None:
    """Raise InputError where a prompt orders no change (`instruction_unclear`), or one in words
    that the world does not know (`prompt_unknown`); parts of things have too many names to tell."""
    words = set(re.findall(r"[a-z]+", prompt.lower()))
    if not words & ORDERS:
        raise InputError(
            "instruction_unclear", f"“{prompt.strip()}” does not say what shall change.",
            "Say it as an order: “make it green”, “give it a blue hat”, “remove the hat”.",
        )
    if not words & PLAIN_ORDERS:
        check_prompt(prompt, kinds, colors)


def nearest_kinds(prompt: str, kinds: tuple[str, ...], count: int = 4) -> list[str]:
    """The kinds whose meaning comes nearest (cosine of mean token embeddings), best first."""
    tokens, mask = embed_text([prompt.strip() or "a thing", *kinds])
    means = (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    means = torch.nn.functional.normalize(means, dim=1)
    order = (means[1:] @ means[0]).argsort(descending=True)
    return [kinds[int(index)] for index in order[:count]]
