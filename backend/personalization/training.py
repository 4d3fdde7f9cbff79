"""Training a patch on pictures of a subject, with or without prior preservation (DreamBooth: Fine
Tuning Text-to-Image Diffusion Models for Subject-Driven Generation, Ruiz et al., arXiv 2208.12242).

    loss = E |eps_hat(z_t, prompt) - eps|**2 + lambda E |eps_hat(z'_t, class) - eps'|**2

where z' are pictures of the class that the prior itself drew before (section 3.2, equation 2).
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import add_noise, expand_like
from backend.distillation.loop import State, distill
from backend.personalization.patch import Patch, applied, digest
from backend.priors.base import Condition, Prior, TextEmbedding
from backend.priors.guidance import predict_x0
from backend.rendering.cameras import Cameras
from backend.studio import Progress, Studio

MOST_WEIGHT = 5.0
"""Of an error in x0: 1 / sigma**2 is held below it, as in the pocket prior's training."""

T_RANGE = (0.02, 0.98)

IDENTIFIER = "sks"
"""A word that means nothing, to be the subject's name (section 3.2)."""


@dataclass(frozen=True)
class Subject:
    """Pictures of one thing and what they are called.

    ``images``: (n, height, width, 3) in [0, 1]. ``alpha``: (n, height, width, 1) for pictures
    composited over the background that the prior knows alpha with; None where it is not known.
    ``cameras``: n, told to the prior (capability ``text+cameras``); None for a prior that does not
    want them.
    """

    images: Tensor
    prompt: str
    alpha: Tensor | None = None
    cameras: Cameras | None = None

    def digest(self) -> str:
        """A hash of all of it."""
        tensors = {"images": self.images}
        if self.alpha is not None:
            tensors["alpha"] = self.alpha
        if self.cameras is not None:
            tensors |= {"c2w": self.cameras.c2w, "fov": self.cameras.fov_degrees}
        return digest(tensors, self.prompt)


@dataclass(frozen=True)
class Preservation:
    """What the prior should not forget: ``images`` pictures of ``prompt`` (the class), drawn by it
    before training in ``denoising_steps``; ``weight``: lambda."""

    prompt: str
    images: int = 8
    weight: float = 1.0
    denoising_steps: int = 20


@dataclass(frozen=True)
class Lesson:
    """Clean latents (n, channels, height, width), and what the prior is told of each alone."""

    latents: Tensor
    text: TextEmbedding
    cameras: Cameras | None = None
    alpha_known: bool = True

    @classmethod
    @torch.no_grad()
    def of(cls, prior: Prior, subject: Subject) -> "Lesson":
        """The encoded pictures of a subject."""
        latents = prior.encode(subject.images, subject.alpha)
        text = prior.embed_text([subject.prompt])
        return cls(latents, text, subject.cameras, subject.alpha is not None)

    def condition(self, rows: list[int]) -> Condition:
        """Of these pictures, each a set of its own."""
        cameras = None if self.cameras is None else self.cameras[rows]
        return Condition(
            self.text.repeat(len(rows)), cameras=cameras, alpha_known=self.alpha_known
        )


def personalize(
    patch: Patch,
    subject: Subject,
    studio: Studio,
    *,
    steps: int,
    rate: float | None = None,
    batch: int = 2,
    preservation: Preservation | None = None,
    stage: str = "personalize",
) -> Generator[Progress, None, Prior]:
    """Train ``patch`` for ``steps`` steps of Adam on pictures of the subject, ``batch`` a step, at
    ``rate`` or else the patch's usual one, as the studio's stage ``stage``; the personal prior.
    Jobs on the same subject share it. Use as
    ``prior = yield from personalize(Lora(prior, studio.generator("lora")), subject, studio, …)``.
    """
    rate = rate or patch.rate
    identity = {
        "personalize": 2, "patch": applied(patch).spec.fingerprint, "subject": subject.digest(),
        "numbers": [steps, rate, batch, str(preservation)],
    }
    prior = patch.apply(patch.base.spec)
    lessons = {"subject": Lesson.of(prior, subject)}
    weights = {"subject": 1.0}
    if preservation is not None:
        drawn = yield from draw_class(
            patch.base, preservation, subject, studio, f"{stage} class", identity
        )
        lessons["class"], weights["class"] = drawn, preservation.weight

    def losses(step: int) -> dict[str, Tensor]:
        return {
            name: lesson_loss(prior, lesson, batch, studio, (stage, name, step))
            for name, lesson in lessons.items()
        }

    rates = dict.fromkeys(patch.parameter_groups(), rate)
    state = State.create(patch, rates)
    yield from studio.stage(
        stage, state, lambda state: distill(state, steps, losses, weights, rates=rates),
        identity=identity,
    )
    personal = applied(patch)
    studio.priors_used[f"{personal.spec.name} {personal.spec.fingerprint}"] = None
    return personal


def lesson_loss(
    prior: Prior, lesson: Lesson, batch: int, studio: Studio, key: tuple[str | int, ...]
) -> Tensor:
    """The denoising loss of ``batch`` pictures of a lesson, drawn by ``key``."""
    generator = studio.generator(*key)
    rows = torch.randint(len(lesson.latents), (batch,), generator=generator).tolist()
    low, high = T_RANGE
    t = (low + (high - low) * torch.rand(batch, 1, generator=generator)).to(lesson.latents)
    clean = lesson.latents[rows][:, None]
    noise = studio.noise(tuple(clean.shape), *key)
    return denoising_loss(prior, clean, t, noise, lesson.condition(rows))


def denoising_loss(
    prior: Prior, clean: Tensor, t: Tensor, noise: Tensor, condition: Condition
) -> Tensor:
    """Mean of |eps_hat - eps|**2; for a network that predicts x0, of |x0_hat - x0|**2 / sigma**2,
    held, which also counts where there is nearly nothing but noise and the subject is decided.
    Differentiable in the prior. ``clean``, ``noise``: (batch, views, channels, height, width);
    ``t``: (batch, views)."""
    found = prior.predict(add_noise(prior.schedule, clean, noise, t), t, condition)
    if prior.spec.prediction != "x0":
        return (found.eps - noise).square().mean()
    sigma = expand_like(prior.schedule.alpha_sigma(t)[1], clean)
    weight = sigma.square().clamp_min(1 / MOST_WEIGHT).reciprocal()
    return (weight * (found.x0 - clean).square()).mean()


@dataclass
class _Drawn:
    """Latents that are there or not yet: a stage that is done at one go."""

    latents: Tensor | None = None

    def state(self) -> dict[str, Any]:
        return {"latents": self.latents}

    def load_state(self, state: dict[str, Any]) -> None:
        self.latents = state["latents"]


def draw_class(
    prior: Prior, preservation: Preservation, subject: Subject, studio: Studio, stage: str,
    identity: dict[str, Any] | None = None,
) -> Generator[Progress, None, Lesson]:
    """Pictures of the class by the prior as it is, from the subject's cameras where it has any;
    ``identity`` as in :meth:`Studio.stage`."""
    rows, cameras = list(range(preservation.images)), subject.cameras
    if cameras is not None:
        cameras = cameras[[row % len(cameras) for row in rows]]
    noise = studio.noise((len(rows), *prior.spec.latent), stage)
    text = prior.embed_text([preservation.prompt])
    lesson = Lesson(noise, text, cameras, subject.alpha is not None)

    def steps(drawn: _Drawn) -> Iterator[Progress]:
        for number, latents in enumerate(_sample(prior, lesson, preservation.denoising_steps), 1):
            if number == preservation.denoising_steps:
                drawn.latents = latents
            yield Progress(number, preservation.denoising_steps)

    drawn = yield from studio.stage(stage, _Drawn(), steps, identity)
    assert drawn.latents is not None
    return replace(lesson, latents=drawn.latents)


def _sample(prior: Prior, lesson: Lesson, steps: int) -> Iterator[Tensor]:
    """The clean pictures as guessed after each step, from a lesson whose latents are noise."""
    rows = list(range(len(lesson.latents)))
    condition, nothing = lesson.condition(rows), prior.embed_text([""]).repeat(len(rows))

    @torch.no_grad()
    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        return predict_x0(prior, noisy, t, condition, nothing, prior.spec.guidance_scale, 0.0)

    for step in ddim(predict, prior.schedule, lesson.latents[:, None], steps=steps):
        yield step.x0[:, 0]
