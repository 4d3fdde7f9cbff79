"""What a region does not hold keeps its bits, whichever recipe edits."""

from pathlib import Path

import numpy as np
import pytest

from backend.recipes import registry
from backend.regions.placed import place_region

from .edits import CASES, make_edit


def test_every_recipe_that_edits_is_held_to_it() -> None:
    editing = {recipe.id for recipe in registry.recipes().values() if recipe.task == "edit"}
    assert editing <= set(CASES)


@pytest.mark.parametrize("recipe", CASES)
def test_outside_the_region_the_mesh_is_bitwise_the_original(recipe: str, tmp_path: Path) -> None:
    if recipe not in registry.recipes():
        pytest.skip("not registered")
    edit = CASES[recipe]()
    asset, _ = make_edit(recipe, edit, tmp_path)
    result, placed = asset.mesh, place_region(edit.region, edit.mesh)
    assert np.array_equal(result.faces, edit.mesh.faces)
    inside = placed.at_vertices() > 0
    assert np.array_equal(result.positions[~inside], edit.mesh.positions[~inside])
    outside = placed.most_on_faces() == 0
    colors = edit.mesh.attributes["color"].values
    kept = result.attributes["color"].values
    assert np.array_equal(kept[~inside], colors[~inside])
    assert outside.sum() > 10 and (~outside).sum() > 10
