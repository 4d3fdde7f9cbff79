"""What to tell a user about errors that no recipe foresaw."""

from backend.recipes import registry
from protocol.errors import DistilleryError, Fix, Problem
from protocol.messages import JobSpec


def explain(error: Exception, spec: JobSpec) -> Problem:
    """The problem that an unforeseen exception of a recipe stands for."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return _retry_smaller("out_of_memory", "There is not enough memory for this job.", spec)
    return Problem(
        code="recipe_failed",
        message=f"The recipe {spec.recipe} failed: {type(error).__name__}: {error}.",
        hint="The backend's log has the details; please report it with the prompt and options.",
    )


def worker_died(exit_code: int | None, spec: JobSpec) -> Problem:
    """The problem of a job that killed its worker more than once."""
    if exit_code == -9:
        message = "The system killed the worker, most likely because memory ran out."
        return _retry_smaller("out_of_memory", message, spec)
    message = f"The worker process died over this job (exit code {exit_code})."
    return _retry_smaller("worker_died", message, spec)


def _retry_smaller(code: str, message: str, spec: JobSpec) -> Problem:
    """Offer the next smaller preset, where there is one."""
    presets = _presets(spec.recipe)
    place = presets.index(spec.preset) if spec.preset in presets else 0
    if place == 0:
        return Problem(
            code=code, message=message,
            hint="Close other programs, or lower the recipe's sizes and counts, and try again.",
        )
    smaller = presets[place - 1]
    return Problem(
        code=code, message=message, hint=f"Close other programs, or try the preset {smaller}.",
        fix=Fix(action="retry", label=f"Retry as {smaller}", options={"preset": smaller}),
    )


def _presets(recipe: str) -> list[str]:
    try:
        return list(registry.get(recipe).presets)
    except DistilleryError:
        return []
