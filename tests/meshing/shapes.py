"""Densities with known surfaces."""

import torch

RADIUS = 0.5
CENTER = torch.tensor([0.1, -0.2, 0.15])


def ball(density=100.0, radius=RADIUS, center=CENTER):
    """A ball of one density, as a look-up; red where x is above the center, else blue."""

    def look_up(points):
        offset = points - center.to(points)
        inside = (offset.norm(dim=-1) < radius).to(points) * density
        right = (offset[:, :1] > 0).to(points)
        return inside, torch.cat([right, torch.zeros_like(right), 1 - right], 1)

    return look_up
