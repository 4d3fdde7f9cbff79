"""Every kind: fits, varies in at least four ways, shows its color, has a front where it says so."""

import numpy as np
import pytest

from backend.pocket.data import Shot
from backend.pocket.render import render_views
from backend.pocket.world import KINDS, Scene, build
from backend.pocket.world.composition import MainPaint
from backend.pocket.world.descriptions import MOTIONS
from backend.pocket.world.shapes import Sculptor

# What a stranger would call the front of a thing, or looks for there.
_FRONTS = {
    "windshield", "headlight", "face", "beak", "nose", "snout", "door", "gate", "keys", "hole",
}  # fmt: skip
_AROUND = (0, 60, 120, 180, 240, 300)


class Dials:
    """Stands in for a random generator: draw i is `settings[i]` of its range, else the middle."""

    def __init__(self, settings: dict[int, float]) -> None:
        self.settings, self.drawn = settings, 0

    def random(self) -> float:
        self.drawn += 1
        return self.settings.get(self.drawn - 1, 0.45)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def integers(self, low: int, high: int | None = None) -> int:
        low, high = (0, low) if high is None else (low, high)
        return low + int((high - low) * self.random())


def sculpted(kind: str, settings: dict[int, float]) -> tuple[Scene, int]:
    """The object of these draws in red, and how many draws there are."""
    dials = Dials(settings)
    sculptor = Sculptor(dials)  # type: ignore[arg-type]
    KINDS[kind].sculpt(sculptor, np.array([0.8, 0.1, 0.1]))
    return sculptor.finish(kind, "red"), dials.drawn


def differ(a: Scene, b: Scene) -> bool:
    """Whether two objects differ in shape, by more than a hundredth of their radius somewhere."""
    if [part.shape for part in a.parts] != [part.shape for part in b.parts]:
        return True
    clouds = [[part.surface_points() for part in scene.parts] for scene in (a, b)]
    if any(one.shape != other.shape for one, other in zip(*clouds, strict=True)):
        return True
    return max(np.abs(one - other).max() for one, other in zip(*clouds, strict=True)) > 0.01


def seen_parts(scene: Scene, azimuths: tuple[int, ...], size: int = 32) -> np.ndarray:
    """The part of every pixel, (views, size, size), -1 where there is none."""
    views = [Shot(azimuth, 15, 40, 1.0).view() for azimuth in azimuths]
    return render_views(scene, views, samples=1, size=size)["part"][..., 0].astype(int)


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_objects_fit_the_ball_and_have_named_parts(kind: str) -> None:
    extents = set()
    for seed in range(20):
        scene = build(kind, "blue", seed)
        points = np.concatenate([part.surface_points() for part in scene.parts])
        assert np.linalg.norm(points, axis=1).max() == pytest.approx(0.95, abs=1e-6)
        assert all(part.name == part.name.lower().strip() != "" for part in scene.parts)
        assert len({part.name for part in scene.parts}) >= 2
        extents.add(tuple(np.ptp(points, axis=0).round(4)))
    assert len(extents) >= 15


@pytest.mark.parametrize("kind", KINDS)
def test_four_or_more_parameters_change_the_shape(kind: str) -> None:
    middle, draws = sculpted(kind, {})
    free = sum(differ(middle, sculpted(kind, {i: 0.95})[0]) for i in range(min(draws, 10)))
    assert free >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_the_named_color_dominates(kind: str) -> None:
    for seed in range(3):
        scene = build(kind, "red", seed)
        main = np.array([isinstance(part.material, MainPaint) for part in scene.parts])
        shares = [main[ids[ids >= 0]].mean() for ids in seen_parts(scene, _AROUND)]
        assert np.median(shares) >= 0.4 and min(shares) >= 0.2


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.has_front])
def test_a_front_shows_something_else_than_the_back(kind: str) -> None:
    scene = build(kind, "red", 1)
    names = np.array([part.name for part in scene.parts] + [""])
    front, back = (names[ids] for ids in seen_parts(scene, (0, 180)))
    assert (front != back[:, ::-1]).mean() > 0.01
    for part in scene.parts:
        if part.name in _FRONTS:
            assert part.surface_points()[:, 1].mean() < 0.1, part.name


def test_what_moves_by_itself_are_parts_of_the_object() -> None:
    jointed = set()
    for kind in KINDS:
        scene = build(kind, "red", 0)
        names = {part.name for part in scene.parts}
        for joint in scene.joints:
            assert joint.verb in MOTIONS and joint.degrees[0] != joint.degrees[1]
            assert set(joint.parts) < names
            assert np.linalg.norm(joint.axis) == pytest.approx(1)
        jointed |= {(kind, joint.verb) for joint in scene.joints}
    assert {("windmill", "spin"), ("teapot", "open"), ("house", "open")} <= jointed


def test_no_family_is_alone() -> None:
    families = [kind.family for kind in KINDS.values()]
    assert len(set(families)) == 8 and min(families.count(name) for name in families) >= 3
