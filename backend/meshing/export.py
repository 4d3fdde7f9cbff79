"""Files that other programs read: glTF (GLB), OBJ and PLY, and the contact sheet as PNG."""

import json
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import trimesh
from trimesh.visual.material import PBRMaterial, SimpleMaterial

from backend.meshing.splats import SH0
from protocol.assets import Asset, Image, Material, Mesh, Motion, Splats, View
from protocol.errors import InputError

FORMATS = ("glb", "obj", "ply")
SPLAT_PROPERTIES = (
    "x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity",
    "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3",
)
# glTF and OBJ have y up and look along -z; the front of an object, -y here, is their +z.
Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def export(asset: Asset, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write ``asset`` into ``folder`` (made if needed) and return the paths of the files.

    GLB and OBJ stand y-up, as their readers expect; PLY stays z-up and carries vertex colors.
    Splats become a PLY of their own, NAME_splats.ply, as viewers of 3D Gaussian Splatting read it.
    A mesh in motion becomes a PLY, and beside it NAME.pc2, a point cache of its vertices, z-up as
    well (Blender's Mesh Cache modifier and others read it).
    Views become NAME_view_00.png and so on, their cameras (z-up) NAME_cameras.json.
    Raises InputError for a format that is not known.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(
            "export_format", f"There is no format {unknown[0]!r}.", f"Choose from {FORMATS}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "_", asset.name).strip("_") or "object"
    written: list[Path] = []
    if asset.mesh is not None:
        writers = {"glb": _write_glb, "obj": _write_obj, "ply": _write_ply}
        moving = asset.motion is not None and "ply" not in formats
        for name in (*formats, "ply") if moving else formats:
            written += writers[name](asset.mesh, folder / f"{stem}.{name}")
    if asset.mesh is not None and asset.motion is not None:
        written.append(write_point_cache(asset.motion, folder / f"{stem}.pc2"))
    if asset.splats is not None and "ply" in formats:
        written.append(write_splats(asset.splats, folder / f"{stem}_splats.ply"))
    if asset.contact_sheet is not None:
        path = folder / f"{stem}_views.png"
        to_pillow(asset.contact_sheet).save(path)
        written.append(path)
    return written + _write_views(asset.views, folder, stem)


def write_point_cache(motion: Motion, path: Path) -> Path:
    """All positions as a PC2 file, one sample a frame from frame 0 on."""
    frames, points, _ = motion.positions.shape
    header = struct.pack("<12siiffi", b"POINTCACHE2", 1, points, 0.0, 1.0, frames)
    path.write_bytes(header + motion.positions.astype("<f4").tobytes())
    return path


def _write_views(views: list[View], folder: Path, stem: str) -> list[Path]:
    """A picture a view, and where they all stand."""
    if not views:
        return []
    written = [folder / f"{stem}_cameras.json"]
    cameras = []
    for number, view in enumerate(views):
        path = folder / f"{stem}_view_{number:02d}.png"
        pose = {"camera_to_world": view.c2w.tolist(), "fov_degrees": view.fov_degrees}
        if view.image is not None:
            to_pillow(view.image).save(path)
            written.append(path)
            pose["picture"] = path.name
        cameras.append(pose)
    written[0].write_text(json.dumps(cameras, indent=1))
    return written


def to_pillow(image: Image) -> PIL.Image.Image:
    """The same picture for Pillow."""
    pixels = image.pixels[..., 0] if image.pixels.shape[-1] == 1 else image.pixels
    return PIL.Image.fromarray(pixels)


def _write_glb(mesh: Mesh, path: Path) -> list[Path]:
    surface = _to_trimesh(mesh, _physical_material)
    surface.apply_transform(Y_UP)
    surface.export(path)
    return [path]


def _write_obj(mesh: Mesh, path: Path) -> list[Path]:
    surface = _to_trimesh(mesh, _simple_material)
    if mesh.uvs is not None:
        surface.visual.material.name = path.stem  # the texture is named after it
    surface.apply_transform(Y_UP)
    text, files = trimesh.exchange.obj.export_obj(
        surface, return_texture=True, mtl_name=f"{path.stem}.mtl", include_normals=True
    )
    path.write_text(text)
    for name, content in files.items():
        (path.parent / name).write_bytes(content)
    return [path, *(path.parent / name for name in files)]


def _write_ply(mesh: Mesh, path: Path) -> list[Path]:
    colors = mesh.attributes.get("color")
    rgba = None if colors is None else (colors.values * 255).round().astype(np.uint8)
    trimesh.Trimesh(
        mesh.positions, mesh.faces, vertex_normals=mesh.normals, vertex_colors=rgba, process=False
    ).export(path)
    return [path]


def write_splats(splats: Splats, path: Path) -> Path:
    """The PLY of 3D Gaussian Splatting (Kerbl et al. 2023, released code), z-up, harmonics of
    degree 0: binary little-endian float32 rows of position, normal (zero), f_dc (color = 1/2 +
    SH0 * f_dc), opacity (logit), scale (logarithm of the standard deviation), rot (w first)."""
    opacities = splats.opacities.clip(1e-6, 1 - 1e-6)
    values = np.column_stack([
        splats.means, np.zeros_like(splats.means), (splats.colors - 0.5) / SH0,
        np.log(opacities / (1 - opacities)), np.log(splats.scales.clip(1e-8)), splats.quats,
    ])
    properties = "".join(f"property float {name}\n" for name in SPLAT_PROPERTIES)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(values)}\n{properties}"
    path.write_bytes(f"{header}end_header\n".encode() + values.astype("<f4").tobytes())
    return path


def _to_trimesh(mesh: Mesh, make_material: Callable[[Material], Any]) -> trimesh.Trimesh:
    """One vertex for each pair of position and UV, as the file formats want it."""
    normals = mesh.normals
    if mesh.uvs is None:
        return trimesh.Trimesh(mesh.positions, mesh.faces, vertex_normals=normals, process=False)
    corners = np.concatenate([mesh.faces.reshape(-1, 1), mesh.uvs.reshape(-1, 2)], 1)
    unique, first, inverse = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    points = mesh.faces.ravel()[first]
    material = make_material(mesh.material or Material())
    return trimesh.Trimesh(
        mesh.positions[points],
        inverse.reshape(-1, 3),
        vertex_normals=None if normals is None else normals[points],
        visual=trimesh.visual.TextureVisuals(uv=unique[:, 1:], material=material),
        process=False,
    )


def _physical_material(material: Material) -> PBRMaterial:
    return PBRMaterial(
        baseColorFactor=material.base_color if material.base_color_map is None else None,
        baseColorTexture=_optional_pillow(material.base_color_map),
        roughnessFactor=1.0 if material.roughness_map else material.roughness,
        metallicFactor=1.0 if material.metallic_map else material.metallic,
        metallicRoughnessTexture=_metallic_roughness(material),
        normalTexture=_optional_pillow(material.normal_map),
    )


def _simple_material(material: Material) -> SimpleMaterial:
    return SimpleMaterial(
        image=_optional_pillow(material.base_color_map), diffuse=material.base_color
    )


def _optional_pillow(image: Image | None) -> PIL.Image.Image | None:
    return None if image is None else to_pillow(image)


def _metallic_roughness(material: Material) -> PIL.Image.Image | None:
    """glTF keeps roughness in green and metallic in blue of one picture."""
    rough, metal = material.roughness_map, material.metallic_map
    given = rough or metal
    if given is None:
        return None
    packed = np.full((*given.pixels.shape[:2], 3), 255, np.uint8)
    for channel, image in ((1, rough), (2, metal)):
        if image is not None:
            size = packed.shape[1::-1]
            packed[..., channel] = np.asarray(to_pillow(image).convert("L").resize(size))
    return PIL.Image.fromarray(packed)
