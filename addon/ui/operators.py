"""Operators: what buttons do, and what scripts call."""

import random
from collections.abc import Callable
from typing import Any, cast

import bpy
from bpy.props import (
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    StringProperty,
)

from ...protocol.assets import Asset
from ...protocol.errors import DistilleryError, Fix, Problem
from ..core.jobs import IDENTITY, Job, Placement
from ..core.session import Session
from ..package import ROOT_PACKAGE, preferences
from ..runtime import runtime
from ..scene.inputs import check_choice, gather, standing
from ..scene.objects import add_asset, select_only
from ..scene.results import place_on_target
from . import forms
from .properties import MAX_SEED, settings_of

Result = set[Any]


def job_of(job_id: str) -> Job | None:
    """The job of that id, or the newest running one where it is ""."""
    session = runtime.session
    if session is None:
        return None
    running = session.running_jobs()
    return session.jobs.get(job_id) if job_id else (running[0] if running else None)


def placement_here(context: bpy.types.Context) -> Placement:
    """At the 3D cursor of this scene, as large as its settings say; or where the object stands."""
    scene, settings = context.scene, settings_of(context)
    choice, cursor = settings.choice(context), cast(Any, scene.cursor)
    return Placement(
        settings.size_meters, tuple(cursor.location), scene.name, choice.frames, *standing(choice)
    )


class DISTILLERY_OT_generate(bpy.types.Operator):
    """Make what the panel says; Blender stays free meanwhile"""

    bl_idname = "distillery.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Wants a backend, a recipe and a prompt; says which is missing."""
        missing = _what_is_missing(context)
        if missing:
            cls.poll_message_set(missing)
        return not missing

    def execute(self, context: bpy.types.Context) -> Result:
        """Order the job; the pump follows it and places the result."""
        settings = settings_of(context)
        recipe, session = settings.chosen_recipe(), runtime.session
        assert recipe is not None
        assert session is not None
        if settings.random_seed:
            settings.seed = random.randint(0, MAX_SEED)
        try:
            inputs = gather(recipe, settings.choice(context))
        except DistilleryError as error:
            session.problem = error.problem
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        session.submit(
            forms.make_spec(settings, recipe), placement_here(context), inputs=inputs
        )
        return {"FINISHED"}


class DISTILLERY_OT_cancel(bpy.types.Operator):
    """Stop this job in the backend"""

    bl_idname = "distillery.cancel"
    bl_label = "Cancel"
    job: StringProperty(options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Ask the backend; the row changes when it has stopped."""
        return _ask(self, Session.cancel, "There is no running job to cancel")


class DISTILLERY_OT_pause(bpy.types.Operator):
    """Hold this job, or let it go on; it loses nothing"""

    bl_idname = "distillery.pause"
    bl_label = "Pause or Go On"
    job: StringProperty(options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Ask the backend; the row changes when it has done so."""
        return _ask(self, Session.pause, "There is no running job to pause")


class DISTILLERY_OT_fetch_result(bpy.types.Operator):
    """Bring this job's result from the backend and place it at the 3D cursor"""

    bl_idname = "distillery.fetch_result"
    bl_label = "Import Result"
    job: StringProperty(options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Start fetching; the pump places the result when it is there."""
        job, session = job_of(self.job), runtime.session
        if job is None or session is None or job.state != "done":
            self.report({"WARNING"}, "This job has no result")
            return {"CANCELLED"}
        session.fetch(job, placement_here(context))
        return {"FINISHED"}


class DISTILLERY_OT_place_result(bpy.types.Operator):
    """Place a result that has arrived: as an object of this size, or on the object it is for"""

    bl_idname = "distillery.place_result"
    bl_label = "Import Result"
    bl_options = {"REGISTER", "UNDO"}

    job: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    scene: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    size_meters: FloatProperty(
        name="Size", description="Length of the object's longest side",
        default=1.0, min=0.001, soft_max=100.0, unit="LENGTH",
    )
    location: FloatVectorProperty(
        name="Location", description="The point under the object's middle", subtype="TRANSLATION"
    )
    frames: IntVectorProperty(
        name="Frames", description="First and last frame of a motion; 0: its own speed",
        size=2, default=(1, 0),
    )
    uid: IntProperty(options={"HIDDEN", "SKIP_SAVE"})
    matrix: FloatVectorProperty(size=16, default=IDENTITY, options={"HIDDEN", "SKIP_SAVE"})

    def draw(self, context: bpy.types.Context) -> None:
        """What can be adjusted of this result."""
        asset = runtime.results.get(self.job)
        names = [] if runtime.targets.get(self.job) else ["size_meters", "location"]
        names += ["frames"] if asset is not None and asset.motion is not None else []
        self.layout.use_property_split = True
        for name in names:
            self.layout.prop(self, name)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Wants Object Mode: the other modes' undo steps hold no new objects."""
        return context.mode == "OBJECT" and not bpy.app.is_job_running("RENDER")

    def execute(self, context: bpy.types.Context) -> Result:
        """Add the object in one undo step."""
        asset = runtime.results.get(self.job)
        if asset is None:
            self.report({"ERROR"}, "The result is not here any more: import it again from the list")
            return {"CANCELLED"}
        try:
            self._place(context, asset)
        except DistilleryError as error:
            job = job_of(self.job)
            if job is not None:
                job.problem = error.problem
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _place(self, context: bpy.types.Context, asset: Asset) -> None:
        scene: Any = bpy.data.scenes.get(self.scene) or context.scene
        here = scene == context.scene
        collection: Any = context.collection if here else scene.collection
        placement = Placement(
            self.size_meters, tuple(self.location), scene.name, tuple(self.frames), self.uid,
            tuple(self.matrix),
        )
        target, note = runtime.targets.get(self.job), ""
        if target is None:
            created = add_asset(asset, placement, collection, self.job)
        else:
            created, note = place_on_target(asset, target, placement, collection, self.job)
        runtime.placed[self.job] = created.session_uid
        _tell(self, note, asset)
        context.view_layer.update()
        if here and created.name in context.view_layer.objects:
            select_only(context, created)
        if preferences().show_textures:
            _show_textures(context)


class DISTILLERY_OT_delete_job(bpy.types.Operator):
    """Remove this job and its result from the backend; objects in the scene stay"""

    bl_idname = "distillery.delete_job"
    bl_label = "Delete Job"
    job: StringProperty(options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Ask first: the result cannot be had again without computing it."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Result:
        """Delete; the row goes when the backend has done it."""
        return _ask(self, Session.delete, "This job is gone already")


class DISTILLERY_OT_recall_settings(bpy.types.Operator):
    """Set the panel to the prompt, recipe and options of this job"""

    bl_idname = "distillery.recall_settings"
    bl_label = "Use These Settings"
    bl_options = {"UNDO"}
    job: StringProperty(options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Copy the order into the scene's settings."""
        job = job_of(self.job)
        if job is None:
            return {"CANCELLED"}
        forms.show_spec(settings_of(context), job.spec)
        return {"FINISHED"}


class DISTILLERY_OT_connect(bpy.types.Operator):
    """Connect to the backend again"""

    bl_idname = "distillery.connect"
    bl_label = "Test Connection"

    def execute(self, context: bpy.types.Context) -> Result:
        """Open a new session; its state shows in the panel and the preferences."""
        return _try(self, runtime.connect)


class DISTILLERY_OT_start_backend(bpy.types.Operator):
    """Start the backend on this computer; it ends with Blender"""

    bl_idname = "distillery.start_backend"
    bl_label = "Start Backend"

    def execute(self, context: bpy.types.Context) -> Result:
        """Start it; the pump connects when it answers."""
        return _try(self, runtime.start_backend)


class DISTILLERY_OT_stop_backend(bpy.types.Operator):
    """Stop the backend that Blender started; its jobs go on when it is started again"""

    bl_idname = "distillery.stop_backend"
    bl_label = "Stop Backend"

    def execute(self, context: bpy.types.Context) -> Result:
        """Stop it."""
        runtime.stop_backend()
        return {"FINISHED"}


class DISTILLERY_OT_apply_fix(bpy.types.Operator):
    """Do what mends this problem"""

    bl_idname = "distillery.apply_fix"
    bl_label = "Fix"
    job: StringProperty(options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Do the repair that the problem names."""
        job, session = (job_of(self.job) if self.job else None), runtime.session
        problem = job.problem if job else _general_problem()
        if problem is None or problem.fix is None:
            return {"CANCELLED"}
        fix: Fix = problem.fix
        if fix.action == "start_backend":
            return _try(self, runtime.start_backend)
        if fix.action == "open_preferences":
            bpy.ops.preferences.addon_show(module=ROOT_PACKAGE)
        elif fix.action == "set_option":
            forms.set_option(settings_of(context), fix.field, fix.value)
            if session is not None:
                session.problem = None
        elif job is not None and session is not None:
            session.retry(job)
        return {"FINISHED"}


def _tell(operator: Any, note: str, asset: Asset) -> None:
    """Keep what is worth saying of a result in its row: where it went, what the prior is unsure
    of."""
    warnings = [str(warning) for warning in asset.report.get("warnings", ())]
    job = job_of(operator.job)
    if job is not None:
        job.note = " ".join([*([note] if note else []), *warnings])
    if note:
        operator.report({"INFO"}, note)


def _what_is_missing(context: bpy.types.Context) -> str:
    session: Session | None = runtime.session
    if session is None or session.state != "online":
        return "No backend answers: see the top of the panel"
    settings = settings_of(context)
    recipe = settings.chosen_recipe()
    if recipe is None:
        return "The backend offers no recipe for this"
    needed = set(recipe.inputs) - set(recipe.optional)
    if "prompt" in needed and not settings.prompt.strip():
        return "Say what to make, such as: a red mushroom"
    try:
        check_choice(recipe, settings.choice(context))
    except DistilleryError as error:
        return error.problem.message
    return ""


def _general_problem() -> Problem | None:
    session, local = runtime.session, runtime.backend
    candidates = [
        session.problem if session else None,
        local.problem if local else None,
        runtime.problem,
        session.client.problem if session else None,
    ]
    return next((problem for problem in candidates if problem and problem.fix), None)


def _ask(operator: Any, action: Callable[[Session, Job], None], missing: str) -> Result:
    """Ask the backend for something about the operator's job; ``missing`` where there is none."""
    job, session = job_of(operator.job), runtime.session
    if job is None or session is None:
        operator.report({"WARNING"}, missing)
        return {"CANCELLED"}
    action(session, job)
    return {"FINISHED"}


def _try(operator: bpy.types.Operator, action: Any) -> Result:
    """Run what may raise a DistilleryError; show it here and in the panel."""
    try:
        action()
    except DistilleryError as error:
        runtime.problem = error.problem
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def _show_textures(context: bpy.types.Context) -> None:
    """Let Solid mode, where it shows material colors, show textures."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            space: Any = area.spaces.active
            if area.type == "VIEW_3D" and space.shading.color_type == "MATERIAL":
                space.shading.color_type = "TEXTURE"


CLASSES = (
    DISTILLERY_OT_generate,
    DISTILLERY_OT_cancel,
    DISTILLERY_OT_pause,
    DISTILLERY_OT_fetch_result,
    DISTILLERY_OT_place_result,
    DISTILLERY_OT_delete_job,
    DISTILLERY_OT_recall_settings,
    DISTILLERY_OT_connect,
    DISTILLERY_OT_start_backend,
    DISTILLERY_OT_stop_backend,
    DISTILLERY_OT_apply_fix,
)


def register() -> None:
    """Add the operators."""
    for operator in CLASSES:
        bpy.utils.register_class(operator)


def unregister() -> None:
    """Remove the operators."""
    for operator in reversed(CLASSES):
        bpy.utils.unregister_class(operator)
