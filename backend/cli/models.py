"""``python -m backend models``: which model answers each capability."""

from typing import get_args

from rich.table import Table

from backend.cli.show import out
from backend.priors.base import Capability
from backend.priors.library import ADAPTERS, find_prior, read_choices, settings_path
from protocol.errors import DistilleryError


def answers() -> dict[Capability, str]:
    """Each capability with the prior that answers it, or that (and perhaps why) none does."""
    return {capability: _answer(capability) for capability in get_args(Capability)}


def show_models() -> None:
    """Print the table, and where it can be changed."""
    table = Table("capability", "chosen", "answer")
    choices = read_choices()
    for capability, answer in answers().items():
        choice = choices.get(capability)
        chosen = f"{choice.adapter} {choice.model}".strip() if choice else "pocket (default)"
        table.add_row(capability, chosen, answer)
    out.print(table)
    out.print(f"Choose others in {settings_path()}; adapters: {', '.join(ADAPTERS)}.")


def _answer(capability: Capability) -> str:
    try:
        spec = find_prior(capability).spec
    except DistilleryError as error:
        lacking = error.problem.code == "capability_missing"
        return "none" if lacking else f"none: {error.problem.message}"
    except (OSError, ImportError) as error:  # a checkpoint that is not there, or half of it
        return f"none: {error}"
    return f"{spec.name}, {spec.resolution} px, {spec.license}"
