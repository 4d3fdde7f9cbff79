"""What a network was trained on: the kinds and colors that it may be asked for and judged by.

The world grows; weights and judges go on knowing the words of their own training, which their
config.json holds.
"""

from dataclasses import dataclass
from typing import Any

from backend.pocket.world import COLORS, KINDS, held_out_prompts, is_held_out

Pair = tuple[str, str]


@dataclass(frozen=True)
class Vocabulary:
    """Words of the world, in its order."""

    kinds: tuple[str, ...] = tuple(KINDS)
    colors: tuple[str, ...] = tuple(COLORS)

    @classmethod
    def of(cls, config: dict[str, Any]) -> "Vocabulary":
        """From the `kinds` and `colors` of a config.json. Raises KeyError where it names none, or
        words that the world does not have."""
        found = cls(tuple(config["kinds"]), tuple(config["colors"]))
        if strange := [w for w in found.kinds if w not in KINDS]:
            raise KeyError(f"kinds {', '.join(strange)}")
        if strange := [w for w in found.colors if w not in COLORS]:
            raise KeyError(f"colors {', '.join(strange)}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """For a config.json."""
        return {"kinds": list(self.kinds), "colors": list(self.colors)}

    def __and__(self, other: "Vocabulary") -> "Vocabulary":
        return Vocabulary(
            tuple(kind for kind in self.kinds if kind in other.kinds),
            tuple(color for color in self.colors if color in other.colors),
        )

    def pairs(self, held_out: bool) -> list[Pair]:
        """All (kind, color) that training never sees, or all others."""
        return [
            (kind, color) for kind in self.kinds for color in self.colors
            if is_held_out(kind, color) == held_out
        ]

    def held_out_prompts(self, count: int) -> list[Pair]:
        """A fixed list of `count` held-out (kind, color), spread over kinds and colors."""
        return held_out_prompts(count, self.kinds, self.colors)


WORLD = Vocabulary()
"""All words that the world has."""
