"""Assets: what a job gives and what Blender receives. Plain numpy, no behavior but checks.

Space is right-handed, z up, faces counter-clockwise outward, objects inside the unit ball.
Colors are display-encoded (sRGB) in [0, 1], straight alpha. UV origin bottom left.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

FloatArray = NDArray[np.float32]
IMAGE_PIXELS = 16384

Domain = Literal["point", "face", "corner"]


@dataclass
class Image:
    """Pixels (height, width, channels) uint8, row 0 at the top; 1, 3 or 4 channels.

    ``color`` says whether they are sRGB color or plain data (roughness, normals, masks).
    """

    pixels: NDArray[np.uint8]
    color: bool = True

    def check(self) -> None:
        """Raise :class:`InputError` where these are not the pixels of a picture."""
        shape, kind = self.pixels.shape, self.pixels.dtype
        if len(shape) != 3 or shape[2] not in (1, 3, 4) or 0 in shape or kind != np.uint8:
            raise InputError(
                "image_invalid", f"An image cannot have the shape {shape} and be of {kind}.",
                "Choose a picture: gray, RGB or RGBA, 8 bits a channel.",
            )
        if max(shape) > IMAGE_PIXELS:
            raise InputError(
                "image_too_large", f"An image has {shape[1]} x {shape[0]} pixels.",
                f"Make its longer side at most {IMAGE_PIXELS} pixels.",
            )


@dataclass
class Material:
    """A metallic-roughness material; a map, where there is one, replaces its factor."""

    base_color: tuple[float, float, float, float] = (0.8, 0.8, 0.8, 1.0)
    roughness: float = 0.7
    metallic: float = 0.0
    base_color_map: Image | None = None
    roughness_map: Image | None = None
    metallic_map: Image | None = None
    normal_map: Image | None = None


@dataclass
class Attribute:
    """A named array: one row (or number) a point, face or face corner."""

    domain: Domain
    values: NDArray[Any]


@dataclass
class Mesh:
    """Triangles: positions (n, 3) float32, faces (m, 3) int32.

    ``uvs``: (m, 3, 2) float32, one a face corner. ``normals``: (n, 3) float32, per vertex.
    ``attributes``: by name; the name ``color`` on points is vertex color, (n, 4) float32 sRGB.
    """

    positions: FloatArray
    faces: NDArray[np.int32]
    uvs: FloatArray | None = None
    normals: FloatArray | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)
    material: Material | None = None

    def check(self) -> None:
        """Raise :class:`InputError` where the mesh has no faces, NaN, or faces without points."""
        if len(self.faces) == 0 or len(self.positions) == 0:
            raise InputError("mesh_empty", "The mesh has no faces.", "Choose an object with faces.")
        if not np.isfinite(self.positions).all():
            raise InputError(
                "mesh_not_finite",
                "The mesh has vertices at NaN or infinity.",
                "Delete those vertices (Mesh > Clean Up) and try again.",
            )
        if self.faces.min() < 0 or self.faces.max() >= len(self.positions):
            raise InputError(
                "mesh_index", "The mesh has faces that use vertices it does not have.",
                "Run Mesh > Clean Up, or export and import the object again.",
            )


@dataclass
class Splats:
    """Gaussians: means (n, 3), quats (n, 4) w first, scales (n, 3) standard deviations,
    opacities (n,) in [0, 1], colors (n, 3) sRGB; float32."""

    means: FloatArray
    quats: FloatArray
    scales: FloatArray
    opacities: FloatArray
    colors: FloatArray


@dataclass
class Motion:
    """Positions of a mesh's vertices (or of splats) over time: (frames, n, 3) float32."""

    positions: FloatArray
    frames_per_second: float


@dataclass
class Region:
    """Where an edit may act, said in one of these ways (the others are None or empty).

    ``box``: (4, 4) float32, from the cube [-1, 1]^3 to the space of the input mesh. ``mesh``: any
    closed mesh in that space; its inside counts. ``vertices``: (n,) float32 in [0, 1], a weight
    for each vertex of the input mesh. ``faces``: (m,) bool, chosen faces of the input mesh.
    ``word``: what the prompt calls the place ("hat"); the prior's attention finds it.
    """

    box: FloatArray | None = None
    mesh: Mesh | None = None
    vertices: FloatArray | None = None
    faces: NDArray[np.bool_] | None = None
    word: str = ""

    def check(self) -> None:
        """Raise :class:`InputError` unless it says one place, in one way, that is not empty."""
        given = [self.box, self.mesh, self.vertices, self.faces, self.word or None]
        if sum(way is not None for way in given) != 1:
            raise InputError(
                "region_invalid", "A region is one box, mesh, vertex group, selection or word.",
                "Choose one source for the region.",
            )
        if self.mesh is not None:
            self.mesh.check()
        chosen = self.vertices if self.vertices is not None else self.faces
        if chosen is not None and not np.any(chosen):
            raise InputError(
                "region_empty", "The region holds nothing.",
                "Paint weights into the vertex group, or select faces.",
            )


@dataclass
class Handles:
    """What is moved and what stays, of the vertices of the input mesh.

    ``vertices``: (k,) int32 that go to ``targets``, (k, 3) float32, in the mesh's space;
    ``anchors``: (a,) int32 that stay where they are.
    """

    vertices: NDArray[np.int32]
    targets: FloatArray
    anchors: NDArray[np.int32]

    def check(self) -> None:
        """Raise :class:`InputError` where there is no handle, or no place for one to go to."""
        if len(self.vertices) == 0 or self.vertices.ndim != 1:
            raise InputError(
                "handles_empty", "There is no handle.",
                "Choose a vertex group and an empty that it shall go to.",
            )
        if self.targets.shape != (len(self.vertices), 3) or not np.isfinite(self.targets).all():
            raise InputError(
                "handle_without_target", "A handle has no target.",
                "Give each handle an empty that it shall go to.",
            )
        if len(self.anchors) == 0:
            raise InputError(
                "anchors_empty", "Nothing holds the object in place.",
                "Choose a vertex group of anchors.",
            )


@dataclass
class View:
    """A camera and perhaps its picture: c2w (4, 4) float32, vertical fov in degrees, 0 where it is
    orthographic."""

    c2w: FloatArray
    fov_degrees: float
    image: Image | None = None


@dataclass
class Provenance:
    """Where an asset came from, enough to make it again."""

    recipe: str
    prompt: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    prior: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass
class Asset:
    """All that one job gives (Blender places what is there), or one input that it takes.

    An input called ``mesh`` is an asset with a mesh, ``region`` one with a region, ``handles`` one
    with handles, ``image`` one with ``images["image"]`` (RGBA where it is cut out already).
    ``motion`` is the mesh's, or the splats' where there is no mesh; with both, ``splat_motion`` is
    the splats', at the same times. ``images``: further pictures by name. ``report``: plain data
    (curve, seconds, metrics).
    """

    name: str
    mesh: Mesh | None = None
    splats: Splats | None = None
    motion: Motion | None = None
    region: Region | None = None
    handles: Handles | None = None
    views: list[View] = field(default_factory=list)
    contact_sheet: Image | None = None
    images: dict[str, Image] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=lambda: Provenance(recipe=""))
    report: dict[str, Any] = field(default_factory=dict)
    splat_motion: Motion | None = None

    def check(self) -> None:
        """Raise :class:`InputError` where any part of it is broken."""
        for part in (self.mesh, self.region, self.handles):
            if part is not None:
                part.check()
        for image in (*self.images.values(), *(view.image for view in self.views)):
            if image is not None:
                image.check()
