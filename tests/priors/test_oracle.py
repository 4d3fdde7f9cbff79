"""The oracle against brute force, and what joint and single-view oracles do."""

import pytest
import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import CosineSchedule
from backend.priors.base import COLOR, DEPTH, NORMAL, Condition, KnownPixels
from backend.priors.oracle import DrawnWorld, OraclePrior, StoredViews
from backend.priors.pixels import depth_of, nearness
from backend.priors.worlds import animal, cube, sphere
from backend.rendering.cameras import orbit_cameras
from protocol.errors import InputError

T = torch.tensor([[0.7, 0.7]])


def random_views(count: int, size: int = 3, views: int = 2) -> list[StoredViews]:
    generator = torch.Generator().manual_seed(4)
    return [
        StoredViews(f"thing{k}", torch.randn(views, 1, size, size, generator=generator))
        for k in range(count)
    ]


def noisy_like(views: int = 2) -> Tensor:
    return torch.randn(1, views, 1, 3, 3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("deviation", [0.0, 0.4])
@pytest.mark.parametrize("joint", [True, False])
def test_the_posterior_mean_against_a_million_samples(deviation: float, joint: bool) -> None:
    """Importance sampling: draw x0 from the prior, weigh by N(z; alpha x0, sigma**2)."""
    components = random_views(3, size=1)
    oracle = OraclePrior(components, deviation, joint)
    noisy = torch.tensor([0.3, -0.5]).reshape(1, 2, 1, 1, 1)
    means = torch.stack([component.views for component in components])[..., 0, 0, 0]
    generator = torch.Generator().manual_seed(6)
    count = 400_000
    if joint:
        chosen = means[torch.randint(3, (count,), generator=generator)]
    else:
        picks = torch.randint(3, (count, 2), generator=generator)
        chosen = torch.stack([means[picks[:, view], view] for view in range(2)], -1)
    x0 = chosen + deviation * torch.randn(count, 2, generator=generator)
    alpha, sigma = CosineSchedule().alpha_sigma(T[0])
    weights = torch.softmax(
        -((noisy.flatten() - alpha * x0) ** 2 / (2 * sigma**2)).sum(-1).double(), 0
    )
    brute = (weights[:, None] * x0).sum(0)
    found = oracle.predict(noisy, T, Condition()).x0.flatten()
    assert torch.allclose(found.double(), brute, atol=0.01)


def test_one_gaussian_has_the_closed_form() -> None:
    """Reference: x0 = (s**2 alpha z + sigma**2 mu) / (alpha**2 s**2 + sigma**2)."""
    [component], s = random_views(1), 0.5
    noisy = noisy_like()
    alpha, sigma = (float(value[0, 0]) for value in CosineSchedule().alpha_sigma(T))
    expected = (s**2 * alpha * noisy + sigma**2 * component.views) / (alpha**2 * s**2 + sigma**2)
    x0, eps = OraclePrior([component], s).predict(noisy, T, Condition())
    assert torch.allclose(x0, expected, atol=1e-6)
    assert torch.allclose(alpha * x0 + sigma * eps, noisy, atol=1e-5)


def test_eps_is_minus_sigma_times_the_score() -> None:
    """Of the noisy density, by automatic differentiation of its logarithm."""
    components, s = random_views(3), 0.2
    noisy = noisy_like().double().requires_grad_()
    alpha, sigma = (float(value[0, 0]) for value in CosineSchedule().alpha_sigma(T.double()))
    variance = alpha**2 * s**2 + sigma**2
    logits = torch.stack([
        -((noisy[0] - alpha * component.views.double()) ** 2).sum() / (2 * variance)
        for component in components
    ])
    [score] = torch.autograd.grad(torch.logsumexp(logits, 0), noisy)
    eps = OraclePrior(components, s).predict(noisy.detach(), T.double(), Condition()).eps
    assert torch.allclose(eps, -sigma * score, atol=1e-6)


def test_given_views_come_back_and_decide_the_rest() -> None:
    components = random_views(4)
    oracle = OraclePrior(components)
    noisy = torch.randn(1, 2, 1, 3, 3, generator=torch.Generator().manual_seed(8))
    noisy[0, 0] = components[2].views[0]
    given = torch.tensor([[True, False]])
    condition = Condition(given=given)
    x0, _ = oracle.predict(noisy, torch.tensor([[0.0, 0.95]]), condition)
    assert torch.equal(x0[0, 0], noisy[0, 0])
    assert torch.allclose(x0[0, 1], components[2].views[1], atol=1e-4)


def turned_cubes(joint: bool) -> OraclePrior:
    """Four views of a cube that is turned by nobody knows how many right angles."""
    cameras = orbit_cameras([0.0, 90.0, 180.0, 270.0], 0.0, 3.0, 45.0, 16)
    turned = [DrawnWorld(cube().turned(90 * k), 16) for k in range(4)]
    return OraclePrior([StoredViews("cube", each.latents(cameras)) for each in turned], joint=joint)


@pytest.mark.parametrize(("joint", "agreed"), [(True, True), (False, False)])
def test_joint_oracles_draw_one_world_and_single_ones_disagree(joint: bool, agreed: bool) -> None:
    """The Janus problem in its smallest form."""
    oracle, condition = turned_cubes(joint), Condition()
    choices = []
    for seed in range(8):
        noise = torch.randn(1, 4, 4, 16, 16, generator=torch.Generator().manual_seed(seed))

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            return oracle.predict(noisy, t, condition).x0

        *_, last = ddim(predict, oracle.schedule, noise, steps=12)
        end = oracle.posterior(last.x0, torch.full((1, 4), 0.05), condition)
        choices.append(end.argmax(1)[0])
    sets = torch.stack(choices)
    assert bool((sets == sets[:, :1]).all()) == agreed
    assert len(sets[:, 0].unique()) > 1  # and it is not always the same world


def test_words_choose_worlds() -> None:
    oracle = OraclePrior.of_kit()
    rows = oracle.embed_text(["a red cube", "a torus, or a sphere", "a chair", ""]).tokens[:, 0]
    assert rows.tolist() == [[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0.25] * 4, [0.25] * 4]


def test_text_decides_what_is_drawn() -> None:
    oracle = OraclePrior([DrawnWorld(world, 16) for world in (cube(), animal())])
    cameras = orbit_cameras([0.0, 0.0], 10.0, 3.0, 45.0, 16)
    noisy = torch.randn(2, 1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    text = oracle.embed_text(["cube", "animal"])
    x0, _ = oracle.predict(noisy, torch.full((2, 1), 0.99), Condition(text, cameras))
    for drawn, world in zip(x0, (cube(), animal()), strict=True):
        assert torch.allclose(drawn, DrawnWorld(world, 16).latents(cameras[0]), atol=1e-6)


def test_pictures_without_cameras_answer_view_words() -> None:
    oracle = OraclePrior.of_pictures([animal()], azimuths=4)
    fronts, sides = oracle.embed_text(["animal, front view", "animal, side view"]).tokens[:, 0]
    assert fronts.tolist() == [1, 0, 0, 0]
    assert sides.tolist() == [0, 0.5, 0, 0.5]
    noisy = torch.randn(1, 1, 4, 64, 64, generator=torch.Generator().manual_seed(1))
    text = oracle.embed_text(["animal, front view"])
    x0, _ = oracle.predict(noisy, torch.full((1, 1), 0.99), Condition(text))
    assert torch.allclose(x0[0], oracle.components[0].latents(None), atol=1e-5)


def test_worlds_want_cameras() -> None:
    with pytest.raises(ValueError, match="wants cameras"):
        OraclePrior.of_kit().predict(torch.zeros(1, 1, 4, 64, 64), T[:, :1], Condition())


def test_domains_show_normals_and_nearness_of_the_same_view() -> None:
    camera = orbit_cameras([0.0] * 3, 0.0, 3.0, 40.0, 16)
    oracle = OraclePrior([DrawnWorld(cube(), 16)])
    condition = Condition(cameras=camera, domain=torch.tensor([[COLOR, NORMAL, DEPTH]]))
    x0 = oracle.predict(torch.zeros(1, 3, 4, 16, 16), torch.full((1, 3), 0.99), condition).x0
    color, normal, depth = x0[0, :, :, 8, 8]
    assert torch.allclose(normal, torch.tensor([0.0, -1, 0, 1]), atol=1e-5)  # faces the camera
    assert torch.allclose(depth, torch.tensor([0.5, 0.5, 0.5, 1]), atol=1e-5)  # its front at -y
    assert not torch.allclose(color, normal)
    assert (x0[0, 1:, :3, 0, 0] == 0).all()


def test_depth_and_nearness_undo_each_other() -> None:
    cameras = orbit_cameras([0.0, 70.0], 20.0, 3.0, 40.0, 4)
    depth = torch.rand(2, 4, 4, 1) + 2
    assert torch.allclose(depth_of(nearness(depth, cameras), cameras), depth)
    assert nearness(torch.full((2, 4, 4, 1), 3.0), cameras).abs().max() < 1e-6


def test_known_pixels_stay_and_tell_which_world_it_is() -> None:
    camera = orbit_cameras([30.0], 10.0, 3.0, 40.0, 16)
    worlds = [DrawnWorld(cube(), 16), DrawnWorld(animal(), 16)]
    truth = worlds[1].latents(camera)[None]
    mask = torch.zeros(1, 1, 1, 16, 16)
    mask[..., :8] = 1
    condition = Condition(cameras=camera, known=KnownPixels(truth, mask))
    t = torch.full((1, 1), 0.999)
    x0 = OraclePrior(worlds).predict(torch.zeros_like(truth), t, condition).x0
    assert torch.allclose(x0, truth, atol=1e-4)


def test_an_instruction_chooses_and_its_silence_keeps_the_source() -> None:
    camera = orbit_cameras([0.0], 10.0, 3.0, 40.0, 16)
    worlds = [DrawnWorld(cube(), 16), DrawnWorld(animal(), 16)]
    oracle, noisy, t = OraclePrior(worlds), torch.zeros(1, 1, 4, 16, 16), torch.full((1, 1), 0.999)
    source = worlds[0].latents(camera)[None]
    asked = Condition(oracle.embed_text(["make it an animal"]), camera, source=source)
    silent = asked.with_text(oracle.embed_text([""]))
    kept, edited = (oracle.predict(noisy, t, each).x0 for each in (silent, asked))
    assert torch.allclose(kept, source, atol=1e-4)
    assert torch.allclose(edited[0], worlds[1].latents(camera), atol=1e-4)


def test_what_moves_is_where_its_path_leads_at_full_strength() -> None:
    rise = DrawnWorld(sphere(), 16, lambda frame: frame[:, None] * torch.tensor([[0.0, 0, 0.5]]))
    cameras = orbit_cameras([0.0] * 3, 0.0, 3.0, 60.0, 16)
    frame, motion = torch.tensor([[0.0, 1.0, 1.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    condition = Condition(cameras=cameras, frame=frame, motion=motion)
    noisy, t = torch.zeros(1, 3, 4, 16, 16), torch.full((1, 3), 0.9)
    x0 = OraclePrior([rise]).predict(noisy, t, condition).x0
    rows = (x0[0, :, 3] > 0).float().mean(-1)
    middle = (rows * torch.arange(16)).sum(1) / rows.sum(1)
    assert torch.equal(x0[0, 0], x0[0, 2])
    # 0.5 up, seen from 3 with a field of view of 60 degrees: 16 * 0.5 / (2 * 3 * tan 30) pixels.
    assert float(middle[0] - middle[1]) == pytest.approx(2.3, abs=0.4)


def test_attention_finds_the_color_that_a_word_paints() -> None:
    oracle = OraclePrior.of_kit(paints={"head": (0.35, 0.22, 0.15)})
    images = torch.full((1, 2, 2, 3), 0.5)
    images[0, 0, 0] = torch.tensor([0.35, 0.22, 0.15])
    head, other = oracle.attention(images, ["head", "tail"])[0]
    assert head[0, 0] == 1 and head.sum() < 1.3 and other.sum() < 1e-6
    assert oracle.features(images).shape == (1, 16, 16, 4)
    with pytest.raises(InputError, match="points"):
        oracle.sample_points(["a ball"], torch.zeros(1, 8, 6))
