"""Words beyond the captions: synonyms and paraphrases that no template contains, for a score of
their own; which words of a prompt the world knows, and what comes nearest to those it does not."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher

from backend.pocket.world.colors import COLORS
from backend.pocket.world.descriptions import (
    ACCESSORIES,
    ATTRIBUTES,
    PATTERNS,
    SHADES,
)
from backend.pocket.world.kinds import KINDS
from backend.pocket.world.naming import article, singulars

KIND_SYNONYMS: dict[str, tuple[str, ...]] = {
    "mug": ("cup", "coffee cup"),
    "chair": ("seat",),
    "table": ("desk",),
    "bed": ("bunk",),
    "lamp": ("light", "lampshade"),
    "teapot": ("tea kettle", "kettle"),
    "umbrella": ("parasol",),
    "hammer": ("mallet",),
    "house": ("home", "cottage"),
    "castle": ("fortress",),
    "mushroom": ("toadstool", "fungus"),
    "pumpkin": ("gourd", "squash"),
    "cake": ("gateau",),
    "car": ("automobile", "auto"),
    "airplane": ("plane", "aeroplane", "jet"),
    "boat": ("sailboat", "ship"),
    "rocket": ("spaceship", "missile"),
    "duck": ("duckling",),
    "dog": ("puppy", "hound"),
    "robot": ("android",),
    "sofa": ("couch", "settee"),
    "bookshelf": ("bookcase",),
    "wardrobe": ("closet", "cupboard"),
    "piano": ("grand piano",),
    "church": ("chapel",),
    "truck": ("lorry",),
    "bus": ("coach",),
    "train": ("locomotive",),
    "helicopter": ("chopper",),
    "balloon": ("hot air balloon",),
    "bottle": ("flask",),
    "bucket": ("pail",),
    "clock": ("alarm clock",),
    "cat": ("kitten",),
    "rabbit": ("bunny", "hare"),
    "pig": ("piglet", "hog"),
    "turtle": ("tortoise",),
    "snake": ("serpent",),
    "donut": ("doughnut",),
    "burger": ("hamburger", "cheeseburger"),
    "cupcake": ("muffin",),
    "flower": ("daisy",),
    "palm tree": ("palm",),
    "potted plant": ("houseplant",),
    "gift": ("present", "gift box"),
    "ghost": ("phantom",),
    "dice": ("die",),
    "teddy bear": ("teddy",),
}
COLOR_SYNONYMS: dict[str, tuple[str, ...]] = {
    "red": ("crimson", "scarlet"),
    "orange": ("tangerine",),
    "yellow": ("lemon yellow",),
    "green": ("emerald",),
    "blue": ("navy", "cobalt"),
    "purple": ("violet",),
    "pink": ("rose pink",),
    "brown": ("chocolate",),
    "white": ("snowy", "ivory"),
    "black": ("jet black", "ebony"),
    "gray": ("grey",),
    "cyan": ("turquoise",),
    "magenta": ("fuchsia",),
    "lime": ("chartreuse",),
}
_PARAPHRASES = (
    "{a_kind}, {color} in color",
    "{a_kind} painted {color}",
    "{a_kind} whose color is {color}",
    "a {color}-hued {kind}",
    "some kind of {color} {kind}",
    "{color} is the color of the {kind}",
    "one {kind}, all of it {color}",
    "I would like {a_color} {kind}",
)
_OTHERS = {
    **{word: word for word in (*SHADES, *PATTERNS, *ATTRIBUTES, *ACCESSORIES)},
    "stripy": "striped", "stripes": "striped", "checkered": "checked", "chequered": "checked",
    "polka dotted": "dotted", "spotted": "dotted", "wood": "wooden", "metallic": "metal",
    "small": "tiny", "little": "tiny", "large": "big", "huge": "big", "slim": "thin",
    "narrow": "thin", "broad": "wide", "low": "short", "high": "tall",
}  # fmt: skip
_PLAIN_WORDS = {
    "a", "an", "the", "of", "and", "with", "in", "on", "under", "next", "to", "front", "behind",
    "photo", "picture", "image", "model", "3d", "dslr", "view", "side", "back", "overhead", "it",
    "its", "is", "this", "that", "here", "there", "one", "two", "three", "four", "some", "i",
    "would", "like", "all", "color", "colored", "render", "rendering", "close", "up", "object",
    "high", "quality",
}  # fmt: skip


@dataclass(frozen=True)
class Paraphrase:
    """A prompt in words that training never saw, and the kind and color that it means."""

    prompt: str
    kind: str
    color: str


@dataclass(frozen=True)
class Reading:
    """What a prompt says, in the world's own words, and the words that it does not know."""

    kinds: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def paraphrases(pairs: Collection[tuple[str, str]]) -> list[Paraphrase]:
    """One paraphrase of each (kind, color), with synonyms where there are any; a fixed list."""
    return [_paraphrase(index, kind, color) for index, (kind, color) in enumerate(pairs)]


def _paraphrase(index: int, kind: str, color: str) -> Paraphrase:
    nouns, hues = KIND_SYNONYMS.get(kind, (kind,)), COLOR_SYNONYMS.get(color, (color,))
    noun, hue = nouns[index % len(nouns)], hues[index // 2 % len(hues)]
    # One of both words, in turn, stays the usual one: a synonym is to be told from the other word.
    said = ((noun, color), (kind, hue), (noun, hue))[index % 3]
    prompt = _PARAPHRASES[index % len(_PARAPHRASES)].format(
        kind=said[0],
        color=said[1],
        a_kind=f"{article(said[0])} {said[0]}",
        a_color=f"{article(said[1])} {said[1]}",
    )
    return Paraphrase(prompt, kind, color)


def read(prompt: str, kinds: Collection[str] = KINDS, colors: Collection[str] = COLORS) -> Reading:
    """What a prompt says, of these kinds and colors. Plurals, articles and case do not matter."""
    lexicons = (_lexicon(kinds, KIND_SYNONYMS), _lexicon(colors, COLOR_SYNONYMS), _OTHERS)
    found: tuple[list[str], ...] = ([], [], [], [])
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    while words:
        length, place, word = _longest(words, lexicons)
        if word not in found[place]:
            found[place].append(word)
        del words[:length]
    unknown = tuple(word for word in found[3] if word not in _PLAIN_WORDS)
    return Reading(tuple(found[0]), tuple(found[1]), tuple(found[2]), unknown)


def _lexicon(words: Collection[str], synonyms: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Every way to say one of the words, and the word."""
    found = {other: word for word in words for other in synonyms.get(word, ())}
    return found | {word: word for word in words}


def _longest(words: list[str], lexicons: tuple[dict[str, str], ...]) -> tuple[int, int, str]:
    """How many words from the first on are one that is known, in which lexicon, and that word."""
    for length in (3, 2, 1):
        for form in singulars(" ".join(words[:length])):
            for place, lexicon in enumerate(lexicons):
                if length <= len(words) and form in lexicon:
                    return length, place, lexicon[form]
    return 1, len(lexicons), words[0]


def known_words(
    prompt: str, kinds: Collection[str] = KINDS, colors: Collection[str] = COLORS
) -> tuple[str, ...]:
    """The words of a prompt that the world knows, in its own form: kinds, colors, all others."""
    reading = read(prompt, kinds, colors)
    return (*reading.kinds, *reading.colors, *reading.others)


def nearest_words(
    word: str,
    count: int = 3,
    kinds: Collection[str] = KINDS,
    colors: Collection[str] = COLORS,
    least: float = 0.0,
) -> list[str]:
    """The known words whose spelling, or that of a synonym, comes nearest; best first. `least` is
    the likeness that they must have, from 0 to 1."""
    lexicon = _lexicon(kinds, KIND_SYNONYMS) | _lexicon(colors, COLOR_SYNONYMS)
    scores: dict[str, float] = {}
    for form, known in lexicon.items():
        score = SequenceMatcher(None, word.lower(), form).ratio()
        scores[known] = max(scores.get(known, 0.0), score)
    near = sorted(scores, key=lambda known: -scores[known])[:count]
    return [known for known in near if scores[known] >= least]
