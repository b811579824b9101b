import dataclasses
from typing import Any

import pytest

from textgen.config import STAGES, ModelConfig, PrepareConfig, TrainConfig, all_settings, build
from textgen.config.fields import GROUPS, Setting, Settings, internal, setting
from textgen.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Whale(Settings):
    length: float = setting(20.0, above=0, help="length in metres", group="input")
    colour: str = setting("white", choices=("white", "grey"), help="colour of the skin", group="input")
    name: str | None = setting(None, help="name", group="input")
    sightings: tuple[int, ...] = setting((1,), at_least=0, help="number of sightings per year", group="input")
    alive: bool = setting(True, help="whether it lives", group="input")
    hash: str = internal("", pattern="[0-9a-f]*")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Voyage(Settings):
    whale: Whale
    days: int = setting(3, at_least=1, at_most=2000, remedy="Use 3.", help="number of days", group="pairs")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"length": 0}, "length is 0.0; it must be finite and above 0."),
        ({"length": "20"}, "length is '20'; it must be a number."),
        ({"length": True}, "length is True; it must be a number."),
        ({"colour": "red"}, "colour is 'red'; it must be one of: white, grey."),
        ({"colour": 1}, "colour is 1; it must be text."),
        ({"name": 3}, "name is 3; it must be text."),
        ({"sightings": [1, -2]}, "sightings is -2; it must be at least 0."),
        ({"sightings": [1, 0.5]}, "sightings is 0.5; it must be whole numbers."),
        ({"alive": 1}, "alive is 1; it must be true or false."),
    ],
)
def test_a_value_of_another_type_or_out_of_bounds_is_refused_with_the_rule(values: dict[str, Any], message: str):
    with pytest.raises(UserError) as refused:
        Whale(**values)
    assert str(refused.value) == message


@pytest.mark.parametrize(("days", "found"), [(0, "0"), (2001, "2001")])
def test_the_remedy_ends_the_error(days: int, found: str):
    with pytest.raises(UserError) as refused:
        Voyage(whale=Whale(), days=days)
    assert str(refused.value) == f"days is {found}; it must be from 1 to 2,000. Use 3."


def test_values_are_put_into_one_form():
    whale = Whale(length=5, sightings=[1, 2])
    assert (whale.length, type(whale.length), whale.sightings) == (5.0, float, (1, 2))
    assert Whale(sightings=4).sightings == (4,)


def test_flat_values_go_to_the_part_that_has_the_setting():
    assert build(Voyage, {"days": 9, "length": 1}) == Voyage(whale=Whale(length=1), days=9)
    assert [setting.name for setting in all_settings(Voyage)] == [
        "length", "colour", "name", "sightings", "alive", "days",
    ]  # fmt: skip


def test_a_field_that_is_not_declared_is_an_error_at_import():
    with pytest.raises(TypeError, match=r"Forgotten\.size is not declared"):

        class Forgotten(Settings):
            size: int = 3


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"group": "input"}, "missing 1 required keyword-only argument: 'help'"),
        ({"help": "", "group": "input"}, "'size' has no help"),
        ({"help": "size"}, "missing 1 required keyword-only argument: 'group'"),
        ({"help": "size", "group": "elsewhere"}, "'size' has no group"),
    ],
)
def test_a_field_without_help_or_group_is_an_error_at_import(declared: dict[str, Any], message: str):
    with pytest.raises(TypeError, match=message):

        class Forgotten(Settings):
            size: int = setting(3, **declared)


def test_a_default_out_of_bounds_is_an_error_at_import():
    with pytest.raises(UserError, match="size is 0; it must be at least 1"):

        class Wrong(Settings):
            size: int = setting(0, at_least=1, help="size", group="input")


@pytest.mark.parametrize("stage", STAGES)
def test_the_settings_of_a_command_have_different_names_and_options(stage: str):
    settings = STAGES[stage]
    assert len({setting.name for setting in settings}) == len({setting.flag for setting in settings}) == len(settings)


@pytest.mark.parametrize("found", [s for stage in STAGES.values() for s in stage], ids=lambda s: s.name)
def test_help_is_a_phrase_and_bounds_are_of_numbers(found: Setting):
    assert not found.help.endswith(".") and found.help[0] != " "
    bounds = (found.at_least, found.above, found.at_most, found.below)
    assert found.kind in (int, float, tuple, dict) or bounds == (None,) * 4
    assert found.group in GROUPS


def test_every_field_is_a_setting_a_part_or_internal():
    for kind in (PrepareConfig, ModelConfig, TrainConfig, *PrepareConfig.parts.values()):
        fields = {field.name for field in dataclasses.fields(kind)}
        internals = {field.name for field in dataclasses.fields(kind) if "internal" in field.metadata}
        assert fields == set(kind.own_settings) | set(kind.parts) | internals
