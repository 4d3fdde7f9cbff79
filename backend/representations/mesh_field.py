"""The mesh-based neural field of DreamEditor (Zhuang et al., SIGGRAPH Asia 2023, section 4.1).

Color, geometry and position are kept apart on the vertices of a mesh, so that an edit is a choice
of vertices. A point in a thin shell takes blended features of the nearest ones and its signed
height over them; two small networks make a signed distance and a color of these, and rays are
rendered through the shell as in NeuS. Smaller than the paper's networks, to run on a CPU, and
without a view direction, since a base color has none.
"""

from collections.abc import Callable, Set
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import normalize

from backend.meshing.subdivide import Subdivision, subdivide
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.neus import neus_weights
from backend.rendering.shading import Shading, shade
from backend.rendering.shell import Shell, ShellSamples, blend_vertices, find_rows, walk_shell
from backend.rendering.volume import BallRays, rays_through_ball, to_image
from backend.representations.base import Want
from backend.representations.mesh import smooth_normals
from protocol.assets import Attribute, Mesh

FEATURES = 8
HIDDEN = 32
OCTAVES = 3
THICKNESS = 0.05
"""The paper's: points farther from the mesh are empty."""

PLACES = 40
VISIBLE = 1e-3
INVERSE_DEVIATION = 120.0
REFRESH_STEPS = 100
IMAGES = ("color", "alpha", "depth", "normals", "coords")


class MeshField(nn.Module):
    """Of a mesh in the unit ball with colors (n, 3) at the vertices of its ``subdivision``.

    Parameter groups: "color" and "geometry" features (n, 8), "offsets" of the vertices (n, 3) —
    what an edit may change, row by row — and "networks", which only distillation trains.
    """

    base: Tensor
    anchors: Tensor
    learning: Tensor | None = None
    """Which vertices (n,) an edit may change; None for all. Rays that pass none of them are
    rendered without gradients: of a part of a thing, a step costs a quarter less."""

    def __init__(self, subdivision: Subdivision, colors: Tensor) -> None:
        super().__init__()
        self.subdivision = subdivision
        self.faces = torch.from_numpy(subdivision.faces)
        base = torch.from_numpy(subdivision.positions)
        count = len(base)
        self.register_buffer("base", base)
        self.register_buffer("anchors", base.clone())
        logits = colors.clamp(0.02, 0.98).logit()
        self.color = Parameter(torch.cat([logits, torch.zeros(count, FEATURES - 3)], 1))
        self.geometry = Parameter(torch.zeros(count, FEATURES))
        self.offsets = Parameter(torch.zeros(count, 3))
        self.networks = nn.ModuleDict({"color": _network(3), "geometry": _network(1)})
        self.shell = Shell.around(base, THICKNESS)

    @property
    def positions(self) -> Tensor:
        """Where the vertices are now, (n, 3)."""
        return self.base + self.offsets

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
    ) -> Buffers:
        """See :class:`backend.representations.base.Representation`. Normals are the blended ones
        of the vertices."""
        rays = rays_through_ball(cameras)
        step = THICKNESS / 4
        if jitter is not None:
            shift = jitter.reshape(-1)[rays.pixels] - 0.5
            rays = replace(rays, enter=rays.enter + shift * step)
        samples = walk_shell(self.shell, rays, step, PLACES)
        parts = [
            (rays.pixels[part], self._render_rays(rays[part], samples.of(part), shading, learns))
            for part, learns in self._by_learning(samples.rows)
        ]
        pixels = torch.cat([found for found, _ in parts])
        images = {
            name: to_image(torch.cat([values[name] for _, values in parts]), pixels, cameras)
            for name in IMAGES if name in want or name == "alpha"
        }
        if "color" in images and background is not None:
            images["color"] = images["color"] + (1 - images["alpha"]) * background
        return Buffers(**images)

    def _by_learning(self, rows: Tensor) -> list[tuple[Tensor, bool]]:
        """Which rays (by index), standing in ``rows`` (rays, places) of the shell, have something
        to learn: those that pass a vertex that does."""
        if self.learning is None or not torch.is_grad_enabled():
            return [(torch.arange(len(rows)), torch.is_grad_enabled())]
        near = self.learning[self.shell.near].any(1)
        # Row -1, outside the shell, has no vertex.
        learns = torch.cat([near, near.new_zeros(1)])[rows].any(1)
        return [((learns == value).nonzero()[:, 0], value) for value in (False, True)]

    def _render_rays(
        self, rays: BallRays, samples: ShellSamples, shading: Shading | None, learns: bool
    ) -> dict[str, Tensor]:
        with torch.set_grad_enabled(learns):
            return self._composite(rays, samples, shading)

    def _composite(
        self, rays: BallRays, samples: ShellSamples, shading: Shading | None
    ) -> dict[str, Tensor]:
        distances, rows = samples
        held = rows >= 0
        points = (rays.origins[:, None] + distances[..., None] * rays.directions[:, None])[held]
        features, sdf = self.look_up(points, rows[held])
        dense = torch.full_like(distances, THICKNESS).masked_scatter(held, sdf)
        weights = neus_weights(dense, INVERSE_DEVIATION)
        # What is seen, of the places that begin an interval: all but the last.
        seen = torch.nn.functional.pad(weights > VISIBLE, (0, 1)) & held
        chosen = seen[held]
        features = features.index_select(0, chosen.nonzero()[:, 0])
        color, normals = self.color_of(features), normalize(features[:, -3:], dim=-1)
        ray, places = seen.nonzero()[:, 0], points[chosen]
        if shading is not None:
            light = shading.light_positions[rays.views[ray]]
            color = shade(color, normals, places, light, shading)
        share = weights.masked_select(seen[:, :-1])[:, None]
        summed = {
            name: share.new_zeros(len(distances), value.shape[1]).index_add(0, ray, share * value)
            for name, value in {
                "alpha": torch.ones_like(share), "color": color, "normals": normals,
                "coords": places, "depth": distances[seen][:, None],
            }.items()
        }
        alpha = summed["alpha"]
        visible = torch.where(alpha > VISIBLE, 1 / alpha.clamp_min(VISIBLE), 0.0)
        summed["coords"] = summed["coords"] * visible
        summed["depth"] = summed["depth"] * visible * rays.axial[:, None]
        return summed

    def look_up(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Features (k, …) and signed distances (k,) at ``points`` (k, 3) in ``rows`` (k,) of the
        shell's table."""
        positions = self.positions
        normals = smooth_normals(positions.detach(), self.faces)
        values = torch.cat([self.color, self.geometry, normals], 1)
        blended, height = blend_vertices(self.shell, rows, points, positions, normals, values)
        return torch.cat([blended, _waves(height)], 1)[:, _ORDER], self._distance(blended, height)

    def _distance(self, blended: Tensor, height: Tensor) -> Tensor:
        geometry = torch.cat([blended[:, FEATURES : 2 * FEATURES], _waves(height)], 1)
        correction = self.networks["geometry"](geometry)[:, 0]
        return height + THICKNESS * correction.tanh()

    def color_of(self, features: Tensor) -> Tensor:
        """Colors (k, 3) in [0, 1] of features from :meth:`look_up`."""
        own = features[:, :FEATURES]
        inputs = torch.cat([own, features[:, 2 * FEATURES : -3]], 1)
        return (own[:, :3] + self.networks["color"](inputs)).sigmoid()

    def surface_look_up(self) -> Callable[[Tensor], Tensor]:
        """A function from points (k, 3) of the original surface to the colors (k, 3) that they
        have now, wherever they moved to: what a texture is baked from."""
        shell = Shell.around(self.base, THICKNESS)
        normals = smooth_normals(self.base, self.faces)
        values = torch.cat([self.color, self.geometry, normals], 1).detach()

        @torch.no_grad()
        def look_up(points: Tensor) -> Tensor:
            rows = find_rows(shell, points)
            blended, _ = blend_vertices(shell, rows, points, self.base, normals, values)
            waves = _waves(torch.zeros(len(points)))
            return self.color_of(torch.cat([blended, waves], 1)[:, _ORDER])

        return look_up

    def edges(self) -> Tensor:
        """Each pair of vertices that share an edge, once, (e, 2)."""
        ends = torch.cat([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        return ends.sort(1).values.unique(dim=0)

    def upkeep(self, step: int) -> None:
        """What training does after each step: now and then, look again which vertices are near."""
        if step % REFRESH_STEPS == REFRESH_STEPS - 1:
            self.anchors = self.positions.detach().clone()
            self.shell = Shell.around(self.anchors, THICKNESS)

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """"color", "geometry", "offsets", "networks"."""
        return {
            "color": [self.color], "geometry": [self.geometry], "offsets": [self.offsets],
            "networks": list(self.networks.parameters()),
        }

    def state(self) -> dict[str, Tensor]:
        """Copies of all parameters and of the positions that the shell was made around."""
        return {name: value.detach().clone() for name, value in self.state_dict().items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up a saved state of a field of the same mesh."""
        moved = not torch.equal(state["anchors"], self.anchors)
        self.load_state_dict(state)
        if moved:
            self.shell = Shell.around(self.anchors, THICKNESS)

    @torch.no_grad()
    def to_mesh(self, resolution: int = 0, texture_size: int = 0, faces: int = 0) -> Mesh:
        """The moved, finer mesh with vertex colors, whatever sizes are asked for."""
        colors = self.surface_look_up()(self.base)
        rgba = torch.cat([colors, torch.ones(len(colors), 1)], 1).numpy()
        return Mesh(
            self.positions.numpy().copy(), self.subdivision.faces.astype(np.int32),
            normals=smooth_normals(self.positions, self.faces).numpy(),
            attributes={"color": Attribute("point", rgba)},
        )

    def preview_mesh(self) -> Mesh:
        """The same: it is quickly made."""
        return self.to_mesh()


def finer(mesh: Mesh) -> Subdivision:
    """The vertices that a field of ``mesh`` stands on: about as dense as its shell is thick."""
    return subdivide(mesh.positions, mesh.faces, THICKNESS)


def _network(outputs: int) -> nn.Sequential:
    """Says nothing to begin with: its last layer is zero."""
    last = nn.Linear(HIDDEN, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    width = FEATURES + 2 * OCTAVES + 1
    return nn.Sequential(
        nn.Linear(width, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU(), last
    )


def _waves(height: Tensor) -> Tensor:
    """Heights and their sines and cosines at a few frequencies, (k, 2 * OCTAVES + 1)."""
    scaled = height[:, None] / THICKNESS
    angles = scaled * (torch.pi * 2.0 ** torch.arange(OCTAVES) / 2)
    return torch.cat([scaled, angles.sin(), angles.cos()], 1)


# Blended values and waves, with the normals last.
_BLENDED = 2 * FEATURES
_ORDER = [
    *range(_BLENDED), *range(_BLENDED + 3, _BLENDED + 3 + 2 * OCTAVES + 1),
    *range(_BLENDED, _BLENDED + 3),
]
