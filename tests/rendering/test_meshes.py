"""Pictures of meshes: texture orientation, coverage, the fall-backs of color."""

import numpy as np
import torch

from backend.rendering.cameras import orbit_cameras
from backend.rendering.meshes import render_mesh
from protocol.assets import Attribute, Image, Material, Mesh

FRONT = np.array([[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5], [-0.5, 0, 0.5]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
CAMERAS = orbit_cameras([0.0], 0.0, 4.0, 20.0, 32)


def textured_square() -> Mesh:
    """Facing the front; its texture is red on top, green at the bottom left, blue at the right."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4], pixels[4:, :4], pixels[4:, 4:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return Mesh(FRONT, FACES, uvs=corners[FACES], material=Material(base_color_map=Image(pixels)))


def test_textures_stand_upright_and_unmirrored() -> None:
    color = render_mesh(textured_square(), CAMERAS).color
    assert color is not None
    top, left, right = color[0, 12, 16], color[0, 20, 12], color[0, 20, 20]
    for seen, wanted in ((top, [1, 0, 0]), (left, [0, 1, 0]), (right, [0, 0, 1])):
        assert torch.allclose(seen, torch.tensor(wanted).float(), atol=0.02)


def test_alpha_is_the_share_of_a_pixel_that_is_covered() -> None:
    buffers = render_mesh(textured_square(), CAMERAS, background=0.5)
    assert buffers.alpha is not None and buffers.color is not None
    side = 1 / (2 * 4 * np.tan(np.radians(10))) * 32
    assert abs(float(buffers.alpha.sum()) - side**2) / side**2 < 0.02
    assert torch.allclose(buffers.color[0, 0, 0], torch.full((3,), 0.5))


def test_without_texture_vertex_colors_and_then_the_factor_serve() -> None:
    colors = np.tile(np.array([0.2, 0.4, 0.6, 1], np.float32), (4, 1))
    colored = Mesh(FRONT, FACES, attributes={"color": Attribute("point", colors)})
    plain = Mesh(FRONT, FACES, material=Material(base_color=(0.1, 0.2, 0.3, 1.0)))
    for mesh, wanted in ((colored, [0.2, 0.4, 0.6]), (plain, [0.1, 0.2, 0.3])):
        color = render_mesh(mesh, CAMERAS).color
        assert color is not None
        assert torch.allclose(color[0, 16, 16], torch.tensor(wanted), atol=1e-4)
