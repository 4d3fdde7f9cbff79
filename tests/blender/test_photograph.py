"""The demo's photographer: where it stands, and what it lays behind the object."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="runs under Blender's Python: python build.py test blender")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import photograph
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector


@pytest.fixture
def subject():
    bpy.ops.wm.read_homefile(use_empty=True, app_template="")
    bpy.ops.mesh.primitive_cube_add(size=0.4, location=(1, 2, 0.2))
    bpy.context.view_layer.update()
    return bpy.context.object


@pytest.mark.parametrize("azimuth", [0, 45, 90, 200])
@pytest.mark.parametrize("elevation", [0, 20, 80])
def test_the_object_fills_the_picture_and_stays_inside(subject, azimuth, elevation) -> None:
    camera = photograph.set_up_studio(subject)
    photograph.aim(camera, subject, azimuth, elevation)
    bpy.context.scene.render.resolution_x = bpy.context.scene.render.resolution_y = 512
    bpy.context.view_layer.update()
    corners = [subject.matrix_world @ Vector(corner) for corner in subject.bound_box]
    seen = [world_to_camera_view(bpy.context.scene, camera, corner) for corner in corners]
    across = np.array([(s.x, s.y) for s in seen])
    assert across.min() > 0
    assert across.max() < 1
    assert np.ptp(across, axis=0).max() > 0.4


def test_azimuth_zero_is_the_front_and_grows_counter_clockwise(subject) -> None:
    camera = photograph.set_up_studio(subject)
    middle = subject.matrix_world.translation
    for azimuth, direction in ((0, (0, -1, 0)), (90, (1, 0, 0)), (180, (0, 1, 0))):
        photograph.aim(camera, subject, azimuth, 0)
        offset = (camera.matrix_world.translation - middle).normalized()
        assert offset.dot(Vector(direction)) == pytest.approx(1, abs=1e-5)


def test_every_light_looks_at_the_object(subject) -> None:
    photograph.set_up_studio(subject)
    lamps = [thing for thing in bpy.data.objects if thing.type == "LIGHT"]
    assert len(lamps) == 3
    for lamp in lamps:
        toward = (subject.matrix_world.translation - lamp.matrix_world.translation).normalized()
        ahead = lamp.matrix_world.to_3x3() @ Vector((0, 0, -1))
        assert math.degrees(ahead.angle(toward)) < 0.1


def test_the_backdrop_shows_where_nothing_is() -> None:
    pixels = np.zeros((3, 1, 4), np.float32)
    pixels[1] = (1, 0, 0, 1)
    laid = photograph.over_backdrop(pixels)
    assert np.allclose(laid[0, 0, :3], photograph.BACKDROP_BOTTOM)
    assert np.allclose(laid[1, 0], (1, 0, 0, 1))
    assert np.allclose(laid[2, 0, :3], photograph.BACKDROP_TOP)
    assert (laid[..., 3] == 1).all()


def test_pixels_survive_a_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4)).astype(np.float32) / 255
    pixels[..., 3] = 1
    photograph.write_pixels(tmp_path / "x.png", pixels)
    assert np.allclose(photograph.read_pixels(tmp_path / "x.png"), pixels, atol=1e-3)
