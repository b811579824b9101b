"""Settings that go together, by name: a preset is a settings file in this folder."""

from pathlib import Path

from textgen.errors import require

_FOLDER = Path(__file__).parent


def names(stage: str) -> tuple[str, ...]:
    """Returns the presets that have settings of a stage, "prepare" or "train"."""
    files = sorted(_FOLDER.glob("*.toml"))
    return tuple(path.stem for path in files if f"[{stage}]" in path.read_text(encoding="utf-8").splitlines())


def preset_file(name: str, stage: str) -> Path:
    """Returns the settings file of a preset.

    Raises:
        UserError: no preset has this name and settings of this stage.
    """
    require(name in names(stage), f"preset is {name!r}; it must be one of: {', '.join(names(stage))}.")
    return _FOLDER / f"{name}.toml"
