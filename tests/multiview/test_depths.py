"""Depth drawn by the oracle, which knows it exactly."""

from pathlib import Path

import numpy as np
import torch

from backend.multiview.depths import draw_depth
from backend.priors.guidance import GivenViews
from backend.priors.oracle import WITH_CAMERAS, DrawnWorld, OraclePrior
from backend.priors.worlds import World, ellipsoid
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio


def test_the_depth_of_what_is_shown(tmp_path: Path) -> None:
    """Of a ball, not of the egg that the oracle could draw as well."""
    worlds = [
        World(name, (ellipsoid((0, 0, 0), radii, lambda p: np.full_like(p, 0.8)),))
        for name, radii in (("ball", (0.7, 0.7, 0.7)), ("egg", (0.5, 0.5, 0.9)))
    ]
    drawn = [DrawnWorld(world, 32) for world in worlds]
    prior = OraclePrior(drawn, deviation=0.02, resolution=32, capabilities=WITH_CAMERAS)
    camera = orbit_cameras([0.0], 20.0, 3.0, 40.0, 32)
    studio = Studio(tmp_path / "job", tmp_path / "cache", 3, lambda capability: prior, {})
    found = draw_depth(prior, GivenViews(drawn[0].latents(camera), camera), 6, studio)
    truth = torch.from_numpy(worlds[0].draw(camera).depth).float()
    seen = truth > 0
    assert found.shape == (1, 32, 32, 1) and seen.sum() > 200
    assert (found - truth)[seen].abs().max() < 0.02
