"""Score distillation of clips: windows of time, and a prior's opinion of frames, amplified."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from backend.deformation.motion import Timeline
from backend.distillation.score import ScoreDistillation
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.representations.gaussians import Gaussians


def draw_window(frames: int, shortest: float, generator: torch.Generator) -> Tensor:
    """Even times (frames,) of a window of random length, from ``shortest`` to 1, anywhere in
    [0, 1]: a prior that is told when its frames are sees slow and fast clips (Align Your Gaussians,
    section 3.2, trains at several frame rates)."""
    length, place = torch.rand(2, generator=generator)
    length = shortest + (1 - shortest) * length
    return (1 - length) * place + length * torch.linspace(0, 1, frames)


@dataclass(frozen=True)
class MovingGaussians:
    """Gaussians that stay as they are but for their places, which a timeline says."""

    gaussians: Gaussians
    timeline: Timeline

    @property
    def still(self) -> Tensor:
        """The means at rest, (n, 3)."""
        return self.gaussians.means.detach()

    def at(self, times: Tensor, clips: int | None = None) -> Tensor:
        """The means at ``times`` (frames,): (frames, n, 3). ``clips``: see
        :meth:`Timeline.offsets`."""
        return self.still + self.timeline.offsets(self.still, times, clips)

    def render(self, moved: Tensor, cameras: Cameras) -> Buffers:
        """Color over black and alpha with the means at ``moved`` (frames, n, 3), each frame by its
        own one of ``cameras``."""
        drawn = [
            self.gaussians.render(cameras[frame], means=means)
            for frame, means in enumerate(moved)
        ]
        return Buffers(
            color=torch.cat([buffers.color for buffers in drawn]),
            alpha=torch.cat([buffers.alpha for buffers in drawn]),
        )


def amplify(residuals: Tensor, amplification: float) -> Tensor:
    """The motion amplifier (Align Your Gaussians, section 3.3): what (sets, frames, ...) residuals
    have beyond the mean of their frames, 1 + ``amplification`` times; the mean stays."""
    return residuals + amplification * (residuals - residuals.mean(1, keepdim=True))


@dataclass(frozen=True)
class ClipDistillation(ScoreDistillation):
    """The score loss of a prior of clips: the views of a set are frames. ``amplification`` of what
    sets the frames apart."""

    amplification: float = field(default=0.0, kw_only=True)

    def at(self, times: Tensor, strength: float) -> "ClipDistillation":
        """The same for frames at ``times`` (frames,) of their clip, moving with ``strength``."""
        motion = torch.full_like(times, strength)
        condition = replace(self.condition, frame=times[None], motion=motion[None])
        return replace(self, condition=condition)

    @torch.no_grad()
    def target(self, latents: Tensor, cameras: Cameras, t: Tensor, noise: Tensor) -> Tensor:
        """See :class:`backend.distillation.score.Score`."""
        residual = latents - super().target(latents, cameras, t, noise)
        return latents - amplify(residual, self.amplification)
