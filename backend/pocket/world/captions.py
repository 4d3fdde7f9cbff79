"""Captions of descriptions and of views."""

import numpy as np

from backend.pocket.world.descriptions import Description, described, uncolored
from backend.pocket.world.naming import article, plural

VIEWS = ("front view", "side view", "back view", "overhead view")

_NUMBERS = ("", "one", "two", "three", "four")

# noun: all that is said, with its article; bare: without; rest: without the color; paint: the
# color. Those with a paint are for descriptions of one object that name one color.
_TEMPLATES = (
    "{noun}",
    "{bare}",
    "{rest}, {paint}",
    "photo of {noun}",
    "a photo of {noun}",
    "a picture of {noun}",
    "a 3d model of {noun}",
    "a DSLR photo of {noun}",
    "{colored}",
    "a rendering of {noun}",
    "an image of {noun}",
    "a 3d render of {noun}",
    "a 3d asset of {noun}",
    "a photograph of {noun}",
    "a close-up of {noun}",
    "a computer graphics image of {noun}",
    "a 3d object: {noun}",
    "this is {noun}",
    "here is {noun}",
    "{rest} in {paint}",
    "{rest} that is {paint}",
    "a snapshot of {noun}",
    "a simple 3d model of {noun}",
    "a high quality render of {noun}",
    "a video game model of {noun}",
    "{noun}, 3d model",
    "{noun}, 3d render",
    "a view of {noun}",
)
TEMPLATES = len(_TEMPLATES)


def paint_words(said: Description) -> str:
    """Shade and color, or nothing."""
    return " ".join(filter(None, (said.shade, said.color)))


def noun_phrase(said: Description, with_article: bool = True) -> str:
    """All that is said, as "a tall red striped mug with a blue hat on a wooden table"."""
    noun = plural(said.kind) if said.count > 1 else said.kind
    words = [said.attribute, said.shade, said.color, said.pattern, noun]
    text = " ".join(filter(None, words))
    if said.count > 1:
        return f"{_NUMBERS[said.count]} {text}"
    if with_article:
        text = f"{article(text)} {text}"
    if said.accessory is not None:
        worn = f"{said.accessory.color} {said.accessory.kind}"
        text += f" with {article(worn)} {worn}"
    if said.relation is not None:
        text += f" {said.relation.word} {noun_phrase(said.relation.other)}"
    return text


def caption(what: Description | str, color: str | None = None, template: int = 0) -> str:
    """A caption of a description, or of a kind and color, from one of TEMPLATES templates.

    The plainest one where the template names a color by itself and there is none to name.
    """
    said, text = described(what, color), _TEMPLATES[template]
    if text != "{bare}" and "{noun}" not in text and not _names_color_alone(said):
        text = "{noun}"
    rest = uncolored(said)
    return text.format(
        noun=noun_phrase(said),
        bare=noun_phrase(said, with_article=False),
        rest=noun_phrase(rest),
        paint=paint_words(said),
        colored=_colored(said),
    )


def _names_color_alone(said: Description) -> bool:
    return said.color is not None and not (said.count > 1 or said.relation or said.accessory)


def _colored(said: Description) -> str:
    """The words with "colored" after the color."""
    paint = paint_words(said)
    return noun_phrase(said).replace(paint, f"{paint} colored", 1) if paint else noun_phrase(said)


def draw_caption(what: Description | str, color: str | None, rng: np.random.Generator) -> str:
    """A caption from a random template, the plainest one a third of the time."""
    template = 0 if rng.random() < 0.3 else int(rng.integers(TEMPLATES))
    return caption(what, color, template)


def view_words(azimuth_degrees: float, elevation_degrees: float) -> str:
    """The words for a camera: overhead above 60 degrees, else front, side or back."""
    if elevation_degrees > 60:
        return VIEWS[3]
    away = abs((azimuth_degrees + 180) % 360 - 180)
    return VIEWS[0] if away < 45 else VIEWS[2] if away > 135 else VIEWS[1]
