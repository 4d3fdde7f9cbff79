"""The judge: a small classifier of kind, color and azimuth, trained only on ground-truth renders.

It says whether a generated view shows what the prompt names. It counts only while it scores at
least 0.98 on fresh renders of the combinations that are held out of the prior's training (section
5 of docs/architecture.md). It is an instrument, not a contestant: unlike the prior it is shown all
combinations, for a judge that guesses kinds from usual colors would favor the usual ones.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from backend.pocket.data import Shot, draw_light
from backend.pocket.recognition import convolutions
from backend.pocket.render import render_views
from backend.pocket.vocabulary import WORLD, Pair, Vocabulary
from backend.pocket.world import KINDS, build

FOLDER = Path(__file__).parent / "judge"
WIDTH = 160
AZIMUTH_BINS = 24
AZIMUTH_SHARPNESS = 8.0
"""Of the targets over the bins (von Mises): a bin beside the right one is nearly as right."""
READABLE = 0.9
"""Where fewer views of a kind have their azimuth read within 30 degrees on ground truth, the kind
(a castle, a bed …) is no witness of azimuths."""
REMEDY = "make it with: python -m backend.evaluation.judge"


class JudgeNetwork(nn.Module):
    """Seven convolutions over a 64 x 64 picture, and one linear reading of what they leave."""

    def __init__(self, vocabulary: Vocabulary = WORLD) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.fronts = tuple(kind for kind in vocabulary.kinds if KINDS[kind].has_front)
        self.layers = convolutions(3, WIDTH)
        self.sizes = [len(vocabulary.kinds), len(vocabulary.colors), AZIMUTH_BINS]
        self.reading = nn.Linear(WIDTH * 16, sum(self.sizes))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of kind, color and azimuth bin, of images (N, 3, 64, 64) in [0, 1]."""
        features = self.layers(images * 2 - 1).flatten(1)
        kind, color, azimuth = self.reading(features).split(self.sizes, 1)
        return kind, color, azimuth


@dataclass(frozen=True)
class Verdict:
    """Probabilities (N, kinds), (N, colors), (N, 24): azimuth bin i is centered at 15 i degrees.
    The columns of kinds and colors are those of the vocabulary; `fronts`: the kinds whose azimuth
    the judge can read."""

    kind: Tensor
    color: Tensor
    azimuth: Tensor
    vocabulary: Vocabulary
    fronts: tuple[str, ...] = ()

    @property
    def front(self) -> Tensor:
        """The probability that a view is from the front: azimuth within 45 degrees of 0, (N,)."""
        bins = torch.arange(AZIMUTH_BINS)
        near = torch.minimum(bins, AZIMUTH_BINS - bins) * (360 // AZIMUTH_BINS) <= 45
        return self.azimuth[:, near].sum(1)

    @property
    def azimuth_degrees(self) -> Tensor:
        """The mean direction of the azimuth's distribution, (N,) in [0, 360)."""
        angles = torch.arange(AZIMUTH_BINS) * (2 * torch.pi / AZIMUTH_BINS)
        mean = torch.atan2(self.azimuth @ angles.sin(), self.azimuth @ angles.cos())
        return mean.rad2deg() % 360


@torch.no_grad()
def classify(images: Tensor, judge: JudgeNetwork | None = None) -> Verdict:
    """What `images` (N, 64, 64, 3), [0, 1] over mid-gray, show.

    Raises ValueError for another shape.
    """
    if images.dim() != 4 or images.shape[1:] != (64, 64, 3):
        raise ValueError(f"the judge looks at images (N, 64, 64, 3), not {tuple(images.shape)}")
    judge = judge or load_judge()
    logits = judge(images.permute(0, 3, 1, 2).float())
    kind, color, azimuth = (each.softmax(1) for each in logits)
    return Verdict(kind, color, azimuth, judge.vocabulary, judge.fronts)


def draw_labeled(
    seed: int, step: int, count: int, pairs: list[Pair], words: Vocabulary, views: int = 4
) -> tuple[Tensor, Tensor]:
    """Renders (N, 3, 64, 64) over gray and labels (N, 3): kind, color, azimuth bin (-1: none).

    Of random objects of the (kind, color) `pairs`, each view lit from around its own camera.
    """
    rng = np.random.default_rng((seed, step, 11))
    images, labels = [], []
    for _ in range(count):
        kind, color = pairs[int(rng.integers(len(pairs)))]
        scene = build(kind, color, int(rng.integers(2**31)))
        shots = [_draw_shot(rng) for _ in range(views)]
        for shot in shots:
            rgba = render_views(scene, [shot.view()], draw_light(rng, shot))["rgba"]
            images.append(rgba[..., :3] * rgba[..., 3:] + 0.5 * (1 - rgba[..., 3:]))
            angle = round(shot.azimuth / 360 * AZIMUTH_BINS) % AZIMUTH_BINS
            front = angle if KINDS[kind].has_front else -1
            labels.append((words.kinds.index(kind), words.colors.index(color), front))
    pixels = torch.from_numpy(np.concatenate(images)).permute(0, 3, 1, 2)
    return pixels.contiguous(), torch.tensor(labels)


def _draw_shot(rng: np.random.Generator) -> Shot:
    elevation = rng.normal(15, 4) if rng.random() < 0.5 else rng.uniform(-10, 45)
    fill, fov = rng.uniform(0.75, 1.15), rng.uniform(20, 60)
    return Shot(float(rng.uniform(0, 360)), float(elevation), float(fov), float(fill))


def _roughened(images: Tensor, generator: torch.Generator) -> Tensor:
    """Renders as a generator or an optimizer might leave them: blurred, a little noisy, shifted."""
    blurred = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    blur = torch.rand(len(images), 1, 1, 1, generator=generator) * 1.2 - 0.4
    noise = torch.rand(len(images), 1, 1, 1, generator=generator) * 0.04
    mixed = torch.lerp(images, blurred, blur.clamp_min(0))
    mixed = mixed + noise * torch.randn(images.shape, generator=generator)
    dx, dy = torch.randint(-3, 4, (2,), generator=generator).tolist()
    return mixed.roll((dy, dx), (2, 3)).clamp(0, 1)


def train_judge(
    steps: int = 5000, sets: int = 12, seed: int = 5, words: Vocabulary = WORLD
) -> JudgeNetwork:
    """Train a judge on renders of all combinations (a quarter of a second a step on one thread)."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    pairs = words.pairs(held_out=False) + words.pairs(held_out=True)
    judge = JudgeNetwork(words).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=0.02)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(steps):
        images, labels = draw_labeled(seed, step, sets, pairs, words)
        with torch.autocast("cpu", torch.bfloat16):
            kind, color, azimuth = judge(_roughened(images, generator))
        has_front = labels[:, 2] >= 0
        loss = F.cross_entropy(kind.float(), labels[:, 0], label_smoothing=0.05)
        loss = loss + F.cross_entropy(color.float(), labels[:, 1], label_smoothing=0.05)
        if has_front.any():
            wanted = azimuth_targets(labels[has_front, 2])
            loss = loss + 2 * F.cross_entropy(azimuth.float()[has_front], wanted)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        rates.step()
        if step % 100 == 99:
            print(f"judge step {step + 1} loss {float(loss.detach()):.3f}", flush=True)
    return judge.eval().requires_grad_(False)


def azimuth_targets(bins: Tensor) -> Tensor:
    """Probabilities (N, 24) around the right bins (N,)."""
    apart = (torch.arange(AZIMUTH_BINS) - bins[:, None]) * (2 * torch.pi / AZIMUTH_BINS)
    return (AZIMUTH_SHARPNESS * apart.cos()).softmax(1)


def azimuth_hits(verdict: Verdict, bins: Tensor) -> Tensor:
    """Which azimuths were read within 30 degrees of the right bins, (N,) bool."""
    off = (verdict.azimuth_degrees - bins * (360 / AZIMUTH_BINS) + 180) % 360 - 180
    return off.abs() <= 30


def readable_fronts(judge: JudgeNetwork, objects: int = 10, seed: int = 78) -> tuple[str, ...]:
    """The kinds with a front whose azimuth the judge reads on ground truth: see READABLE."""
    found, words = [], judge.vocabulary
    for kind in (kind for kind in words.kinds if KINDS[kind].has_front):
        pairs = [(kind, color) for color in words.colors]
        images, labels = draw_labeled(seed, 0, objects, pairs, words)
        hits = azimuth_hits(classify(images.permute(0, 2, 3, 1), judge), labels[:, 2])
        if float(hits.float().mean()) >= READABLE:
            found.append(kind)
    return tuple(found)


def score_judge(judge: JudgeNetwork, sets: int = 200, seed: int = 77) -> dict[str, float]:
    """Accuracy on fresh renders of held-out combinations, 4 views each of `sets` objects."""
    words = judge.vocabulary
    images, labels = draw_labeled(seed, 0, sets, words.pairs(held_out=True), words)
    verdict = classify(images.permute(0, 2, 3, 1), judge)
    readable = torch.tensor([kind in judge.fronts for kind in words.kinds])[labels[:, 0]]
    hits = azimuth_hits(verdict, labels[:, 2])
    return {
        "kind": float((verdict.kind.argmax(1) == labels[:, 0]).float().mean()),
        "color": float((verdict.color.argmax(1) == labels[:, 1]).float().mean()),
        "azimuth_within_30": float(hits[readable].float().mean()),
        "views": len(images),
    }


def save_judge(judge: JudgeNetwork, folder: Path = FOLDER) -> None:
    """Half-precision weights with a config that holds their hash, words and scores; and the kinds
    whose azimuth it reads, which are found out now."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "model.safetensors"
    judge.fronts = readable_fronts(judge)
    save_file({k: v.half().contiguous() for k, v in judge.state_dict().items()}, weights)
    config = {
        "_class_name": "JudgeNetwork", "license": "GPL-3.0-or-later",
        **judge.vocabulary.to_dict(), "fronts": list(judge.fronts),
        "held_out_accuracy": score_judge(judge),
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load_judge(folder: Path = FOLDER) -> JudgeNetwork:
    """The judge that ships, with the vocabulary of its training.

    Raises RuntimeError where it is missing, damaged, or knows words that the world does not have.
    """
    config_file, weights = folder / "config.json", folder / "model.safetensors"
    if not config_file.exists() or not weights.exists():
        raise RuntimeError(f"no judge in {folder}; {REMEDY}")
    config = json.loads(config_file.read_text())
    if hashlib.sha256(weights.read_bytes()).hexdigest() != config["sha256"]:
        raise RuntimeError(f"the judge in {folder} is damaged; {REMEDY}")
    try:
        judge = JudgeNetwork(Vocabulary.of(config))
    except KeyError as error:
        raise RuntimeError(f"the judge in {folder} knows a strange {error}; {REMEDY}") from error
    judge.fronts = tuple(config.get("fronts", judge.fronts))
    judge.load_state_dict({k: v.float() for k, v in load_file(weights).items()})
    return judge.eval().requires_grad_(False)


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Train the judge on the whole world and keep it.")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    save_judge(train_judge(arguments.steps), arguments.folder)
    print((arguments.folder / "config.json").read_text())
