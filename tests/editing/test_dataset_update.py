"""Instruct-NeRF2NeRF's loop: order, count, what the editor is shown, and that it converges."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from backend.distillation.loop import State
from backend.editing.dataset_update import DatasetUpdate, Editing, ViewStore
from backend.rendering.cameras import Cameras, orbit_cameras
from backend.representations.volume import grid_volume

VIEWS, SIDE = 6, 4
CAMERAS = orbit_cameras([60.0 * view for view in range(VIEWS)], 10.0, 3.0, 40.0, SIDE)
RED = torch.tensor([1.0, 0.0, 0.0])


@dataclass
class Model:
    """The simplest thing with views: one color, seen from everywhere."""

    color: Tensor = field(default_factory=lambda: torch.tensor([0.2, 0.4, 0.6]))

    def render(self, cameras: Cameras) -> Tensor:
        return self.color.expand(len(cameras), SIDE, SIDE, 3)

    def fit(self, pictures: Tensor) -> None:
        self.color = self.color + 0.3 * (pictures.mean((0, 1, 2)) - self.color)


@dataclass
class Halfway:
    """Half of what is there, half red; and, with ``quirk``, its own mind about each picture."""

    quirk: float = 0.0
    seen: list[tuple[Tensor, Tensor, Tensor, Cameras, int]] = field(default_factory=list)

    def __call__(
        self, current: Tensor, originals: Tensor, places: Tensor, cameras: Cameras, number: int
    ) -> Tensor:
        self.seen.append((current, originals, places, cameras, number))
        noise = torch.randn(current.shape, generator=torch.Generator().manual_seed(number))
        return current / 2 + RED / 2 + self.quirk * noise.mean((1, 2), keepdim=True)


def run(steps: int, every: int, edit: Halfway, model: Model, store: ViewStore) -> None:
    update = DatasetUpdate(store, model.render, edit, every=every)
    for step in range(steps):
        model.fit(store.pictures)
        update.after_step(step)


def fresh() -> tuple[Model, ViewStore]:
    model = Model()
    return model, ViewStore.of(CAMERAS, model.render(CAMERAS).clone())


def test_pictures_are_taken_in_order_and_around_again() -> None:
    model, store = fresh()
    edit = Halfway()
    run(85, 10, edit, model, store)
    assert [number for *_, number in edit.seen] == list(range(8))
    positions = torch.cat([cameras.positions for *_, cameras, _ in edit.seen])
    assert torch.equal(positions, CAMERAS.positions[[0, 1, 2, 3, 4, 5, 0, 1]])


def test_the_editor_sees_the_render_of_now_and_the_picture_of_before() -> None:
    model, store = fresh()
    before, edit = store.originals.clone(), Halfway()
    run(40, 2, edit, model, store)
    assert all(torch.equal(originals[0], before[0]) for _, originals, *_ in edit.seen)
    assert torch.equal(store.originals, before)
    reds = torch.stack([current[0, 0, 0, 0] for current, *_ in edit.seen])
    assert (reds.diff()[1:] > 0).all()  # each render is redder than the one before


def test_the_thing_comes_to_where_edits_change_nothing() -> None:
    model, store = fresh()
    errors = []
    for _ in range(6):
        run(10 * VIEWS, 10, Halfway(), model, store)
        errors.append(float((store.pictures - RED).abs().max()))
    ratios = torch.tensor(errors[1:]) / torch.tensor(errors[:-1])
    assert (ratios < 0.6).all() and errors[-1] < 0.02  # halved, or better, each time around


def test_editing_once_leaves_the_pictures_at_odds() -> None:
    """Editors that disagree: interleaved, the fit pulls them together; at once, they stay apart."""
    model, store = fresh()
    edit = Halfway(quirk=0.02)
    once = torch.cat(
        [
            edit(picture[None], picture[None], store.places[:1], CAMERAS, n)
            for n, picture in enumerate(store.pictures)
        ]
    )
    run(10 * VIEWS * 8, 10, edit, model, store)
    assert (model.color - RED).norm() < 0.2 * (once.mean((0, 1, 2)) - RED).norm()


def test_several_pictures_may_be_edited_at_once() -> None:
    model, store = fresh()
    store.places = torch.arange(VIEWS)[:, None, None].expand(VIEWS, SIDE, SIDE).float()
    edit = Halfway()
    DatasetUpdate(store, model.render, edit, count=4).update()
    DatasetUpdate(store, model.render, edit, count=4).update()
    assert torch.equal(edit.seen[1][3].positions, CAMERAS.positions[[4, 5, 0, 1]])
    assert torch.equal(edit.seen[1][2], store.places[[4, 5, 0, 1]])
    assert store.edits == 2


@pytest.mark.parametrize("stop", [7, 20])
def test_a_checkpoint_goes_on_bitwise(stop: int) -> None:
    model, store = fresh()
    run(stop, 5, Halfway(0.1), model, store)
    kept, color = store.state(), model.color
    expected = store.pictures.clone()
    again = ViewStore.of(CAMERAS, store.originals)
    again.load_state(kept)
    assert torch.equal(again.pictures, expected) and again.edits == store.edits
    run(5, 5, Halfway(0.1), Model(color), again)
    run(5, 5, Halfway(0.1), model, store)
    assert torch.equal(again.pictures, store.pictures)
    assert not torch.equal(again.pictures, expected)


def test_the_thing_and_its_pictures_are_kept_together() -> None:
    _, store = fresh()
    thing = State.create(grid_volume(16), {"grid": 0.1})
    kept = Editing(thing, store).state()
    store.pictures += 1
    thing.step = 3
    other = Editing(State.create(grid_volume(16), {"grid": 0.1}), fresh()[1])
    other.load_state(kept)
    assert other.state_of_thing.step == 0
    assert torch.equal(other.store.pictures, store.originals)
