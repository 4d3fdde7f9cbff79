"""Drawing ahead, in a process of its own."""

import multiprocessing
from queue import Empty
from typing import Generic, Protocol, TypeVar

Drawn = TypeVar("Drawn", covariant=True)
SHARE_SEED = 7_919_000_003
"""What the seeds of shares are apart."""


def share_seed(seed: int, share: int) -> int:
    """From which that share of every step is drawn."""
    return seed + share * SHARE_SEED


class Drawer(Protocol[Drawn]):
    """What draws a share of the batch of a step; picklable."""

    def draw(self, seed: int, step: int, share: int) -> Drawn: ...


def _draw_forever(
    queue: "multiprocessing.Queue[tuple[int, Drawn]]", drawer: Drawer[Drawn], seed: int, step: int,
    share: int,
) -> None:
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        queue.put((step, drawer.draw(seed, step, share)))
        step += 1


class Prefetcher(Generic[Drawn]):
    """Draws the batches of successive steps in a process of its own."""

    def __init__(
        self, drawer: Drawer[Drawn], seed: int, step: int, share: int = 0, depth: int = 12
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self.queue = context.Queue(depth)
        self.process = context.Process(
            target=_draw_forever, args=(self.queue, drawer, seed, step, share), daemon=True
        )
        self.process.start()

    def get(self, step: int) -> Drawn:
        """The batch of `step`; they come in order. Raises RuntimeError where the drawer died."""
        while True:
            try:
                found, batch = self.queue.get(timeout=20)
                break
            except Empty:
                if not self.process.is_alive():
                    raise RuntimeError("the process that draws training samples ended") from None
        if found != step:
            raise RuntimeError(f"training samples out of order: {found}, not {step}")
        return batch

    def close(self) -> None:
        """End it."""
        self.process.terminate()
