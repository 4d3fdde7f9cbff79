"""How far away what a picture shows is, drawn by a prior that is shown the picture."""

import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.priors.base import DEPTH, Condition, Prior
from backend.priors.guidance import GivenViews, predict_beside
from backend.priors.pixels import depth_of
from backend.studio import Studio


@torch.no_grad()
def draw_depth(prior: Prior, given: GivenViews, steps: int, studio: Studio) -> Tensor:
    """Depth along the view axis, (1, height, width, 1), in world units as the prior guesses them,
    for each pixel of one ``given`` view, whose camera has azimuth 0; ``steps`` of DDIM. The mean
    of three channels; what the prior takes for background lies in the plane of the origin."""
    noise = studio.noise((1, 1, *prior.spec.latent), "depth")
    condition = Condition(cameras=given.cameras, domain=torch.tensor([[DEPTH]]))

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        x0 = predict_beside(prior, given, noisy, t, condition, 1.0).x0
        return x0.clamp(-1, 1) if prior.spec.bounded else x0

    drawn = noise
    for step in ddim(predict, prior.schedule, noise, steps=steps):
        drawn = step.x0
    color, _ = prior.decode(drawn[0])
    return depth_of(2 * color.mean(-1, keepdim=True) - 1, given.cameras)
