"""The docs say what the code says, and their links lead somewhere."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import build

PAGES = sorted([build.ROOT / "README.md", *(build.ROOT / "docs").rglob("*.md")])


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_make", build.ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_recipe_has_a_page_with_its_present_options(make: ModuleType) -> None:
    for recipe in make.registry.describe():
        page = (make.PAGES / f"{recipe.id}.md").read_text(encoding="utf-8")
        assert make.facts(recipe) in page, f"run `python build.py docs`: {recipe.id}"


def test_what_people_wrote_around_the_facts_stays(make: ModuleType) -> None:
    recipe = make.registry.describe()[0]
    page = make.with_facts("# Title\n\nBefore.\n", recipe) + "\nAfter.\n"
    again = make.with_facts(page.replace(recipe.citation, "outdated"), recipe)
    assert again == page
    assert again.startswith("# Title\n\nBefore.\n")
    assert again.endswith("\nAfter.\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_to_files_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert not [link for link in local if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_in_the_docs_exist(page: Path) -> None:
    commands = re.findall(r"python build\.py (\w+)", page.read_text(encoding="utf-8"))
    assert set(commands) <= {"demo", "test", "extension", "serve", "bench", "docs"}


def test_the_page_of_the_pocket_prior_lists_the_world(make: ModuleType) -> None:
    page = (build.ROOT / "docs" / "pocket.md").read_text(encoding="utf-8")
    assert make.world() in page, "run `python build.py docs`"
