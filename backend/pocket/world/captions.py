"""Captions of objects and of views."""

import numpy as np

VIEWS = ("front view", "side view", "back view", "overhead view")

_TEMPLATES = (
    "{article} {thing}",
    "{thing}",
    "{article} {kind}, {color}",
    "photo of {article} {thing}",
    "a photo of {article} {thing}",
    "a picture of {article} {thing}",
    "a 3d model of {article} {thing}",
    "a DSLR photo of {article} {thing}",
    "{article} {color} colored {kind}",
    "a rendering of {article} {thing}",
)


def article(words: str) -> str:
    """Return the article that goes before these words."""
    return "an" if words[0] in "aeiou" else "a"


def caption(kind: str, color: str | None, template: int = 0) -> str:
    """A caption of an object; without a color word where `color` is None."""
    thing = f"{color} {kind}" if color else kind
    text = _TEMPLATES[template]
    if color is None and "{color}" in text:
        text = _TEMPLATES[0]
    first = kind if text.startswith("{article} {kind}") else thing
    return text.format(article=article(first), thing=thing, kind=kind, color=color)


def draw_caption(kind: str, color: str | None, rng: np.random.Generator) -> str:
    """A caption from a random template, the plainest one a third of the time."""
    template = 0 if rng.random() < 0.3 else int(rng.integers(len(_TEMPLATES)))
    return caption(kind, color, template)


def view_words(azimuth_degrees: float, elevation_degrees: float) -> str:
    """The words for a camera: overhead above 60 degrees, else front, side or back."""
    if elevation_degrees > 60:
        return VIEWS[3]
    away = abs((azimuth_degrees + 180) % 360 - 180)
    return VIEWS[0] if away < 45 else VIEWS[2] if away > 135 else VIEWS[1]
