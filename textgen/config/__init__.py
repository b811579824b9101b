"""Reserved ids, and the settings of every stage.

The settings of a stage are frozen dataclasses: checked when they are made, saved as JSON beside what the stage makes,
and read back from there.
"""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from textgen.config.fields import Setting, Settings, all_settings, build
from textgen.config.generation import MAX_TOKENS, NO_GENERATED_TEXT, GeneratedTextConfig, GenerationConfig
from textgen.config.preparation import COMPRESSIONS, FORMATS, PrepareConfig, SelectionConfig, VocabularyRecord
from textgen.config.splitting import ALL_SPLITS, SPLITS, names_of_given
from textgen.config.tables import TablesConfig
from textgen.config.text_settings import (
    TEXT_DEFAULTS,
    TOKENIZER_FILE,
    TOKENIZER_JSON,
    TOKENIZERS,
    VOCABULARY_FILE,
    TextConfig,
)
from textgen.config.training import (
    CONNECT_MINUTES,
    MAX_WINDOW,
    NO_ADAPTATION,
    NO_NEURAL_CACHE,
    WINDOW,
    AdaptationConfig,
    ModelConfig,
    NeuralCacheConfig,
    TrainConfig,
)
from textgen.errors import UserError

__all__ = [
    "ALL_SPLITS", "BOS", "COMPRESSIONS", "CONNECT_MINUTES", "EOS", "FORMATS", "MAX_TOKENS", "MAX_WINDOW",
    "NO_ADAPTATION", "NO_GENERATED_TEXT", "NO_NEURAL_CACHE", "PAD", "RESERVED", "SPLITS", "STAGES",
    "TEXT_DEFAULTS", "TOKENIZERS", "TOKENIZER_FILE", "TOKENIZER_JSON", "UNK", "VOCABULARY_FILE", "WINDOW",
    "AdaptationConfig", "GeneratedTextConfig", "GenerationConfig", "ModelConfig", "NeuralCacheConfig",
    "PrepareConfig", "SelectionConfig", "Setting", "Settings", "TablesConfig", "TextConfig", "TrainConfig",
    "VocabularyRecord", "all_settings", "build", "from_json", "names_of_given", "to_json",
]  # fmt: skip

PAD, UNK, BOS, EOS = range(4)
"""Reserved ids: padding, an unknown token, the start and the end of a document."""

RESERVED = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
"""Texts of the reserved ids, in the order of the ids."""

STAGES: Mapping[str, tuple[Setting, ...]] = {
    "prepare": tuple(all_settings(PrepareConfig)),
    "train": (*all_settings(ModelConfig, TrainConfig), WINDOW),
    "evaluate": tuple(all_settings(NeuralCacheConfig, AdaptationConfig, GeneratedTextConfig)),
    "generate": tuple(all_settings(GenerationConfig, AdaptationConfig)),
}
"""The settings that each command takes as options; their names are unique within a command."""

Config = TypeVar("Config")

_FEW, _SHOWN = 5, 60
"""Maximum number of unknown settings in an error, and of characters of each."""


def to_json(config: Any) -> dict[str, Any]:
    """Returns a config as plain JSON values."""
    return dataclasses.asdict(config)


def from_json(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Returns the config that `to_json` saved, with the configs inside it.

    Raises:
        UserError: a setting is unknown to this version, or its value is not allowed.
        TypeError: the values are no settings by name, or a setting that has no default is missing.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"the settings are a {type(values).__name__}; they must be an object of settings by name")
    hints = typing.get_type_hints(kind)
    kinds = {field.name: hints[field.name] for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(kinds))
    if unknown:
        found = f"unknown settings {[ascii(name)[1:-1][:_SHOWN] for name in unknown[:_FEW]]}"
        raise UserError(
            f"{_renamed(kind, unknown) or found}; this was written by another version of textgen. "
            "Use that version, or make it again with this one."
        )
    # A dataset of before has no settings of tables; other settings and parts without a default must be there.
    required = (field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)  # type: ignore[arg-type]
    missing = [name for name in required if name not in values]
    if missing:
        raise TypeError(f"the setting {missing[0]} is missing")
    parts = {name: part for name, part in kinds.items() if dataclasses.is_dataclass(part) and name in values}
    return kind(**{**values, **{name: from_json(part, values[name]) for name, part in parts.items()}})  # type: ignore[arg-type]


def _renamed(kind: Any, unknown: list[str]) -> str:
    """Returns `carry is now stateful` for settings that have new names; empty if one of them has none."""
    now = {setting.former: setting.name for setting in getattr(kind, "own_settings", {}).values()}
    return ", ".join(f"{name} is now {now[name]}" for name in unknown) if set(unknown) <= set(now) else ""
