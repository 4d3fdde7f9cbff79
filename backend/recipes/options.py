"""Options of a recipe: dataclass fields that know their range, unit and help."""

from dataclasses import field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from protocol.errors import Fix, InputError
from protocol.messages import Option


def option(
    default: Any,
    help: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    advanced: bool = False,
) -> Any:
    """A dataclass field with what the command line, the panel and the docs draw it from."""
    return field(
        default=default,
        metadata={"help": help, "unit": unit, "low": low, "high": high, "advanced": advanced},
    )


def describe_options(options: type) -> tuple[Option, ...]:
    """The options of a dataclass whose fields were made by :func:`option`."""
    hints = get_type_hints(options)
    described = []
    for entry in fields(options):
        hint = hints[entry.name]
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        kind = "choice" if choices else hint.__name__
        described.append(
            Option(name=entry.name, kind=kind, default=entry.default, choices=choices,
                   **entry.metadata)
        )
    return tuple(described)


def check_options(options: type, values: dict[str, Any]) -> Any:
    """An instance with ``values`` over the defaults, or :class:`InputError` for a wrong one."""
    known = {entry.name: entry for entry in describe_options(options)}
    for name, value in values.items():
        if name not in known:
            raise InputError(
                "option_unknown",
                f"There is no option {name!r}.",
                f"Options are: {', '.join(sorted(known))}.",
            )
        _check_value(known[name], value)
    return options(**{name: _cast(known[name], value) for name, value in values.items()})


def _cast(entry: Option, value: Any) -> Any:
    return float(value) if entry.kind == "float" else value


def _check_value(entry: Option, value: Any) -> None:
    expected: dict[str, tuple[type, ...]] = {
        "int": (int,), "float": (int, float), "bool": (bool,), "str": (str,), "choice": (str,)
    }
    wrong_type = not isinstance(value, expected[entry.kind])
    if wrong_type or (isinstance(value, bool) and entry.kind != "bool"):
        raise _option_error(entry, f"wants {entry.kind}, not {value!r}")
    if entry.choices and value not in entry.choices:
        raise _option_error(entry, f"is one of {', '.join(entry.choices)}, not {value!r}")
    if entry.kind in ("int", "float") and not _in_range(entry, value):
        raise _option_error(entry, f"lies between {entry.low} and {entry.high}, not at {value}")


def _in_range(entry: Option, value: float) -> bool:
    return (entry.low is None or value >= entry.low) and (entry.high is None or value <= entry.high)


def _option_error(entry: Option, complaint: str) -> InputError:
    fix = Fix(action="set_option", label=f"Set {entry.name} to {entry.default}",
              field=entry.name, value=entry.default)
    return InputError(
        "option_invalid", f"Option {entry.name} {complaint}.", f"It means: {entry.help}", fix
    )
