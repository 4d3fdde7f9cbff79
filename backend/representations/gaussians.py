"""3D Gaussians (Kerbl et al., 3D Gaussian Splatting, SIGGRAPH 2023), colors of SH degree 0."""

from collections.abc import Callable, Collection, Sequence, Set

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import normalize

from backend.meshing.splats import SH0, SplatField
from backend.meshing.surface import mesh_volume, preview_mesh
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.shading import Shading, shade
from backend.rendering.splatting import splat
from backend.rendering.splatting.projection import rotation_matrices
from backend.representations.base import Want
from backend.representations.points import Points, neighbor_distances
from protocol.assets import Mesh, Splats

OPAQUE_ENOUGH = 1e-3
PREVIEW_CELLS = 48
NAMES = ("means", "quats", "scales", "opacities", "colors")

Inherit = Callable[[Tensor], Tensor]
"""From the rows of the parents in a channel to those of their new children."""


class Gaussians(nn.Module):
    """Gaussians with named parameter groups, one row a Gaussian in each:

    ``means`` (n, 3); ``quats`` (n, 4) w first, of any length; ``scales`` (n, 3), logarithms of
    standard deviations; ``opacities`` (n,), logits; ``colors`` (n, 3), coefficients of the constant
    harmonic (color = 1/2 + SH0 * coefficient). These are the units of the published learning rates.

    Channels are further rows that do not train (region weights, generations, statistics): see
    :meth:`add_channel`. ``on_project``, where set, is called in every render that will be
    differentiated, with the centers (views, n, 2) in pixels, to be hooked, and radii (views, n).
    """

    means: Parameter
    quats: Parameter
    scales: Parameter
    opacities: Parameter
    colors: Parameter

    def __init__(
        self, means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor
    ) -> None:
        """From values as they are seen: ``scales`` are standard deviations, ``opacities`` in
        (0, 1), ``colors`` in [0, 1]."""
        super().__init__()
        self.means = Parameter(means.detach().clone().float())
        self.quats = Parameter(quats.detach().clone().float())
        self.scales = Parameter(scales.detach().float().clamp_min(1e-8).log())
        self.opacities = Parameter(opacities.detach().float().clamp(1e-6, 1 - 1e-6).logit())
        self.colors = Parameter((colors.detach().float() - 0.5) / SH0)
        self.channels: dict[str, Tensor] = {}
        self.on_project: Callable[[Tensor, Tensor], None] | None = None
        self._inherit: dict[str, Inherit] = {}

    @classmethod
    def from_points(cls, points: Points, opacity: float = 0.1) -> "Gaussians":
        """Round Gaussians at colored points, as wide as the root mean square distance to the three
        nearest (3D Gaussian Splatting, section 5.1)."""
        spread = neighbor_distances(points.positions, 3).square().mean(1).sqrt()
        count = len(points.positions)
        quats = torch.tensor([1.0, 0, 0, 0]).repeat(count, 1)
        scales = spread.clamp_min(1e-4)[:, None].expand(count, 3)
        return cls(points.positions, quats, scales, torch.full((count,), opacity), points.colors)

    @classmethod
    def from_splats(cls, splats: Splats) -> "Gaussians":
        """The Gaussians of an asset."""
        return cls(*(torch.from_numpy(getattr(splats, name).copy()) for name in NAMES))

    @classmethod
    def join(cls, parts: "Sequence[Gaussians]") -> "Gaussians":
        """The Gaussians of all parts, bit by bit; channels stay behind."""
        joined = cls(*(torch.zeros(0) for _ in NAMES))
        joined.load_state(
            {name: torch.cat([getattr(part, name).detach() for part in parts]) for name in NAMES}
        )
        return joined

    def __len__(self) -> int:
        return len(self.means)

    @property
    def device(self) -> torch.device:
        """Where they live and are rendered."""
        return self.means.device

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """One group for each kind of parameter."""
        return {name: [getattr(self, name)] for name in NAMES}

    def add_channel(self, name: str, values: Tensor, inherit: Inherit = lambda rows: rows) -> None:
        """Keep ``values`` (n,) or (n, c) with the Gaussians, through densification, pruning and
        checkpoints. A child gets what ``inherit`` makes of its parent's row: the same by default.
        A channel that a loaded state brought keeps its values and takes up the rule."""
        if len(values) != len(self):
            raise ValueError(f"channel {name!r} has {len(values)} rows for {len(self)} Gaussians")
        self._inherit[name] = inherit
        self.channels.setdefault(name, values.detach().to(self.device))

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
        channels: Collection[str] = (),
        means: Tensor | None = None,
    ) -> Buffers:
        """See :class:`backend.representations.base.Representation`; there is nothing to jitter.

        ``channels``: those to draw too, weighted by how much of each Gaussian is seen, over 0.
        ``means``: (n, 3) to draw at instead of its own (deformation). With "samples" wanted,
        ``Buffers.samples`` holds ``centers`` (views, n, 2) in pixels and ``radii`` (views, n).
        """
        means = self.means if means is None else means
        features = self._features(cameras, means, want, shading, channels)
        drawn = splat(
            means, self.quats, self.scales.exp(), self.opacities.sigmoid(),
            torch.cat([value.expand(len(cameras), -1, -1) for value in features.values()], -1),
            cameras,
        )
        if self.on_project is not None and drawn.centers.requires_grad:
            self.on_project(drawn.centers, drawn.radii)
        widths = [value.shape[-1] for value in features.values()]
        images = dict(zip(features, drawn.images.split(widths, -1), strict=True))
        return self._assemble(images, drawn.alpha, background, want, drawn.centers, drawn.radii)

    def _features(
        self,
        cameras: Cameras,
        means: Tensor,
        want: Set[Want],
        shading: Shading | None,
        channels: Collection[str],
    ) -> dict[str, Tensor]:
        """What is blended, by name: (n, c), or (views, n, c) where it depends on the view."""
        features: dict[str, Tensor] = {"color": self.albedo()}
        normals = None
        if shading is not None or "normals" in want:
            normals = self.normals(cameras, means)
        if shading is not None and normals is not None:
            light = shading.light_positions[:, None]
            features["color"] = shade(features["color"][None], normals, means[None], light, shading)
        if "normals" in want and normals is not None:
            features["normals"] = normals
        if "depth" in want:
            features["depth"] = cameras.project(means)[1][..., None]
        if "coords" in want:
            features["coords"] = means
        for name in channels:
            features[f"channel {name}"] = self.channels[name].reshape(len(self), -1).float()
        return features

    def _assemble(
        self,
        images: dict[str, Tensor],
        alpha: Tensor,
        background: Tensor | None,
        want: Set[Want],
        centers: Tensor,
        radii: Tensor,
    ) -> Buffers:
        """The buffers that are wanted; depth and coordinates are means over what is seen."""
        visible = torch.where(alpha > OPAQUE_ENOUGH, 1 / alpha.clamp_min(OPAQUE_ENOUGH), 0.0)
        color = images["color"]
        if background is not None:
            color = color + (1 - alpha) * background
        return Buffers(
            color=color if "color" in want else None,
            alpha=alpha if "alpha" in want else None,
            depth=images["depth"] * visible if "depth" in want else None,
            normals=images.get("normals"),
            coords=images["coords"] * visible if "coords" in want else None,
            channels={
                name.removeprefix("channel "): image
                for name, image in images.items() if name.startswith("channel ")
            },
            samples={"centers": centers, "radii": radii} if "samples" in want else {},
        )

    def albedo(self) -> Tensor:
        """Colors (n, 3), from 0 up. Gradients pass below it: one that noise made black would else
        stay black."""
        colors = 0.5 + SH0 * self.colors
        return colors + (colors.clamp_min(0) - colors).detach()

    def normals(self, cameras: Cameras, means: Tensor) -> Tensor:
        """The shortest axis of each Gaussian, toward each camera: (views, n, 3)."""
        axes = rotation_matrices(self.quats)
        shortest = self.scales.detach().argmin(-1)
        normals = axes[torch.arange(len(self)), :, shortest]
        toward = cameras.positions[:, None] - means
        if cameras.ortho_height is not None:
            flat = (cameras.ortho_height > 0)[:, None, None]
            toward = torch.where(flat, cameras.backward[:, None], toward)
        facing = (normals * toward).sum(-1, keepdim=True) >= 0
        return torch.where(facing, normals, -normals)

    def state(self) -> dict[str, Tensor]:
        """Copies of all parameters and channels."""
        rows = {name: getattr(self, name) for name in NAMES}
        rows |= {f"channel {name}": values for name, values in self.channels.items()}
        return {name: values.detach().clone() for name, values in rows.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up a saved state, also one with another number of Gaussians."""
        for name in NAMES:
            getattr(self, name).data = state[name].clone()
        self.channels = {
            name.removeprefix("channel "): values.clone()
            for name, values in state.items() if name.startswith("channel ")
        }

    @torch.no_grad()
    def replace_rows(
        self, parents: Tensor, fresh: Tensor, optimizer: torch.optim.Optimizer | None = None
    ) -> None:
        """Row i becomes a copy of row ``parents[i]``; where ``fresh[i]`` it is a child, whose
        channels follow their rules and whose moments in ``optimizer`` are zero. All other rows keep
        their bits, moments included. The parameters are new objects afterward.
        """
        for name in NAMES:
            old = getattr(self, name)
            new = Parameter(old.detach()[parents])
            setattr(self, name, new)
            if optimizer is not None:
                _move_moments(optimizer, old, new, parents, fresh)
        for name, values in self.channels.items():
            rows = values[parents]
            rows[fresh] = self._inherit.get(name, lambda rows: rows)(rows[fresh])
            self.channels[name] = rows

    def keep(self, kept: Tensor, optimizer: torch.optim.Optimizer | None = None) -> None:
        """Drop all Gaussians but ``kept`` (n,) bool."""
        rows = kept.nonzero()[:, 0]
        self.replace_rows(rows, torch.zeros_like(rows, dtype=torch.bool), optimizer)

    @torch.no_grad()
    def to_splats(self) -> Splats:
        """For an asset: activated values, unit quaternions, colors in [0, 1]."""
        values = (
            self.means, normalize(self.quats, dim=-1), self.scales.exp(), self.opacities.sigmoid(),
            self.albedo().clamp(0, 1),
        )
        return Splats(*(value.cpu().numpy().astype(np.float32) for value in values))

    def to_mesh(self, resolution: int = 128, texture_size: int = 1024, faces: int = 20_000) -> Mesh:
        """A closed, textured mesh of about ``faces`` triangles at most, around the density of all
        Gaussians; raises DistilleryError ``mesh_nothing`` where there is none."""
        field = SplatField.sample(self.to_splats(), resolution)
        return mesh_volume(field.look_up, resolution, texture_size, faces)

    def preview_mesh(self) -> Mesh:
        """A coarse mesh with vertex colors, quickly."""
        field = SplatField.sample(self.to_splats(), PREVIEW_CELLS)
        return preview_mesh(field.look_up, PREVIEW_CELLS)


def _move_moments(
    optimizer: torch.optim.Optimizer, old: Parameter, new: Parameter, parents: Tensor, fresh: Tensor
) -> None:
    """Put ``new`` in the place of ``old``, with the moments of its rows."""
    for group in optimizer.param_groups:
        group["params"] = [new if entry is old else entry for entry in group["params"]]
    state = optimizer.state.pop(old, None)
    if state is None:
        return
    for name, value in state.items():
        if isinstance(value, Tensor) and value.shape == old.shape:
            state[name] = value[parents]
            state[name][fresh] = 0
    optimizer.state[new] = state
