"""What a prior is told in words, for each view where it stands (DreamFusion, section 3.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.distillation.views import azimuth_degrees, elevation_degrees
from backend.priors.base import Prior, TextEmbedding
from backend.priors.guidance import Opposed
from backend.rendering.cameras import Cameras

VIEW_WORDS = ("front view", "side view", "back view", "overhead view")
OVERHEAD_DEGREES = 60.0


@dataclass(frozen=True)
class ConditionalText:
    """A prompt and what to steer away from, embedded.

    ``positive``: one row, or four (front, side, back, overhead) where the words depend on the
    view. ``negative``: one row. ``interpolate``: blend the embeddings of front, side and back by
    azimuth; otherwise the nearest, switching at 45 and 135 degrees. Above 60 degrees of elevation
    the overhead prompt always replaces them.
    """

    positive: TextEmbedding
    negative: TextEmbedding
    interpolate: bool = True

    @classmethod
    def embed(
        cls,
        prior: Prior,
        prompt: str,
        negative: str = "",
        *,
        view_dependent: bool = False,
        interpolate: bool = True,
    ) -> "ConditionalText":
        """Embed "prompt", or "prompt, front view" and so on. An empty ``negative`` is uncond."""
        prompts = [f"{prompt}, {words}" for words in VIEW_WORDS] if view_dependent else [prompt]
        return cls(prior.embed_text(prompts), prior.embed_text([negative]), interpolate)

    def rows(self, cameras: Cameras, sets: int) -> tuple[TextEmbedding, TextEmbedding]:
        """(positive, negative) rows for the cameras of ``sets`` sets of views: one a set, or one a
        view where the words depend on it."""
        if len(self.positive) == 1:
            return self.positive.repeat(sets), self.negative.repeat(sets)
        weights = view_weights(cameras, interpolate=self.interpolate)
        return _mix(self.positive, weights), self.negative.repeat(len(cameras))

    def opposed(self, cameras: Cameras) -> list[Opposed]:
        """What Perp-Neg keeps each view from looking like, one row a view: of the front and the
        side prompt, first the nearer one, which counts where the view has left it, then the other.
        Nothing counts overhead."""
        if len(self.positive) == 1:
            raise ValueError("Perp-Neg wants a prompt for each view")
        behind, weights = perp_neg_weights(cameras)
        # Rows 0 and 1 of the prompts are front and side.
        first, second = behind.long(), 1 - behind.long()
        return [
            Opposed(self.positive[rows], weight)
            for rows, weight in zip((first, second), weights, strict=True)
        ]


def view_weights(cameras: Cameras, *, interpolate: bool) -> Tensor:
    """How much of front, side, back, overhead each view is: (views, 4), rows sum to 1."""
    turned = azimuth_degrees(cameras).abs()
    if interpolate:
        planar = torch.stack([1 - turned / 90, 1 - (turned - 90).abs() / 90, turned / 90 - 1], -1)
        planar = planar.clamp_min(0)
    else:
        planar = torch.stack([turned <= 45, (turned > 45) & (turned < 135), turned >= 135], -1)
    overhead = (elevation_degrees(cameras) > OVERHEAD_DEGREES).float()[:, None]
    return torch.cat([planar * (1 - overhead), overhead], -1)


def perp_neg_weights(cameras: Cameras) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Which views stand behind the side, (views,) bool, and how much each is kept from the nearer
    and the other one of front and side, (views,) each: the curves and constants of the released
    implementation of Perp-Neg for 3D (Armandpour et al., arXiv 2304.04968)."""
    turned = azimuth_degrees(cameras).abs() / 90
    behind = turned >= 1
    left = torch.where(behind, 2 - turned, 1 - turned)  # 1 at the nearer, 0 at the other
    nearer = torch.where(behind, _decay(left, 1.0, -0.606), _decay(left, 4.0, -2.426))
    other = torch.where(behind, _decay(left, 1.0, 0.967), _decay(1 - left, 4.0, -2.426))
    beside = elevation_degrees(cameras) <= OVERHEAD_DEGREES
    return behind, (nearer * beside, other * beside)


def _decay(r: Tensor, a: float, c: float) -> Tensor:
    return (a * (-0.5 * r).exp() + c).clamp_min(0)


def _mix(text: TextEmbedding, weights: Tensor) -> TextEmbedding:
    """Weighted sums of rows; a token counts where any row that takes part has it."""
    weights = weights.to(text.tokens)
    tokens = torch.einsum("vr,rtc->vtc", weights, text.tokens)
    return TextEmbedding(tokens, (weights > 0).float() @ text.mask.float() > 0)
