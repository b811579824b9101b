import inspect

import pytest

import textgen
from textgen.api.signatures import settings_list
from textgen.config import STAGES


@pytest.mark.parametrize(("name", "stage"), [("prepare", "prepare"), ("estimate", "prepare"), ("train", "train")])
def test_signature_and_docstring_have_every_setting(name: str, stage: str) -> None:
    function = getattr(textgen, name)
    parameters = inspect.signature(function).parameters
    for setting in STAGES[stage]:
        assert parameters[setting.name].default == setting.default
        assert f"        {setting.name}: {setting.help}" in function.__doc__
    assert "settings" not in parameters and "preset" in parameters


def test_no_setting_has_the_name_of_another_parameter() -> None:
    for function, stage in ((textgen.prepare, "prepare"), (textgen.train, "train")):
        own = set(inspect.signature(function, follow_wrapped=False).parameters) - {s.name for s in STAGES[stage]}
        code = function.__code__
        assert own == set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def test_choices_and_varying_defaults_are_written() -> None:
    lines = settings_list("prepare").splitlines()
    (case,) = [line.strip() for line in lines if line.strip().startswith("case:")]
    assert case.startswith("case: letter case: lowercase or unchanged; one of fold, keep (default: fold; keep for")
