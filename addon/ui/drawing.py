"""Pieces that panels and preferences draw alike: the connection, a problem with its repair."""

import textwrap
from typing import Any

import bpy

from ...protocol.errors import Problem
from ..runtime import runtime

# In pixels before Blender's own scaling: a letter, and what stands beside the text of a box.
LETTER_WIDTH = 6.5
MARGIN_WIDTH = 85
NARROWEST = 20
# A UILayout; the stubs say that a panel may have none, and want every icon's name as a literal.
Layout = Any

_STATES = {
    "online": ("CHECKMARK", "Connected"),
    "connecting": ("SORTTIME", "Connecting"),
    "offline": ("UNLINKED", "No backend"),
    "wrong_version": ("ERROR", "Other version"),
}


def draw_connection(layout: Layout) -> None:
    """One line on the backend, and what is wrong with it."""
    session, local = runtime.session, runtime.backend
    if local is not None and local.state == "starting":
        layout.label(text="Starting the backend …", icon="SORTTIME")
        return
    icon, text = _STATES[session.state if session else "offline"]
    where = session.client.server if session and session.state == "online" else runtime.address
    layout.label(text=f"{text} · {where}" if where else text, icon=icon)
    if local is not None and local.problem is not None:
        draw_problem(layout, local.problem)
    elif runtime.problem is not None:
        draw_problem(layout, runtime.problem)
    elif session is not None and session.client.problem is not None:
        draw_problem(layout, session.client.problem)


def draw_problem(layout: Layout, problem: Problem, job: str = "") -> None:
    """What happened, what to do, and a button that does it where there is one."""
    box = layout.box().column(align=True)
    box.alert = True
    draw_lines(box, problem.message, "ERROR")
    box.alert = False
    draw_lines(box, problem.hint)
    if problem.fix is not None:
        button = box.operator("distillery.apply_fix", text=problem.fix.label, icon="TOOL_SETTINGS")
        button.job = job


def draw_lines(layout: Layout, text: str, icon: str = "BLANK1") -> None:
    """A text of any length, broken into lines; the icon stands before the first."""
    for number, line in enumerate(textwrap.wrap(text, _line_letters())):
        layout.label(text=line, icon=icon if number == 0 else "BLANK1")


def _line_letters() -> int:
    """How many letters fit into a line of the region that is being drawn."""
    region = bpy.context.region
    if region is None:
        return NARROWEST
    width = region.width / bpy.context.preferences.system.ui_scale
    return max(NARROWEST, int((width - MARGIN_WIDTH) / LETTER_WIDTH))
