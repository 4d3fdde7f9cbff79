"""Zero-1-to-3 (Liu et al., arXiv 2303.11328) from a folder that diffusers wrote, or an id of the
hub: new views of one picture by relative pose.

The network is Stable Diffusion's with eight channels in: the noisy latents, then the picture's,
which are not scaled. Its one token is a linear map of the picture's CLIP embedding and of
(polar angle, sin azimuth, cos azimuth, distance) from the picture to the new view (section 3.2).
Guidance comes from both being zero.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import DiscreteSchedule, expand_like
from backend.priors.base import Condition, Prediction, PriorSpec, WithoutReadings
from backend.priors.checkpoints import Layout, PictureReader, load_weights, spec_of_reader
from backend.rendering.cameras import Cameras

# The projection's folder is named so by one or another conversion of the published weights.
PROJECTIONS = ("clip_camera_projection", "cc_projection")
LAYOUT = Layout("Zero-1-to-3", ("unet", "vae", "image_encoder", "scheduler"), PROJECTIONS)
GUIDANCE_SCALE = 3.0
WHITE = 1.0

TRAINED_FOV_DEGREES = 49.1
TRAINED_BALL = 0.5
"""Field of view and radius of the object's ball in its training, to which distances are told."""


@dataclass
class Zero123Prior(PictureReader, WithoutReadings):
    """``unet``, ``vae``, ``image_encoder``, ``projection``: those of the pipeline. Each wanted view
    is drawn alone beside the one given view of its set; text is not looked at. CLIP looks at the
    given view as the VAE decodes it."""

    spec: PriorSpec
    schedule: DiscreteSchedule
    unet: Any
    vae: Any
    image_encoder: Any
    projection: nn.Linear
    seen: tuple[Tensor, Tensor] | None = field(default=None, init=False, repr=False)

    @classmethod
    def load(cls, model: str, device: torch.device) -> "Zero123Prior":
        """From a folder or an id of the hub; half precision on CUDA. :class:`InputError` where it
        is not there or no Zero-1-to-3."""
        folder = LAYOUT.find(model)
        from diffusers import UNet2DConditionModel

        half = torch.float16 if device.type == "cuda" else torch.float32
        try:
            unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=half)
            vae, encoder, schedule = cls.load_readers(folder)
            projection = load_projection(folder)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise LAYOUT.unusable(model, str(error).splitlines()[0]) from error
        for network in (unet, vae, encoder, projection):
            network.to(device).eval().requires_grad_(False)
        spec = spec_of_reader(
            LAYOUT, model, folder, unet, vae,
            name=f"zero123 {Path(model).name}",
            views=1,
            capabilities=frozenset({"image+pose"}),
            guidance_scale=GUIDANCE_SCALE,
            distillation_scale=GUIDANCE_SCALE,
            license="see the model's card (stable-zero123 is not for commercial use)",
            background=WHITE,
        )
        return cls(spec, schedule, unet, vae, encoder, projection)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of each wanted view alone; given views come back as they are."""
        given = condition.given
        wanted = torch.ones_like(t, dtype=torch.bool) if given is None else ~given.to(t.device)
        picture, token = self._told(noisy, wanted, condition)
        dtype = self.unet.dtype
        output = self.unet(
            torch.cat([noisy[wanted], picture], 1).to(dtype), self.schedule.index(t[wanted]),
            encoder_hidden_states=token.to(dtype),
        ).sample.float()
        alpha, sigma = self.schedule.alpha_sigma(t[wanted])
        x0, eps = noisy.clone(), torch.zeros_like(noisy)
        x0[wanted], eps[wanted] = from_eps(
            noisy[wanted], output, expand_like(alpha, output), expand_like(sigma, output)
        )
        return Prediction(x0, eps)

    def _told(self, noisy: Tensor, wanted: Tensor, condition: Condition) -> tuple[Tensor, Tensor]:
        """The picture's latents and the token (n, 1, width) for each wanted view; zeros where no
        view is given."""
        count, width = int(wanted.sum()), self.projection.out_features
        if condition.given is None:
            return torch.zeros_like(noisy[wanted]), noisy.new_zeros(count, 1, width)
        if condition.cameras is None or (~wanted).sum(1).ne(1).any():
            raise ValueError("Zero-1-to-3 wants cameras and one given view in every set")
        sets, views = wanted.nonzero(as_tuple=True)
        latents = noisy[~wanted]  # one a set, in order
        first = (~wanted).float().argmax(1)
        here, there = (
            (sets * wanted.shape[1] + index).tolist() for index in (views, first[sets])
        )
        pose = relative_pose(condition.cameras[there], condition.cameras[here]).to(noisy)
        token = self.projection(torch.cat([self.look_at(latents)[sets], pose], 1))
        return (latents / self.vae.config.scaling_factor)[sets], token[:, None]


def relative_pose(source: Cameras, target: Cameras) -> Tensor:
    """(views, 4) from each camera of ``source`` to that of ``target``: difference of the polar
    angle from +z in radians, sine and cosine of that of the azimuth (counter-clockwise from above),
    and of the distance at which the object was as large in training."""
    polar, azimuth, distance = (
        after - before for before, after in zip(_polar(source), _polar(target), strict=True)
    )
    return torch.stack([polar, azimuth.sin(), azimuth.cos(), distance], 1)


def _polar(cameras: Cameras) -> tuple[Tensor, Tensor, Tensor]:
    x, y, z = cameras.positions.unbind(-1)
    across = torch.hypot(x, y)
    trained = math.tan(math.radians(TRAINED_FOV_DEGREES) / 2)
    reach = (cameras.fov_degrees.deg2rad() / 2).tan() * cameras.positions.norm(dim=-1)
    if cameras.ortho_height is not None:
        reach = torch.where(cameras.ortho_height > 0, cameras.ortho_height / 2, reach)
    return torch.atan2(across, z), torch.atan2(y, x), TRAINED_BALL * reach / trained


def load_projection(folder: Path) -> nn.Linear:
    """The linear map from CLIP's embedding and pose to the token, of either published layout."""
    part = next(folder / name for name in PROJECTIONS if (folder / name).is_dir())
    kept = {name.rpartition(".")[2]: value for name, value in load_weights(part).items()}
    projection = nn.Linear(kept["weight"].shape[1], kept["weight"].shape[0])
    projection.load_state_dict(kept)
    return projection
