"""Wonder3D: Single Image to 3D using Cross-Domain Diffusion (Long et al., arXiv 2310.15008).

From one picture a prior draws six orthographic views as colors and as normals, all in one joint
set (section 4.2). A signed distance field is fitted to them, rendered as NeuS renders it, with the
geometry-aware normal loss and without the rays that fit worst (section 4.3). No score distillation.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

import torch

from backend.multiview.domains import CrossDomainSampler
from backend.multiview.reference import beside_picture
from backend.multiview.rigs import SIX_WEIGHTS, sets_of_six
from backend.multiview.surfaces import SurfaceSize, reconstruct
from backend.multiview.views import to_views
from backend.recipes.options import option
from backend.recipes.pictures import find_reference
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.volumes import contact_sheet, preview
from backend.representations.mesh import MeshRepresentation
from backend.studio import Progress, Studio
from protocol.assets import Asset


@dataclass(frozen=True)
class Options:
    """The paper's numbers where a dense grid on CPU leaves them."""

    elevation_degrees: float = option(
        0.0, "How far above the object the picture was taken from", unit="degrees",
        low=-20.0, high=80.0,
    )
    fov_degrees: float = option(
        0.0, "Vertical field of view of the picture; 0 is orthographic", unit="degrees",
        low=0.0, high=70.0, advanced=True,
    )
    guidance_scale: float = option(
        1.0, "How strongly the views follow the picture", low=1.0, high=10.0
    )
    view_steps: int = option(30, "Denoising steps for the views", low=1, high=200)
    view_sets: int = option(
        1, "Times that six views are drawn, each time from further around where the prior can",
        low=1, high=16,
    )
    fit_steps: int = option(1200, "Steps of fitting the views", low=10, high=20000)
    rays: int = option(4096, "Rays in a step of fitting", low=64, high=65536, advanced=True)
    dropped: float = option(
        0.2, "Share of the rays left out of each later step, those that fit worst",
        low=0.0, high=0.9, advanced=True,
    )
    normals: bool = option(
        True, "Fit the drawn normals, not their colors and outlines alone", advanced=True
    )
    grid_resolution: int = option(96, "Cells along each side of the grid", low=16, high=256)
    samples: int = option(24, "Samples along each ray", low=8, high=256, advanced=True)
    faces: int = option(20000, "Most triangles of the mesh", low=100, high=500000)
    texture_size: int = option(1024, "Texture side", unit="px", low=64, high=8192)


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A picture in; a textured mesh and the first of the views that it was made from out."""
    prior = studio.prior("normals")
    reference = find_reference(inputs, prior, options, studio)
    rigs = sets_of_six(prior, options.elevation_degrees, options.view_sets)
    sampler = CrossDomainSampler(
        prior, reference.given, rigs, options.view_steps, options.guidance_scale
    )
    views = yield from studio.stage(
        "draw views", sampler.empty(), lambda views: sampler.draw(views, studio)
    )
    drawn = sampler.targets(views, torch.tensor(SIX_WEIGHTS))
    targets = beside_picture(drawn, reference.picture, reference.given.cameras)
    if not options.normals:
        targets = replace(targets, normals=None)
    size = SurfaceSize(
        options.fit_steps, options.grid_resolution, options.rays, options.samples
    )
    sdf = yield from reconstruct(targets, size, options.dropped, studio, preview)
    mesh = yield from studio.once(
        "mesh",
        lambda: sdf.to_mesh(options.grid_resolution, options.texture_size, options.faces),
    )
    shown = views.part(slice(2 * len(rigs[0])))
    return Asset(
        reference.name, mesh=mesh, contact_sheet=contact_sheet(MeshRepresentation(mesh)),
        views=to_views(prior, rigs[0], shown.latents[: len(rigs[0])]),
        images={"views": sampler.preview(shown).contact_sheet},
    )


RECIPE = Recipe(
    id="wonder3d",
    title="Wonder3D",
    task="image_to_3d",
    summary="One picture to a textured mesh, through six views of colors and normals.",
    citation="Long et al., Wonder3D: Single Image to 3D using Cross-Domain Diffusion, "
    "arXiv 2310.15008",
    capabilities=("normals",),
    inputs=("prompt", "image"),
    optional=("prompt",),
    options=Options,
    presets={
        "draft": {"view_steps": 2, "view_sets": 8, "fit_steps": 300, "rays": 2048,
                  "grid_resolution": 64, "faces": 8000, "texture_size": 512},
        "standard": {"view_steps": 2, "view_sets": 8},
        "high": {"view_steps": 2, "view_sets": 8, "fit_steps": 3000, "grid_resolution": 160,
                 "faces": 50000, "texture_size": 2048},
    },
    stages={"draw views": 10, "fit coarse surface": 9, "fit surface": 14, "mesh": 4},
    run=run,
    version=7,
)
