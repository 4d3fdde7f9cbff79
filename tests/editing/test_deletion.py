"""A region taken away: whatever it is, all else keeps its bits."""

from functools import cache

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.editing.deletion import area, cut_region, holes_around, without_region
from backend.editing.splat_meshes import patched_mesh
from backend.editing.tracing import label, labels
from backend.evaluation.edits import outside_faces_changed, outside_texels_changed
from backend.meshing.texturing import with_texture
from backend.regions.placed import place_region
from backend.rendering.cameras import orbit_cameras
from backend.representations.gaussians import NAMES, Gaussians
from backend.representations.points import sample_surface
from protocol.assets import Attribute, Mesh, Region
from protocol.errors import InputError


@cache
def ball() -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=0.7)
    colors = np.random.default_rng(0).random((len(sphere.vertices), 4)).astype(np.float32)
    mesh = Mesh(
        sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32),
        attributes={"color": Attribute("point", colors)},
    )
    return with_texture(mesh, 64)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def box(center: tuple[float, float, float], half: float) -> Region:
    matrix = np.diag([half, half, half, 1]).astype(np.float32)
    matrix[:3, 3] = center
    return Region(box=matrix)


places = st.tuples(*[st.floats(-0.7, 0.7)] * 3)


@settings(max_examples=12, deadline=None)
@given(center=places, half=st.floats(0.15, 0.6))
def test_whatever_is_deleted_all_else_stays(
    center: tuple[float, float, float], half: float
) -> None:
    region, mesh = box(center, half), ball()
    gaussians = Gaussians.from_points(sample_surface(mesh, 300, generator()), 0.9)
    try:
        placed = place_region(region, mesh)
        whole = cut_region(placed)
        label(gaussians, torch.from_numpy(placed.at_points(gaussians.means.detach().numpy())))
    except InputError:
        return  # beside the surface, or nothing would be left
    kept = labels(gaussians) == 0
    before = {name: getattr(gaussians, name).detach()[kept].clone() for name in NAMES}
    left = without_region(gaussians, whole, generator())
    for name in NAMES:
        assert torch.equal(getattr(left, name).detach()[: int(kept.sum())], before[name])
    result = patched_mesh(left, whole, 24)
    assert outside_faces_changed(result, placed) == 0
    assert outside_texels_changed(result, placed) == 0


def test_patches_are_the_region_from_now_on_and_are_seen_as_holes() -> None:
    mesh = ball()
    placed = place_region(box((0, 0, 0.7), 0.5), mesh)
    gaussians = Gaussians.from_points(sample_surface(mesh, 1500, generator()), 0.9)
    label(gaussians, torch.from_numpy(placed.at_points(gaussians.means.detach().numpy())))
    whole = cut_region(placed)
    left = without_region(gaussians, whole, generator())
    fresh = labels(left) > 0
    assert fresh.any() and left.means[fresh][:, 2].min() > 0
    cameras = orbit_cameras([0.0, 0.0], [80.0, -80.0], 3.0, 40.0, 32)
    holes = holes_around(left, cameras)
    assert holes[0].mean() > 0.05 > holes[1].mean()


def test_the_area_of_a_ball() -> None:
    assert area(ball()) == pytest.approx(4 * np.pi * 0.49, rel=0.03)


def test_nothing_would_be_left() -> None:
    with pytest.raises(InputError) as caught:
        cut_region(place_region(box((0, 0, 0), 1.0), ball()))
    assert caught.value.problem.code == "region_everything"
