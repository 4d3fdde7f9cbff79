"""A session with one backend: what it offers, the jobs of this user, results on their way."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Literal

import msgspec

from ...protocol.assets import Asset
from ...protocol.client import Client
from ...protocol.errors import Problem
from ...protocol.link import LinkState
from ...protocol.messages import Description, Event, JobInfo, JobSpec, RecipeInfo
from .jobs import Job, Placement

SUPPLIED_INPUTS = {"prompt", "negative_prompt", "image", "mesh", "region", "handles"}


class Session:
    """Wraps a :class:`Client`: describes the backend, follows jobs, collects results.

    ``revision`` grows with every change worth a redraw. ``ready`` holds results that wait to be
    placed, oldest first. ``problem`` is the last request's error, None after a good one.
    ``placements``, by job, are there while a result is to be placed by itself; they outlive the
    session, so that a result is placed whose backend came back at another address.
    """

    def __init__(
        self, client: Client, client_id: str, placements: dict[str, Placement]
    ) -> None:
        self.placements = placements
        self.client = client
        self.client_id = client_id
        self.description: Description | None = None
        self.jobs: dict[str, Job] = {}
        self.ready: deque[tuple[Job, Asset]] = deque()
        self.problem: Problem | None = None
        self.sending = 0
        self.revision = 0
        self._known_state: LinkState = "offline"

    @property
    def state(self) -> LinkState:
        """Whether the backend answers."""
        return self.client.state

    def pump(self, budget_seconds: float = 0.01) -> bool:
        """Move messages for about the budget; True where more work is waiting."""
        more = self.client.pump(budget_seconds)
        if self.client.state != self._known_state:
            self._known_state = self.client.state
            self._changed()
            if self.client.state == "online":
                self.client.describe(self._take_description, self._take_problem)
                self.client.list_jobs(self._take_jobs, self._take_problem, client=self.client_id)
        return more

    def recipes(self) -> tuple[RecipeInfo, ...]:
        """The recipes whose inputs this add-on can give."""
        offered = self.description.recipes if self.description else ()
        return tuple(recipe for recipe in offered
                     if SUPPLIED_INPUTS.issuperset(set(recipe.inputs) - set(recipe.optional)))

    def newest_jobs(self) -> list[Job]:
        """The jobs, newest first."""
        return sorted(self.jobs.values(), key=lambda job: job.created, reverse=True)

    def running_jobs(self) -> list[Job]:
        """The jobs that have not ended, newest first."""
        return [job for job in self.newest_jobs() if not job.ended]

    def busy(self) -> bool:
        """True while something is expected of the backend."""
        waiting = any(not job.ended or job.fetched is not None for job in self.jobs.values())
        return bool(waiting or self.sending or self.ready)

    def submit(
        self,
        spec: JobSpec,
        placement: Placement | None,
        on_accepted: Callable[[Job], None] = lambda job: None,
        inputs: Mapping[str, Asset] = MappingProxyType({}),
    ) -> None:
        """Order a job with ``inputs``, which are not to change meanwhile; its result goes to
        ``placement``, or waits to be fetched where None."""
        self.sending += 1
        self.problem = None
        ordered = msgspec.structs.replace(spec, client=self.client_id)
        self.client.submit(
            ordered, dict(inputs), partial(self._take_accepted, placement, on_accepted),
            self._take_refusal,
        )
        self._changed()

    def retry(self, job: Job) -> None:
        """Submit a failed job again with its fix's options (or preset) laid over its own."""
        fix = job.problem.fix if job.problem else None
        changes = dict(fix.options) if fix else {}
        preset = changes.pop("preset", job.spec.preset)
        spec = msgspec.structs.replace(
            job.spec, preset=preset, options={**job.spec.options, **changes}
        )
        self.submit(spec, self.placements.get(job.id, Placement()))

    def cancel(self, job: Job) -> None:
        """Ask the backend to stop a job."""
        self.client.control(job.id, "cancel", lambda info: None, self._take_problem)

    def pause(self, job: Job) -> None:
        """Ask the backend to hold a job, or to go on with one that is held."""
        action: Literal["pause", "resume"] = "resume" if job.state == "paused" else "pause"
        self.client.control(job.id, action, lambda info: None, self._take_problem)

    def delete(self, job: Job) -> None:
        """Remove a job and its result from the backend and the list."""
        self.client.control(
            job.id, "delete", lambda info: self._forget(info.id), self._take_problem
        )

    def fetch(self, job: Job, placement: Placement) -> None:
        """Bring a finished job's result, to be placed when it is there."""
        self.placements[job.id] = placement
        job.fetched, job.problem = 0.0, None
        self.client.fetch_result(
            job.id,
            partial(self._take_asset, job),
            partial(self._take_job_problem, job),
            partial(self._take_fraction, job),
        )
        self._changed()

    def close(self) -> None:
        """End the connection; jobs run on in the backend."""
        self.client.close()

    def _changed(self) -> None:
        self.revision += 1

    def _take_description(self, description: Description) -> None:
        self.description = description
        self._changed()

    def _take_jobs(self, infos: tuple[JobInfo, ...]) -> None:
        for info in infos:
            self._take_info(info)

    def _take_accepted(
        self, placement: Placement | None, on_accepted: Callable[[Job], None], info: JobInfo
    ) -> None:
        self.sending -= 1
        if placement is not None:
            self.placements[info.id] = placement
        on_accepted(self._take_info(info))

    def _take_info(self, info: JobInfo) -> Job:
        """Add a row, and follow it if it has not ended. A row that is there goes by its events:
        an answer may be older than they are."""
        job = self.jobs.get(info.id)
        if job is None:
            job = self.jobs[info.id] = Job.from_info(info)
            if not job.ended:
                self._follow(job)
            self._fetch_if_wanted(job)
            self._changed()
        return job

    def _follow(self, job: Job) -> None:
        self.client.watch(
            job.id,
            partial(self._take_event, job),
            partial(self._take_preview, job),
            partial(self._take_job_problem, job),
        )

    def _take_event(self, job: Job, event: Event) -> None:
        job.take_event(event)
        if job.ended:
            job.drop_preview()
        self._fetch_if_wanted(job)
        self._changed()

    def _fetch_if_wanted(self, job: Job) -> None:
        placement = self.placements.get(job.id)
        if job.state == "done" and placement is not None and job.fetched is None:
            self.fetch(job, placement)

    def _take_preview(self, job: Job, preview: Asset) -> None:
        if not job.ended:
            job.take_preview(preview)
            self._changed()

    def _take_fraction(self, job: Job, fraction: float) -> None:
        job.fetched = fraction
        self._changed()

    def _take_asset(self, job: Job, asset: Asset) -> None:
        job.fetched = None
        self.ready.append((job, asset))
        self._changed()

    def _take_job_problem(self, job: Job, problem: Problem) -> None:
        job.problem, job.fetched = problem, None
        self._changed()

    def _take_refusal(self, problem: Problem) -> None:
        self.sending -= 1
        self._take_problem(problem)

    def _take_problem(self, problem: Problem) -> None:
        self.problem = problem
        self._changed()

    def _forget(self, job_id: str) -> None:
        self.jobs.pop(job_id, None)
        self.placements.pop(job_id, None)
        self._changed()
