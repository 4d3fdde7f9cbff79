"""Errors as data: what happened, what to do about it, and a repair that a panel can offer."""

from typing import Any, Literal

import msgspec


class Fix(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A repair that one click can make.

    ``set_option`` sets ``field`` to ``value``; ``start_backend`` starts a local backend;
    ``open_preferences`` shows the add-on's preferences; ``retry`` submits again with ``options``
    (a smaller preset, say) laid over the old ones.
    """

    action: Literal["set_option", "start_backend", "open_preferences", "retry"]
    label: str
    field: str = ""
    value: Any = None
    options: dict[str, Any] = {}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One error as it travels: a stable ``code``, a sentence, a hint, perhaps a fix."""

    code: str
    message: str
    hint: str = ""
    fix: Fix | None = None


class DistilleryError(Exception):
    """An error that its reader can act on; carries a :class:`Problem`."""

    def __init__(self, code: str, message: str, hint: str = "", fix: Fix | None = None) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.problem = Problem(code=code, message=message, hint=hint, fix=fix)

    @classmethod
    def of(cls, problem: Problem) -> "DistilleryError":
        """The error that a problem, arrived over the wire, stands for."""
        return cls(problem.code, problem.message, problem.hint, problem.fix)


class ProtocolError(DistilleryError):
    """Bytes that are no message of this protocol, or of another version of it."""


class InputError(DistilleryError):
    """A prompt, image, mesh, option or region that cannot be worked with."""
