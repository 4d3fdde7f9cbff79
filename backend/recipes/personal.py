"""What recipes share whose prior is made familiar with the given mesh first: options, what the
mesh is called, and the personal prior (DreamBooth through LoRA, on renders of the mesh)."""

import re
from collections.abc import Generator
from dataclasses import dataclass

import torch

from backend.personalization.lora import Lora
from backend.personalization.training import IDENTIFIER, Preservation, Subject, personalize
from backend.priors.base import Prior
from backend.recipes.options import option
from backend.rendering.cameras import Cameras
from backend.representations.mesh import MeshRepresentation
from backend.studio import Progress, Studio
from protocol.assets import Mesh


@dataclass(frozen=True)
class PersonalOptions:
    """Options of every recipe with a personal prior."""

    lora_steps: int = option(
        200, "Steps that make the prior familiar with the mesh; 0 takes it as it is", low=0,
        high=5000,
    )
    lora_rank: int = option(16, "Rank of what the prior learns", low=1, high=256, advanced=True)
    preservation: float = option(
        1.0, "Weight of pictures of the class that the prior should not forget", low=0.0,
        high=10.0, advanced=True,
    )


def know_mesh(
    prior: Prior, mesh: Mesh, noun: str, cameras: Cameras, options: PersonalOptions, studio: Studio,
    *, see_cameras: bool,
) -> Generator[Progress, None, Prior]:
    """The stages "personalize class" and "personalize": the prior that knows this very ``mesh``,
    seen from ``cameras``, as the ``noun`` with the identifier before it; the prior as it is for no
    steps. ``see_cameras``: it is told the cameras. Raises InputError ``prior_fixed`` for a prior
    that has no network to train."""
    if options.lora_steps == 0:
        return prior
    gray = prior.spec.background
    with torch.no_grad():
        views = MeshRepresentation(mesh).render(
            cameras, background=torch.full((3,), 0.5 if gray is None else gray)
        )
    subject = Subject(
        views.color, f"a photo of {IDENTIFIER} {noun}", None if gray is None else views.alpha,
        cameras if see_cameras else None,
    )
    preservation = Preservation(f"a photo of a {noun}", weight=options.preservation)
    return (yield from personalize(
        Lora(prior, studio.generator("lora"), options.lora_rank), subject, studio,
        steps=options.lora_steps, preservation=preservation if options.preservation > 0 else None,
    ))


def noun_of(name: str) -> str:
    """What an object is, by its name in Blender or the prompt that made it, without article:
    "Toy_Dog.001" is a toy dog."""
    words = re.sub(r"\.\d+$", "", name).replace("_", " ").strip().lower()
    return re.sub(r"^(an?|the)\s+", "", words) or "object"


def with_identifier(prompt: str, noun: str) -> str:
    """``prompt`` with the identifier before ``noun``, where it says that."""
    return re.sub(rf"(?i)\b({re.escape(noun)})\b", rf"{IDENTIFIER} \1", prompt, count=1)
