"""Who watches which job, and how far each has been told."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from backend.service.jobs import JobStore
from protocol.errors import DistilleryError
from protocol.messages import Event

BATCH = 50  # events read at once for one watcher
FORGET_SECONDS = 120.0  # after the last word of a client


@dataclass
class _Watcher:
    client: bytes
    job: str
    next: int
    heard: float


class Watchers:
    """Tells every watcher the events it has not had. ``send`` gives False where the client takes
    no more now; it is told the rest later."""

    def __init__(
        self,
        store: JobStore,
        send: Callable[[bytes, Event], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._send = send
        self._clock = clock
        self._watchers: dict[tuple[bytes, str], _Watcher] = {}

    def add(self, client: bytes, job: str, since: int) -> None:
        """Tell ``client`` the events of ``job`` from number ``since`` on."""
        self._watchers[client, job] = _Watcher(client, job, since, self._clock())

    def remove(self, client: bytes, job: str) -> None:
        """Tell it no more."""
        self._watchers.pop((client, job), None)

    def hear(self, client: bytes) -> None:
        """The client gave a sign of life."""
        for watcher in self._watchers.values():
            if watcher.client == client:
                watcher.heard = self._clock()

    def tick(self) -> bool:
        """Tell what is new; True where there is more to tell at once."""
        limit = self._clock() - FORGET_SECONDS
        for key, watcher in list(self._watchers.items()):
            if watcher.heard < limit:
                del self._watchers[key]
        more = [self._tell(watcher) for watcher in list(self._watchers.values())]
        return any(more)

    def _tell(self, watcher: _Watcher) -> bool:
        try:
            if self._store.find(watcher.job).events <= watcher.next:
                return False
        except DistilleryError:  # deleted
            self.remove(watcher.client, watcher.job)
            return False
        events = self._store.events(watcher.job, watcher.next, BATCH)
        for event in events:
            if not self._send(watcher.client, event):
                return False
            watcher.next = event.number + 1
        return len(events) == BATCH
