"""The pocket prior behind the common interface: pixels in, any number of views, text, cameras."""

import hashlib
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from backend.diffusion.conversions import from_x0
from backend.diffusion.schedules import CosineSchedule, NoiseSchedule, expand_like
from backend.pocket.changes import SCALES, load_changed
from backend.pocket.network import GIVEN, MASKED, SOURCE, PocketNetwork, Reading, ray_map
from backend.pocket.points import PointsNetwork
from backend.pocket.precision import CPU, half_precision
from backend.pocket.recognition import RecognitionNetwork
from backend.pocket.reprojection import reprojected
from backend.pocket.sampling import sample_points
from backend.pocket.text import ENCODER_SHA256, MAX_TOKENS, embed_text, tokens_of
from backend.pocket.weights import (
    COMMITTED,
    LICENSE,
    POINTS_FOLDER,
    RECOGNITION_FOLDER,
    Description,
    describe_network,
    load_network,
    load_points,
    load_recognition,
)
from backend.priors.base import (
    COLOR,
    NORMAL,
    Capability,
    Condition,
    Prediction,
    PriorSpec,
    TextEmbedding,
    WithoutReadings,
)
from backend.priors.embedding_cache import EmbeddingCache
from backend.priors.pixels import BACKGROUND, CHANNELS, decode_pixels, encode_pixels
from backend.rendering.cameras import Cameras
from protocol.errors import InputError

RESOLUTION = 64
TRAINED_ELEVATION, TRAINED_FOV, SLACK = (-20, 90), (15, 70), 3
GUIDANCE_SCALE = 2.0
DISTILLATION_SCALE = 7.0
INSTRUCTION_SCALES = (4.0, 1.0)


@dataclass
class PocketPrior(WithoutReadings):
    """The prior that ships: 64 x 64 RGBA pixels, x0-prediction, cosine schedule.

    With ``Condition.cameras`` it draws those views jointly, without them views of its choosing;
    ``Condition.given`` views are taken as they are. One text a set. ``said``: what the weights know
    and can; it claims no more than that. ``half``: evaluate in bfloat16
    where that is fast and nobody differentiates. ``tuned``: fine-tunes by name, each of which draws
    what it was tuned for (:func:`_tuned_for`); without that for edits places are ignored.
    """

    network: PocketNetwork
    device: torch.device = CPU
    half: bool = True
    said: Description = field(default_factory=lambda: Description({}))
    points: PointsNetwork | None = None
    recognition: RecognitionNetwork | None = None
    tuned: dict[str, PocketNetwork] = field(default_factory=dict)
    schedule: NoiseSchedule = field(default_factory=CosineSchedule)

    def __post_init__(self) -> None:
        self.network = self.network.to(self.device).eval()
        self.tuned = {name: each.to(self.device).eval() for name, each in self.tuned.items()}
        self.spec = PriorSpec(
            name="pocket",
            resolution=RESOLUTION,
            latent=(CHANNELS, RESOLUTION, RESOLUTION),
            views=0,
            capabilities=_known(self.said.capabilities) | (
                {"points"} if self.points is not None else set()
            ),
            guidance_scale=GUIDANCE_SCALE,
            distillation_scale=DISTILLATION_SCALE,
            license=LICENSE,
            fingerprint=weights_hash(
                self.network, self.points, self.recognition, *self.tuned.values()
            ),
            prediction="x0",
            background=BACKGROUND,
            bounded=True,
            vocabulary=self.said.vocabulary,
            instruction_scales=INSTRUCTION_SCALES,
        )
        self.complaints: dict[str, None] = {}
        self._embeddings = EmbeddingCache(f"{ENCODER_SHA256} {MAX_TOKENS}")

    @classmethod
    def load(
        cls, folder: Path | None = None, device: torch.device = CPU, *, half: bool = True
    ) -> "PocketPrior":
        """With the weights of a folder, its networks for points and for recognition, and its
        fine-tunes, if it has them; without a folder, those that ship."""
        folder = folder or COMMITTED
        points, seen = folder / POINTS_FOLDER, folder / RECOGNITION_FOLDER
        return cls(
            load_network(folder), device, half, describe_network(folder),
            load_points(points) if points.exists() else None,
            load_recognition(seen) if seen.exists() else None,
            {
                name: load_changed(folder / name, folder)
                for name in SCALES if (folder / name).exists()
            },
        )

    def with_network(self, network: nn.Module, spec: PriorSpec) -> "PocketPrior":
        """See :class:`backend.priors.base.NetworkPrior`."""
        twin = copy(self)
        twin.network, twin.spec = network, spec  # type: ignore[assignment]
        twin.tuned = {}  # of the network that was
        return twin

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        """Token embeddings of the small sentence encoder; the empty prompt is unconditional."""
        found = self._embeddings.embed(prompts, lambda prompt: TextEmbedding(*embed_text([prompt])))
        return TextEmbedding(found.tokens.to(self.device), found.mask.to(self.device))

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """Pixels over mid-gray and alpha, resized, in [-1, 1]: see :mod:`backend.priors.pixels`."""
        return encode_pixels(images, alpha, RESOLUTION)

    def decode(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Images over mid-gray, and alpha."""
        return decode_pixels(latents)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of all views of all sets together."""
        text = condition.text or self.embed_text([""]).repeat(len(noisy))
        if len(text) != len(noisy):
            raise ValueError(f"one text a set is wanted, not {len(text)} for {len(noisy)} sets")
        network = self.tuned.get(_tuned_for(condition), self.network)
        if "edits" not in self.tuned:
            condition = replace(condition, place=None)
        with self._precision():
            x0 = network(noisy, t, **_inputs(noisy, t, condition, text)).float()
        if condition.cameras is not None:
            self.complaints |= dict.fromkeys(camera_complaints(condition.cameras))
        if condition.given is not None:
            x0 = torch.where(expand_like(condition.given, noisy), noisy, x0)
        if condition.known is not None:
            x0 = torch.lerp(x0, condition.known.latents, condition.known.mask)
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        return Prediction(*from_x0(noisy, x0, alpha, sigma))

    def features(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """Unit vectors (n, 32, 32, 32) of the network's reader, each image read alone, clean."""
        self._require("features")
        text = self.embed_text([""]).repeat(len(images))
        return self._read(images, alpha, text).places[:, 0]

    def attention(
        self, images: Tensor, words: list[str], *, prompt: str | None = None,
        alpha: Tensor | None = None,
    ) -> Tensor:
        """How much each pixel belongs to each word, as the network's reader says at 32 x 32. A word
        of several tokens is where any of them is. Raises ValueError for one not in ``prompt``, and
        :class:`InputError` for one where it is no longer read."""
        self._require("attention")
        said = prompt or ", ".join(words)
        rows = [_rows(word, said) for word in words]
        text = self.embed_text([said]).repeat(len(images))
        share = self._read(images, alpha, text).words[:, 0].sigmoid()
        maps = torch.stack([share[:, row].amax(1) for row in rows], 1)
        return interpolate(maps, images.shape[1:3], mode="bilinear")

    def recognize(self, images: Tensor, alpha: Tensor) -> list[str]:
        """The plainest captions of what the recognition network sees."""
        if self.recognition is None:
            return [""] * len(images)
        return self.recognition.recognize(self.encode(images, alpha).cpu())

    def sample_points(self, prompts: list[str], noise: Tensor) -> Tensor:
        """By the points network: see :func:`backend.pocket.sampling.sample_points`."""
        if self.points is None:
            raise InputError(
                "capability_missing", "The pocket prior's points network has not been trained.",
                "Train it: python -m backend pocket train --resume --stage points.",
            )
        return sample_points(self.points, prompts, noise)

    def _read(self, images: Tensor, alpha: Tensor | None, text: TextEmbedding) -> Reading:
        clean = self.encode(images, alpha)[:, None]
        t = clean.new_zeros(clean.shape[:2])
        condition = Condition(text, alpha_known=alpha is not None)
        with self._precision():
            return self.network.read(clean, t, **_inputs(clean, t, condition, text))

    def _require(self, capability: Capability) -> None:
        if capability not in self.spec.capabilities:
            raise InputError(
                "capability_missing", f"The pocket prior's weights lack {capability!r} as yet.",
                "Train the stage that has it: python -m backend pocket train --resume --stage C.",
            )

    def _precision(self) -> torch.autocast:
        # Half precision is what it was trained in; a caller that differentiates gets all digits.
        return half_precision(self.device, self.half and not torch.is_grad_enabled())


def _tuned_for(condition: Condition) -> str:
    """Which fine-tune draws what such conditions ask for, if any: edits that are told their place,
    pixels that are not known, and colors together with normals beside given views."""
    if condition.place is not None:
        return "edits"
    if condition.known is not None:
        return "holes"
    if condition.domain is None or condition.given is None or not condition.given.any():
        return ""
    wanted = condition.domain.expand_as(condition.given)[~condition.given]
    both = (wanted == COLOR).any() and (wanted == NORMAL).any()
    return "six" if both else ""


def _inputs(
    noisy: Tensor, t: Tensor, condition: Condition, text: TextEmbedding
) -> dict[str, Tensor | None]:
    """What the network is told. A source stands where known pixels do, all of it (InstructPix2Pix,
    section 3.2, gives it in further channels), the mask 0 in the place of the edit; it cannot have
    both. Without either, wanted views are told what given ones let guess."""
    role = torch.zeros_like(t, dtype=torch.long)
    if condition.given is not None:
        role = torch.where(condition.given, GIVEN, role)
    known = None
    if condition.source is not None and condition.known is not None:
        raise ValueError("the pocket prior takes a source or known pixels, not both")
    if condition.source is not None:
        role = torch.where(role == GIVEN, role, SOURCE)
        kept = torch.ones_like(noisy[:, :, :1])
        kept = kept if condition.place is None else kept - condition.place
        known = torch.cat([condition.source, kept], 2)
    if condition.known is not None:
        role, mask = torch.where(role == GIVEN, role, MASKED), condition.known.mask
        known = torch.cat([condition.known.latents * mask, mask], 2)
    if known is None and condition.given is not None and condition.cameras is not None:
        known = reprojected(noisy, condition.given, condition.cameras)
    alpha_known = torch.as_tensor(condition.alpha_known, device=t.device).expand(t.shape)
    return {
        "rays": _rays(condition.cameras, t), "text": text.tokens, "text_mask": text.mask,
        "role": role, "domain": condition.domain, "alpha_known": alpha_known, "known": known,
        "frame": condition.frame, "motion": condition.motion,
    }


def _rows(word: str, prompt: str) -> list[int]:
    """The tokens of a word in a prompt, whatever their case."""
    begin = prompt.lower().find(word.lower())
    if begin < 0:
        raise ValueError(f"the word {word!r} does not stand in {prompt!r}")
    rows = tokens_of(prompt, (begin, begin + len(word)))
    if not rows:
        raise InputError(
            "word_cut_off", f"The prompt is read only up to {MAX_TOKENS} tokens, before {word!r}.",
            f"Shorten it, or say {word!r} nearer to its beginning.",
        )
    return rows


def _rays(cameras: Cameras | None, t: Tensor) -> Tensor | None:
    return None if cameras is None else ray_map(cameras).unflatten(0, t.shape).to(t.device)


def camera_complaints(cameras: Cameras) -> list[str]:
    """What of some cameras training never saw; views a little outside are let pass."""
    rise = cameras.backward[:, 2].clamp(-1, 1).asin().rad2deg()
    lens = cameras.fov_degrees
    if cameras.ortho_height is not None:
        lens = lens[cameras.ortho_height == 0]
    found = []
    for name, values, (low, high) in (
        ("elevation", rise, TRAINED_ELEVATION), ("field of view", lens, TRAINED_FOV),
    ):
        if len(values) and (values.min() < low - SLACK or values.max() > high + SLACK):
            found.append(
                f"The pocket prior was trained on cameras of {name} {low} to {high} degrees; views "
                "outside of that, which it was asked for, are guesses."
            )
    return found


def _known(names: Iterable[str]) -> frozenset[Capability]:
    """Those of the names that are capabilities to this version."""
    return frozenset(name for name in get_args(Capability) if name in set(names))


def weights_hash(*networks: torch.nn.Module | None) -> str:
    """A hash of all parameters and buffers, by name."""
    digest = hashlib.sha256()
    found = [network.state_dict().items() for network in networks if network is not None]
    for name, value in (entry for items in found for entry in sorted(items)):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]
