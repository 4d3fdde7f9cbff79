"""ModelScope's text-to-video and its kin, such as ZeroScope (Wang et al., ModelScope Text-to-Video
Technical Report, arXiv 2308.06571), from a folder that diffusers wrote, or an id of the hub."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from backend.diffusion.conversions import from_eps, from_v
from backend.diffusion.schedules import expand_like
from backend.priors.base import Capability, Condition, Prediction, PriorSpec
from backend.priors.checkpoints import Layout
from backend.priors.stable_diffusion import PARTS, StableDiffusionPrior


@dataclass
class TextToVideoPrior(StableDiffusionPrior):
    """A set's views are the frames of one clip, evenly apart, at one noise level and with one text.
    It takes any number of them; ModelScope was trained on 16, ZeroScope on 24. It can be told
    neither when its frames are nor how strongly things move."""

    layout: ClassVar[Layout] = Layout("a text-to-video model", PARTS)
    pipeline: ClassVar[str] = "TextToVideoSDPipeline"
    called: ClassVar[str] = "text-to-video"
    capability: ClassVar[Capability] = "video"
    license: ClassVar[str] = "CC-BY-NC 4.0 for ModelScope and ZeroScope: not for commercial use"
    views: ClassVar[int] = 0
    guidance_scale: ClassVar[float] = 9.0

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of all frames together. Raises ValueError where the frames of a clip
        differ in their noise level or text."""
        text = condition.text or self.embed_text([""]).repeat(len(noisy))
        if len(text) != len(noisy) or (t != t[:, :1]).any():
            raise ValueError("frames of a clip share one noise level and one text")
        dtype = self.unet.dtype
        output = self.unet(
            noisy.transpose(1, 2).to(dtype), self.schedule.index(t[:, 0]),
            encoder_hidden_states=text.tokens.to(dtype),
        ).sample.float().transpose(1, 2)
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        convert = from_v if self.spec.prediction == "v" else from_eps
        return Prediction(*convert(noisy, output, alpha, sigma))

    @classmethod
    def _describe(cls, model: str, pipeline: Any, fingerprint: str) -> PriorSpec:
        if type(pipeline.unet).__name__ != "UNet3DConditionModel":
            raise cls.layout.unusable(model, "its network draws single pictures")
        return super()._describe(model, pipeline, fingerprint)
