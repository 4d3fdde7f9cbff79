"""The sidebar: settings drawn from what the backend describes, jobs as they go."""

from typing import Any

import bpy

from .. import compat
from ..core.jobs import Job, status_line
from ..runtime import runtime
from . import forms
from .choosing import belongs_to_object, draw_inputs
from .drawing import Layout, draw_connection, draw_lines, draw_problem
from .pictures import icon_of
from .properties import TASKS, DistillerySettings, offered_recipes, settings_of

SHOWN_JOBS = 12

_JOB_ICONS = {
    "queued": "SORTTIME", "running": "SHADERFX", "paused": "PAUSE",
    "done": "CHECKMARK", "failed": "ERROR", "cancelled": "X",
}
_HINTS = {
    "image_to_3d": "What the picture shows (optional)",
    "edit": "What it shall be, such as: a snowman with a blue hat",
    "deform": "What it is, such as: a red chair",
    "animate": "What it does, such as: a dog wagging its tail",
}


class DistilleryPanel:
    """Where all panels are."""

    bl_space_type: Any = "VIEW_3D"
    bl_region_type: Any = "UI"
    bl_category = "Distillery"


class DISTILLERY_PT_generate(DistilleryPanel, bpy.types.Panel):
    """What to make, and the button that makes it."""

    bl_label = "Distillery"

    def draw(self, context: bpy.types.Context) -> None:
        """Connection, recipe, prompt, settings, Generate."""
        layout, session = self.layout, runtime.session
        if session is None or session.state != "online" or not offered_recipes():
            draw_connection(layout)
        if session is None or not offered_recipes():
            return
        settings = settings_of(context)
        recipe = settings.chosen_recipe()
        _draw_choice(layout, settings)
        _draw_words(layout, settings)
        draw_inputs(layout, settings, context)
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "preset")
        row = column.row(align=True)
        row.prop(settings, "seed")
        row.prop(settings, "random_seed", text="", icon="FILE_REFRESH")
        if recipe is None or not belongs_to_object(recipe):
            column.prop(settings, "size_meters")
        button = layout.column()
        button.scale_y = 1.5
        button.operator("distillery.generate", icon="SHADERFX")
        if session.problem is not None:
            draw_problem(layout, session.problem)


class OptionsPanel(DistilleryPanel):
    """Those of the recipe's options that are ``advanced``, or those that are not."""

    bl_options: Any = {"DEFAULT_CLOSED"}
    layout: Any
    advanced = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where the recipe has such options."""
        return bool(_options(settings_of(context), cls.advanced))

    def draw(self, context: bpy.types.Context) -> None:
        """Each with its own range, unit and help."""
        settings, layout = settings_of(context), self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        for option in _options(settings, self.advanced):
            layout.prop(*option)


class DISTILLERY_PT_options(OptionsPanel, bpy.types.Panel):
    """The recipe's options."""

    bl_label = "Options"
    bl_parent_id = "DISTILLERY_PT_generate"


class DISTILLERY_PT_advanced(OptionsPanel, bpy.types.Panel):
    """The recipe's advanced options."""

    bl_label = "Advanced"
    bl_parent_id = "DISTILLERY_PT_generate"
    advanced = True


class DISTILLERY_PT_jobs(DistilleryPanel, bpy.types.Panel):
    """Running jobs with their pictures, then what has been made."""

    bl_label = "Jobs"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there are jobs."""
        return runtime.session is not None and bool(runtime.session.jobs or runtime.session.sending)

    def draw(self, context: bpy.types.Context) -> None:
        """One box for each running job, one row for each that has ended."""
        session = runtime.session
        assert session is not None
        if session.sending:
            self.layout.label(text="Sending …", icon="SORTTIME")
        if session.ready:
            draw_lines(self.layout, "A result is ready: go to Object Mode to place it.", "INFO")
        jobs = session.newest_jobs()
        for job in jobs:
            if not job.ended or job.fetched is not None:
                _draw_running(self.layout, job)
        for job in [job for job in jobs if job.ended and job.fetched is None][:SHOWN_JOBS]:
            _draw_ended(self.layout, job)


def _draw_choice(layout: Layout, settings: DistillerySettings) -> None:
    """The tasks where there are several, and the recipe."""
    if len({recipe.task for recipe in offered_recipes()} & set(TASKS)) > 1:
        layout.row().prop(settings, "task", expand=True)
    layout.prop(settings, "recipe", text="")


def _draw_words(layout: Layout, settings: DistillerySettings) -> None:
    """The prompts that the recipe takes."""
    recipe = settings.chosen_recipe()
    column = layout.column(align=True)
    if recipe is not None and "prompt" in recipe.inputs:
        compat.draw_prompt(column, settings, "prompt", _HINTS.get(recipe.task, "What to make"))
    if recipe is not None and "negative_prompt" in recipe.inputs:
        compat.draw_prompt(column, settings, "negative_prompt", "What to avoid")


def _options(
    settings: DistillerySettings, advanced: bool
) -> list[tuple[bpy.types.PropertyGroup, str]]:
    """Owner and name of the chosen form's options."""
    chosen = forms.chosen_form(settings)
    return [(chosen[1], option.name) for option in (chosen[0].options if chosen else ())
            if chosen and option.advanced == advanced]


def _draw_running(layout: Layout, job: Job) -> None:
    """Title and cancel, progress, message and loss, the picture so far."""
    box = layout.box().column()
    row = box.row()
    row.label(text=job.title, icon=_JOB_ICONS[job.state])
    hold = "PLAY" if job.state == "paused" else "PAUSE"
    row.operator("distillery.pause", text="", icon=hold).job = job.id
    row.operator("distillery.cancel", text="", icon="X").job = job.id
    waiting = runtime.session is not None and runtime.session.state != "online"
    text = "Waiting for the backend" if waiting else status_line(job)
    fraction = job.fraction if job.fetched is None else job.fetched
    box.progress(text=text, factor=fraction, type="BAR")
    if job.message:
        draw_lines(box, job.message)
    if job.loss is not None:
        box.label(text=f"Loss {job.loss:.4g}")
    if icon := icon_of(job):
        box.template_icon(icon_value=icon, scale=9.0)


def _draw_ended(layout: Layout, job: Job) -> None:
    """What it was, and what can be done with it."""
    row = layout.row(align=True)
    row.label(text=job.title, icon=_JOB_ICONS[job.state])
    if job.state == "done":
        row.operator("distillery.fetch_result", text="", icon="IMPORT").job = job.id
    row.operator("distillery.recall_settings", text="", icon="COPYDOWN").job = job.id
    row.operator("distillery.delete_job", text="", icon="TRASH").job = job.id
    if job.note:
        draw_lines(layout, job.note, "INFO")
    if job.problem is not None:
        draw_problem(layout, job.problem, job.id)


CLASSES = (
    DISTILLERY_PT_generate, DISTILLERY_PT_options, DISTILLERY_PT_advanced, DISTILLERY_PT_jobs,
)


def register() -> None:
    """Add the panels."""
    for panel in CLASSES:
        bpy.utils.register_class(panel)


def unregister() -> None:
    """Remove the panels."""
    for panel in reversed(CLASSES):
        bpy.utils.unregister_class(panel)
