"""Forward fields in time: still at first, continuous, extendable, closing."""

import pytest
import torch
from torch import Tensor

from backend.deformation.motion import STRIDE, ForwardField, Timeline, envelope


def timeline(clips: int = 1, loop: bool = False) -> Timeline:
    """Whose fields say something."""
    generator = torch.Generator().manual_seed(3)
    made = Timeline(clips, loop, 16, generator)
    for field in made.fields:
        field.last.weight.data = 0.3 * torch.randn(3, 16, generator=generator)
    return made


@pytest.fixture
def points() -> Tensor:
    return torch.rand(40, 3, generator=torch.Generator().manual_seed(1)) - 0.5


def test_the_envelope_is_a_power_of_time() -> None:
    found = envelope(torch.tensor([-1.0, 0.0, 0.01, 0.1, 0.5, 1.0, 2.0]))
    wanted = torch.tensor([0.0, 0.0, 0.19953, 0.44668, 0.78458, 1.0, 1.0])
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_new_field_moves_nothing_and_can_learn(points: Tensor) -> None:
    field = ForwardField(16, torch.Generator().manual_seed(0))
    offsets = field(points, torch.tensor([0.2, 0.9]))
    assert offsets.shape == (2, 40, 3) and not offsets.any()
    (offsets - 1).square().sum().backward()
    assert field.last.weight.grad.any()


@pytest.mark.parametrize("clips", [1, 3])
@pytest.mark.parametrize("loop", [False, True])
def test_the_first_frame_keeps_all_bits(clips: int, loop: bool, points: Tensor) -> None:
    points[0] = torch.tensor([-0.0, 0.0, 1e-30])
    baked = timeline(clips, loop).bake(points, 9)
    assert torch.equal(baked[0].view(torch.int32), points.view(torch.int32))
    assert not torch.equal(baked[4], points)


def test_a_loop_ends_where_it_began(points: Tensor) -> None:
    looped, open_ended = (timeline(2, loop).bake(points, 7) for loop in (True, False))
    assert torch.equal(looped[-1], looped[0])
    assert (open_ended[-1] - open_ended[0]).abs().max() > 0.01
    assert torch.equal(looped[:5], open_ended[:5])  # it fades only in the last quarter of a clip


def test_a_clip_goes_on_from_the_middle_of_the_one_before(points: Tensor) -> None:
    made = timeline(3)
    starts = torch.tensor([STRIDE, 2 * STRIDE])
    assert made.duration == 2
    before = made.offsets(points, starts, clips=1)[0]
    assert torch.equal(made.clip(points, starts[:1], 1)[0], made.clip(points, starts[:1], 0)[0])
    assert torch.equal(made.offsets(points, starts)[0], before)
    # Where the first has ended, only the second counts.
    one = torch.tensor([1.0])
    assert torch.allclose(made.offsets(points, one, clips=2), made.clip(points, one, 1), atol=1e-6)


def test_motion_is_continuous_all_along(points: Tensor) -> None:
    times = torch.linspace(0.05, 2, 4000)
    with torch.no_grad():
        way = timeline(3, loop=True).offsets(points[:4], times)
    assert way.diff(dim=0).norm(dim=-1).max() < 0.01


def test_in_the_overlap_clips_are_blended_evenly(points: Tensor) -> None:
    made, times = timeline(2), torch.tensor([0.5, 0.625, 0.75, 1.0])
    first, second = made.clip(points, times, 0), made.clip(points, times, 1)
    chi = torch.tensor([0.0, 0.25, 0.5, 1.0])[:, None, None]
    assert torch.allclose(made.offsets(points, times), (1 - chi) * first + chi * second, atol=1e-6)


def test_only_the_last_clip_learns(points: Tensor) -> None:
    made, times = timeline(3), torch.tensor([0.6, 0.9])
    offsets = made.offsets(points, times, clips=2)
    (offsets.sum() + made.interpolation(points, times, offsets, 1)).backward()
    learns = [field.last.weight.grad is not None for field in made.fields]
    assert learns == [False, True, False]


def test_interpolation_is_charged_in_the_overlap_alone(points: Tensor) -> None:
    made, times = timeline(2), torch.tensor([0.5, 0.75, 1.0, 1.2])
    offsets = made.offsets(points, times)
    apart = made.clip(points, times, 0)[1] - offsets[1]
    found = made.interpolation(points, times, offsets, 1)
    wanted = float(apart.detach().square().sum(-1).mean() / 4)
    assert float(found.detach()) == pytest.approx(wanted, rel=1e-5)


def test_a_timeline_comes_back_from_its_state(points: Tensor) -> None:
    made, other = timeline(2), Timeline(2, False, 16, torch.Generator().manual_seed(9))
    assert list(made.parameter_groups()) == ["clip 0", "clip 1"]
    other.load_state(made.state())
    times = torch.tensor([0.3, 1.2])
    assert torch.equal(other.offsets(points, times), made.offsets(points, times))
