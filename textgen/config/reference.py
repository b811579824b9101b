"""Writes the reference of options as Markdown tables: `python -m textgen.config.reference [COMMAND ...]`."""

import sys

from textgen.config import STAGES, TEXT_DEFAULTS
from textgen.config.fields import GROUPS, Setting
from textgen.config.options import shown_default


def tables(stage: str) -> str:
    """Returns the options of a command, a Markdown table per group; keys of a settings file are the names with `_`.

    Args:
        stage: a key of STAGES.
    """
    settings = STAGES[stage]
    varying = TEXT_DEFAULTS if stage == "prepare" else {}
    lines = []
    for group, title in GROUPS.items():
        rows = [_row(setting, shown_default(setting, varying)) for setting in settings if setting.group == group]
        if rows:
            head = ["| option | default | meaning |", "|---|---|---|"]
            lines += [f"**{title[0].upper()}{title[1:]}**", "", *head, *rows, ""]
    return "\n".join(lines)


def _row(setting: Setting, default: str) -> str:
    if setting.kind is bool:
        option = f"`{setting.flag}`, `--no-{setting.flag.removeprefix('--')}`"
    else:
        option = f"`{setting.flag} {setting.placeholder}`"
    return f"| {option} | {default or '–'} | {setting.help.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    for name in sys.argv[1:] or STAGES:
        print(f"### textgen {name}\n\n{tables(name)}")
