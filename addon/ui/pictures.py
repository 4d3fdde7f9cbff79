"""The live preview picture: an icon in Blender's preview cache, no image in the .blend file."""

import bpy
import bpy.utils.previews

from ..core.jobs import Job
from ..scene.images import blender_pixels, folded

_previews: bpy.utils.previews.ImagePreviewCollection | None = None
_drawn: dict[str, int] = {}


def show_pictures(jobs: list[Job]) -> None:
    """Bring the pictures of these jobs up to date and drop those of others."""
    if _previews is None:
        return
    for job_id in set(_drawn) - {job.id for job in jobs if job.picture is not None}:
        del _previews[job_id]
        del _drawn[job_id]
    for job in jobs:
        if job.picture is not None and _drawn.get(job.id) != job.previews:
            _draw(_previews, job)


def icon_of(job: Job) -> int:
    """The icon number of a job's picture, 0 where it has none."""
    if _previews is None or job.id not in _drawn:
        return 0
    return int(_previews[job.id].icon_id)


def _draw(previews: bpy.utils.previews.ImagePreviewCollection, job: Job) -> None:
    assert job.picture is not None
    preview = previews[job.id] if job.id in previews else previews.new(job.id)
    picture = folded(job.picture)
    height, width = picture.pixels.shape[:2]
    preview.image_size = (width, height)
    preview.image_pixels_float.foreach_set(blender_pixels(picture))  # type: ignore[attr-defined]
    _drawn[job.id] = job.previews


def register() -> None:
    """Make the cache."""
    global _previews
    _previews = bpy.utils.previews.new()


def unregister() -> None:
    """Free the cache."""
    global _previews
    if _previews is not None:
        bpy.utils.previews.remove(_previews)
    _previews = None
    _drawn.clear()
