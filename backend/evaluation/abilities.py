"""Figures of what the pocket prior can do beside drawing from words, one function a capability.

Every case is drawn from the world with a fixed seed and is held out of training; what is compared
with is ground truth. Each returns figures by name, ready for JSON.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.evaluation.draws import covered, noise_like, sample, show
from backend.evaluation.judge import JudgeNetwork, classify
from backend.evaluation.metrics import Figure
from backend.pocket.data.batches import Batch, Sample
from backend.pocket.data.clouds import surface_points
from backend.pocket.data.pictures import color_planes, draw_light, normal_planes
from backend.pocket.data.readings import draw_labeled, places_on
from backend.pocket.data.shots import Shot
from backend.pocket.points import POINTS
from backend.pocket.render import render_views
from backend.pocket.vocabulary import Vocabulary
from backend.pocket.world import build, draw_description
from backend.pocket.world.captions import caption
from backend.pocket.world.edits import changed_region, draw_edit
from backend.pocket.world.motions import draw_motion, motion_captions, pose, with_room
from backend.priors.base import NORMAL, Condition, Prior
from backend.rendering.cameras import Cameras

Figures = dict[str, Any]
KEPT_ERROR = 0.03
"""Mean absolute difference in [0, 1] below which pixels count as left alone."""
MOVED_PIXELS = 0.08


@dataclass(frozen=True)
class Setup:
    """What is evaluated: the prior, the judge, cases of each figure, steps of the sampler."""

    prior: Prior
    judge: JudgeNetwork
    words: Vocabulary
    cases: int
    steps: int

    def draws(self, seed: int) -> Iterator[np.random.Generator]:
        """A generator of its own for each case."""
        return (np.random.default_rng((seed, index, 5)) for index in range(self.cases))


def shot_cameras(shots: list[Shot]) -> Cameras:
    """Shots as the cameras of a condition."""
    batch = Batch.of("", [Sample(np.zeros((len(shots), 4, 64, 64), np.float32), shots, "")])
    return Cameras(
        torch.from_numpy(batch.c2w[0]), torch.from_numpy(batch.fov_degrees[0]), 64, 64,
        torch.from_numpy(batch.ortho_height[0]),
    )


def novel_views(setup: Setup) -> Figures:
    """PSNR over gray, inside the union of both masks, of one view at 30 to 90 degrees from the
    nearest given one: from one image in its own frame, from three, and of copying the input."""
    scores: dict[str, list[float]] = {"one": [], "three": [], "copy": []}
    for rng in setup.draws(1):
        scene = build(draw_description(rng, True, setup.words.kinds, {"plain": 1.0}), seed=1)
        first = Shot(float(rng.uniform(0, 360)), 15.0, 40.0, 0.95)
        away = float(rng.uniform(30, 90) * rng.choice([-1, 1]))
        shots = [first, first.turned(120), first.turned(240), first.turned(away)]
        rgba = render_views(scene, [s.view() for s in shots], draw_light(rng, first))["rgba"]
        truth = torch.from_numpy(color_planes(rgba))
        frame = [shot.turned(-first.azimuth) for shot in shots]
        for name, given in (("one", [0]), ("three", [0, 1, 2])):
            drawn = complete(setup, truth[[*given, 3]], [*(frame[i] for i in given), frame[3]])
            scores[name].append(psnr(drawn, truth[3]))
        scores["copy"].append(psnr(truth[0], truth[3]))
    return {name: figure(values) for name, values in scores.items()}


def complete(setup: Setup, truth: Tensor, shots: list[Shot]) -> Tensor:
    """The last view, (4, 64, 64), drawn given all before it, without words."""
    start = truth[None].clone()
    start[:, -1] = noise_like(start)[:, -1]
    given = torch.ones(1, len(shots), dtype=torch.bool)
    given[:, -1] = False
    condition = Condition(cameras=shot_cameras(shots), given=given)
    return sample(setup.prior, condition, start, steps=setup.steps)[0, -1]


def psnr(drawn: Tensor, truth: Tensor) -> float:
    """In dB, of colors over gray inside the union of both masks."""
    inside = covered(drawn) | covered(truth)
    error = (show(drawn) - show(truth))[inside].square().mean()
    return float(-10 * torch.log10(error.clamp_min(1e-10)))


def normals(setup: Setup) -> Figures:
    """The median angle, in degrees, between drawn and true normals of a given picture."""
    angles = []
    for rng in setup.draws(2):
        scene = build(draw_description(rng, True, setup.words.kinds, {"plain": 1.0}), seed=2)
        shot = Shot(float(rng.uniform(0, 360)), 15.0, 40.0, 0.95)
        found = render_views(scene, [shot.view()], draw_light(rng, shot))
        truth = torch.from_numpy(
            np.stack([color_planes(found["rgba"])[0],
                      normal_planes(found["rgba"], found["normals"])[0]])
        )
        start = torch.stack([truth[0], noise_like(truth[None])[0, 1]])[None]
        condition = Condition(
            cameras=shot_cameras([shot, shot]), given=torch.tensor([[True, False]]),
            domain=torch.tensor([[0, NORMAL]]),
        )
        drawn = sample(setup.prior, condition, start, steps=setup.steps)[0, 1]
        inside = covered(drawn) & covered(truth[1])
        a, b = (each[:3][:, inside] for each in (drawn, truth[1]))
        cosine = torch.nn.functional.cosine_similarity(a, b, dim=0).clamp(-1, 1)
        angles.append(float(cosine.acos().rad2deg().median()) if inside.any() else 90.0)
    return figure(angles)


def instructions(setup: Setup) -> Figures:
    """Followed: in the changed region the result is nearer to the edited truth than to the source.
    Kept: outside of it, at most KEPT_ERROR from the source."""
    followed, kept = [], []
    for rng in setup.draws(3):
        edit = draw_edit(rng, True, kinds=setup.words.kinds)
        shot = Shot(float(rng.uniform(-60, 60)), 15.0, 40.0, 0.95)
        light, view = draw_light(rng, shot), [shot.view()]
        source, target = (
            torch.from_numpy(color_planes(render_views(scene, view, light)["rgba"]))
            for scene in (edit.source, edit.target)
        )
        condition = Condition(
            setup.prior.embed_text([edit.instruction]), shot_cameras([shot]), source=source[None]
        )
        drawn = sample(
            setup.prior, condition, noise_like(source[None]), steps=setup.steps, scale=3.0,
            image_scale=1.5,
        )[0]
        region = torch.from_numpy(changed_region(edit, view))
        if not region.any():
            continue
        near, far = ((show(drawn) - show(x)).abs().mean(-1) for x in (target, source))
        followed.append(float(near[region].mean() < far[region].mean()))
        kept.append(float(far[~region].mean() <= KEPT_ERROR))
    return {"followed": figure(followed), "kept": figure(kept)}


def words_iou(setup: Setup) -> Figures:
    """Of attention above one half with where the word is seen, at 32 x 32, over all words."""
    values = []
    for rng in setup.draws(4):
        sampled = draw_labeled(rng, True)
        assert sampled.shown is not None
        image = torch.from_numpy(sampled.images)
        words = [sampled.caption[begin:end] for begin, end in sampled.spans]
        maps = setup.prior.attention(
            show(image), words, prompt=sampled.caption, alpha=image[:, 3, ..., None] / 2 + 0.5
        )
        maps = torch.nn.functional.avg_pool2d(maps, 2)[0] > 0.5
        truth = torch.from_numpy(sampled.shown[:, 0]) > 0.5
        union = (maps | truth).sum((1, 2))
        values += ((maps & truth).sum((1, 2)) / union.clamp_min(1))[union > 0].tolist()
    return figure(values)


def matching(setup: Setup) -> Figures:
    """PCK@0.1: of 16 points on one thing, how many are matched to within a tenth of the longer
    side of the other's box of where the same place of the same part lies."""
    values = []
    for rng in setup.draws(6):
        first = draw_description(rng, True, setup.words.kinds, {"plain": 1.0})
        second = draw_description(rng, True, (first.kind,), {"plain": 1.0})
        shots = [Shot(float(rng.uniform(0, 360)), 15.0, 40.0, 0.95)]
        shots.append(shots[0].turned(float(rng.uniform(-30, 30))))
        scenes = [build(said, seed=int(rng.integers(2**31))) for said in (first, second)]
        pairs = list(zip(scenes, shots, strict=True))
        rgba = [render_views(scene, [shot.view()], draw_light(rng, shot))["rgba"]
                for scene, shot in pairs]
        images = torch.from_numpy(color_planes(np.concatenate(rgba)))
        features = setup.prior.features(show(images), images[:, 3, ..., None] / 2 + 0.5)
        places = torch.from_numpy(np.stack([places_on(*pair) for pair in pairs]))
        values += matched(features, places, rng)
    return figure(values)


def matched(features: Tensor, places: Tensor, rng: np.random.Generator) -> list[float]:
    """Whether each of up to 16 places of the first thing is found on the second, within a tenth of
    its box: features (2, n, n, C), places (2, n, n, 4)."""
    size = places.shape[1]
    there = (places[1, ..., 3] >= 0).nonzero()
    reach = 0.1 * float((there.amax(0) - there.amin(0)).max() + 1)
    own = (places[0, ..., 3] >= 0).nonzero()
    hits: list[float] = []
    for row, column in own[torch.from_numpy(rng.permutation(len(own)))].tolist():
        wanted = places[0, row, column]
        apart = (places[1, there[:, 0], there[:, 1], :3] - wanted[:3]).norm(dim=-1)
        apart[places[1, there[:, 0], there[:, 1], 3] != wanted[3]] = torch.inf
        if len(hits) < 16 and float(apart.min()) < 0.2:
            cells = (there.double() + 0.5) / size * features.shape[1]
            seen = features[1, cells[:, 0].long(), cells[:, 1].long()]
            scale = features.shape[1] / size
            query = features[0, int((row + 0.5) * scale), int((column + 0.5) * scale)]
            found = there[int((seen @ query).argmax())]
            hits.append(float((found - there[int(apart.argmin())]).double().norm() <= reach))
    return hits


def points(setup: Setup) -> Figures:
    """The chamfer distance, longest side = 1, to the nearest of eight true clouds of the prompt;
    and that of another true cloud, which no network can beat by much."""
    values, floor = [], []
    pairs = setup.words.held_out_prompts(setup.cases)
    for index, (kind, color) in enumerate(pairs):
        rng = np.random.default_rng((7, index))
        clouds = [
            torch.from_numpy(surface_points(build(kind, color, seed), rng)) for seed in range(9)
        ]
        noise = torch.randn(1, POINTS, 6, generator=torch.Generator().manual_seed(index))
        drawn = setup.prior.sample_points([caption(kind, color)], noise)[0]
        values.append(min(chamfer(drawn, truth) for truth in clouds[:8]))
        floor.append(min(chamfer(clouds[8], truth) for truth in clouds[:8]))
    return {**figure(values), "another_truth": figure(floor)}


def chamfer(a: Tensor, b: Tensor) -> float:
    """The mean of both one-way mean distances of positions, longest side of `b` = 1."""
    apart = torch.cdist(a[:, :3].float(), b[:, :3].float())
    side = float((b[:, :3].amax(0) - b[:, :3].amin(0)).max())
    return float(apart.amin(0).mean() + apart.amin(1).mean()) / 2 / side


def motions(setup: Setup) -> Figures:
    """Eight frames from words, the first given, one fixed camera. Followed: where the true clip
    moves, the frames are nearer to it than a still picture is. Identity: the share of frames in
    which the judge sees the same kind and color as in the truth's."""
    followed, identity = [], []
    for rng in setup.draws(8):
        said, motion = draw_motion(rng, True, setup.words.kinds)
        still = with_room(build(said, seed=8), motion)
        shot = Shot(float(rng.uniform(-60, 60)), 15.0, 40.0, 0.95)
        light = draw_light(rng, shot)
        rgba = [render_views(pose(still, motion, i / 8), [shot.view()], light)["rgba"]
                for i in range(8)]
        truth = torch.from_numpy(color_planes(np.concatenate(rgba)))[None]
        start = torch.cat([truth[:, :1], noise_like(truth)[:, 1:]], 1)
        condition = Condition(
            setup.prior.embed_text([motion_captions(said, motion)[0]]), shot_cameras([shot] * 8),
            given=torch.arange(8)[None] == 0, frame=torch.arange(8)[None] / 8,
            motion=torch.ones(1, 8),
        )
        drawn = sample(setup.prior, condition, start, steps=setup.steps, scale=2.0)
        moving = (show(truth) - show(truth)[:, :1]).abs().mean(-1) > MOVED_PIXELS
        if moving.any():
            near, far = ((show(x) - show(truth)).abs().mean(-1)[moving].mean()
                         for x in (drawn, truth[:, :1].expand_as(truth)))
            followed.append(float(near < far))
        identity.append(float(same_thing(show(drawn)[0], show(truth)[0], setup.judge)))
    return {"followed": figure(followed), "identity": figure(identity)}


def same_thing(drawn: Tensor, truth: Tensor, judge: JudgeNetwork) -> Tensor:
    """The share of pictures in which the judge sees the kind and color that it sees in the truth's
    first."""
    a, b = classify(drawn, judge), classify(truth[:1], judge)
    same = (a.kind.argmax(1) == b.kind.argmax(1)) & (a.color.argmax(1) == b.color.argmax(1))
    return same.float().mean()


def figure(values: list[float]) -> Figures:
    """A figure for JSON."""
    return asdict(Figure.of(torch.tensor(values)))


ABILITIES: dict[str, tuple[str, Callable[[Setup], Figures]]] = {
    "novel_view_psnr": ("image+pose", novel_views),
    "normals_degrees": ("normals", normals),
    "instruction": ("instruction", instructions),
    "words_iou": ("attention", words_iou),
    "matching_pck": ("features", matching),
    "points_chamfer": ("points", points),
    "motion": ("video", motions),
}
"""By the name of the figure: the capability that it wants, and how it is measured."""
