"""Words to an object: does the judge see what was asked for, and from how many sides its front?"""

from collections.abc import Iterator
from functools import partial

from torch import Tensor
from torch.nn.functional import interpolate

from backend.evaluation.bench.cases import Bench, Case, Figures
from backend.evaluation.looking import AZIMUTHS, PIXELS, look_at
from backend.evaluation.metrics import JudgedViews
from backend.evaluation.pocket_prior import draw_views
from backend.pocket.vocabulary import Pair
from backend.pocket.world import build, caption
from backend.pocket.world.meshes import to_mesh
from backend.priors.base import Prior
from protocol.assets import Asset
from protocol.errors import InputError

PRIOR_STEPS = 16
TRUE_OBJECTS = 4


def cases(bench: Bench, count: int) -> Iterator[Case]:
    """Plain captions of held-out kinds and colors."""
    for seed, pair in enumerate(bench.words.held_out_prompts(count)):
        prompt = caption(*pair)
        yield Case(prompt, seed, partial(measure, bench, pair), prompt)


def measure(bench: Bench, pair: Pair, made: Asset) -> Figures:
    """R-precision by kind, color and both; for kinds with a front :func:`of_fronts`; and, as
    ``prior_``, the R-precision of views that the recipe's prior draws of the same words, which no
    distillation can be asked to beat."""
    assert made.mesh is not None
    found = judged(bench, pair, look_at(made.mesh))
    figures = r_precision(found) | of_fronts(bench, pair, found)
    try:
        prior = bench.find_prior("text+cameras")
    except InputError:
        return figures
    own = r_precision(judged(bench, pair, drawn_by(prior, caption(*pair))))
    return figures | {f"prior_{name}": value for name, value in own.items()}


def of_fronts(bench: Bench, pair: Pair, found: JudgedViews) -> Figures:
    """``true_janus``: the share of the world's own objects of these words in which the judge sees
    two fronts. ``janus``: whether it does in what was made, where that share is below a half: of
    things whose back it takes for a front, black trucks say, its verdict tells nothing."""
    janus = found.janus(AZIMUTHS)
    if not janus.cases:
        return {}
    truth = [look_at(to_mesh(build(*pair, seed))) for seed in range(TRUE_OBJECTS)]
    mistaken = [judged(bench, pair, views).janus(AZIMUTHS).mean for views in truth]
    share = sum(mistaken) / TRUE_OBJECTS
    return {"true_janus": share} | ({"janus": janus.mean} if share < 0.5 else {})


def drawn_by(prior: Prior, prompt: str) -> Tensor:
    """Views that a prior draws of words, from all around, as the judge looks at them."""
    latents = draw_views(prior, [prompt], PRIOR_STEPS, prior.spec.guidance_scale)[0]
    images, _ = prior.decode(latents)
    size = (PIXELS, PIXELS)
    small = interpolate(images.movedim(-1, 1), size, mode="bilinear", antialias=True)
    return small.movedim(1, -1).clamp(0, 1)


def judged(bench: Bench, pair: Pair, images: Tensor) -> JudgedViews:
    """The judge's verdict on views (views, 64, 64, 3) of one object."""
    return JudgedViews.of(images[None], [pair[0]], [pair[1]], bench.judge)


def r_precision(found: JudgedViews) -> Figures:
    """By what is asked for."""
    return {f"r_precision_{name}": each.mean for name, each in found.r_precision().items()}
