"""Training of the recognition network: `pocket train --stage recognition --resume`."""

from functools import cache
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from backend.pocket.data.named import Named, NamedBatch, draw_named
from backend.pocket.precision import half_precision
from backend.pocket.recognition import CERTAIN, RecognitionConfig, RecognitionNetwork, centered
from backend.pocket.train import Effort, Run, Settings, keep_training
from backend.pocket.weights import (
    COMMITTED,
    RECOGNITION_FOLDER,
    STATE,
    Description,
    describe_network,
    load_recognition,
    save_network,
)

SETTINGS = Settings(rate=2e-3, warm_up=100, decay_from=2000, averaging=0.998, mixture=Named())
SMOOTHING = 0.05
"""Of the targets: a picture may show less than its kind."""
HELD_OUT_SCENES = 300
CONFIG = RecognitionConfig()
ALONE = Effort()


class RecognitionRun(Run[RecognitionNetwork, NamedBatch]):
    """The recognition network."""

    def __init__(
        self, settings: Settings = SETTINGS, config: RecognitionConfig = CONFIG
    ) -> None:
        torch.manual_seed(settings.seed)
        super().__init__(settings, RecognitionNetwork(config))

    def loss(self, batch: NamedBatch) -> Tensor:
        """Cross entropy, of pictures as blurred as a scaled one may be."""
        generator = torch.Generator().manual_seed(self.noise_seed)
        images = blurred(torch.from_numpy(batch.images), generator)
        with half_precision():
            logits = self.network(images)
        kinds = torch.from_numpy(batch.kinds)
        return F.cross_entropy(logits.float(), kinds, label_smoothing=SMOOTHING)

    def warm_start(self, folder: Path) -> None:
        """See `Run.warm_start`."""
        kept = load_recognition(folder)
        if kept.config == self.network.config:
            self.take_over(kept.state_dict(), describe_network(folder).record)

    def export(self, folder: Path) -> None:
        """Write the average as a folder that `load_recognition` reads."""
        said = Description(self.record, self.network.vocabulary, ())
        save_network(folder, self.average.state_dict(), self.network.config, said)

    @torch.no_grad()
    def held_out_losses(self) -> dict[str, float]:
        """Share of wrong kinds, and how many of the certain ones are wrong, of held-out scenes."""
        batch = _held_out()
        shares, kinds = self.average(torch.from_numpy(batch.images)).softmax(1).max(1)
        wrong = kinds != torch.from_numpy(batch.kinds)
        certain = shares >= CERTAIN
        return {
            "wrong": float(wrong.float().mean()), "certain": float(certain.float().mean()),
            "certain_wrong": float(wrong[certain].float().mean()) if certain.any() else 0.0,
        }

    @torch.no_grad()
    def write_sheet(self, path: Path) -> None:
        """The 32 held-out pictures of whose kind it is most certain and wrong."""
        batch = _held_out()
        images = torch.from_numpy(batch.images)
        shares, kinds = self.average(images).softmax(1).max(1)
        right = kinds == torch.from_numpy(batch.kinds)
        worst = shares.masked_fill(right, 0).argsort(descending=True)[:32]
        rows = (centered(images[worst])[:, :3] / 2 + 0.5).reshape(4, 8, 3, 64, 64)
        sheet = rows.permute(0, 3, 1, 4, 2).reshape(256, 512, 3)
        Image.fromarray((sheet * 255).round().clamp(0, 255).byte().numpy()).save(path)


def blurred(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (N, 4, 64, 64), half of them up to the mean of nine pixels, with a little noise."""
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(images), 1, 1, 1, generator=generator) * 2 - 1
    noise = 0.03 * torch.rand(len(images), 1, 1, 1, generator=generator)
    mixed = torch.lerp(images, soft, share.clamp_min(0))
    return (mixed + noise * torch.randn(images.shape, generator=generator)).clamp(-1, 1)


@cache
def _held_out() -> NamedBatch:
    return draw_named(99, 0, HELD_OUT_SCENES, held_out=True)


def train_recognition(
    resume: bool = True, effort: Effort = ALONE, steps: int | None = None,
    state_folder: Path = STATE / RECOGNITION_FOLDER, settings: Settings = SETTINGS,
    config: RecognitionConfig = CONFIG, cool_down: int | None = None,
) -> RecognitionRun:
    """Train the recognition network: see `keep_training`."""
    run = RecognitionRun(settings, config)
    keep_training(
        run, resume, effort, steps, state_folder, COMMITTED / RECOGNITION_FOLDER, cool_down
    )
    return run
