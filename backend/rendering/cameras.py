"""Cameras: poses, fields of view and the rays of their pixels.

Convention (docs/architecture.md): right-handed space, z up; camera-to-world matrices look down
their own -z with +y up (OpenGL, as Blender's cameras); azimuth 0 stands in front of the object,
at -y, and grows counter-clockwise seen from above; pixel centers at +1/2, row 0 at the top.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor


class Rays(NamedTuple):
    """One ray a pixel: ``origins`` and unit ``directions``, each (views, height, width, 3)."""

    origins: Tensor
    directions: Tensor


@dataclass(frozen=True)
class Cameras:
    """A set of views of one image size.

    ``c2w``: (views, 4, 4). ``fov_degrees``: (views,), vertical. ``ortho_height``: (views,), the
    visible height in world units; above zero the view is orthographic and its fov is ignored.
    """

    c2w: Tensor
    fov_degrees: Tensor
    height: int
    width: int
    ortho_height: Tensor | None = None

    def __post_init__(self) -> None:
        views = self.c2w.shape[0]
        if self.c2w.shape[1:] != (4, 4) or self.fov_degrees.shape != (views,):
            raise ValueError(
                f"cameras want c2w (views, 4, 4) and fov_degrees (views,), "
                f"not {tuple(self.c2w.shape)} and {tuple(self.fov_degrees.shape)}"
            )

    def __len__(self) -> int:
        return self.c2w.shape[0]

    def __getitem__(self, index: int | slice | list[int] | Tensor) -> "Cameras":
        """The chosen views; a single number gives a set of one."""
        index = [index] if isinstance(index, int) else index
        ortho = None if self.ortho_height is None else self.ortho_height[index]
        return replace(
            self, c2w=self.c2w[index], fov_degrees=self.fov_degrees[index], ortho_height=ortho
        )

    @property
    def positions(self) -> Tensor:
        """Camera centers, (views, 3)."""
        return self.c2w[:, :3, 3]

    @property
    def backward(self) -> Tensor:
        """Unit vectors against the viewing direction, (views, 3)."""
        return self.c2w[:, :3, 2]

    def to(self, device: torch.device | str) -> "Cameras":
        """The same views on another device."""
        ortho = None if self.ortho_height is None else self.ortho_height.to(device)
        return replace(
            self,
            c2w=self.c2w.to(device),
            fov_degrees=self.fov_degrees.to(device),
            ortho_height=ortho,
        )

    def resized(self, height: int, width: int) -> "Cameras":
        """The same views with another number of pixels."""
        return replace(self, height=height, width=width)

    def orthographic(self, height: float) -> "Cameras":
        """The same poses with parallel rays, ``height`` world units high."""
        return replace(self, ortho_height=torch.full_like(self.fov_degrees, height))

    def coincide(self, camera: "Cameras") -> Tensor:
        """Which views, (views,), are that of the one ``camera``: pose and lens."""
        poses = torch.isclose(self.c2w, camera.c2w, atol=1e-5).all(-1).all(-1)
        ortho, other = self._ortho_heights(), camera._ortho_heights()
        lens = (other > 0) | torch.isclose(self.fov_degrees, camera.fov_degrees)
        return poses & torch.isclose(ortho, other) & lens

    @staticmethod
    def join(parts: "list[Cameras]") -> "Cameras":
        """All views of all parts, which have one image size."""
        return replace(
            parts[0],
            c2w=torch.cat([part.c2w for part in parts]),
            fov_degrees=torch.cat([part.fov_degrees for part in parts]),
            ortho_height=torch.cat([part._ortho_heights() for part in parts]),
        )

    def rays(self) -> Rays:
        """The ray through each pixel center."""
        height, width = self.height, self.width
        y = 0.5 - (torch.arange(height, device=self.c2w.device) + 0.5) / height
        x = ((torch.arange(width, device=self.c2w.device) + 0.5) / width - 0.5) * (width / height)
        y, x = torch.meshgrid(y.to(self.c2w), x.to(self.c2w), indexing="ij")
        plane = torch.stack([x, y, torch.zeros_like(x)], -1)
        ortho = self._ortho_heights()
        scale = torch.where(ortho > 0, ortho, 2 * (self.fov_degrees.deg2rad() / 2).tan())
        spread = scale[:, None, None, None] * plane
        is_ortho = (ortho > 0)[:, None, None, None]
        forward = torch.tensor([0.0, 0.0, -1.0]).to(self.c2w)
        local_directions = torch.where(is_ortho, forward, spread + forward)
        local_origins = torch.where(is_ortho, spread, torch.zeros_like(spread))
        rotation = self.c2w[:, None, None, :3, :3]
        directions = (rotation @ local_directions[..., None])[..., 0]
        origins = (rotation @ local_origins[..., None])[..., 0] + self.positions[:, None, None]
        return Rays(origins, torch.nn.functional.normalize(directions, dim=-1))

    def project(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Where world ``points`` fall, (n, 3) in all views or (views, n, 3), each view's own:
        pixels (views, n, 2) as (x, y), depth (views, n).

        Depth is along the view axis, positive in front of the camera.
        """
        local = (points - self.positions[:, None]) @ self.c2w[:, :3, :3]
        depth = -local[..., 2]
        ortho = self._ortho_heights()[:, None]
        perspective = 2 * (self.fov_degrees.deg2rad() / 2).tan()[:, None] * depth
        extent = torch.where(ortho > 0, ortho.expand_as(depth), perspective)
        x = local[..., 0] / extent * self.height + self.width / 2
        y = self.height / 2 - local[..., 1] / extent * self.height
        return torch.stack([x, y], -1), depth

    def _ortho_heights(self) -> Tensor:
        return (
            torch.zeros_like(self.fov_degrees) if self.ortho_height is None else self.ortho_height
        )


def orbit_positions(azimuth_degrees: Tensor, elevation_degrees: Tensor, radius: Tensor) -> Tensor:
    """Points on spheres around the origin, (n, 3); azimuth 0 is in front, at -y."""
    azimuth, elevation = azimuth_degrees.deg2rad(), elevation_degrees.deg2rad()
    across = elevation.cos()
    return radius[:, None] * torch.stack(
        [azimuth.sin() * across, -azimuth.cos() * across, elevation.sin()], -1
    )


def look_at(positions: Tensor, targets: Tensor) -> Tensor:
    """Camera-to-world matrices, (n, 4, 4), from positions toward targets, z up where it can be."""
    backward = torch.nn.functional.normalize(positions - targets, dim=-1)
    up = torch.tensor([0.0, 0.0, 1.0]).to(positions).expand_as(positions)
    # Straight above or below, z says nothing about roll: the front of the object is at the bottom.
    steep = backward[:, 2:].abs() > 1 - 1e-6
    overhead = torch.tensor([0.0, 1.0, 0.0]).to(positions) * backward[:, 2:].sign()
    up = torch.where(steep, overhead, up)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, backward), dim=-1)
    c2w = torch.eye(4).to(positions).repeat(len(positions), 1, 1)
    c2w[:, :3, :3] = torch.stack([right, torch.linalg.cross(backward, right), backward], -1)
    c2w[:, :3, 3] = positions
    return c2w


def orbit_cameras(
    azimuth_degrees: list[float] | Tensor,
    elevation_degrees: list[float] | float | Tensor,
    radius: list[float] | float | Tensor,
    fov_degrees: list[float] | float | Tensor,
    height: int,
    width: int | None = None,
) -> Cameras:
    """Cameras on spheres that look at the origin; single numbers serve all views."""
    azimuth = torch.as_tensor(azimuth_degrees, dtype=torch.float32)
    elevation, distance, fov = (
        torch.as_tensor(value, dtype=torch.float32, device=azimuth.device).expand(azimuth.shape)
        for value in (elevation_degrees, radius, fov_degrees)
    )
    positions = orbit_positions(azimuth, elevation, distance)
    c2w = look_at(positions, torch.zeros_like(positions))
    return Cameras(c2w, fov.clone(), height, height if width is None else width)


def framing_radius(fov_degrees: Tensor, fill: Tensor | float = 1.0) -> Tensor:
    """The distance at which the unit ball's silhouette spans ``fill`` of the frame's height."""
    return 1.0 / (fill * (fov_degrees.deg2rad() / 2).tan()).atan().sin()
