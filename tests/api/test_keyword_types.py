"""Holds textgen/api/keyword_types.py, which `python -m tests.api.test_keyword_types` writes, to the settings."""

from pathlib import Path

from textgen.api import keyword_types
from textgen.config import STAGES, Setting

_HEAD = '''"""Types of the keyword settings of `prepare`, `train` and `Run.generate`, for editors and type checkers.

Written from the declarations in `textgen.config` by `python -m tests.api.test_keyword_types`; not edited by hand.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict
'''


def source() -> str:
    """Returns the source of the module."""
    return "\n\n".join([_HEAD, *map(_class, ("prepare", "train", "generate"))])


def _class(stage: str) -> str:
    name = f"{stage.title()}Settings"
    lines = [
        f"class {name}(TypedDict, total=False):",
        f'    """Settings of `{stage}` by name; none is required."""',
        "",
    ]
    return "\n".join([*lines, *(f"    {setting.name}: {_type(setting)}" for setting in STAGES[stage])]) + "\n"


def _type(setting: Setting) -> str:
    if setting.choices:
        kind = "Literal[" + ", ".join(f'"{choice}"' for choice in setting.choices) + "]"
    else:
        item = setting.item.__name__
        lists = {tuple: f"{item} | Sequence[{item}]", dict: f"Mapping[str | int, {item}]"}
        kind = lists.get(setting.kind, setting.kind.__name__)
    return f"{kind} | None" if setting.optional else kind


def test_every_setting_has_its_type() -> None:
    assert Path(keyword_types.__file__).read_text(encoding="utf-8") == source()


if __name__ == "__main__":
    Path(__file__).parents[2].joinpath("textgen", "api", "keyword_types.py").write_text(source(), encoding="utf-8")
