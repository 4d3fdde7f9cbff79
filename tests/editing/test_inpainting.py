"""Holes, and what the pocket prior paints into them."""

from pathlib import Path

import torch

from backend.editing.inpainting import Inpainter, holes_of
from backend.pocket.world import build
from backend.pocket.world.meshes import to_mesh
from backend.priors.pocket import PocketPrior
from backend.rendering.cameras import orbit_cameras
from backend.rendering.meshes import render_mesh
from backend.studio import Studio


def test_holes_have_no_gaps_and_grow() -> None:
    shown = torch.zeros(1, 9, 9)
    shown[0, 3:6, 3:6] = 1
    shown[0, 4, 4] = 0.1
    assert float(holes_of(shown, 0).sum()) == 9
    assert float(holes_of(shown, 1).sum()) == 21


def test_what_is_painted_has_the_color_that_words_name_and_the_rest_its_bits(
    tmp_path: Path,
) -> None:
    prior, camera = PocketPrior.load(), orbit_cameras([0.0], 15.0, 3.8, 40.0, 64)
    studio = Studio(tmp_path, tmp_path, 1, lambda capability: prior, {})
    seen = render_mesh(to_mesh(build("snowman", "white", seed=3)), camera)
    assert seen.color is not None and seen.alpha is not None
    before, hole = torch.cat([seen.color, seen.alpha], -1), torch.zeros(1, 64, 64)
    top = int((seen.alpha[0, ..., 0] > 0.5).any(1).nonzero()[0])
    hole[:, top - 8 : top + 4, 22:42] = 1
    inside, shown = hole[0] > 0, {}
    for color in ("red", "blue"):
        words = f"a white snowman with a {color} hat"
        paint = Inpainter.embed(prior, words, studio, prior.spec.guidance_scale, 12)
        painted = paint(before, before, hole, camera, 0)
        assert torch.equal(painted[0][~inside], before[0][~inside])
        shown[color] = painted[0][inside].mean(0)
    assert float(shown["red"][0] - shown["red"][2]) > 0.04
    assert float(shown["blue"][2] - shown["blue"][0]) > 0.04
