"""Volume rendering: samples along rays inside the unit ball, and their compositing.

All tensors are dense, (rays, samples), which nerfacc composites on any device. Rays that miss the
ball are left out from the start.
"""

from dataclasses import dataclass

import nerfacc
import torch
from torch import Tensor

from backend.rendering.cameras import Cameras


@dataclass(frozen=True)
class BallRays:
    """The rays of some cameras that meet the ball.

    ``pixels``: (rays,) index into the flat (views * height * width) pixels. ``views``: (rays,).
    ``origins``, unit ``directions``: (rays, 3). ``axial``: (rays,) depth along the view axis per
    unit of distance along the ray. ``enter``, ``leave``: (rays,) distances.
    """

    pixels: Tensor
    views: Tensor
    origins: Tensor
    directions: Tensor
    axial: Tensor
    enter: Tensor
    leave: Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Tensor | slice) -> "BallRays":
        """The chosen rays."""
        return BallRays(**{name: value[index] for name, value in vars(self).items()})


@dataclass(frozen=True)
class RaySamples:
    """Samples of the rays that meet the ball.

    ``pixels``: (rays,) index into the flat (views * height * width) pixels. ``views``: (rays,).
    ``origins``, ``directions``: (rays, 3). ``axial``: (rays,) depth along the view axis per unit of
    distance along the ray. ``starts``, ``ends``: (rays, samples) distances of each interval;
    ``middles`` where it is sampled. A pixel is ``width`` + ``widening`` * distance wide, (rays,).
    """

    pixels: Tensor
    views: Tensor
    origins: Tensor
    directions: Tensor
    axial: Tensor
    starts: Tensor
    ends: Tensor
    middles: Tensor
    width: Tensor
    widening: Tensor

    @property
    def points(self) -> Tensor:
        """Sample positions, (rays, samples, 3)."""
        along = self.middles[..., None] * self.directions[:, None]
        return self.origins[:, None] + along

    @property
    def variances(self) -> Tensor:
        """Along the axes, (rays, samples, 3), of the box that each sample stands for: as long as
        its interval, as wide as its pixel (mip-NeRF's Gaussian of a cone segment, section 3.1,
        where the segment is short beside its distance)."""
        along = (self.ends - self.starts) ** 2 / 12
        across = (self.width[:, None] + self.widening[:, None] * self.middles) ** 2 / 12
        square = self.directions[:, None] ** 2
        return along[..., None] * square + across[..., None] * (1 - square)

    def __getitem__(self, index: Tensor | slice) -> "RaySamples":
        """The chosen rays."""
        return RaySamples(**{name: value[index] for name, value in vars(self).items()})


def ball_interval(
    origins: Tensor, directions: Tensor, radius: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Distances (rays,) at which unit-length rays enter and leave the ball around the origin.

    In front of the camera only; rays that miss get leave <= enter.
    """
    closest = -(origins * directions).sum(-1)
    # The offset itself, not |o|^2 - closest^2: far cameras would cancel all digits.
    offset = origins + closest[..., None] * directions
    half = (radius**2 - (offset * offset).sum(-1)).clamp_min(0).sqrt()
    return (closest - half).clamp_min(0), closest + half


def place_samples(
    cameras: Cameras, count: int, jitter: Tensor | None = None, radius: float = 1.0
) -> RaySamples:
    """Cut each ray's way through the ball into ``count`` equal intervals with one sample each.

    ``jitter``: (views, height, width) in [0, 1), where in its interval each ray samples; None
    takes the middles.
    """
    rays = rays_through_ball(cameras, radius)
    enter, step = rays.enter[:, None], ((rays.leave - rays.enter) / count)[:, None]
    numbers = torch.arange(count, device=enter.device).to(step)
    shift = torch.full_like(step, 0.5) if jitter is None else jitter.reshape(-1)[rays.pixels, None]
    width, widening = pixel_widths(cameras)
    return RaySamples(
        rays.pixels,
        rays.views,
        rays.origins,
        rays.directions,
        rays.axial,
        starts=enter + numbers * step,
        ends=enter + (numbers + 1) * step,
        middles=enter + (numbers + shift) * step,
        width=width[rays.views],
        widening=widening[rays.views],
    )


def rays_through_ball(cameras: Cameras, radius: float = 1.0) -> BallRays:
    """Those pixels' rays that meet the ball, perspective or orthographic."""
    rays = cameras.rays()
    origins, directions = rays.origins.reshape(-1, 3), rays.directions.reshape(-1, 3)
    enter, leave = ball_interval(origins, directions, radius)
    pixels = (leave > enter).nonzero()[:, 0]
    views = pixels // (cameras.height * cameras.width)
    directions = directions[pixels]
    axial = -(directions * cameras.backward[views]).sum(-1)
    return BallRays(
        pixels, views, origins[pixels], directions, axial, enter[pixels], leave[pixels]
    )


def pixel_widths(cameras: Cameras) -> tuple[Tensor, Tensor]:
    """Width of a pixel at distance 0, and its growth per unit of distance, both (views,)."""
    widening = 2 * (cameras.fov_degrees.deg2rad() / 2).tan() / cameras.height
    if cameras.ortho_height is None:
        return torch.zeros_like(widening), widening
    flat = cameras.ortho_height > 0
    width = torch.where(flat, cameras.ortho_height / cameras.height, 0.0)
    return width, torch.where(flat, 0.0, widening)


def render_weights(samples: RaySamples, density: Tensor) -> Tensor:
    """How much each sample is seen, (rays, samples), from its density of the same shape."""
    weights: Tensor = nerfacc.render_weight_from_density(samples.starts, samples.ends, density)[0]
    return weights


def accumulate(weights: Tensor, values: Tensor) -> Tensor:
    """Weighted sums (rays, channels) of ``values`` (rays, samples, channels) along the rays."""
    summed: Tensor = nerfacc.accumulate_along_rays(weights, values)
    return summed


def to_image(values: Tensor, pixels: Tensor, cameras: Cameras) -> Tensor:
    """Images (views, height, width, channels) of ``values`` (rays, channels); zero elsewhere."""
    shape = (len(cameras), cameras.height, cameras.width, values.shape[-1])
    flat = values.new_zeros(shape[0] * shape[1] * shape[2], values.shape[-1])
    return flat.index_copy(0, pixels, values).reshape(shape)
