"""What every prior can do, and the conditions that it may be given.

Shapes: a batch holds ``batch`` sets of ``views`` views; latents are (batch, views, channels,
height, width); ``t`` is the fraction of the noise process in [0, 1], (batch, views), where 0 means
a clean view; ``alpha_t**2 + sigma_t**2 = 1``.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, Protocol

from torch import Tensor

from backend.diffusion.schedules import NoiseSchedule
from backend.rendering.cameras import Cameras

Capability = Literal[
    "text", "text+cameras", "image+pose", "views", "normals", "depth",
    "instruction", "inpaint", "video", "points", "features", "attention",
]


class Prediction(NamedTuple):
    """One unguided evaluation: the clean latents and the noise that it stands for."""

    x0: Tensor
    eps: Tensor


@dataclass(frozen=True)
class TextEmbedding:
    """Token embeddings (n, tokens, width) of n prompts, and which tokens count, (n, tokens) bool."""

    tokens: Tensor
    mask: Tensor

    def __getitem__(self, index: slice | list[int] | Tensor) -> "TextEmbedding":
        return TextEmbedding(self.tokens[index], self.mask[index])


@dataclass(frozen=True)
class Condition:
    """What the prior is told; fields that a prior does not know must be None.

    ``text``: one embedding a set (batch rows), or a view (batch·views rows) for priors that see
    each view alone. ``cameras``: batch·views cameras, set after set. ``given``: (batch, views)
    bool, the views that are known, whose clean latents stand in the noisy input with t = 0.
    """

    text: TextEmbedding | None = None
    cameras: Cameras | None = None
    given: Tensor | None = None

    def with_text(self, text: TextEmbedding) -> "Condition":
        return replace(self, text=text)


@dataclass(frozen=True)
class PriorSpec:
    """What there is to know of a prior before it is used.

    ``resolution``: of the images that it draws. ``latent``: (channels, height, width).
    ``views``: how many it sees at once (0: any number). ``guidance_scale``: its default in the
    convention uncond + scale * (cond - uncond). ``fingerprint``: a hash of its weights.
    """

    name: str
    resolution: int
    latent: tuple[int, int, int]
    views: int
    capabilities: frozenset[Capability]
    guidance_scale: float
    license: str
    fingerprint: str
    prediction: Literal["eps", "x0", "v"] = "eps"
    notes: str = field(default="", compare=False)


class Prior(Protocol):
    """A pre-trained model of images. Differentiable: callers that want no gradient say so."""

    spec: PriorSpec
    schedule: NoiseSchedule

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
