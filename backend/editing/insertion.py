"""A thing that a picture was given, found in it and put at its place in space (Chen et al.,
GaussianEditor, CVPR 2024, section 4.3 and the supplement: adding objects)."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import rasterize
from backend.representations.gaussians import Gaussians
from protocol.assets import FloatArray, Image, Mesh
from protocol.errors import InputError

CHANGED = 0.12
"""How much a pixel changes, in its most changed channel, where something new stands."""
LEAST_PIXELS = 12
LEAST_KNOWN = 16
CUT_OUT_PIXELS = 256
BORDER = 1 / 20
"""Of the picture's side."""
NEAR, FAR = 0.5, 2.0
"""Of the thing's depths: the range of the depths that it is aligned by."""


def appeared(before: Tensor, after: Tensor, hole: Tensor) -> Tensor:
    """Which pixels (height, width) bool of the ``hole`` (height, width) show something that
    ``before`` did not: the largest connected change from it to ``after``, both (height, width, 3)
    or, with alpha, 4. Raises :class:`InputError` ``nothing_added`` where there is hardly any."""
    changed = ((after - before).abs().amax(-1) > CHANGED) & (hole > 0.5)
    if after.shape[-1] == 4:
        changed &= after[..., 3] > 0.5
    parts, count = ndimage.label(ndimage.binary_fill_holes(changed.numpy()), np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    if count == 0 or sizes.max() < LEAST_PIXELS:
        raise InputError(
            "nothing_added", "The prior draws nothing new in the region.",
            "Describe the whole picture (\"a snowman with a blue hat\"), make the region larger, "
            "or try another seed.",
        )
    return torch.from_numpy(parts == sizes.argmax() + 1)


def cut_out(picture: Tensor, mask: Tensor) -> Image:
    """What ``mask`` (height, width) shows of ``picture`` (height, width, 3 or more), with alpha,
    large enough to be prepared as a picture of its own."""
    planes = torch.cat([picture[..., :3], mask[..., None].to(picture)], -1)
    size = (CUT_OUT_PIXELS, CUT_OUT_PIXELS * mask.shape[1] // mask.shape[0])
    larger = torch.nn.functional.interpolate(
        planes.permute(2, 0, 1)[None], size, mode="bilinear", antialias=True
    )[0].permute(1, 2, 0)
    return Image((larger.clamp(0, 1) * 255).round().byte().numpy())


def inner(mask: Tensor) -> Tensor:
    """A mask (height, width) without its border, where neither depth is sure."""
    width = max(round(mask.shape[0] * BORDER), 1)
    return torch.from_numpy(ndimage.binary_erosion(mask.numpy(), iterations=width))


class Alignment(NamedTuple):
    """Depth in space is ``slope`` times estimated depth plus ``offset``."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, estimated: Tensor) -> Tensor:
        return self.slope * estimated + self.offset


def align_depth(estimated: Tensor, rendered: Tensor, known: Tensor, thing: Tensor) -> Alignment:
    """The least squares line from ``estimated`` to ``rendered`` depth, all (height, width), over
    the pixels ``known`` whose estimate lies within half to twice those of the ``thing``. Only the
    mean difference where these are too few for a line or it would turn near and far around; the
    estimate as it is where nothing is known."""
    among = estimated[thing]
    used = known & ~thing & (estimated > NEAR * among.min()) & (estimated < FAR * among.max())
    guess, truth = estimated[used].double(), rendered[used].double()
    if not len(guess):
        return Alignment()
    spread = guess - guess.mean()
    slope = float((spread * truth).sum() / spread.square().sum().clamp_min(1e-12))
    if len(guess) < LEAST_KNOWN or slope <= 0:
        slope = 1.0
    return Alignment(slope, float(truth.mean() - slope * guess.mean()))


@dataclass(frozen=True)
class Similarity:
    """``scale`` times ``rotation`` (3, 3), then ``shift`` (3,); float64."""

    scale: float
    rotation: Tensor
    shift: Tensor

    def points(self, points: Tensor) -> Tensor:
        """Where ``points`` (n, 3) go, in their precision."""
        moved = self.scale * points.double() @ self.rotation.T + self.shift
        return moved.to(points)

    def mesh(self, mesh: Mesh) -> Mesh:
        """Moved, with its normals."""
        normals = mesh.normals
        if normals is not None:
            normals = (normals @ self.rotation.numpy().T).astype(np.float32)
        return replace(mesh, positions=self._array(mesh.positions), normals=normals)

    def _array(self, points: FloatArray) -> FloatArray:
        moved: FloatArray = self.points(torch.from_numpy(points)).numpy()
        return moved

    @torch.no_grad()
    def gaussians(self, gaussians: Gaussians) -> Gaussians:
        """Moved, turned and scaled; channels stay behind."""
        moved = Gaussians.join([gaussians])
        moved.means.copy_(self.points(gaussians.means))
        moved.scales.add_(float(np.log(self.scale)))
        moved.quats.copy_(_turned(self.rotation, gaussians.quats))
        return moved


def _turned(rotation: Tensor, quats: Tensor) -> Tensor:
    """``quats`` (n, 4), w first, after a turn about z."""
    half = torch.atan2(rotation[1, 0], rotation[0, 0]) / 2
    c, s = float(half.cos()), float(half.sin())
    w, x, y, z = quats.unbind(-1)
    return torch.stack([c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w], -1)


def stand(
    mesh: Mesh, camera: Cameras, azimuth_degrees: float, mask: Tensor, depth: Tensor
) -> Similarity:
    """How a lifted ``mesh``, seen from azimuth 0 as its picture shows it, comes to stand in space.

    It is turned with the one ``camera``, at ``azimuth_degrees``; as large as the mean ratio of the
    sides of its place in the picture, ``mask`` (height, width), to its own; and so far away that
    what is seen of it has the mean of ``depth`` (height, width) in the mask.
    """
    angle = torch.tensor(azimuth_degrees, dtype=torch.float64).deg2rad()
    c, s = float(angle.cos()), float(angle.sin())
    turn = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float64)
    frame = camera.c2w[0, :3, :3].double()
    local = torch.from_numpy(mesh.positions).double() @ turn.T @ frame
    low, high = local.amin(0), local.amax(0)
    middle, size = _box_of(mask)
    per_pixel = 2 * float((camera.fov_degrees[0].double().deg2rad() / 2).tan()) / camera.height
    away = float(depth[mask].mean())
    scale = float((size * per_pixel * away / (high - low)[:2]).mean())
    offset = middle - torch.tensor([camera.width, camera.height]) / 2
    ray = torch.cat([offset * per_pixel * torch.tensor([1.0, -1.0]), torch.tensor([-1.0])])
    center = (low + high) / 2
    goal = frame @ (away * ray.double() - scale * center) + camera.positions[0].double()
    placed = Similarity(scale, turn, goal)
    seen = rasterize(torch.from_numpy(placed.mesh(mesh).positions), _faces(mesh), camera)
    both = seen.covered[0] & mask
    nearer = float((depth - seen.depth[0])[both].mean()) if both.any() else 0.0
    return replace(placed, shift=goal + nearer * (frame @ ray.double()))


def _box_of(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Middle and size (x, y), in pixels, of the box around a mask (height, width)."""
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    low = torch.stack([columns.min(), rows.min()]).double()
    high = torch.stack([columns.max(), rows.max()]).double() + 1
    return (low + high) / 2, high - low


def _faces(mesh: Mesh) -> Tensor:
    return torch.from_numpy(mesh.faces).long()
