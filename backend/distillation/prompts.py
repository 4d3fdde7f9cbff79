"""What a prior is told in words, for each view where it stands (DreamFusion, section 3.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.distillation.views import azimuth_degrees, elevation_degrees
from backend.priors.base import Prior, TextEmbedding
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


def _mix(text: TextEmbedding, weights: Tensor) -> TextEmbedding:
    """Weighted sums of rows; a token counts where any row that takes part has it."""
    weights = weights.to(text.tokens)
    tokens = torch.einsum("vr,rtc->vtc", weights, text.tokens)
    return TextEmbedding(tokens, (weights > 0).float() @ text.mask.float() > 0)
