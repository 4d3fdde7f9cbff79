"""What every prior can do, and the conditions that it may be given.

Shapes: a batch holds ``batch`` sets of ``views`` views; latents are (batch, views, channels,
height, width); ``t`` is the fraction of the noise process in [0, 1], (batch, views), where 0 means
a clean view; ``alpha_t**2 + sigma_t**2 = 1``.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from backend.diffusion.schedules import NoiseSchedule
from backend.pocket.vocabulary import Vocabulary
from backend.rendering.cameras import Cameras
from protocol.errors import InputError

Capability = Literal[
    "text", "text+cameras", "image+pose", "views", "normals", "depth",
    "instruction", "inpaint", "video", "points", "features", "attention",
]

COLOR, NORMAL, DEPTH = range(3)
"""What a view shows (``Condition.domain``): color; world normals as color, (n + 1) / 2; nearness,
the coordinate along the camera's backward axis of the surface, mapped from [-1, 1] to [0, 1]. All
over mid-gray, so that empty pixels have no normal and lie in the plane of the origin; see
:func:`backend.priors.pixels.nearness` and its inverse."""


class Prediction(NamedTuple):
    """One unguided evaluation: the clean latents and the noise that it stands for."""

    x0: Tensor
    eps: Tensor


@dataclass(frozen=True)
class TextEmbedding:
    """Of n prompts: token embeddings (n, tokens, width), and which count, (n, tokens) bool."""

    tokens: Tensor
    mask: Tensor

    def __getitem__(self, index: slice | list[int] | Tensor) -> "TextEmbedding":
        return TextEmbedding(self.tokens[index], self.mask[index])

    def __len__(self) -> int:
        return self.tokens.shape[0]

    def repeat(self, times: int) -> "TextEmbedding":
        """All rows, ``times`` times over."""
        return TextEmbedding(self.tokens.repeat(times, 1, 1), self.mask.repeat(times, 1))

    @staticmethod
    def join(embeddings: list["TextEmbedding"]) -> "TextEmbedding":
        """The rows of all, padded to the longest with tokens that do not count."""
        longest = max(embedding.tokens.shape[1] for embedding in embeddings)
        padded = [embedding._pad(longest) for embedding in embeddings]
        return TextEmbedding(
            torch.cat([entry.tokens for entry in padded]),
            torch.cat([entry.mask for entry in padded]),
        )

    def _pad(self, length: int) -> "TextEmbedding":
        missing = length - self.tokens.shape[1]
        pad = torch.nn.functional.pad
        return TextEmbedding(
            pad(self.tokens, (0, 0, 0, missing)), pad(self.mask, (0, missing), value=False)
        )


@dataclass(frozen=True)
class KnownPixels:
    """For inpainting: clean ``latents`` (batch, views, channels, height, width), of which those
    count where ``mask`` (batch, views, 1, height, width), in [0, 1], is 1; the rest is wanted."""

    latents: Tensor
    mask: Tensor

    def repeat(self, times: int) -> "KnownPixels":
        """All sets, ``times`` times over."""
        return KnownPixels(_repeat(self.latents, times), _repeat(self.mask, times))


@dataclass(frozen=True)
class Condition:
    """What the prior is told; fields that a prior does not know must be None.

    ``text``: one embedding a set (batch rows), or a view (batch·views rows) for priors that see
    each view alone. ``cameras``: batch·views cameras, set after set; for ``image+pose``, where the
    world's azimuth is unknown, the frame is turned so that the given view has azimuth 0.
    ``given``: (batch, views) bool, the views that are known, whose clean latents stand in the noisy
    input with t = 0. ``alpha_known``: False where the latents were encoded without alpha
    (photographs, renders over a background of their own), for all views or (batch, views).

    ``domain``: (batch, views) of COLOR, NORMAL or DEPTH; views of one set may differ in it and
    share a camera. ``source``: clean latents (batch, views, channels, height, width) of the views
    that the instruction in ``text`` edits, each with the camera of its result. ``place``: (batch,
    views, 1, height, width) in [0, 1], where a source shows what the edit may change; a hint, which
    priors may ignore. ``known``: pixels that stay as they are. ``frame``: (batch, views), when in
    its clip a view is, in [0, 1]. ``motion``: (batch, views), how strongly things move, from 0 (not
    at all) to 1.
    """

    text: TextEmbedding | None = None
    cameras: Cameras | None = None
    given: Tensor | None = None
    alpha_known: bool | Tensor = True
    domain: Tensor | None = None
    source: Tensor | None = None
    place: Tensor | None = None
    known: KnownPixels | None = None
    frame: Tensor | None = None
    motion: Tensor | None = None

    def with_text(self, text: TextEmbedding) -> "Condition":
        """The same but for the words."""
        return replace(self, text=text)

    def repeat(self, times: int) -> "Condition":
        """The same for a batch that stands ``times`` times after itself; text as well."""
        cameras, text, known = self.cameras, self.text, self.known
        tensors = {name: getattr(self, name) for name in _TENSORS}
        return replace(
            self,
            text=None if text is None else text.repeat(times),
            cameras=None if cameras is None else cameras[list(range(len(cameras))) * times],
            known=None if known is None else known.repeat(times),
            **{name: _repeat(tensor, times) for name, tensor in tensors.items()
               if isinstance(tensor, Tensor)},
        )


_TENSORS = ("given", "alpha_known", "domain", "source", "place", "frame", "motion")


def _repeat(tensor: Tensor, times: int) -> Tensor:
    return tensor.repeat(times, *[1] * (tensor.dim() - 1))


@dataclass(frozen=True)
class PriorSpec:
    """What there is to know of a prior before it is used.

    ``resolution``: of the images that it draws. ``latent``: (channels, height, width).
    ``views``: how many it sees at once (0: any number). ``guidance_scale``: its default in the
    convention uncond + scale * (cond - uncond), for drawing; ``distillation_scale``: for score
    distillation from views that it sees alone, which seeks one mode and wants far more.
    ``instruction_scales``: of an instruction editor, toward words and toward the source picture;
    the published ones, unless it says others. ``fingerprint``: a hash of its weights.
    ``background``: the gray over which a prior that knows alpha wants color composited; None for
    priors without alpha. ``bounded``: its latents are pixels in [-1, 1], so a
    sampler may hold guided ones there. ``vocabulary``: the words that it was trained on; None: any.
    ``normals_of``: whose axes the normals that it draws are told in: the world's, or those of the
    given picture's camera.
    """

    name: str
    resolution: int
    latent: tuple[int, int, int]
    views: int
    capabilities: frozenset[Capability]
    guidance_scale: float
    distillation_scale: float
    license: str
    fingerprint: str
    prediction: Literal["eps", "x0", "v"] = "eps"
    background: float | None = None
    bounded: bool = False
    notes: str = field(default="", compare=False)
    vocabulary: Vocabulary | None = None
    instruction_scales: tuple[float, float] = (7.5, 1.5)
    normals_of: Literal["world", "picture"] = "world"


class Prior(Protocol):
    """A pre-trained model of images. Differentiable: callers that want no gradient say so."""

    @property
    def spec(self) -> PriorSpec: ...

    @property
    def schedule(self) -> NoiseSchedule: ...

    def embed_text(self, prompts: list[str]) -> TextEmbedding: ...

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """Images (n, height, width, 3) in [0, 1], perhaps with alpha (n, height, width, 1) over
        which color is already composited, to latents (n, channels, h, w); resizes to its own
        resolution; differentiable."""
        ...

    def decode(self, latents: Tensor) -> tuple[Tensor, Tensor | None]:
        """Latents (n, channels, h, w) to images (n, height, width, 3) in [0, 1], composited over
        the prior's background (mid-gray for the pocket prior), and alpha where it draws one."""
        ...

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One unguided evaluation, whatever the network itself predicts."""
        ...

    def features(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """What the network makes of images (n, height, width, 3), for matching places of one thing
        with those of another: unit vectors (n, rows, columns, width). Capability ``features``."""
        ...

    def attention(
        self, images: Tensor, words: list[str], *, prompt: str | None = None,
        alpha: Tensor | None = None,
    ) -> Tensor:
        """How much each pixel of images (n, height, width, 3) belongs to each of ``words``, which
        stand in ``prompt`` (without it the words alone are the prompt): (n, words, height, width)
        in [0, 1], at the size of the images. Capability ``attention``."""
        ...

    def recognize(self, images: Tensor, alpha: Tensor) -> list[str]:
        """What cut-out pictures (n, height, width, 3) show, in words that the prior takes beside
        them; empty where it cannot tell, and of priors that see for themselves what they are
        given."""
        ...

    def sample_points(self, prompts: list[str], noise: Tensor) -> Tensor:
        """Colored points for each prompt from standard normal ``noise`` (n, points, 6): positions
        in the unit ball and RGB in [0, 1], (n, points, 6). Capability ``points``."""
        ...


@runtime_checkable
class Complaining(Protocol):
    """A prior that notes where it was asked for more than it was trained for: sentences, in the
    order of their first occasion. Whoever hands it to a job clears them first."""

    complaints: dict[str, None]


@runtime_checkable
class NetworkPrior(Prior, Protocol):
    """A prior whose pictures come from a network that may be trained further."""

    @property
    def network(self) -> nn.Module: ...

    def with_network(self, network: nn.Module, spec: PriorSpec) -> Prior:
        """The same prior, but for a network of the same interface and what it is known by."""
        ...


class WithoutReadings:
    """The answers of a prior that has no features, attention or points of its own."""

    def features(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """See :class:`Prior`."""
        raise _lacking("features")

    def attention(
        self, images: Tensor, words: list[str], *, prompt: str | None = None,
        alpha: Tensor | None = None,
    ) -> Tensor:
        """See :class:`Prior`."""
        raise _lacking("attention")

    def recognize(self, images: Tensor, alpha: Tensor) -> list[str]:
        """See :class:`Prior`."""
        return [""] * len(images)

    def sample_points(self, prompts: list[str], noise: Tensor) -> Tensor:
        """See :class:`Prior`."""
        raise _lacking("points")


def _lacking(capability: Capability) -> InputError:
    return InputError(
        "capability_missing", f"This prior has no capability {capability!r}.",
        "Name a model that has it in the model settings.",
    )
