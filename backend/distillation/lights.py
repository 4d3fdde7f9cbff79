"""Random lights, and when a render is plain albedo, shaded, or shaded without texture
(DreamFusion, section 3.2)."""

from dataclasses import dataclass

import torch
from torch.nn.functional import normalize

from backend.rendering.cameras import Cameras
from backend.rendering.shading import Shading


@dataclass(frozen=True)
class ShadingCurriculum:
    """``albedo_until``: fraction of the run with albedo only. After it a step is shaded with
    probability ``shaded``, and a shaded one is textureless with probability ``textureless``, so
    that shape cannot hide behind paint. ``ambient``: its share of the light; the rest is diffuse.
    """

    albedo_until: float = 0.1
    shaded: float = 0.75
    textureless: float = 0.5
    ambient: float = 0.1

    def sample(
        self, cameras: Cameras, progress: float, generator: torch.Generator
    ) -> Shading | None:
        """The shading of one step's renders; None is albedo."""
        shaded, textureless = torch.rand(2, generator=generator).tolist()
        if progress < self.albedo_until or shaded >= self.shaded:
            return None
        return Shading(
            sample_lights(cameras, generator), diffuse=1 - self.ambient, ambient=self.ambient,
            textureless=textureless < self.textureless,
        )


def sample_lights(
    cameras: Cameras, generator: torch.Generator, distance: tuple[float, float] = (0.8, 1.5)
) -> torch.Tensor:
    """A light near each camera, (views, 3): in the direction of the camera from the origin plus a
    standard normal vector, at a distance that is uniform in ``distance`` beyond the unit ball."""
    views = len(cameras)
    toward = normalize(cameras.positions, dim=-1)
    spread = torch.randn(views, 3, generator=generator).to(toward)
    low, high = distance
    beyond = low + (high - low) * torch.rand(views, 1, generator=generator).to(toward)
    return normalize(toward + spread, dim=-1) * (1 + beyond)
