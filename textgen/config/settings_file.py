"""Reads settings from a file: TOML, JSON, the `run.json` of a run, or the `manifest.json` of a dataset.

A file of your own holds the settings of one command, or of both in the tables `[prepare]` and `[train]`:

    [prepare]
    tokenizer = "char"
    window = 128

    [train]
    network = "lstm"
"""

import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textgen import presets
from textgen.config import STAGES, TEXT_DEFAULTS, ModelConfig, PrepareConfig, TrainConfig, build
from textgen.errors import UserError, one_line, require

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INTERNAL = ("tokenizer_model", "given_vocabulary", "given_splits")
"""What a manifest says of files that are named by options: hashes of their content, and their splits."""

_TABLES = ("prepare", "train")
_PARTS = ("text", "selection", "tables", "model", "train")


def read_settings(path: str | Path, stage: str) -> dict[str, Any]:
    """Returns the settings of a stage by name, checked one by one; a manifest's hashes are among them.

    Args:
        path: the file.
        stage: "prepare" or "train".

    Raises:
        UserError: the file can't be read, or holds an unknown setting or a value that is not allowed.
    """
    path = Path(path).expanduser()
    values = _of_stage(_load(path), stage, path)
    known = {setting.name: setting for setting in STAGES[stage]}
    settings = {name: values.pop(name) for name in INTERNAL if name in values}
    for name, value in values.items():
        if name not in known:
            raise UserError(f"{path}: {unknown_setting(name, stage)}")
        try:
            settings[name] = known[name].check(value)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
    return settings


def _load(path: Path) -> dict[str, Any]:
    require(path.exists(), f"there is no file {path}. Check the path after --config.")
    require(not path.is_dir(), f"{path} is a folder. Give a file after --config, as manifest.json or run.json in it.")
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}. Check its permissions.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is neither TOML nor a JSON object: {one_line(error)}. Correct it.") from None
    return values


def _of_stage(values: dict[str, Any], stage: str, path: Path) -> dict[str, Any]:
    """Returns the values of the stage by name, without the tables that contain them."""
    if {"model", "tokens_sha256"} <= set(values):
        values = _of_run(values, stage)
    elif {"config", "units"} <= set(values):
        require(
            stage == "prepare",
            f"{path} is the manifest of a dataset, which has no settings of {stage}. Give the run.json of a run, or "
            "a settings file.",
        )
        values = _table(values["config"], "config", path)
    elif any(isinstance(values.get(table), dict) for table in _TABLES):
        stray = sorted(set(values) - set(_TABLES))
        require(not stray, f"{path}: {stray[:1]} is outside of the tables [prepare] and [train]. Move it into one.")
        values = _table(values.get(stage, {}), stage, path)
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat.update(value if name in _PARTS and isinstance(value, dict) else {name: value})
    return flat


def _table(found: Any, name: str, path: Path) -> dict[str, Any]:
    require(isinstance(found, dict), f"{path}: {name} must hold settings by name. Correct it.")
    return dict(found)


def _of_run(values: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Returns the settings of a run that belong to the stage."""
    names = ("model", "train", "window") if stage == "train" else ("text", "window", "boundaries")
    return {name: values[name] for name in names if name in values}


def unknown_setting(name: str, stage: str) -> str:
    """Returns the error for a name that is not a setting of the stage; for a renamed setting, it has the new name."""
    former = {setting.former.replace("-", "_"): setting.name for setting in STAGES[stage] if setting.former}
    if name in former:
        return f"{name} is now called {former[name]}. Rename it."
    names = [setting.name for setting in STAGES[stage]]
    near = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"Did you mean {near[0]}?" if near else f"`textgen {stage} --help-all` and help(textgen.{stage}) list them."
    )
    return f"{name!r} is not a setting of {stage}. {hint}"


def collect(
    stage: str, given: Mapping[str, Any], *, file: str | Path | None = None, preset: str | None = None
) -> dict[str, Any]:
    """Returns the settings of a stage by name: those given override the file's, and those override the preset's.

    Args:
        stage: "prepare" or "train".
        given: settings by name.
        file: a settings file.
        preset: the name of a preset.

    Raises:
        UserError: as for `read_settings`, or there is no such preset.
    """
    settings: dict[str, Any] = {}
    for path in (preset and presets.preset_file(preset, stage), file):
        settings |= read_settings(path, stage) if path else {}
    return {**settings, **given}


def prepare_config(values: Mapping[str, Any]) -> PrepareConfig:
    """Returns the settings of a preparation by name as a config; the tokenizer's defaults stand in for missing ones.

    Raises:
        UserError: a value is not allowed.
    """
    return build(PrepareConfig, {**TEXT_DEFAULTS.get(values.get("tokenizer", "word"), {}), **values})


def train_configs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of a training by name as `model`, `train` and `window`; without one the window is None.

    Raises:
        UserError: a value is not allowed.
    """
    return {
        "model": build(ModelConfig, values), "train": build(TrainConfig, values), "window": values.get("window")
    }  # fmt: skip
