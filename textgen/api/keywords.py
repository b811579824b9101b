"""Builds configs from settings that are given as keywords, and lists these in signatures and docstrings."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from textgen.api.keyword_types import GenerateSettings as GenerateSettings
from textgen.api.keyword_types import PrepareSettings as PrepareSettings
from textgen.api.keyword_types import TrainSettings as TrainSettings
from textgen.config import (
    STAGES,
    TEXT_DEFAULTS,
    AdaptationConfig,
    GenerationConfig,
    ModelConfig,
    PrepareConfig,
    Setting,
    TrainConfig,
    build,
    names_of_given,
    settings_file,
)
from textgen.config.fields import GROUPS
from textgen.config.options import shown_default, written
from textgen.config.settings_file import collect, unknown_setting
from textgen.errors import UserError, require

if TYPE_CHECKING:
    from textgen.runs import RunConfig

Function = TypeVar("Function", bound=Callable[..., Any])


def prepare_config(
    config: PrepareConfig | None,
    preset: str | None,
    settings: Mapping[str, Any],
    *,
    validation_input: Sequence[str] = (),
    test_input: Sequence[str] = (),
) -> PrepareConfig:
    """Returns the settings of a preparation.

    Args:
        config: all settings; then neither a preset nor single settings are allowed.
        preset: name of a preset.
        settings: fields of PrepareConfig, TextConfig and SelectionConfig by name. They override the preset's.
        validation_input: files of the validation split, if it has files of its own.
        test_input: files of the test split, likewise.

    Raises:
        UserError: a setting or the preset is unknown, a value is not allowed, or settings are given twice.
    """
    _check_names(settings, "prepare")
    if config is None:
        given = names_of_given(validation=validation_input, test=test_input)
        values = collect("prepare", settings, preset=preset)
        return settings_file.prepare_config({**values, "given_splits": given})
    require(
        preset is None and not settings,
        f"config is given together with {', '.join(settings) or 'preset'}; it holds all settings already. "
        "Give one of them, or change the config with dataclasses.replace.",
    )
    return config


def train_configs(
    model: ModelConfig | None, train: TrainConfig | None, preset: str | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the settings of a training by name: `model`, `train`, and `window`, which is None unless it is given.

    Args:
        model: all settings of the network, in place of the preset's.
        train: all settings of the training, in place of the preset's.
        preset: name of a preset.
        settings: fields of ModelConfig and TrainConfig by name, and the window. They override all others.

    Raises:
        UserError: a setting or the preset is unknown, or a value is not allowed.
    """
    _check_names(settings, "train")
    configs = settings_file.train_configs(collect("train", settings, preset=preset))
    for name, config in (("model", model), ("train", train)):
        if config is not None:
            own = {key: value for key, value in settings.items() if key in config.own_settings}
            configs[name] = dataclasses.replace(config, **own)
    return configs


def generation_configs(settings: Mapping[str, Any]) -> tuple[GenerationConfig, AdaptationConfig]:
    """Returns the settings of generation from fields of GenerationConfig and AdaptationConfig by name.

    Raises:
        UserError: a setting is unknown, or a value is not allowed.
    """
    _check_names(settings, "generate")
    return build(GenerationConfig, settings), build(AdaptationConfig, settings)


def resumed_config(config: "RunConfig", settings: Mapping[str, Any]) -> "RunConfig":
    """Returns the settings of a resumed run; only those declared as changeable may differ from the saved ones.

    Args:
        config: settings of the run.
        settings: fields of ModelConfig and TrainConfig by name, and the window.

    Raises:
        UserError: a setting is unknown, its value is not allowed, or the run has another that may not change.
    """
    _check_names(settings, "train")
    changes = {}
    for setting in STAGES["train"]:
        if setting.name not in settings:
            continue
        value, own = setting.check(settings[setting.name]), _own(config, setting)
        if setting.changeable:
            changes[setting.name] = value
        elif value != own:
            raise UserError(
                f"{setting.flag} is {written(value)}, but the run has {written(own)}; a resumed run keeps its own. "
                "Leave the option out, or start a new run."
            )
    return dataclasses.replace(config, train=dataclasses.replace(config.train, **changes))


def _own(config: "RunConfig", setting: Setting) -> Any:
    """Returns a run's value of a setting."""
    (owner,) = [part for part in (config.model, config.train, config) if hasattr(part, setting.name)]
    return getattr(owner, setting.name)


def _check_names(settings: Mapping[str, Any], stage: str) -> None:
    known = {setting.name for setting in STAGES[stage]}
    for name in settings:
        require(name in known, unknown_setting(name, stage))


def with_settings(stage: str) -> Callable[[Function], Function]:
    """Returns a decorator that lists a stage's settings, so that `help` prints them and notebooks complete them.

    The parameter `**settings` becomes one keyword-only parameter per setting in `__signature__`, and the docstring
    ends with the settings, their defaults and their meanings. Calls of the function are not changed.

    Args:
        stage: a key of STAGES.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        fixed = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        named = [
            inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=setting.default)
            for setting in STAGES[stage]
        ]
        function.__signature__ = signature.replace(parameters=[*fixed, *named])  # type: ignore[attr-defined]
        function.__doc__ = f"{inspect.getdoc(function)}\n\n{settings_list(stage)}"
        return function

    return decorate


def settings_list(stage: str) -> str:
    """Returns the settings of a stage, one per line, under the titles of their groups.

    Args:
        stage: a key of STAGES.
    """
    varying = TEXT_DEFAULTS if stage == "prepare" else {}
    lines = ["Settings:"]
    for group, title in GROUPS.items():
        settings = [setting for setting in STAGES[stage] if setting.group == group]
        if settings:
            lines.append(f"    {title}")
            lines += [
                f"        {setting.name}: {_meaning(setting, shown_default(setting, varying))}"
                for setting in settings
            ]
    return "\n".join(lines)


def _meaning(setting: Setting, default: str) -> str:
    choices = f"; one of {', '.join(setting.choices)}" if setting.choices else ""
    return f"{setting.help}{choices}" + (f" (default: {default})" if default else "")
