"""What recipes that edit a region of a mesh share: their options, and the region on the mesh."""

from dataclasses import dataclass

from backend.editing.locating import locate_word
from backend.recipes.options import option
from backend.recipes.registry import Inputs
from backend.regions.placed import PlacedRegion, place_region
from backend.studio import Studio
from protocol.assets import Mesh


@dataclass(frozen=True)
class EditOptions:
    """Options of every recipe that edits a region of a mesh."""

    heat_threshold: float = option(
        0.75, "How hot a place must be to belong to the word", low=0.05, high=0.99
    )
    texture_size: int = option(
        1024, "Texture side, where the mesh has no texture yet", unit="px", low=64, high=8192
    )


def locate(inputs: Inputs, mesh: Mesh, options: EditOptions, studio: Studio) -> PlacedRegion:
    """The region as given, or where the prior's attention to its word falls. Raises InputError
    ``word_not_found`` where there is no such place."""
    region = inputs.assets["region"].region
    assert region is not None
    if region.word:
        prior = studio.prior("attention")
        region = locate_word(prior, mesh, region.word, inputs.prompt, options.heat_threshold)
    return place_region(region, mesh)
