"""Objects: their parts and what of them moves; moved, joined, painted anew."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from backend.pocket.world.materials import Array, Paint, as_material
from backend.pocket.world.parts import Part

_WHITE = (0.92, 0.92, 0.92)


@dataclass(frozen=True)
class Joint:
    """What of an object moves by itself: the parts of these names turn about an axis through the
    pivot, between two angles in degrees; ``verb`` is the motion that uses it (wag, flap, open …).
    """

    verb: str
    parts: tuple[str, ...]
    pivot: Array
    axis: Array
    degrees: tuple[float, float]

    def moved(self, matrix: Array) -> "Joint":
        """The joint under an affine map (3, 4)."""
        axis = matrix[:, :3] @ self.axis
        pivot = matrix[:, :3] @ self.pivot + matrix[:, 3]
        return replace(self, pivot=pivot, axis=axis / np.linalg.norm(axis))


@dataclass(frozen=True)
class Scene:
    """An object: its kind and color word, its parts (in the unit ball) and its joints."""

    kind: str
    color: str
    parts: tuple[Part, ...]
    joints: tuple[Joint, ...] = ()

    @staticmethod
    def joined(scenes: Iterable["Scene"], kind: str = "", color: str = "") -> "Scene":
        """All parts and joints of several objects as they stand."""
        scenes = tuple(scenes)
        parts = tuple(part for scene in scenes for part in scene.parts)
        return Scene(kind, color, parts, tuple(j for scene in scenes for j in scene.joints))

    def moved(self, matrix: Array) -> "Scene":
        """The object under an affine map (3, 4); `rest`, and so its coordinates, stay."""
        parts = tuple(
            replace(part, local_to_world=composed(matrix, part.local_to_world))
            for part in self.parts
        )
        return replace(self, parts=parts, joints=tuple(j.moved(matrix) for j in self.joints))

    def bounds(self) -> Array:
        """Lowest and highest corner, (2, 3)."""
        points = np.concatenate([part.surface_points() for part in self.parts])
        return np.stack([points.min(0), points.max(0)])

    def normalized(self, radius: float = 0.95) -> "Scene":
        """The object centered and scaled into a ball of `radius`, which is its new rest."""
        points = np.concatenate([part.surface_points() for part in self.parts])
        center = (points.min(0) + points.max(0)) / 2
        scale = radius / np.linalg.norm(points - center, axis=1).max()
        found = self.moved(np.concatenate([np.eye(3), -center[:, None]], 1) * scale)
        parts = tuple(replace(part, rest=part.local_to_world) for part in found.parts)
        return replace(found, parts=parts)

    def repainted(self, paint: Callable[[Part], Paint]) -> "Scene":
        """The object with every part in the paint that the function gives it."""
        parts = tuple(replace(part, material=as_material(paint(part))) for part in self.parts)
        return replace(self, parts=parts)

    def recolored(self, name: str, paint: Paint) -> "Scene":
        """The object with the parts of this name in another paint. Raises KeyError for none."""
        self._require(name)
        return self.repainted(lambda part: paint if part.name == name else part.material)

    def without(self, name: str) -> "Scene":
        """The object without the parts of this name. Raises KeyError for none."""
        self._require(name)
        return replace(self, parts=tuple(part for part in self.parts if part.name != name))

    def textureless(self) -> "Scene":
        """The same object in plain white."""
        return self.repainted(lambda _: _WHITE)

    def _require(self, name: str) -> None:
        if all(part.name != name for part in self.parts):
            raise KeyError(f"the {self.kind} has no part called {name}")


def composed(outer: Array, inner: Array) -> Array:
    """The affine map (3, 4) that does `inner` first, then `outer`."""
    product = outer[:, :3] @ inner
    product[:, 3] += outer[:, 3]
    return product
