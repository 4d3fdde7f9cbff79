import math

import pytest
import torch

from backend.distillation.lights import ShadingCurriculum, sample_lights
from backend.rendering.cameras import orbit_cameras

CAMERAS = orbit_cameras([30.0] * 4, 20.0, 3.0, 45.0, 8)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_curriculum_has_the_published_shares() -> None:
    """DreamFusion: albedo for a while, then 25 % albedo, half of the shaded textureless."""
    curriculum = ShadingCurriculum()
    assert all(curriculum.sample(CAMERAS, 0.05, generator(seed)) is None for seed in range(50))
    drawn = [curriculum.sample(CAMERAS, 0.5, generator(seed)) for seed in range(2000)]
    shaded = [shading for shading in drawn if shading is not None]
    bare = sum(shading.textureless for shading in shaded)
    assert len(shaded) / 2000 == pytest.approx(0.75, abs=0.03)
    assert bare / len(shaded) == pytest.approx(0.5, abs=0.04)
    assert (shaded[0].ambient, shaded[0].diffuse) == (0.1, 0.9)


def test_lights_are_near_the_camera_and_outside_the_object() -> None:
    cameras = CAMERAS[[0] * 4000]
    lights = sample_lights(cameras, generator(0))
    distance = lights.norm(dim=-1)
    assert float(distance.min()) >= 1.8
    assert float(distance.max()) <= 2.5
    toward = cameras.positions[0] / cameras.positions[0].norm()
    cosine = (lights / distance[:, None]) @ toward
    # The mean cosine of a normalized N(toward, 1) in three dimensions.
    assert float(cosine.mean()) == pytest.approx(math.sqrt(2 / (math.pi * math.e)), abs=0.03)
