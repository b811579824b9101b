"""Builds configs from settings that are given as keywords, by the names of the configs' fields."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from textgen.config import TEXT_DEFAULTS, ModelConfig, PrepareConfig, SelectionConfig, TextConfig, TrainConfig
from textgen.errors import UserError, require
from textgen.presets import PRESETS

_NOT_SETTINGS = {"text", "selection", "tokenizer_model", "given_vocabulary"}


def prepare_config(config: PrepareConfig | None, preset: str | None, settings: Mapping[str, Any]) -> PrepareConfig:
    """Returns the settings of a preparation.

    Args:
        config: all settings; then neither a preset nor single settings are allowed.
        preset: name of a preset.
        settings: fields of PrepareConfig, TextConfig and SelectionConfig by name. They override the preset's.

    Raises:
        UserError: a setting or the preset is unknown, a value is not allowed, or settings are given twice.
    """
    if config is not None:
        require(
            preset is None and not settings,
            f"config is given together with {', '.join(settings) or 'preset'}; it holds all settings already. "
            "Give one of them, or change the config with dataclasses.replace.",
        )
        return config
    kinds = (PrepareConfig, TextConfig, SelectionConfig)
    _check_names(settings, [name for kind in kinds for name in _names(kind)], "prepare")
    given = {**_preset(preset, "prepare"), **settings}
    tokenizer = given.get("tokenizer", "word")
    return PrepareConfig(
        text=TextConfig(**{**TEXT_DEFAULTS.get(tokenizer, {}), **_of(TextConfig, given)}),
        selection=SelectionConfig(**_of(SelectionConfig, given)),
        **_of(PrepareConfig, given),
    )


def train_configs(
    model: ModelConfig | None, train: TrainConfig | None, preset: str | None, settings: Mapping[str, Any]
) -> tuple[ModelConfig, TrainConfig]:
    """Returns the settings of a network and of its training.

    Args:
        model: all settings of the network.
        train: all settings of the training.
        preset: name of a preset.
        settings: fields of ModelConfig and TrainConfig by name. They override those of the configs and the preset.

    Raises:
        UserError: a setting or the preset is unknown, or a value is not allowed.
    """
    _check_names(settings, [*_names(ModelConfig), *_names(TrainConfig)], "train")
    given = _preset(preset, "train")
    model = model or ModelConfig(**_of(ModelConfig, given))
    train = train or TrainConfig(**_of(TrainConfig, given))
    return (
        dataclasses.replace(model, **_of(ModelConfig, settings)),
        dataclasses.replace(train, **_of(TrainConfig, settings)),
    )


def _names(kind: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind) if field.name not in _NOT_SETTINGS]


def _of(kind: type[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in _names(kind) if name in settings}


def _preset(name: str | None, stage: str) -> Mapping[str, Any]:
    if name is None:
        return {}
    known = [preset for preset in PRESETS if stage in PRESETS[preset]]
    require(name in known, f"preset is {name!r}; {stage} has these: {', '.join(known)}.")
    return PRESETS[name][stage]


def _check_names(settings: Mapping[str, Any], known: Iterable[str], function: str) -> None:
    known = list(known)
    for name in settings:
        if name not in known:
            close = difflib.get_close_matches(name, known)
            remedy = f"Did you mean {' or '.join(close)}?" if close else f"It has: {', '.join(sorted(known))}."
            raise UserError(f"{function} has no setting {name!r}. {remedy}")
