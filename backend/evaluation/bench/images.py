"""A picture to an object: how near is it to the one in the picture, where no alignment helps?"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.evaluation.bench.cases import Bench, Case, Figures
from backend.evaluation.geometry import chamfer, novel_view_psnr, volume_iou
from backend.evaluation.looking import ring, sphere
from backend.multiview.hull import visual_hull
from backend.multiview.images import OBJECT_FILL
from backend.multiview.rigs import FILL, picture_camera
from backend.pocket.framing import centered, reach
from backend.pocket.render import render, views_of
from backend.pocket.vocabulary import Pair
from backend.pocket.world import Scene, build, caption, held_out_prompts
from backend.pocket.world.meshes import to_mesh
from backend.rendering.cameras import Cameras
from backend.rendering.meshes import render_mesh
from protocol.assets import Asset, Image, Mesh, View

PICTURE_PIXELS = 256
HOLLOW = ("mug", "bowl", "chair")
"""Kinds of which no outline shows all: here a recipe has to be better than a visual hull."""
HOLLOW_ELEVATION_DEGREES = 30.0
TURNS_DEGREES = (0, 30, -30, 45, -45, 60, -60, 90)
LARGEST = 0.98
"""Radius of the ball that an object of known picture has to stay in."""


def cases(bench: Bench, count: int) -> Iterator[Case]:
    """Cut-out pictures of held-out kinds and colors, from the elevation and with the field of view
    that the recipe supposes; every fourth is a hollow thing, seen from above."""
    for seed, pair in enumerate(subjects(bench, count)):
        elevation = bench.option("elevation_degrees")
        options = {}
        if pair[0] in HOLLOW and elevation is not None:
            elevation = options["elevation_degrees"] = HOLLOW_ELEVATION_DEGREES
        camera = picture_camera(
            elevation or 0.0, bench.option("fov_degrees") or 0.0, PICTURE_PIXELS
        )
        scene = turned_to_fit(build(*pair, seed), camera)
        pixels = (render(scene, camera, samples=3)["rgba"][0] * 255).round().astype(np.uint8)
        picture = Asset(caption(*pair), images={"image": Image(pixels)})
        yield Case(
            caption(*pair), seed, partial(measure, scene), options=options,
            assets={"image": picture},
        )


def subjects(bench: Bench, count: int) -> list[Pair]:
    """Held-out kinds and colors, every fourth hollow where there are any."""
    words = bench.words
    plain = iter(words.held_out_prompts(count))
    known = tuple(kind for kind in words.kinds if kind in HOLLOW)
    hollow = iter(held_out_prompts(count, known, words.colors))
    return [
        next(hollow, None) or next(plain) if index % 4 == 3 else next(plain)
        for index in range(min(count, len(words.pairs(held_out=True))))
    ]


def turned_to_fit(scene: Scene, camera: Cameras) -> Scene:
    """The object from the front, or turned about z no more than it must be for its picture to leave
    it in the unit ball: seen end on, a train is longer than any volume that its picture fits."""
    (view,) = views_of(camera)
    found = []
    for degrees in TURNS_DEGREES:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0]])
        fitted = centered(scene.moved(turn), view, OBJECT_FILL)
        found.append((reach(fitted), fitted))
        if found[-1][0] <= LARGEST:
            break
    return min(found, key=lambda pair: pair[0])[1]


def measure(scene: Scene, made: Asset) -> Figures:
    """Chamfer, IoU and novel-view PSNR beside that of copying the input; ``hull_`` for the visual
    hull of the views that the recipe drew, ``drawn_psnr`` for those views themselves; shapes once
    more as ``hollow_`` where the object is."""
    assert made.mesh is not None
    truth = to_mesh(scene)
    figures = of_shape(made.mesh, truth) | of_looks(made.mesh, truth)
    if made.views:
        figures["drawn_psnr"] = drawn_psnr(made.views, scene)
        hull = hull_of(made.views)
        if hull is not None:
            own = of_shape(hull, truth)
            figures |= {f"hull_{name}": value for name, value in own.items()}
    if scene.kind in HOLLOW:
        shapes = {name: value for name, value in figures.items() if "psnr" not in name}
        figures |= {f"hollow_{name}": value for name, value in shapes.items()}
    return figures


def of_shape(found: Mesh, truth: Mesh) -> Figures:
    """Over what can be seen from outside: objects of the world are parts that cross."""
    around = sphere()
    return {
        "chamfer": chamfer(found, truth, around),
        "iou": volume_iou(found, truth, cameras=around),
    }


def of_looks(found: Mesh, truth: Mesh) -> Figures:
    """Seven views from around, and what the view from the front would score in their place."""
    drawn, wanted = (render_mesh(mesh, ring()) for mesh in (found, truth))
    color, front = wanted.color[1:], wanted.color[:1].expand_as(wanted.color[1:])
    alpha, front_alpha = wanted.alpha[1:], wanted.alpha[:1].expand_as(wanted.alpha[1:])
    return {
        "psnr": float(novel_view_psnr(drawn.color[1:], drawn.alpha[1:], color, alpha).mean()),
        "copy_psnr": float(novel_view_psnr(front, front_alpha, color, alpha).mean()),
    }


def drawn_psnr(views: list[View], scene: Scene) -> float:
    """Of the views that the recipe drew, over gray."""
    images, alpha = pixels_of(views)
    rgba = torch.from_numpy(render(scene, cameras_of(views))["rgba"])
    wanted = torch.lerp(torch.full_like(rgba[..., :3], 0.5), rgba[..., :3], rgba[..., 3:])
    solid = rgba[..., 3:] if alpha is None else alpha
    return float(novel_view_psnr(images, solid, wanted, rgba[..., 3:]).mean())


def hull_of(views: list[View]) -> Mesh | None:
    """The visual hull of drawn views that are cut out; None where they are not."""
    _, alpha = pixels_of(views)
    return None if alpha is None else visual_hull(cameras_of(views), alpha)


def pixels_of(views: list[View]) -> tuple[Tensor, Tensor | None]:
    """Drawn views over gray (views, height, width, 3), and their alpha where they have any."""
    drawn = torch.from_numpy(np.stack([image_of(view) for view in views])).float() / 255
    if drawn.shape[-1] == 3:
        return drawn, None
    color, alpha = drawn[..., :3], drawn[..., 3:]
    return torch.lerp(torch.full_like(color, 0.5), color, alpha), alpha


def cameras_of(views: list[View]) -> Cameras:
    """Of drawn views; orthographic ones are as high as the rigs make them."""
    degrees = torch.tensor([view.fov_degrees for view in views])
    height, width = image_of(views[0]).shape[:2]
    c2w = torch.from_numpy(np.stack([view.c2w for view in views]))
    return Cameras(c2w, degrees, height, width, torch.where(degrees == 0, 2 / FILL, 0.0))


def image_of(view: View) -> NDArray[np.uint8]:
    """The pixels of a drawn view."""
    assert view.image is not None
    return view.image.pixels
