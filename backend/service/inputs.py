"""Is an order one that can be worked with? Asked before it is accepted, at the caller's side."""

from collections.abc import Callable

from backend.recipes import registry
from protocol.assets import Asset
from protocol.codec import decode_asset, frame_getter
from protocol.errors import InputError
from protocol.frames import Buffer
from protocol.messages import JobSpec

PROMPT_CHARACTERS = 2000
WORDS = ("prompt", "negative_prompt")


def check_order(spec: JobSpec, get_blob: Callable[[str], Buffer]) -> None:
    """Raise InputError for an unknown recipe, a wrong option, a prompt or asset that is no use."""
    if max(len(spec.prompt), len(spec.negative_prompt)) > PROMPT_CHARACTERS:
        raise InputError(
            "prompt_too_long",
            f"The prompt is longer than {PROMPT_CHARACTERS} characters.",
            "Say it in a sentence or two.",
        )
    registry.check(spec)
    get = frame_getter([], get_blob)
    check_assets(spec, {name: decode_asset(data, get) for name, data in spec.inputs.items()})


def check_assets(spec: JobSpec, assets: dict[str, Asset]) -> None:
    """Raise InputError where an input is missing, unknown or broken."""
    recipe = registry.get(spec.recipe)
    wanted = [name for name in recipe.inputs if name not in WORDS]
    for name in wanted:
        if name not in assets and name not in recipe.optional:
            raise InputError(
                "input_missing", f"{recipe.title} needs an input {name!r}.", f"Choose the {name}."
            )
    for name, asset in assets.items():
        if name not in wanted:
            raise InputError(
                "input_unknown", f"{recipe.title} takes no input {name!r}.",
                f"It takes: {', '.join(recipe.inputs)}.",
            )
        asset.check()
