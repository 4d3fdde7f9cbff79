"""Random views of the object in the unit ball, and where views stand."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras, framing_radius, look_at, orbit_cameras

Range = tuple[float, float]
"""(low, high)"""


@dataclass(frozen=True)
class Orbit:
    """Ranges that views are drawn from.

    Half of the elevations are uniform in angle, half uniform on the sphere (MVDream's code).
    ``fill``: how much of the frame's height the unit ball spans, which with the field of view
    gives the distance.
    """

    elevation_degrees: Range = (-10.0, 90.0)
    azimuth_degrees: Range = (-180.0, 180.0)
    fov_degrees: Range = (40.0, 70.0)
    fill: Range = (0.7, 1.0)


def sample_views(orbit: Orbit, count: int, resolution: int, generator: torch.Generator) -> Cameras:
    """``count`` independent square views."""
    azimuth = _uniform(orbit.azimuth_degrees, count, generator)
    return _place(azimuth, _sample_lens(orbit, count, generator), resolution)


def sample_rigs(
    orbit: Orbit, sets: int, resolution: int, generator: torch.Generator, views: int = 4
) -> Cameras:
    """Sets of views that stand evenly around the object (azimuth phi + 0, 90, 180, 270 degrees for
    four) and share elevation, field of view and distance: sets * views cameras, set after set."""
    first = _uniform(orbit.azimuth_degrees, sets, generator)[:, None]
    azimuth = (first + torch.arange(views) * (360 / views)).flatten()
    lens = [values.repeat_interleave(views) for values in _sample_lens(orbit, sets, generator)]
    return _place(azimuth, lens, resolution)


def jittered(cameras: Cameras, deviation: float, generator: torch.Generator) -> Cameras:
    """The same views, shifted by normal noise of ``deviation`` world units (DreamFusion jitters
    the look-at point: the object is then not always in the middle)."""
    shift = torch.randn(len(cameras), 3, generator=generator).to(cameras.c2w) * deviation
    c2w = cameras.c2w.clone()
    c2w[:, :3, 3] += shift
    return replace(cameras, c2w=c2w)


def near_views(cameras: Cameras, deviation: float, generator: torch.Generator) -> Cameras:
    """The same views of the origin from eyes moved by normal noise of ``deviation`` times their
    distance."""
    positions = cameras.positions
    aside = torch.randn(positions.shape, generator=generator).to(positions) * deviation
    eyes = positions + aside * positions.norm(dim=-1, keepdim=True)
    return replace(cameras, c2w=look_at(eyes, torch.zeros_like(eyes)))


def azimuth_degrees(cameras: Cameras) -> Tensor:
    """(views,), in (-180, 180]; 0 stands in front, at -y."""
    x, y, _ = cameras.positions.unbind(-1)
    return torch.atan2(x, -y).rad2deg()


def elevation_degrees(cameras: Cameras) -> Tensor:
    """(views,), above the horizon."""
    x, y, z = cameras.positions.unbind(-1)
    return torch.atan2(z, torch.hypot(x, y)).rad2deg()


def _sample_lens(orbit: Orbit, count: int, generator: torch.Generator) -> list[Tensor]:
    """Elevation, field of view, fill."""
    in_angle = _uniform(orbit.elevation_degrees, count, generator)
    low, high = torch.tensor(orbit.elevation_degrees).deg2rad().sin().tolist()
    on_sphere = _uniform((low, high), count, generator).clamp(-1, 1).asin().rad2deg()
    coin = torch.rand(count, generator=generator) < 0.5
    fov = _uniform(orbit.fov_degrees, count, generator)
    return [torch.where(coin, in_angle, on_sphere), fov, _uniform(orbit.fill, count, generator)]


def _place(azimuth: Tensor, lens: list[Tensor], resolution: int) -> Cameras:
    elevation, fov, fill = lens
    return orbit_cameras(azimuth, elevation, framing_radius(fov, fill), fov, resolution)


def _uniform(bounds: Range, count: int, generator: torch.Generator) -> Tensor:
    low, high = bounds
    return low + (high - low) * torch.rand(count, generator=generator)
