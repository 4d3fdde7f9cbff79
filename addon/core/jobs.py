"""Jobs as the panel shows them: where each stands, what it looks like, what went wrong."""

from dataclasses import asdict, dataclass

from ...protocol.assets import Asset, Image, Mesh, Provenance
from ...protocol.errors import Problem
from ...protocol.messages import FINAL, Event, JobInfo, JobSpec, JobState

IDENTITY = tuple(float(row == column) for row in range(4) for column in range(4))


@dataclass(frozen=True)
class Placement:
    """Where a result goes: longest side in meters, the point under its middle, the scene's name.

    What belongs to an object goes there instead: ``uid`` is that object's number while this file
    is open, ``matrix`` (16, rows first) says where it stood, should it be gone by then.
    ``frames``: the first and last frame of a motion, or a last of 0 where it keeps its own speed.
    """

    size_meters: float = 1.0
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scene: str = ""
    frames: tuple[int, int] = (1, 0)
    uid: int = 0
    matrix: tuple[float, ...] = IDENTITY


@dataclass(frozen=True)
class Target:
    """The object that a job works on: ``id`` is a custom property of it, ``to_object`` (16, rows
    first) leads from the unit ball to its own space.

    It travels with the order, as what the input ``mesh`` says of its origin, so that a result
    finds its object after Blender was closed and opened again.
    """

    id: str
    task: str
    to_object: tuple[float, ...]

    def origin(self) -> Provenance:
        """What the input ``mesh`` says of itself."""
        return Provenance(recipe="", options=asdict(self))

    @classmethod
    def of(cls, spec: JobSpec) -> "Target | None":
        """The target of an order, None where it has none (or not one of this add-on)."""
        told = spec.inputs.get("mesh", {}).get("provenance", {}).get("options", {})
        try:
            target = cls(str(told["id"]), str(told["task"]), tuple(map(float, told["to_object"])))
        except (KeyError, TypeError, ValueError):
            return None
        return target if len(target.to_object) == 16 else None


@dataclass
class Job:
    """One row of the panel.

    ``picture`` and ``shape`` are the newest preview; ``previews`` counts them, so that a drawing
    knows when it is old. ``fetched`` is the fraction of the result that has arrived. ``note`` is
    what is worth saying of a result that was placed.
    """

    id: str
    spec: JobSpec
    state: JobState
    created: float
    stage: str = ""
    message: str = ""
    fraction: float = 0.0
    seconds_left: float | None = None
    loss: float | None = None
    problem: Problem | None = None
    picture: Image | None = None
    shape: Mesh | None = None
    previews: int = 0
    fetched: float | None = None
    note: str = ""

    @classmethod
    def from_info(cls, info: JobInfo) -> "Job":
        """The row of a job that the backend has told of."""
        return cls(id=info.id, spec=info.spec, state=info.state, created=info.created,
                   stage=info.stage, fraction=info.fraction, problem=info.problem)

    @property
    def ended(self) -> bool:
        """True where nothing more will come of it."""
        return self.state in FINAL

    @property
    def title(self) -> str:
        """What the user knows it by."""
        return self.spec.prompt or self.spec.recipe

    def take_event(self, event: Event) -> None:
        """Note what an event tells."""
        self.state = event.state
        if event.problem is not None:
            self.problem = event.problem
        progress = event.progress
        if progress is not None:
            self.stage, self.message = progress.stage, progress.message
            self.fraction, self.seconds_left = progress.fraction, progress.seconds_left
            self.loss = progress.loss if progress.loss is not None else self.loss

    def take_preview(self, preview: Asset) -> None:
        """Keep the newest picture and shape."""
        self.picture = preview.contact_sheet or self.picture
        self.shape = preview.mesh or self.shape
        self.previews += 1

    def drop_preview(self) -> None:
        """Forget picture and shape."""
        self.picture = self.shape = None
        self.previews += 1


def status_line(job: Job) -> str:
    """One line on where a job stands: ``fit · 43 % · 12 s left``."""
    if job.fetched is not None:
        return f"Receiving the result · {job.fetched:.0%}".replace("%", " %")
    if job.state != "running":
        return job.state.capitalize()
    parts = [job.stage or "Starting", f"{100 * job.fraction:.0f} %"]
    if job.seconds_left is not None:
        parts.append(f"{readable_seconds(job.seconds_left)} left")
    return " · ".join(parts)


def readable_seconds(seconds: float) -> str:
    """``12 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
