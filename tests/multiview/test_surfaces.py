"""Fitting a surface to six orthographic views with normals, one of which may lie."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from backend.diffusion.annealing import Number
from backend.multiview.hull import inside_outlines, visual_hull
from backend.multiview.rigs import SIX_AZIMUTHS, picture_camera, six_views
from backend.multiview.surfaces import (
    WEIGHTS,
    SurfaceFit,
    SurfaceSize,
    SurfaceTargets,
    ball_points,
    facing_weight,
    keep_lowest,
    outlined_loss,
    reconstruct,
    start,
)
from backend.priors.worlds import World, ellipsoid
from backend.representations.fields.pyramid import node_points
from backend.representations.sdf import Sdf
from backend.studio import Progress, Studio
from protocol.assets import Asset

SIDE = 40
RADII = np.array([0.75, 0.5, 0.6])


PAINT: Callable[[np.ndarray], np.ndarray] = lambda points: points / 2 + 0.5  # noqa: E731


def egg() -> World:
    return World("egg", (ellipsoid((0, 0, 0), tuple(RADII), PAINT),))


def finish(fitting: Generator[Progress, None, Sdf]) -> Sdf:
    """Run to the end."""
    while True:
        try:
            next(fitting)
        except StopIteration as end:
            found: Sdf = end.value
            return found


def seen(world: World, elevation: float = 0.0) -> SurfaceTargets:
    cameras = six_views(elevation, SIDE)
    drawing = world.draw(cameras, background=0.0)
    color, alpha, depth, normals = (torch.from_numpy(image).float() for image in drawing)
    return SurfaceTargets(cameras, color, alpha, normals, depth)


def fit(
    folder: Path, targets: SurfaceTargets, dropped: float = 0.0, steps: int = 150,
    weights: Mapping[str, Number] = WEIGHTS,
) -> Sdf:
    """All rays for half of the steps, then without the worst."""
    studio = Studio(folder, folder, 0, lambda capability: None, {})
    sdf = Sdf(32)
    for name, share in (("all", 0.0), ("best", dropped)):
        state = start(sdf)
        fitting = SurfaceFit(targets, studio, share, rays_a_step=768, weights=weights)
        list(fitting.run(sdf, state, steps // 2, name))
    return sdf


def error(sdf: Sdf) -> float:
    """Mean distance from the egg, about: of the implicit function over its slope."""
    points = torch.from_numpy(trimesh.creation.icosphere(4).vertices * RADII).float()
    with torch.no_grad():
        return float(sdf.nodes().distance(points).abs().mean())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Sdf:
    return fit(tmp_path_factory.mktemp("egg"), seen(egg()))


def test_the_rig_is_wonder3ds() -> None:
    cameras = six_views(0.0, SIDE)
    rays = cameras.rays()
    assert torch.allclose(rays.directions, -cameras.backward[:, None, None].expand(
        *rays.directions.shape), atol=1e-6)
    span = (rays.origins[:, 0] - rays.origins[:, -1]).norm(dim=-1)
    height = cameras.ortho_height[:, None]
    assert torch.allclose(span, height.expand_as(span) * (SIDE - 1) / SIDE, atol=1e-5)
    angle = torch.tensor(SIX_AZIMUTHS).deg2rad()
    assert torch.allclose(cameras.positions[:, 0], 2 * angle.sin(), atol=1e-5)
    assert torch.equal(picture_camera(0.0, 0.0, SIDE).c2w, cameras.c2w[:1])
    assert picture_camera(0.0, 40.0, SIDE).ortho_height is None


def test_an_egg_is_recovered_from_six_views(fitted: Sdf) -> None:
    assert error(fitted) < 0.02
    mesh = fitted.to_mesh(48, 64, 4000)
    assert trimesh.Trimesh(mesh.positions, mesh.faces).volume == pytest.approx(
        4 / 3 * np.pi * RADII.prod(), rel=0.06
    )


def shared(found: Sdf, middles: list[tuple[float, ...]], radii: list[tuple[float, ...]]) -> float:
    """Volume that ``found`` shares with some ellipsoids together, of all that either fills."""
    points = node_points(torch.empty(1, 64, 64, 64)).reshape(-1, 3)
    inside = torch.zeros(len(points), dtype=torch.bool)
    for middle, radius in zip(middles, radii, strict=True):
        inside |= ((points - torch.tensor(middle)) / torch.tensor(radius)).norm(dim=-1) < 1
    with torch.no_grad():
        solid = found.nodes().distance(points) < 0
    return float((solid & inside).sum() / (solid | inside).sum())


@pytest.mark.parametrize(("radii", "least"), [
    ([(0.35, 0.35, 0.45), (0.75, 0.75, 0.2)], 0.9), ([(0.15, 0.15, 0.5), (0.85, 0.85, 0.1)], 0.68),
])
def test_what_level_views_do_not_see_is_whole(
    tmp_path: Path, radii: list[tuple[float, ...]], least: float
) -> None:
    """An egg on a plate, whose underside is eaten away at the rate of the coarse grid (0.84), and a
    knob on a thin plate, of which only the rim is ever seen (0.56 where nothing says that what lies
    in all outlines is solid)."""
    middles = [(0, 0, 0.2), (0, 0, -0.35)]
    served = World("egg on a plate", tuple(map(ellipsoid, middles, radii, [PAINT] * 2)))
    studio = Studio(tmp_path, tmp_path, 0, lambda capability: None, {})
    sdf = finish(reconstruct(
        seen(served), SurfaceSize(100, 48, 768), 0.2, studio, lambda sdf: Asset("egg")
    ))
    assert shared(sdf, middles, radii) > least


def test_points_are_held_on_the_side_that_all_outlines_say() -> None:
    targets = seen(egg())
    points = ball_points(4000, torch.Generator().manual_seed(0))
    inside = inside_outlines(targets.cameras, targets.alpha, points, 0.6)
    outside = inside_outlines(targets.cameras, 1 - targets.alpha, points, 0.6)
    reach = (points / torch.tensor(RADII).float()).norm(dim=-1)
    assert set(map(tuple, inside.tolist())) >= set(map(tuple, points[reach < 0.9].tolist()))
    assert len(inside) < 1.6 * (reach < 1).sum()
    # from the side an egg hides what is before and behind it, but not what is far above
    assert (outside / torch.tensor(RADII).float()).norm(dim=-1).min() > 1
    assert len(outside) > 100


def test_only_points_on_the_wrong_side_count() -> None:
    anywhere = torch.Generator()
    with torch.no_grad():
        nodes = Sdf(32).nodes()  # a ball of radius 0.5
    within, without = torch.tensor([[0.2, 0, 0]]), torch.tensor([[0, 0.8, 0]])
    for points, sign, wanted in (
        (within, -1, 0.0), (without, 1, 0.0), (without, -1, 0.31), (within, 1, 0.31),
        (torch.zeros(0, 3), 1, 0.0),
    ):
        loss = outlined_loss(nodes, points, sign, 4, anywhere)
        assert float(loss) == pytest.approx(wanted, abs=0.01)


def test_colors_and_normals_are_those_of_the_views(fitted: Sdf) -> None:
    targets = seen(egg())
    with torch.no_grad():
        buffers = fitted.render(targets.cameras, want={"color", "alpha", "normals", "depth"})
    inner = targets.alpha[..., 0] == 1
    assert (buffers.color - targets.premultiplied).abs()[inner].mean() < 0.06
    assert (buffers.normals * targets.normals).sum(-1)[inner].mean() > 0.97
    assert (buffers.depth - targets.depth).abs()[inner].mean() < 0.03


def lying(targets: SurfaceTargets) -> SurfaceTargets:
    """The front right view, which others cover, has normals that lean to one side by 50 degrees."""
    normals = targets.normals.clone()
    turn = torch.tensor(trimesh.transformations.rotation_matrix(0.9, [0, 0, 1])[:3, :3]).float()
    normals[1] = normals[1] @ turn.T
    return replace(targets, normals=normals)


def test_without_the_worst_rays_a_lying_view_does_no_harm(tmp_path: Path) -> None:
    honest, lie = (replace(targets, depth=None) for targets in (seen(egg()), lying(seen(egg()))))
    rough = {**WEIGHTS, "smoothness": 0.1}  # more of it would even out most of the lie by itself
    believing, doubting = (
        error(fit(tmp_path, lie, dropped, weights=rough))
        / error(fit(tmp_path, honest, dropped, weights=rough))
        for dropped in (0.0, 0.2)
    )
    assert believing > 1.25, (believing, doubting)
    assert doubting < 1.1


def test_weights_grow_toward_facing_and_are_zero_for_grazing_and_averted_normals() -> None:
    cosine = torch.tensor([-1.0, -0.7, -0.3, -0.05, 0.5])
    normals = torch.stack([(1 - cosine**2).sqrt(), cosine * 0, cosine], -1)
    weight = facing_weight(normals, torch.tensor([0.0, 0, 1]))
    assert torch.allclose(weight[:3], cosine[:3].abs().exp())
    assert weight[3:].tolist() == [0, 0]
    assert facing_weight(torch.zeros(1, 3), torch.tensor([0.0, 0, 1])).item() == 0


def test_the_largest_errors_are_dropped() -> None:
    errors = torch.tensor([3.0, 1, 9, 2, 5])
    assert sorted(keep_lowest(errors, 0.4).tolist()) == [1, 2, 3]
    assert keep_lowest(errors, 0.0) is not None and len(keep_lowest(errors, 0.0)) == 5


def test_points_fill_the_ball_evenly() -> None:
    points = ball_points(20_000, torch.Generator().manual_seed(0))
    assert (points.norm(dim=-1) < 0.5).float().mean() == pytest.approx(1 / 8, abs=0.01)


def test_the_hull_of_an_egg_contains_it_and_is_cut_by_no_view_from_above() -> None:
    targets = seen(egg())
    mesh = visual_hull(targets.cameras, targets.alpha, 64)
    solid = trimesh.Trimesh(mesh.positions, mesh.faces)
    assert solid.is_watertight
    assert 1.0 < solid.volume / (4 / 3 * np.pi * RADII.prod()) < 1.25
