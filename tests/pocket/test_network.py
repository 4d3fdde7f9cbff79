"""Invariances of the any-view network, and its ray maps."""

import torch

from backend.pocket.network import GIVEN, PocketConfig, PocketNetwork, ray_map
from backend.rendering.cameras import Cameras, orbit_cameras

TINY = PocketConfig(widths=(8, 16, 32), blocks=2, heads=2)


def make_network() -> PocketNetwork:
    """A network whose zero-initialized layers are filled, so that everything has an effect."""
    torch.manual_seed(0)
    network = PocketNetwork(TINY).eval()
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return network.requires_grad_(False)


def make_inputs(views: int = 4) -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(1)
    return {
        "noisy": torch.randn(2, views, 4, 64, 64, generator=g),
        "t": torch.rand(2, views, generator=g),
        "rays": torch.randn(2, views, 6, 32, 32, generator=g),
        "text": torch.randn(2, 5, 384, generator=g),
        "text_mask": torch.tensor([[True] * 5, [True] * 3 + [False] * 2]),
        "role": torch.randint(0, 2, (2, views), generator=g),
    }


def test_permuting_views_permutes_the_output() -> None:
    network, inputs, order = make_network(), make_inputs(), [2, 0, 3, 1]
    permuted = {
        name: value if name.startswith("text") else value[:, order]
        for name, value in inputs.items()
    }
    torch.testing.assert_close(
        network(**permuted), network(**inputs)[:, order], atol=1e-5, rtol=1e-4
    )


def test_views_see_each_other_and_sets_do_not() -> None:
    network, inputs = make_network(), make_inputs()
    before = network(**inputs)
    inputs["noisy"] = inputs["noisy"].clone()
    inputs["noisy"][0, 0] += 1
    change = (network(**inputs) - before).abs().amax((2, 3, 4))
    assert (change[0] > 1e-6).all() and (change[1] < 1e-6).all()


def test_every_condition_has_an_effect() -> None:
    network, inputs = make_network(), make_inputs(1)
    before = network(**inputs)
    views = torch.ones(2, 1)
    for name, value in {
        "t": inputs["t"] / 2, "rays": None, "text": inputs["text"] * 0.5,
        "role": torch.full((2, 1), 3), "domain": views.long(), "alpha_known": views == 0,
        "camera_known": views == 0, "frame": views * 0.5, "motion": views,
        "known": torch.ones(2, 1, 5, 64, 64),
    }.items():  # fmt: skip
        assert not torch.allclose(network(**inputs | {name: value}), before, atol=1e-6), name


def test_padding_of_text_is_ignored() -> None:
    network, inputs = make_network(), make_inputs()
    before = network(**inputs)[1]
    inputs["text"] = inputs["text"].clone()
    inputs["text"][1, 3:] = 7.0
    torch.testing.assert_close(network(**inputs)[1], before, atol=1e-5, rtol=1e-5)


def test_without_text_and_without_cameras() -> None:
    inputs = make_inputs(1) | {"rays": None, "text_mask": torch.zeros(2, 5, dtype=torch.bool)}
    assert network_is_finite(inputs)


def network_is_finite(inputs: dict[str, torch.Tensor]) -> bool:
    found = make_network()(**inputs)
    return found.shape == inputs["noisy"].shape and bool(found.isfinite().all())


def test_the_role_says_that_a_view_is_given() -> None:
    network, inputs = make_network(), make_inputs()
    inputs["role"] = torch.zeros(2, 4, dtype=torch.long)
    plain = network(**inputs)
    inputs["role"][:, 0] = GIVEN
    assert not torch.allclose(network(**inputs)[:, 1:], plain[:, 1:], atol=1e-6)


def test_the_shipped_size() -> None:
    count = sum(parameter.numel() for parameter in PocketNetwork().parameters())
    # In half precision, with 4 of the 25 MB left for the network of points.
    assert 8e6 < count < 10.5e6


def test_ray_map_is_direction_and_nearest_point() -> None:
    cameras = orbit_cameras([0.0, 130.0], [0.0, 40.0], 3.0, 40.0, 64)
    flat = Cameras(cameras.c2w, cameras.fov_degrees, 64, 64, torch.tensor([0.0, 2.0]))
    rays = ray_map(flat)
    assert rays.shape == (2, 6, 32, 32)
    direction, nearest = rays[:, :3], rays[:, 3:]
    torch.testing.assert_close(direction.norm(dim=1), torch.ones(2, 32, 32))
    assert (direction * nearest).sum(1).abs().max() < 1e-5
    assert nearest.norm(dim=1).amin() < 0.06
    parallel = direction[1].flatten(1)
    torch.testing.assert_close(parallel, parallel[:, :1].expand_as(parallel))
