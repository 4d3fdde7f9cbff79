"""Pictures of finished meshes, without gradients: what evaluation and contact sheets look at."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import Fragments, interpolate_corners, rasterize
from backend.rendering.textures import sample_texture
from protocol.assets import Mesh

SUPERSAMPLES = 3
"""Along each axis: nine samples a pixel."""


@torch.no_grad()
def render_mesh(mesh: Mesh, cameras: Cameras, background: float | Tensor = 0.5) -> Buffers:
    """Base color, unlit and antialiased, over ``background`` (gray or color (3,)), and alpha."""
    fine = cameras.resized(cameras.height * SUPERSAMPLES, cameras.width * SUPERSAMPLES)
    faces = torch.from_numpy(mesh.faces).long()
    fragments = rasterize(torch.from_numpy(mesh.positions), faces, fine)
    alpha = fragments.covered[..., None].float()
    color = _base_color(mesh, faces, fragments)
    return Buffers(
        color=_shrink(color * alpha + background * (1 - alpha)), alpha=_shrink(alpha)
    )


def _base_color(mesh: Mesh, faces: Tensor, fragments: Fragments) -> Tensor:
    """From the texture, else vertex colors, else the material's factor."""
    material = mesh.material
    if material is not None and material.base_color_map is not None and mesh.uvs is not None:
        uvs = interpolate_corners(torch.from_numpy(mesh.uvs), fragments)
        texels = torch.from_numpy(material.base_color_map.pixels)[..., :3].float() / 255
        return sample_texture(texels, uvs)
    if "color" in mesh.attributes:
        colors = torch.from_numpy(mesh.attributes["color"].values[:, :3]).float()
        return interpolate_corners(colors[faces], fragments)
    factor = (0.8, 0.8, 0.8) if material is None else material.base_color[:3]
    return torch.tensor(factor).expand(*fragments.triangles.shape, 3)


def _shrink(image: Tensor) -> Tensor:
    return avg_pool2d(image.permute(0, 3, 1, 2), SUPERSAMPLES).permute(0, 2, 3, 1)
