"""What recipes that edit a region of a mesh share: their options, the region on the mesh, and what
the words of an order must say."""

from dataclasses import dataclass
from typing import NamedTuple

from backend.editing.instruction import STRONGEST
from backend.editing.locating import Found, faces_of, find_word
from backend.editing.tracing import label, trace_region, trace_word
from backend.pocket.prompts import check_instruction, check_prompt
from backend.pocket.world.edits import ORDERS
from backend.priors.base import Capability
from backend.recipes.options import option
from backend.recipes.recipe import Inputs
from backend.regions.placed import PlacedRegion, place_region
from backend.representations.gaussians import Gaussians
from backend.studio import Studio
from protocol.assets import Mesh, Region
from protocol.errors import InputError


@dataclass(frozen=True)
class EditOptions:
    """Options of every recipe that edits a region of a mesh."""

    heat_threshold: float = option(
        0.75, "How hot a place must be to belong to the word", low=0.05, high=0.99
    )
    texture_size: int = option(
        1024, "Texture side, where the mesh has no texture yet", unit="px", low=64, high=8192
    )
    strength: float = option(
        0.02, "Least share of the noise process that an edit goes back, 0.98 being the most; a "
        "short run wants strong edits", low=0.02, high=STRONGEST,
    )


class Place(NamedTuple):
    """A region on a mesh; where a word named it, also where the word was ``found``."""

    region: Region
    found: Found | None = None


def find_place(inputs: Inputs, mesh: Mesh, options: EditOptions, studio: Studio) -> Place:
    """The region as given, or where the prior's attention to its word falls. Raises InputError
    ``region_missing`` where there is none, ``word_not_found`` where the word is nowhere."""
    asset = inputs.assets.get("region")
    if asset is None or asset.region is None:
        raise InputError(
            "region_missing", "Nothing says where to edit.",
            "Choose a box, a vertex group, faces, or say a word for the place.",
        )
    region = asset.region
    region.check()
    if not region.word:
        return Place(region)
    prior = studio.prior("attention")
    found = find_word(prior, mesh, region.word, inputs.prompt, options.heat_threshold)
    return Place(faces_of(mesh, found, region.word), found)


def locate(inputs: Inputs, mesh: Mesh, options: EditOptions, studio: Studio) -> PlacedRegion:
    """The region laid on the mesh; as :func:`find_place` and :func:`place_region`."""
    return place_region(find_place(inputs, mesh, options, studio).region, mesh)


def label_place(
    gaussians: Gaussians, place: Place, placed: PlacedRegion, threshold: float
) -> None:
    """The region's labels on Gaussians, traced from the outlines of its word or of its faces; of
    volumes and vertex groups, what holds where they stand."""
    if place.found is not None:
        label(gaussians, trace_word(gaussians, place.found, threshold))
    else:
        label(gaussians, trace_region(gaussians, placed, threshold))


def check_said(prompt: str, studio: Studio, capability: Capability = "inpaint") -> None:
    """Raises InputError where the prior for a ``capability`` is missing, or knows few words and
    none of a description, or the ``prompt`` is no description but an order."""
    words = studio.prior(capability).spec.vocabulary
    if (prompt.lower().split() or [""])[0] in ORDERS:
        raise InputError(
            "prompt_is_order", f"“{prompt}” says what to do, not what shall be seen.",
            "Describe what shall be seen then: “a snowman with a blue hat”.",
        )
    if words is not None and prompt:
        check_prompt(prompt, words.kinds, words.colors)


def check_told(prompt: str, studio: Studio) -> None:
    """Raises InputError ``instruction_missing`` without an instruction; where the prior knows few
    words also where it is none, or one in other words."""
    words = studio.prior("instruction").spec.vocabulary
    if not prompt:
        raise InputError(
            "instruction_missing", "There is no instruction.",
            "Say what shall change: \"make the hat green\".",
        )
    if words is not None:
        check_instruction(prompt, words.kinds, words.colors)
