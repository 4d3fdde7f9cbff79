"""What does it cost, and bring, to differentiate through the prior's network as well?

`python -m benchmarks.jacobian` runs the experiment of docs/distillation.md: one picture optimized
freely with score distillation and with the full diffusion loss, from the same start and the same
noise, and how both gradients point. It prints the figures and writes docs/pictures/jacobian.png.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, cosine_similarity, interpolate

from backend.diffusion.samplers import ddim
from backend.distillation.curve import Probe, curve_value
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation, diffusion_loss
from backend.priors.guidance import predict_guided
from backend.priors.pocket import PocketPrior
from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.sheet import sheet

from .timing import Timing, best_seconds

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "jacobian.png"
PROMPT = "a red mushroom"
BATCH, STEPS, SNAPSHOTS = 2, 150, (10, 50, 100, 150)
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)

Loss = Callable[[Tensor, Cameras, Tensor, Tensor], Tensor]


def measure() -> list[Timing]:
    """One gradient of two pictures, each way."""
    score = distillation()
    latents, noise = torch.zeros(BATCH, 1, 4, 64, 64), draw(0, BATCH)
    t = torch.full((BATCH, 1), 0.5)

    def gradient(loss: Loss) -> None:
        start = latents.clone().requires_grad_()
        loss(start, views(BATCH), t, noise).backward()

    return [
        Timing(
            name, best_seconds(partial(gradient, loss), repeats=3),
            f"{kept_megabytes(partial(gradient, loss)):.1f} MB kept for the backward pass",
        )
        for name, loss in losses(score).items()
    ]


def kept_megabytes(action: Callable[[], object]) -> float:
    """What the forward pass keeps, each stretch of memory counted once."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        action()
    return sum(kept.values()) / 1e6


def distillation() -> ScoreDistillation:
    """Text only, single views, the prior's own guidance; in single precision both ways."""
    prior = PocketPrior.load(half=False)
    text = ConditionalText.embed(prior, PROMPT)
    return ScoreDistillation(prior, text, prior.spec.guidance_scale)


def losses(score: ScoreDistillation) -> dict[str, Loss]:
    """The two losses by name, with the same weighting and reduction."""

    def full(latents: Tensor, cameras: Cameras, t: Tensor, noise: Tensor) -> Tensor:
        return diffusion_loss(score, latents, cameras, t, noise)

    return {"score distillation": score.loss, "full Jacobian": full}


def views(count: int) -> Cameras:
    """The prior is told of none; losses take them all the same."""
    return orbit_cameras([0.0] * count, 15.0, 3.0, 40.0, 64)


def draw(seed: int, count: int) -> Tensor:
    """Noise of ``count`` pictures."""
    return torch.randn(count, 1, 4, 64, 64, generator=torch.Generator().manual_seed(seed))


def sample(score: ScoreDistillation) -> Tensor:
    """A picture of the prompt, drawn the ordinary way: (1, 1, 4, 64, 64)."""
    noise = draw(1, 1)
    condition, negative = score.conditions(noise, views(1))

    @torch.no_grad()
    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        return predict_guided(score.prior, noisy, t, condition, negative, score.scale).x0

    *_, last = ddim(predict, score.prior.schedule, noise, steps=30)
    return last.x0


@dataclass(frozen=True)
class Directions:
    """At one noise level, over 8 draws of noise: lengths of both gradients, the cosine between
    their means, and the cosine of each mean with the way back to the sharp picture."""

    t: float
    score_norm: float
    full_norm: float
    between: float
    score_home: float
    full_home: float


def directions(score: ScoreDistillation) -> Iterator[Directions]:
    """Gradients at a blurred sample, from which the way to go is known."""
    sharp = sample(score)
    blurred = interpolate(avg_pool2d(sharp[0], 4), (64, 64), mode="bilinear")[None]
    for t in LEVELS:
        means = {name: torch.zeros_like(sharp) for name in losses(score)}
        norms = dict.fromkeys(means, 0.0)
        for seed in range(4):
            for name, loss in losses(score).items():
                start = blurred.repeat(BATCH, 1, 1, 1, 1).requires_grad_()
                level = torch.full((BATCH, 1), t)
                loss(start, views(BATCH), level, draw(100 + seed, BATCH)).backward()
                assert start.grad is not None
                means[name] += start.grad.sum(0, keepdim=True) / 4
                norms[name] += float(start.grad.flatten(1).norm(dim=1).mean()) * BATCH / 4
        short, full = means.values()
        home = blurred - sharp
        yield Directions(t, *norms.values(), *(
            float(cosine_similarity(a.flatten(), b.flatten(), 0))
            for a, b in ((short, full), (short, home), (full, home))
        ))


@dataclass
class Run:
    """One picture on its way. ``curve``: 1/2 w |eps_hat - eps|**2 at fixed noise, after each
    snapshot; ``rough``: share of its energy above half of the highest frequency."""

    pictures: list[Tensor]
    curve: list[float]
    rough: float
    seconds: float


def optimize(score: ScoreDistillation, loss: Loss) -> Run:
    """Adam on the picture's own values, from gray, with noise by step."""
    picture = torch.zeros(1, 1, 4, 64, 64, requires_grad=True)
    optimizer = torch.optim.Adam([picture], lr=0.05)
    run, seconds = Run([], [], 0.0, 0.0), 0.0
    for step in range(1, STEPS + 1):
        began = time.perf_counter()
        generator = torch.Generator().manual_seed(step)
        t = score.sample_t(BATCH, 1, 0.0, generator)
        optimizer.zero_grad()
        batch = picture.expand(BATCH, -1, -1, -1, -1)
        loss(batch, views(BATCH), t, draw(step, BATCH)).backward()
        optimizer.step()
        seconds += time.perf_counter() - began
        if step in SNAPSHOTS:
            run.pictures.append(picture.detach().clone())
            run.curve.append(curve(score, picture.detach()))
    run.rough, run.seconds = roughness(picture.detach()), seconds
    return run


def curve(score: ScoreDistillation, picture: Tensor) -> float:
    """The report's curve at 16 fixed noise levels."""
    t = torch.linspace(0.05, 0.95, 16)[:, None]
    return curve_value(score, picture.expand(16, -1, -1, -1, -1), Probe(views(16), t, draw(7, 16)))


def roughness(picture: Tensor) -> float:
    """Share of the spectrum's energy, but for the mean, above half of the highest frequency."""
    power = torch.fft.fft2(picture[0, 0, :3]).abs() ** 2
    frequency = torch.fft.fftfreq(64).abs()
    high = torch.maximum(frequency[:, None], frequency[None]) > 0.25
    power[:, 0, 0] = 0
    return float(power[:, high].sum() / power.sum())


def main() -> None:
    """The figures on paper and the pictures in the docs."""
    score = distillation()
    for found in directions(score):
        print(found)
    drawn = sample(score)
    print(f"a sample: curve {curve(score, drawn):.1f}, rough {roughness(drawn):.4f}")
    rows = []
    for name, loss in losses(score).items():
        run = optimize(score, loss)
        values = ", ".join(f"{value:.1f}" for value in run.curve)
        print(f"{name}: {run.seconds:.0f} s, curve {values}, rough {run.rough:.4f}")
        rows += [*run.pictures, drawn]
    images, _ = score.prior.decode(torch.cat(rows)[:, 0])
    small = sheet(images, columns=len(SNAPSHOTS) + 1).pixels
    Image.fromarray(small).resize((128 * 5, 128 * 2), Image.Resampling.NEAREST).save(
        PICTURE, optimize=True
    )


if __name__ == "__main__":
    main()
