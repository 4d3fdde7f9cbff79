"""What a running recipe says of itself between two steps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.assets import Asset


@dataclass(frozen=True)
class Progress:
    """One step done: ``step`` of ``steps``. ``stage``, its name, and ``fraction``, how much of the
    whole job is done in [0, 1], are filled in by the studio.

    ``losses``: by name. ``preview`` makes a picture (``contact_sheet``) and perhaps a coarse mesh
    when called; it is called only when somebody wants to look, and between two steps.
    """

    step: int
    steps: int
    stage: str = ""
    fraction: float = 0.0
    message: str = ""
    losses: dict[str, float] = field(default_factory=dict)
    preview: Callable[[], Asset] | None = None
