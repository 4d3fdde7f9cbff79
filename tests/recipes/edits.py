"""One small edit for every recipe that edits, which the guarantee of regions is held to.

An editing recipe registers itself by a function here: its prior, an object whose upper half may
change, and options that make it quick.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import World, ellipsoid
from backend.recipes import registry
from backend.studio import Progress, Studio
from protocol.assets import Asset, Attribute, Mesh, Region
from protocol.messages import JobSpec

RADIUS = 0.7
RED, GREEN, BLUE = (0.8, 0.2, 0.1), (0.1, 0.7, 0.2), (0.1, 0.2, 0.8)
SIDE = 24


@dataclass
class Edit:
    """What a recipe is asked for."""

    prior: Any
    prompt: str
    mesh: Mesh
    region: Region | None
    options: dict[str, Any] = field(default_factory=dict)


CASES: dict[str, Callable[[], Edit]] = {}


def edits(recipe: str) -> Callable[[Callable[[], Edit]], Callable[[], Edit]]:
    """Register the case of a recipe."""
    def register(make: Callable[[], Edit]) -> Callable[[], Edit]:
        CASES[recipe] = make
        return make
    return register


def ball(subdivisions: int = 3) -> Mesh:
    """Red above, blue below."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=RADIUS)
    colors = np.where(sphere.vertices[:, 2:] > 0, [*RED, 1.0], [*BLUE, 1.0]).astype(np.float32)
    return Mesh(
        sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32),
        attributes={"color": Attribute("point", colors)},
    )


def painted(name: str, above: tuple[float, float, float]) -> World:
    """The same ball in another color above."""
    def paint(points: np.ndarray) -> np.ndarray:
        return np.where(points[:, 2:] > 0, np.array(above), np.array(BLUE))
    return World(name, (ellipsoid((0, 0, 0), (RADIUS, RADIUS, RADIUS), paint),))


def ball_prior() -> OraclePrior:
    """Knows a ball with a red top and one with a green top; reads red places as "hat"."""
    worlds = [
        DrawnWorld(painted("red hat", RED), SIDE), DrawnWorld(painted("green hat", GREEN), SIDE)
    ]
    return OraclePrior(
        worlds, deviation=0.05, resolution=SIDE, paints={"hat": RED},
        capabilities=frozenset({"text+cameras", "attention"}),
    )


def above(mesh: Mesh, height: float = 0.1) -> Region:
    """Vertices of a mesh that lie above a height."""
    return Region(vertices=(mesh.positions[:, 2] > height).astype(np.float32))


def make_edit(recipe: str, edit: Edit, folder: Path, stop_after: int | None = None) -> Any:
    """Run it: the asset and all progress; None as asset where it was stopped."""
    studio = Studio(
        folder / "job", folder / "cache", seed=5, find_prior=lambda capability: edit.prior,
        identity={"prompt": edit.prompt, "options": edit.options, "region": repr(edit.region)},
        stages=registry.get(recipe).stages,
    )
    assets = {"mesh": Asset("ball", mesh=edit.mesh)}
    if edit.region is not None:
        assets["region"] = Asset("top", region=edit.region)
    spec = JobSpec(recipe=recipe, prompt=edit.prompt, options=edit.options)
    run, said = registry.start(spec, studio, assets), list[Progress]()
    while stop_after is None or len(said) < stop_after:
        try:
            said.append(next(run))
        except StopIteration as end:
            return end.value, said
    studio.save_checkpoint()
    return None, said


@edits("dreameditor")
def dreameditor() -> Edit:
    mesh = ball()
    options = {"fit_steps": 2, "steps": 6, "learning_rate": 0.05, "texture_size": 128,
               "lora_steps": 0}
    return Edit(ball_prior(), "a green hat", mesh, above(mesh), options)


def instructed_prior() -> OraclePrior:
    """The same balls, before and after an instruction."""
    known = ball_prior()
    return OraclePrior(
        known.components, deviation=0.05, resolution=SIDE, paints=known.paints,
        capabilities=frozenset({"instruction", "inpaint", "attention"}),
    )


@edits("gaussian_editor")
def gaussian_editor() -> Edit:
    mesh = ball()
    options = {
        "gaussians": 200, "fit_steps": 2, "fit_pixels": 16, "steps": 4, "rigs": 1,
        "image_scale": 1.0, "sampler_steps": 2, "densify_every": 2, "grid": 32,
        "texture_size": 128,
    }
    return Edit(instructed_prior(), "make a green hat", mesh, above(mesh), options)
