"""Which cases a recipe is asked for, by its task."""

from collections.abc import Callable, Iterator

from backend.evaluation.bench import deformations, edits, images, motions, text
from backend.evaluation.bench.cases import Bench, Case

CASES: dict[str, Callable[[Bench, int], Iterator[Case]]] = {
    "text_to_3d": text.cases, "image_to_3d": images.cases, "edit": edits.cases,
    "deform": deformations.cases, "animate": motions.cases,
}


def cases(bench: Bench, count: int) -> Iterator[Case]:
    """The first ``count`` of the fixed held-out cases of a recipe's task."""
    return CASES[bench.recipe.task](bench, count)
