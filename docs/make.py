"""Bring docs/recipes up to date with the code: `python build.py docs` runs this.

Each recipe's page keeps what people wrote; between its two markers stand the facts that the code
states. With `--pictures` each recipe that words alone can order, or an object or picture
of the pocket world, also runs once, and its contact sheet is its picture, and the families of the
pocket world are drawn; `--pictures mvdream world` draws only those.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
from PIL import Image

from backend.cli.meshes import read_mesh
from backend.evaluation.bench.deformations import one_surface
from backend.meshing.export import export
from backend.multiview.rigs import picture_camera
from backend.pocket import composition_sheets, sheets
from backend.pocket.render import render
from backend.pocket.world import COLORS, KINDS, build
from backend.pocket.world.descriptions import Accessory, Description
from backend.pocket.world.meshes import to_mesh
from backend.pocket.world.motions import Motion, with_room
from backend.priors.library import find_prior
from backend.recipes import registry
from protocol.assets import Asset
from protocol.errors import InputError
from protocol.messages import Option, RecipeInfo

PAGES, PICTURES = ROOT / "docs" / "recipes", ROOT / "docs" / "pictures"
BEGIN, END = "<!-- from the code: python build.py docs -->", "<!-- until here -->"
PROMPT = "a red mushroom"
PROMPTS = {
    "deform": "a dog", "animate": "a blue windmill spinning its blades",
    "edit": "a white snowman with a red hat, whose hat shall be green: before and after",
    "image_to_3d": "from the picture on the left: drawn views, and the object that came of it",
}
"""By task, where it is another one."""
PICTURED = ("rabbit", "orange")
HEAD_UP = """{
  "handles": [{"at": [0, -0.85, 0.35], "radius": 0.18, "by": [0, 0.05, 0.35]}],
  "anchors": [{"box": [-1, -1, -1, 1, 1, -0.25]}]
}"""


def main() -> None:
    """Rewrite the generated parts of every recipe's page and of the pocket prior's."""
    PAGES.mkdir(exist_ok=True)
    wanted = pictures_wanted(sys.argv[1:])
    if "world" in wanted:
        sheets.draw_world(PICTURES)
        composition_sheets.save_sheets(PICTURES)
    path = ROOT / "docs" / "pocket.md"
    path.write_text(with_generated(path.read_text(encoding="utf-8"), world()), encoding="utf-8")
    for recipe in registry.describe():
        if recipe.id in wanted:
            draw(recipe)
        path = PAGES / f"{recipe.id}.md"
        old = path.read_text(encoding="utf-8") if path.is_file() else f"# {recipe.title}\n"
        path.write_text(with_facts(old, recipe), encoding="utf-8")
        print(path.relative_to(ROOT))


def pictures_wanted(arguments: list[str]) -> list[str]:
    """Return what is to be drawn: what stands after `--pictures`, or else everything."""
    if "--pictures" not in arguments:
        return []
    named = arguments[arguments.index("--pictures") + 1 :]
    return named or ["world", *(each.id for each in registry.describe() if can_draw(each))]


def can_draw(recipe: RecipeInfo) -> bool:
    """Return whether the present priors and words, or an object of the world, are all it needs."""
    needed = set(recipe.inputs) - set(recipe.optional)
    try:
        for capability in recipe.capabilities:
            find_prior(capability)  # type: ignore[arg-type]
    except InputError:
        return False
    return recipe.task in PROMPTS or needed <= {"prompt", "negative_prompt"}


def with_facts(page: str, recipe: RecipeInfo) -> str:
    """Return a page with the code's facts of its recipe, replaced in place or added at the end."""
    return with_generated(page, facts(recipe))


def with_generated(page: str, text: str) -> str:
    """Return a page with `text` between its markers, which are added at the end if missing."""
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2] or "\n"
    return f"{head.rstrip()}\n\n{BEGIN}\n{text}\n{END}{tail}"


def world() -> str:
    """Return the kinds of the pocket world by family, with their pictures, and its colors."""
    lines = [f"{len(KINDS)} kinds in {len(sheets.FAMILIES)} families:", ""]
    for family in sheets.FAMILIES:
        names = [name for name, kind in KINDS.items() if kind.family == family]
        lines += [f"- **{family}**: {', '.join(names)} ([picture](pictures/world_{family}.png));"]
    lines[-1] = lines[-1].rstrip(";") + "."
    return "\n".join([*lines, "", f"{len(COLORS)} colors: {', '.join(COLORS)}."])


def facts(recipe: RecipeInfo) -> str:
    """Return citation, capabilities, presets and options as Markdown."""
    lines = [
        f"*{recipe.summary}* {recipe.citation}.",
        "",
        *picture(recipe),
        f"Takes {', '.join(recipe.inputs)}; asks a prior for {', '.join(recipe.capabilities)}.",
        "",
        "| option | default | what it does |",
        "| --- | --- | --- |",
        *(option_row(option) for option in recipe.options),
        "",
        "| preset | changes |",
        "| --- | --- |",
        *(preset_row(name, changes) for name, changes in recipe.presets.items()),
    ]
    return "\n".join(lines)


def picture(recipe: RecipeInfo) -> list[str]:
    """Return the lines that show what the recipe made, where it has been drawn."""
    if not (PICTURES / f"{recipe.id}.png").is_file():
        return []
    preset = next(iter(recipe.presets))
    said = PROMPTS.get(recipe.task, PROMPT)
    return [f"![{said}, {preset}, with the pocket prior](../pictures/{recipe.id}.png)", ""]


def option_row(option: Option) -> str:
    """Return one option's line of the table, with its range or choices."""
    bounds = f"{option.low:g} to {option.high:g}" if option.low is not None else ""
    limits = " ".join(filter(None, [bounds or ", ".join(option.choices), option.unit]))
    return (
        f"| `{option.name}` | {option.default} | {option.help}{f' ({limits})' if limits else ''} |"
    )


def preset_row(name: str, changes: dict[str, object]) -> str:
    """Return one preset's line of the table."""
    listed = ", ".join(f"`{option}` {value}" for option, value in changes.items())
    return f"| {name} | {listed or 'the defaults'} |"


def draw(recipe: RecipeInfo) -> None:
    """Run a recipe's first preset and keep its contact sheet as docs/pictures/ID.png."""
    preset = next(iter(recipe.presets))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "backend", *order(recipe, Path(folder))]
        command += ["--recipe", recipe.id, "--preset", preset, "--seed", "7", "--out", folder]
        subprocess.run(command, cwd=ROOT, check=True)
        sheet = next(Path(folder).glob("*_views.png"))
        if recipe.task == "image_to_3d":
            beside_input(Path(folder), sheet)
        shutil.copy(sheet, PICTURES / f"{recipe.id}.png")


def beside_input(folder: Path, sheet: Path) -> None:
    """Put the input and the drawn views above a sheet of the result."""
    result = Image.open(sheet).convert("RGB")
    side, drawn = result.width // 4, sorted(folder.glob("*_view_[0-9]*.png"))
    whole = Image.new("RGB", (result.width, result.height + side), (128, 128, 128))
    whole.paste(result, (0, side))
    tiles = [(folder / "input.png", side, 0, 0)]
    tiles += [(path, side // 2, side + i % 6 * side // 2, i // 6 * side // 2)
              for i, path in enumerate(drawn)]
    for path, size, x, y in tiles:
        tile = Image.open(path).convert("RGBA").resize((size, size))
        whole.paste(tile, (x, y), tile)
    whole.save(sheet)


def order(recipe: RecipeInfo, folder: Path) -> list[str]:
    """Return what the command line is told for a recipe of that task; writes its input."""
    task = recipe.task
    if task == "image_to_3d":
        place = {option.name: option.default for option in recipe.options}
        camera = picture_camera(place["elevation_degrees"], place["fov_degrees"], 128)
        pixels = render(build(*PICTURED, 1), camera, samples=3)["rgba"][0]
        Image.fromarray((pixels * 255).round().astype("uint8")).save(folder / "input.png")
        return ["generate", "--image", f"{folder}/input.png"]
    if task == "deform":
        export(Asset("dog", mesh=one_surface(build("dog", "brown", 1))), folder, ("ply",))
        (folder / "head.json").write_text(HEAD_UP, encoding="utf-8")
        return ["deform", f"{folder}/dog.ply", f"{folder}/head.json", PROMPTS[task]]
    if task == "animate":
        scene = with_room(build("windmill", "blue", 3), Motion("spin", "blades"))
        export(Asset("windmill", mesh=to_mesh(scene, segments=24)), folder, ("ply",))
        return ["animate", f"{folder}/windmill.ply", PROMPTS[task]]
    if task == "edit":
        return edit_order(recipe, folder)
    return ["generate", PROMPT]


def edit_order(recipe: RecipeInfo, folder: Path) -> list[str]:
    """Return an order to repaint a hat, said as an instruction or as what shall be seen."""
    said = Description("snowman", "white", accessory=Accessory("hat", "red"))
    scene = build(said, seed=3)
    path = folder / "snowman.glb"
    export(Asset("snowman", mesh=to_mesh(scene, texture_size=512)), folder, ("glb",))
    hat = np.concatenate([p.surface_points() for p in scene.parts if p.name.startswith("hat")])
    before, after = (mesh.positions for mesh in (to_mesh(scene), read_mesh(path).mesh))
    scale = np.ptp(after, 0).max() / np.ptp(before, 0).max()
    box = scale * (np.stack([hat.min(0), hat.max(0)]) - before.min(0)) + after.min(0)
    told = "instruction" in recipe.capabilities
    prompt = "make the hat green" if told else "a white snowman with a green hat"
    corners = ",".join(f"{number:.3f}" for number in (box + [[-0.02], [0.02]]).ravel())
    return ["edit", str(path), prompt, f"--region-box={corners}"]


if __name__ == "__main__":
    main()
