import numpy as np
from distillery.addon.core.forms import forms, label


def test_a_preset_decides_the_defaults(recipe):
    draft, standard = forms(recipe)
    assert [option.default for option in draft.options] == [100, 0.1, True, "blob"]
    assert [option.default for option in standard.options] == [1000, 0.1, True, "blob"]


def test_each_preset_has_a_python_name_of_its_own(recipe):
    names = [form.attribute for form in forms(recipe)]
    assert names == ["options_dream_3d_draft", "options_dream_3d_standard"]


def test_only_what_was_changed_is_ordered(recipe):
    draft, standard = forms(recipe)
    values = {"steps": 100, "fov_degrees": 0.1, "shaded": True, "start": "views"}
    assert draft.changed(values) == {"start": "views"}
    assert standard.changed(values) == {"steps": 100, "start": "views"}


def test_a_float_of_blender_is_not_a_change(recipe):
    stored = float(np.float32(0.1))
    assert stored != 0.1
    assert forms(recipe)[0].changed({"fov_degrees": stored}) == {}
    assert forms(recipe)[0].changed({"fov_degrees": 0.2}) == {"fov_degrees": 0.2}


def test_labels_carry_the_unit_once(recipe):
    assert [label(option) for option in recipe.options] == [
        "Steps", "Fov (degrees)", "Shaded", "Start"]
