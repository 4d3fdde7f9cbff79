"""What server and worker processes say to each other over their pipe."""

from typing import Any, Literal

import msgspec

from protocol.errors import Problem
from protocol.messages import JobSpec, Progress

Data = dict[str, Any]


class Order(msgspec.Struct, frozen=True, kw_only=True, tag="order"):
    """Server to worker: run this job."""

    job: str
    spec: JobSpec


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag="stop"):
    """Server to worker: stop the job; a paused one keeps a checkpoint."""

    job: str
    how: Literal["cancel", "pause"]


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """Worker to server: send me a job. ``capabilities``: to the prior that answers each here."""

    capabilities: dict[str, str] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """Worker to server: how far the job is."""

    job: str
    progress: Progress
    preview: Data | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """Worker to server: the job's result; its arrays lie in the blob store."""

    job: str
    asset: Data


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag="stopped"):
    """Worker to server: the job was stopped as asked."""

    job: str
    how: Literal["cancel", "pause"]


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """Worker to server: the job cannot be done."""

    job: str
    problem: Problem


FromServer = Order | Stop
FromWorker = Ready | Step | Done | Stopped | Failed
