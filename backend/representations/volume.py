"""A volume of density and albedo in the unit ball (DreamFusion, section 3.2 and appendix A.2)."""

from collections.abc import Callable, Set

import torch
from torch import Tensor
from torch.nn import Parameter

from backend.meshing.surface import mesh_volume, preview_mesh
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.occupancy import Occupancy
from backend.rendering.shading import Shading, shade
from backend.rendering.volume import (
    RaySamples,
    accumulate,
    place_samples,
    render_weights,
    to_image,
)
from backend.representations.background import Background
from backend.representations.base import Want
from backend.representations.fields.base import (
    DensityActivation,
    DensityBias,
    Field,
    FieldSamples,
    soft_blob,
)
from backend.representations.fields.grid import GridField
from backend.representations.module import StatefulModule
from protocol.assets import Mesh

# Below this alpha a ray has no depth and no surface point.
OPAQUE_ENOUGH = 1e-3
IMAGE_NAMES = ("alpha", "color", "depth", "normals", "coords")
SAMPLE_NAMES = ("weights", "density", "points", "directions", "pixels")
OCCUPANCY_STEPS = 16
RAYS_AT_ONCE = 1 << 14


class Volume(StatefulModule):
    """A field, perhaps a learned background, and ``samples`` samples on each ray.

    The field is evaluated at every sample until :meth:`update_occupancy` was called, afterward
    only in occupied cells.
    """

    def __init__(
        self, field: Field, background: Background | None = None, samples: int = 64
    ) -> None:
        super().__init__()
        self.field = field
        self.background = background
        self.samples = samples
        self.occupancy = Occupancy()

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
    ) -> Buffers:
        """See :class:`backend.representations.base.Representation`.

        With "samples" wanted, ``Buffers.samples`` holds, for the rays that meet the ball (and an
        occupied cell): ``weights`` and ``density`` (rays, samples), ``normals`` and ``points``
        (rays, samples, 3), ``directions`` (rays, 3), ``pixels`` (rays,) into the flat pixels.
        """
        samples = place_samples(cameras, self.samples, jitter)
        if torch.is_grad_enabled():
            found = self._render_rays(samples, want, shading)
        else:
            found = self._render_in_parts(samples, want, shading)
        return self._assemble(found, cameras, want, background)

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """Those of the field, and "background" where one is learned."""
        groups = self.field.parameter_groups()
        if self.background is not None:
            groups["background"] = list(self.background.parameters())
        return groups

    def look_up(self) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        """A function from points (n, 3) to density (n,) and albedo (n, 3), good until the
        parameters change."""
        frozen = self.field.frozen()
        return lambda points: frozen(points)[:2]

    @property
    def device(self) -> torch.device:
        """Where it lives and is rendered."""
        return self.occupancy.cells.device

    def update_occupancy(self) -> None:
        """Look again which cells hold anything; call now and then while training."""
        frozen = self.field.frozen()
        self.occupancy.update(lambda points: frozen(points).density)

    def upkeep(self, step: int) -> None:
        """What training does after each step: every sixteenth, look again where anything is."""
        if step % OCCUPANCY_STEPS == OCCUPANCY_STEPS - 1:
            self.update_occupancy()

    def resized(self, resolution: int) -> "Volume":
        """The same volume with a grid of another resolution (new parameters)."""
        if not isinstance(self.field, GridField):
            raise TypeError("only a volume with a GridField can be resized")
        volume = Volume(self.field.resized(resolution), self.background, self.samples)
        volume.occupancy = self.occupancy
        return volume

    def to_mesh(self, resolution: int = 96, texture_size: int = 1024, faces: int = 20_000) -> Mesh:
        """A closed, textured mesh of about ``faces`` triangles at most; raises DistilleryError
        ``mesh_nothing`` where the volume is empty."""
        return mesh_volume(self.look_up(), resolution, texture_size, faces, str(self.device))

    def preview_mesh(self, resolution: int = 32) -> Mesh:
        """A coarse mesh with vertex colors, made in a tenth of a second."""
        return preview_mesh(self.look_up(), resolution, str(self.device))

    def _look_up_along(
        self, samples: RaySamples, normals: bool
    ) -> tuple[RaySamples, Tensor, FieldSamples]:
        """Field values at all samples, (rays * samples, …), of the rays that meet something."""
        points = samples.points
        if self.occupancy.is_full():
            return samples, points, self._ask_field(samples, points, slice(None), normals)
        occupied = self.occupancy.contains(points)
        kept = occupied.any(1)
        samples, points, occupied = samples[kept], points[kept], occupied[kept].reshape(-1)
        index = occupied.nonzero()[:, 0]
        found = self._ask_field(samples, points, index, normals)
        total = len(occupied)
        spread = [None if value is None else _spread(value, index, total) for value in found]
        return samples, points, FieldSamples(*spread)

    def _ask_field(
        self, samples: RaySamples, points: Tensor, index: Tensor | slice, normals: bool
    ) -> FieldSamples:
        variances = samples.variances.reshape(-1, 3)[index] if self.field.integrated else None
        found: FieldSamples = self.field(points.reshape(-1, 3)[index], variances, normals)
        return found

    def _render_in_parts(
        self, samples: RaySamples, want: Set[Want], shading: Shading | None
    ) -> dict[str, Tensor]:
        """Without gradients memory need not hold all samples at once."""
        starts = range(0, max(len(samples.pixels), 1), RAYS_AT_ONCE)
        parts = [
            self._render_rays(samples[start : start + RAYS_AT_ONCE], want, shading)
            for start in starts
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _render_rays(
        self, samples: RaySamples, want: Set[Want], shading: Shading | None
    ) -> dict[str, Tensor]:
        """Values of each ray, by name, and with "samples" wanted those of each sample."""
        needs_normals = shading is not None or bool(want & {"normals", "samples"})
        samples, points, found = self._look_up_along(samples, needs_normals)
        density = found.density.reshape(samples.middles.shape)
        weights = render_weights(samples, density)
        alpha = weights.sum(1, keepdim=True)
        visible = torch.where(alpha > OPAQUE_ENOUGH, 1 / alpha.clamp_min(OPAQUE_ENOUGH), 0.0)
        values = {"pixels": samples.pixels, "alpha": alpha}
        normals = None if found.normals is None else found.normals.reshape(points.shape)
        if "color" in want:
            color = found.albedo.reshape(points.shape)
            if shading is not None and normals is not None:
                light = shading.light_positions[samples.views][:, None]
                color = shade(color, normals, points, light, shading)
            values["color"] = accumulate(weights, color)
        if "normals" in want and normals is not None:
            values["normals"] = accumulate(weights, normals)
        if "depth" in want:
            distance = accumulate(weights, samples.middles[..., None]) * visible
            values["depth"] = distance * samples.axial[:, None]
        if "coords" in want:
            values["coords"] = accumulate(weights, points) * visible
        if "samples" in want and normals is not None:
            values |= {"weights": weights, "density": density, "points": points}
            values |= {"sample_normals": normals, "directions": samples.directions}
        return values

    def _assemble(
        self,
        values: dict[str, Tensor],
        cameras: Cameras,
        want: Set[Want],
        background: Tensor | None,
    ) -> Buffers:
        pixels = values["pixels"]
        images = {
            name: to_image(values[name], pixels, cameras) for name in IMAGE_NAMES if name in values
        }
        if "color" in images:
            behind = self._background_of(cameras) if background is None else background
            if behind is not None:
                images["color"] = images["color"] + (1 - images["alpha"]) * behind
        if "samples" in want:
            samples = {name: values[name] for name in SAMPLE_NAMES}
            samples |= {"normals": values["sample_normals"]}
            return Buffers(**images, samples=samples)
        return Buffers(**images)

    def _background_of(self, cameras: Cameras) -> Tensor | None:
        if self.background is None:
            return None
        colors: Tensor = self.background(cameras.rays().directions)
        return colors


def grid_volume(
    resolution: int = 48,
    background: Background | None = None,
    samples: int = 64,
    density_activation: DensityActivation = "exp",
    density_bias: DensityBias | None = soft_blob,
) -> Volume:
    """The volume for CPU: a dense grid, albedo gray and density a blob to begin with."""
    return Volume(GridField(resolution, density_activation, density_bias), background, samples)


def _spread(values: Tensor, index: Tensor, count: int) -> Tensor:
    """Values of all samples from those of the evaluated ones; zero elsewhere."""
    return values.new_zeros(count, *values.shape[1:]).index_copy(0, index, values)
