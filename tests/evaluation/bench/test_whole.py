"""Every recipe on the bench, from its first case to its figures, as small as can be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.evaluation.bench import tasks
from backend.evaluation.bench.cases import Bench
from backend.evaluation.bench.making import make_all
from backend.evaluation.bench.summary import summarize
from backend.pocket.render import render
from backend.pocket.world import Scene
from backend.priors.base import NORMAL, Capability
from backend.priors.oracle import WITH_CAMERAS, WITHOUT_CAMERAS, DrawnWorld, OraclePrior
from backend.priors.pixels import encode_pixels
from backend.priors.worlds import cube
from backend.recipes import registry, volumes
from backend.rendering.cameras import Cameras

from .benches import MAKES_LITTLE

SIDE = 16
SHAPE = {"grid_resolution": 24, "samples": 16, "faces": 400, "texture_size": 64}
TINY: dict[str, dict[str, Any]] = {
    "mvdream": MAKES_LITTLE,
    "dreamfusion": {**SHAPE, "steps": 3},
    "gaussiandreamer": {"seeds": 200, "draws": 500, "reach": 0.1, "steps": 3, "most": 1000,
                        "mesh_resolution": 32, "faces": 400, "texture_size": 64},
    "zero123": {**SHAPE, "steps": 3, "view_steps": 4, "novel_views": 3},
    "wonder3d": {**SHAPE, "view_steps": 4, "fit_steps": 60, "rays": 256},
    "gaussian_editor": {"gaussians": 200, "fit_steps": 2, "fit_pixels": 16, "steps": 2, "rigs": 1,
                        "sampler_steps": 2, "grid": 32},
    "dreameditor": {"fit_steps": 2, "steps": 2, "lora_steps": 0},
    "apap": {"handle_steps": 50, "steps": 2, "lora_steps": 0, "prior": "text+cameras"},
    "align_your_gaussians": {"steps": 2, "views": 2, "pictures": 1, "frames": 3, "gaussians": 100,
                             "fit_steps": 2, "width": 8},
}
FIGURES = {
    "text_to_3d": {"r_precision_both", "prior_r_precision_both"},
    "image_to_3d": {"chamfer", "iou", "psnr", "copy_psnr", "drawn_psnr", "hull_chamfer"},
    "edit": {"followed", "way", "outside_faces_changed", "outside_texels_changed"},
    "deform": {"handle_error", "fold_overs", "confidence", "arap_handle_error"},
    "animate": {"nearer_than_still", "cosine", "identity", "first_frame_error"},
}
EXACT = ("outside_faces_changed", "outside_texels_changed", "first_frame_error")


class Drawing(OraclePrior):
    """An oracle that draws a cloud of points, too."""

    def sample_points(self, prompts: list[str], noise: torch.Tensor) -> torch.Tensor:
        return torch.cat([noise[..., :3].clamp(-0.5, 0.5), noise[..., 3:].sigmoid()], -1)


def find_prior(capability: Capability) -> OraclePrior:
    """One that knows a cube, from where it is told or, for words alone, in single pictures."""
    if capability == "text":
        return OraclePrior.of_pictures([cube()], azimuths=2)
    everything = WITH_CAMERAS | WITHOUT_CAMERAS | {"points"}
    return Drawing([DrawnWorld(cube(), SIDE)], resolution=SIDE, capabilities=everything)


def test_every_recipe_is_here() -> None:
    assert set(TINY) == set(registry.recipes())


@pytest.mark.slow
@pytest.mark.parametrize("recipe", TINY)
def test_the_first_case_is_made_and_measured(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "SHEET_PIXELS", 8)
    bench = Bench(registry.get(recipe), find_prior, options=TINY[recipe])
    found = list(make_all(bench, tasks.cases(bench, 1), tmp_path))
    summary = summarize(bench, found)
    assert summary["failed"] == [] and summary["cases"] == 1
    assert FIGURES[bench.recipe.task] <= set(summary["figures"])
    for name in EXACT:
        assert summary["figures"].get(name, {"mean": 0})["mean"] == 0


@dataclass(frozen=True)
class DrawnScene:
    """An object of the pocket world, as the oracle draws it."""

    scene: Scene
    side: int
    name: str = "scene"

    def latents(
        self, cameras: Cameras | None, domain: torch.Tensor | None = None,
        time: torch.Tensor | None = None,
    ) -> torch.Tensor:
        found = render(self.scene, cameras.resized(self.side, self.side))
        rgba, normals = (torch.from_numpy(found[name]) for name in ("rgba", "normals"))
        shown = rgba[..., :3]
        if domain is not None:
            as_normals = (domain == NORMAL)[:, None, None, None]
            shown = torch.where(as_normals, normals / 2 + 0.5, shown)
        over = torch.lerp(torch.full_like(shown, 0.5), shown, rgba[..., 3:])
        return encode_pixels(over, rgba[..., 3:], self.side)


@pytest.mark.slow
def test_a_prior_that_knows_the_truth_leads_to_it_where_it_stands(tmp_path: Path) -> None:
    """A hollow thing seen from above: neither pose nor scale is left to be aligned."""
    options = {"view_steps": 4, "fit_steps": 240, "rays": 1024, "grid_resolution": 48,
               "samples": 16, "faces": 3000, "texture_size": 64}
    case = list(tasks.cases(Bench(registry.get("wonder3d"), find_prior), 4))[3]
    (scene,) = case.measure.args
    prior = OraclePrior([DrawnScene(scene, 48)], resolution=48, capabilities=WITH_CAMERAS)
    bench = Bench(registry.get("wonder3d"), lambda capability: prior, options=options)
    found = next(make_all(bench, [case], tmp_path))
    assert not found.failure
    assert found.figures["chamfer"] < 0.03 and found.figures["iou"] > 0.6
    assert found.figures["drawn_psnr"] > 25
    assert found.figures["hollow_chamfer"] < found.figures["hollow_hull_chamfer"]
