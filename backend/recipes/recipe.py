"""What a recipe is, and what it is asked to work on."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from backend.priors.base import Capability
from backend.recipes.options import describe_options
from backend.studio import Progress, Studio
from protocol.assets import Asset, Handles, Mesh
from protocol.errors import InputError
from protocol.messages import RecipeInfo

NOTHING = Asset("")

Run = Callable[["Inputs", Any, Studio], Generator[Progress, None, Asset]]


@dataclass(frozen=True)
class Inputs:
    """What a recipe is asked to work on. Assets by name: image, mesh … (recipes that take them)."""

    prompt: str = ""
    negative_prompt: str = ""
    assets: dict[str, Asset] = field(default_factory=dict)

    @property
    def mesh(self) -> Mesh:
        """That of the input ``mesh``. Raises :class:`InputError` where there is none."""
        found = self.assets.get("mesh", NOTHING).mesh
        if found is None:
            raise InputError("mesh_missing", "There is no mesh to work on.", "Choose an object.")
        return found

    @property
    def handles(self) -> Handles:
        """Those of the input ``handles``. Raises :class:`InputError` where there are none."""
        found = self.assets.get("handles", NOTHING).handles
        if found is None:
            raise InputError(
                "handles_missing", "There are no handles to pull.",
                "Choose a vertex group of handles with their empties, and anchors.",
            )
        return found


@dataclass(frozen=True)
class Recipe:
    """A system of the literature. ``presets``: option values by preset name, ``draft`` first.
    ``stages``: in order, with their usual seconds in a draft (what the fraction done is told by).
    ``optional``: those of ``inputs`` that it can do without. ``may_use``: further capabilities,
    which only some inputs or options need.
    """

    id: str
    title: str
    task: str
    summary: str
    citation: str
    capabilities: tuple[Capability, ...]
    inputs: tuple[str, ...]
    options: type
    presets: dict[str, dict[str, Any]]
    stages: dict[str, float]
    run: Run
    optional: tuple[str, ...] = ()
    may_use: tuple[Capability, ...] = ()
    version: int = 1

    def describe(self) -> RecipeInfo:
        """What the wire says of it."""
        return RecipeInfo(
            id=self.id, title=self.title, task=self.task, summary=self.summary,  # type: ignore[arg-type]
            citation=self.citation, capabilities=self.capabilities, inputs=self.inputs,
            options=describe_options(self.options), presets=self.presets,
            optional=self.optional, version=self.version,
        )
