"""The ground: reserved ids, and the settings of every stage.

Each stage's settings are one frozen dataclass: checked when made, saved as JSON beside what the stage made,
read back from there, and never asked for twice.
"""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from textgen.config.memory import NO_MEMORY, MemoryConfig
from textgen.config.preparation import (
    FORMATS,
    SPLITS,
    TEXT_DEFAULTS,
    TOKENIZER_FILE,
    TOKENIZERS,
    VOCABULARY_FILE,
    PrepareConfig,
    SelectionConfig,
    TextConfig,
)
from textgen.config.training import ModelConfig, TrainConfig
from textgen.errors import require

__all__ = [
    "BOS", "EOS", "FORMATS", "NO_MEMORY", "PAD", "RESERVED", "SPLITS", "TEXT_DEFAULTS", "TOKENIZERS",
    "TOKENIZER_FILE", "UNK", "VOCABULARY_FILE", "MemoryConfig", "ModelConfig", "PrepareConfig", "SelectionConfig",
    "TextConfig", "TrainConfig", "from_json", "to_json",
]  # fmt: skip

PAD, UNK, BOS, EOS = range(4)
"""Ids that stand for no text: padding, an unknown token, the beginning and the end of a document."""

RESERVED = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
"""How the reserved ids are written, in the order of the ids."""

Config = TypeVar("Config")


def to_json(config: Any) -> dict[str, Any]:
    """A config as plain JSON values."""
    return dataclasses.asdict(config)


def from_json(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """The config that `to_json` saved, and the configs that are settings of it.

    Raises:
        UserError: a setting is unknown to this version.
        KeyError: one that has no default is missing.
    """
    kinds = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(kinds))
    require(
        not unknown,
        f"unknown settings {unknown}; this was written by another version of textgen. Use that one.",
    )
    parts = {name: part for name, part in kinds.items() if dataclasses.is_dataclass(part)}
    return kind(**{**values, **{name: from_json(part, values[name]) for name, part in parts.items()}})  # type: ignore[arg-type]
