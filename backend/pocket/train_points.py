"""Training of the points network: `python -m backend pocket train --stage points --resume`."""

import math
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from backend.pocket.data.clouds import CloudBatch, Clouds, draw_clouds
from backend.pocket.points import POINTS, SCHEDULE, PointsConfig, PointsNetwork, balance
from backend.pocket.precision import half_precision
from backend.pocket.sampling import sample_points
from backend.pocket.text import embed_text
from backend.pocket.train import Effort, Run, Settings, keep_training
from backend.pocket.vocabulary import WORLD
from backend.pocket.weights import (
    COMMITTED,
    POINTS_FOLDER,
    STATE,
    Description,
    describe_network,
    load_points,
    save_network,
)
from backend.pocket.world import caption

SETTINGS = Settings(
    rate=2e-3, warm_up=100, decay_from=3000, averaging=0.998, mixture=Clouds()
)
TEXT_DROPPED = 0.1
IMPORTANCE = torch.tensor([1.6] * 3 + [0.4] * 3)
"""Of the errors of x, y, z, red, green, blue: colors vary four times as much as positions."""

NOISE_TO_SIGNAL = (-0.9, 1.3)
"""Mean and deviation of the logarithm of sigma / alpha in training: where a point is told from its
neighbors. Above, where a cloud is a ball of noise, there is little to be learned."""

EVALUATED_T = (0.3, 0.6, 0.9)
CONFIG = PointsConfig()
ALONE = Effort()


class PointsRun(Run[PointsNetwork, CloudBatch]):
    """The points network."""

    def __init__(
        self, settings: Settings = SETTINGS, config: PointsConfig = CONFIG
    ) -> None:
        torch.manual_seed(settings.seed)
        super().__init__(settings, PointsNetwork(config))

    def loss(self, batch: CloudBatch) -> Tensor:
        """Squared error of what the network adds (Karras et al., 2206.00364, section 5)."""
        g = torch.Generator().manual_seed(self.noise_seed)
        mean, deviation = NOISE_TO_SIGNAL
        ratio = (mean + deviation * torch.randn(len(batch.clouds), generator=g)).exp()
        t = ratio.atan() / (math.pi / 2)
        dropped = torch.rand(len(t), generator=g) < TEXT_DROPPED
        words = [
            "" if drop else text
            for text, drop in zip(batch.captions, dropped.tolist(), strict=True)
        ]
        noise = torch.randn(batch.clouds.shape, generator=g)
        errors = cloud_error(self.network, batch, words, t, noise) * IMPORTANCE
        return (errors.mean(1) / balance(t)[2] ** 2).mean()

    def warm_start(self, folder: Path) -> None:
        """See `Run.warm_start`."""
        kept = load_points(folder)
        if kept.config == self.network.config:
            self.take_over(kept.state_dict(), describe_network(folder).record)

    def export(self, folder: Path) -> None:
        """Write the average as a folder that `load_points` reads."""
        said = Description(self.record, capabilities=("points",))
        save_network(folder, self.average.state_dict(), self.network.config, said)

    @torch.no_grad()
    def held_out_losses(self) -> dict[str, float]:
        """Unweighted x0 error on held-out scenes at fixed noise levels."""
        batch = _held_out()
        noise = torch.randn(batch.clouds.shape, generator=torch.Generator().manual_seed(0))
        return {
            f"points_{t}": float(
                cloud_error(
                    self.average, batch, batch.captions, torch.full((batch.views,), t), noise
                ).mean()
            )
            for t in EVALUATED_T
        }

    def write_sheet(self, path: Path) -> None:
        """Clouds of eight held-out prompts, from the front and from the side."""
        prompts = [caption(*pair) for pair in WORLD.held_out_prompts(8)]
        noise = torch.randn(8, POINTS, 6, generator=torch.Generator().manual_seed(0))
        clouds = sample_points(self.average, prompts, noise)
        rows = [np.concatenate([splat(cloud, axis) for cloud in clouds], 1) for axis in (0, 1)]
        Image.fromarray(np.concatenate(rows)).save(path)


def cloud_error(
    network: PointsNetwork, batch: CloudBatch, words: list[str], t: Tensor, noise: Tensor
) -> Tensor:
    """Mean squared error of x0 of each cloud, of positions and colors apart, (B, 6)."""
    clean = torch.from_numpy(batch.clouds)
    alpha, sigma = (value[:, None, None] for value in SCHEDULE.alpha_sigma(t))
    text, mask = embed_text(words)
    with half_precision():
        x0 = network(alpha * clean + sigma * noise, t, text=text, text_mask=mask)
    return (x0.float() - clean).square().mean(1)


def splat(cloud: Tensor, axis: int, size: int = 96) -> np.ndarray:
    """A picture (size, size, 3) of points (N, 6), seen along x or y, the nearest last."""
    picture = np.full((size, size, 3), 128, np.uint8)
    across, sign = (1, -1) if axis == 0 else (0, 1)
    for point in cloud[cloud[:, axis].argsort(descending=axis == 1)].numpy():
        x, y = (0.5 + 0.48 * sign * point[across]) * size, (0.5 - 0.48 * point[2]) * size
        if 0 <= x < size - 1 and 0 <= y < size - 1:
            picture[int(y) : int(y) + 2, int(x) : int(x) + 2] = (point[3:] * 255).clip(0, 255)
    return picture


@cache
def _held_out() -> CloudBatch:
    return draw_clouds(99, 0, 24, held_out=True)


def train_points(
    resume: bool = True, effort: Effort = ALONE, steps: int | None = None,
    state_folder: Path = STATE / POINTS_FOLDER, settings: Settings = SETTINGS,
    config: PointsConfig = CONFIG, cool_down: int | None = None,
) -> PointsRun:
    """Train the points network: see `keep_training`."""
    run = PointsRun(settings, config)
    keep_training(run, resume, effort, steps, state_folder, COMMITTED / POINTS_FOLDER, cool_down)
    return run
