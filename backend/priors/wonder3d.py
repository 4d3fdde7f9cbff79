"""Wonder3D (Long et al., arXiv 2310.15008) from a folder in the layout of
``flamehaze1115/wonder3d-v1.0``, or an id of the hub: colors and normals of six views at once from
one picture.

The network is that of Stable Diffusion's image variations with eight channels in: the noisy
latents, then the picture's. Self-attention runs over the six views of a domain, one more attention
over both domains of a view (section 4.2). A second embedding beside that of time tells where a view
stands and which domain it shows. Guidance comes from picture and token being zero.
"""

import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import DiscreteSchedule, expand_like
from backend.priors.base import COLOR, NORMAL, Condition, Prediction, PriorSpec, WithoutReadings
from backend.priors.checkpoints import Layout, PictureReader, load_weights, spec_of_reader
from backend.priors.cross_domain import attend_across_domains
from backend.priors.joint_attention import attend_jointly
from backend.rendering.cameras import Cameras
from protocol.errors import InputError

LAYOUT = Layout("Wonder3D", ("unet", "vae", "image_encoder", "scheduler"))
GUIDANCE_SCALE = 3.0
WHITE = 1.0
AZIMUTHS = (0.0, 45.0, 90.0, 180.0, 270.0, 315.0)
"""Of its views from the picture's, degrees, about the upright axis of the picture."""
POSES = (
    (0.0, 0.0), (-0.2362, 0.8125), (-0.1686, 1.6934), (0.522, 3.1406), (0.6907, 4.8359),
    (0.3733, 5.5859),
)
"""What it is told of each: differences of polar angle and azimuth from the picture, in radians.
They are those of one object, seen from 15 degrees above, which the released pipeline tells for all
pictures."""
SLACK_DEGREES = 1.0
JOINT = ".attn_joint_"


@dataclass
class Wonder3DPrior(PictureReader, WithoutReadings):
    """Answers ``normals``: sets of the given picture, then its six views' colors, then their
    normals, whose axes are those of the picture's camera."""

    spec: PriorSpec
    schedule: DiscreteSchedule
    unet: Any
    vae: Any
    image_encoder: Any
    seen: tuple[Tensor, Tensor] | None = field(default=None, init=False, repr=False)

    @classmethod
    def load(cls, model: str, device: torch.device) -> "Wonder3DPrior":
        """From a folder or an id of the hub; half precision on CUDA. :class:`InputError` where it
        is not there or no Wonder3D."""
        folder = LAYOUT.find(model)
        try:
            unet = load_network(folder / "unet")
            vae, encoder, schedule = cls.load_readers(folder)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise LAYOUT.unusable(model, str(error).splitlines()[0]) from error
        unet.to(torch.float16 if device.type == "cuda" else torch.float32)
        for network in (unet, vae, encoder):
            network.to(device).eval().requires_grad_(False)
        spec = spec_of_reader(
            LAYOUT, model, folder, unet, vae,
            name=f"wonder3d {Path(model).name}",
            views=2 * len(AZIMUTHS),
            capabilities=frozenset({"normals"}),
            guidance_scale=GUIDANCE_SCALE,
            distillation_scale=GUIDANCE_SCALE,
            license="see the model's card",
            background=WHITE,
            normals_of="picture",
        )
        return cls(spec, schedule, unet, vae, encoder)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of all wanted views together; given views come back as they are."""
        shown = 0 if condition.given is None else 1
        _check_set(t, condition, shown)
        picture, token = self._told(noisy, shown)
        wanted, levels = (_domains_first(value[:, shown:]) for value in (noisy, t))
        dtype, views = self.unet.dtype, len(AZIMUTHS)
        labels = pose_labels().repeat_interleave(len(noisy), 0).flatten(0, 1)
        output = self.unet(
            torch.cat([wanted, picture], 1).to(dtype), self.schedule.index(levels),
            encoder_hidden_states=token.to(dtype), class_labels=labels.to(noisy).to(dtype),
            cross_attention_kwargs={"views": views},
        ).sample.float()
        alpha, sigma = (expand_like(v, output) for v in self.schedule.alpha_sigma(levels))
        found = [_sets_first(value, len(noisy)) for value in from_eps(wanted, output, alpha, sigma)]
        given = noisy[:, :shown]
        return Prediction(
            torch.cat([given, found[0]], 1), torch.cat([torch.zeros_like(given), found[1]], 1)
        )

    def _told(self, noisy: Tensor, shown: int) -> tuple[Tensor, Tensor]:
        """The picture's latents and the token (n, 1, width) for each wanted view; zeros where no
        picture is given."""
        count = 2 * len(AZIMUTHS)
        if not shown:
            token = noisy.new_zeros(len(noisy) * count, 1, self.unet.config.cross_attention_dim)
            return torch.zeros_like(noisy).flatten(0, 1), token
        picture = noisy[:, :1].expand(-1, count, -1, -1, -1)
        token = self.look_at(noisy[:, 0])[:, None].expand(-1, count, -1)
        return _domains_first(picture), _domains_first(token)[:, None]


def _check_set(t: Tensor, condition: Condition, shown: int) -> None:
    """Raises :class:`InputError` for other sets of views than it draws."""
    views, cameras = len(AZIMUTHS), condition.cameras
    domain = torch.tensor([COLOR] * (shown + views) + [NORMAL] * views)
    told = (condition.given, torch.arange(len(domain)) < shown), (condition.domain, domain)
    right = t.shape[1] == len(domain) and condition.domain is not None
    if cameras is None or not right or any(
        found is not None and not torch.equal(found.cpu(), wanted.expand(len(t), -1))
        for found, wanted in told
    ):
        raise InputError(
            "views_unknown", "Wonder3D draws the colors, then the normals of its six views of one "
            "picture, and nothing else.",
            "Use it for the recipe Wonder3D, and name another model for normals otherwise.",
        )
    for one in range(len(t)):
        _check_rig(cameras[slice(one * len(domain) + shown, (one + 1) * len(domain))])


def _check_rig(cameras: Cameras) -> None:
    """Raises :class:`InputError` unless they are the six level views, twice."""
    x, y, z = cameras.positions.unbind(-1)
    azimuth = torch.atan2(x, -y).rad2deg()
    off = (azimuth - azimuth[0] - torch.tensor(AZIMUTHS * 2).to(azimuth) + 180) % 360 - 180
    rise = torch.atan2(z, torch.hypot(x, y)).rad2deg()
    if max(float(off.abs().max()), float(rise.abs().max())) > SLACK_DEGREES:
        raise InputError(
            "views_unknown", "Wonder3D draws six views level with the picture and no others.",
            "Leave the picture's elevation at 0: its views stand in the picture's own frame.",
        )


def pose_labels() -> Tensor:
    """(2, 6, 10): of both domains, normals first, sines and then cosines of five numbers a view:
    the picture's elevation (told as 0), its differences from it, and which domain it shows."""
    poses = torch.tensor([(0.0, *pose) for pose in POSES]).expand(2, -1, -1)
    domains = torch.eye(2)[:, None].expand(-1, len(POSES), -1)
    numbers = torch.cat([poses, domains], -1)
    return torch.cat([numbers.sin(), numbers.cos()], -1)


def _domains_first(values: Tensor) -> Tensor:
    """(sets, colors and normals, ...) to rows: all sets' normals, then all their colors."""
    colors, normals = values.chunk(2, 1)
    return torch.cat([normals, colors]).flatten(0, 1)


def _sets_first(rows: Tensor, sets: int) -> Tensor:
    """The way back from :func:`_domains_first`."""
    normals, colors = rows.unflatten(0, (2, sets, -1))
    return torch.cat([colors, normals], 1)


def load_network(folder: Path) -> Any:
    """The U-Net in diffusers' terms. Raises KeyError, TypeError or RuntimeError where the folder's
    config and weights are not those of such a network."""
    from diffusers import UNet2DConditionModel

    config = json.loads((folder / "config.json").read_text().replace("MV2D", "2D"))
    known = inspect.signature(UNet2DConditionModel.__init__).parameters
    # The attention across domains has had two names.
    state = {
        name.replace("_joint_twice", "_joint_mid"): value
        for name, value in load_weights(folder).items()
    }
    if not any(JOINT in name for name in state):
        raise KeyError("a network without attention across domains")
    unet = UNet2DConditionModel(**{name: config[name] for name in config if name in known})
    attend_across_domains(unet, state)
    unet.load_state_dict(state)
    attend_jointly(unet)
    return unet
