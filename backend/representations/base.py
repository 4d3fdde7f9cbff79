"""What every 3D representation can do."""

from collections.abc import Set
from typing import Literal, Protocol

from torch import Tensor
from torch.nn import Parameter

from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.shading import Shading
from protocol.assets import Mesh

Want = Literal["color", "alpha", "depth", "normals", "coords", "samples"]


class Representation(Protocol):
    """A thing in the unit ball that renders and has parameters.

    ``parameter_groups`` names the groups ("grid", "background" …); rates belong to the recipe.
    ``state`` and ``load_state`` carry all that training changes, as flat tensors by name.
    """

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
    ) -> Buffers:
        """Draw the views.

        ``shading``: None draws albedo. ``background``: (3,) or (views, height, width, 3) in
        [0, 1], None the representation's own (learned) background, or black where it has none.
        ``jitter``: uniform numbers in [0, 1), (views, height, width), that shift the samples along
        each ray; None samples at the middle of each interval (deterministic).
        """
        ...

    def parameter_groups(self) -> dict[str, list[Parameter]]: ...

    def state(self) -> dict[str, Tensor]: ...

    def load_state(self, state: dict[str, Tensor]) -> None: ...

    def to_mesh(self, resolution: int, texture_size: int, faces: int) -> Mesh:
        """A closed, textured mesh of at most ``faces`` triangles."""
        ...

    def preview_mesh(self) -> Mesh:
        """A coarse mesh with vertex colors, quickly, to watch the shape grow."""
        ...
