"""A mesh as a representation: its vertices, and its texture or vertex colors, are parameters."""

from collections.abc import Set
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import normalize

from backend.rendering.antialias import antialias, face_neighbors
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import Fragments, interpolate, interpolate_corners, rasterize
from backend.rendering.shading import Shading, shade
from backend.rendering.textures import sample_texture
from backend.representations.base import Want
from backend.representations.module import StatefulModule
from protocol.assets import Attribute, Image, Material, Mesh


class MeshRepresentation(StatefulModule):
    """Of a protocol mesh, on the CPU; the topology never changes.

    Parameter groups: "positions" (n, 3), and "texture" (height, width, 3) where the mesh has UVs
    and a base color map, else "colors" (n, 3) at the vertices; colors as they are displayed.
    """

    positions: Parameter
    texture: Parameter | None
    colors: Parameter | None

    def __init__(self, mesh: Mesh) -> None:
        super().__init__()
        self.mesh = mesh
        self.faces = torch.from_numpy(mesh.faces).long()
        self.neighbors = face_neighbors(mesh.faces)
        self.uvs = None if mesh.uvs is None else torch.from_numpy(mesh.uvs)
        self.positions = Parameter(torch.from_numpy(mesh.positions).clone())
        texels = _texels(mesh)
        self.texture = None if texels is None else Parameter(texels)
        self.colors = Parameter(vertex_colors(mesh)) if texels is None else None

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
    ) -> Buffers:
        """See :class:`backend.representations.base.Representation`; outlines are antialiased,
        depth and coordinates are those at pixel centers; there is nothing to jitter."""
        device = cameras.c2w.device
        fragments = rasterize(self.positions, self.faces, cameras.to("cpu"))
        images = self._draw(fragments, want, shading)
        widths = [image.shape[-1] for image in images.values()]
        joined = antialias(torch.cat(list(images.values()), -1), fragments, self.neighbors)
        drawn = dict(zip(images, joined.split(widths, -1), strict=True))
        alpha, color = _hold(drawn["alpha"]), _hold(drawn["color"])
        if background is not None:
            color = color + (1 - alpha) * background.to("cpu")
        found = {"color": color, "alpha": alpha, "normals": drawn.get("normals")}
        found |= {"depth": fragments.depth[..., None], "coords": self._coords(fragments)}
        return Buffers(**{
            name: image.to(device) for name, image in found.items()
            if name in want and image is not None
        })

    def _draw(
        self, fragments: Fragments, want: Set[Want], shading: Shading | None
    ) -> dict[str, Tensor]:
        """What is antialiased, zero beside the mesh."""
        color = self.albedo(fragments)
        images = {"alpha": fragments.covered[..., None].to(color.dtype)}
        if shading is not None or "normals" in want:
            blended = interpolate(self.normals(), self.faces, fragments)
            images["normals"] = normalize(blended, dim=-1)
        if shading is not None:
            light = shading.light_positions.to("cpu")[:, None, None]
            points = self._coords(fragments)
            color = shade(color, images["normals"], points, light, shading) * images["alpha"]
        return {**images, "color": color}

    def _coords(self, fragments: Fragments) -> Tensor:
        return interpolate(self.positions, self.faces, fragments)

    def albedo(self, fragments: Fragments) -> Tensor:
        """Colors (views, height, width, 3) at the fragments, zero beside the mesh."""
        if self.colors is not None:
            return interpolate(self.colors, self.faces, fragments)
        assert self.texture is not None
        assert self.uvs is not None
        uvs = interpolate_corners(self.uvs, fragments)
        return sample_texture(self.texture, uvs) * fragments.covered[..., None]

    def normals(self) -> Tensor:
        """Unit normals of the vertices, (n, 3)."""
        return smooth_normals(self.positions, self.faces)

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """"positions", and "texture" or "colors"."""
        return {name: [parameter] for name, parameter in self.named_parameters()}

    @torch.no_grad()
    def to_mesh(self, resolution: int = 0, texture_size: int = 0, faces: int = 0) -> Mesh:
        """The mesh in its own topology and UVs, whatever sizes are asked for."""
        mesh = replace(
            self.mesh, positions=self.positions.numpy().copy(), normals=self.normals().numpy(),
            attributes=dict(self.mesh.attributes),
        )
        if self.texture is not None:
            material = mesh.material or Material()
            mesh.material = replace(material, base_color_map=self._picture(self.texture))
        if self.colors is not None:
            opaque = torch.cat([self.colors.clamp(0, 1), torch.ones(len(self.colors), 1)], 1)
            mesh.attributes["color"] = Attribute("point", opaque.numpy())
        return mesh

    def preview_mesh(self) -> Mesh:
        """The mesh as it is now."""
        return self.to_mesh()

    def _picture(self, texels: Tensor) -> Image:
        """The texture; a fourth channel of the original stays."""
        pixels = (texels.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        original = self.mesh.material.base_color_map
        if original.pixels.shape[-1] == 4:
            pixels = np.concatenate([pixels, original.pixels[..., 3:]], -1)
        return Image(pixels)


def smooth_normals(positions: Tensor, faces: Tensor) -> Tensor:
    """Unit normals (n, 3) of vertices: the mean of their faces' by area. Differentiable."""
    # index_select, whose gradient is summed in order, unlike that of indexing by a tensor.
    corners = positions.index_select(0, faces.reshape(-1)).reshape(-1, 3, 3)
    a, b, c = corners.unbind(1)
    across = torch.linalg.cross(b - a, c - a)
    summed = torch.zeros_like(positions).index_add(
        0, faces.reshape(-1), across.repeat_interleave(3, 0)
    )
    return normalize(summed, dim=-1, eps=1e-20)


def _hold(images: Tensor) -> Tensor:
    """Values in [0, 1]; those beyond keep their gradient, or they could never come back."""
    return images + (images.clamp(0, 1) - images).detach()


def vertex_colors(mesh: Mesh) -> Tensor:
    """Colors (n, 3) of the attribute ``color``, else of the material's factor."""
    if "color" in mesh.attributes:
        return torch.from_numpy(mesh.attributes["color"].values[:, :3]).float().clone()
    factor = (0.8, 0.8, 0.8) if mesh.material is None else mesh.material.base_color[:3]
    return torch.tensor(factor).repeat(len(mesh.positions), 1)


def _texels(mesh: Mesh) -> Tensor | None:
    material = mesh.material
    if material is None or material.base_color_map is None or mesh.uvs is None:
        return None
    pixels = torch.from_numpy(material.base_color_map.pixels)[..., :3].float() / 255
    return pixels.expand(-1, -1, 3).clone()
