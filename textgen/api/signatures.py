"""Shows the settings that a function takes as `**settings` in its signature and in its docstring."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from textgen.config import STAGES, TEXT_DEFAULTS, Setting
from textgen.config.fields import GROUPS
from textgen.config.options import shown_default

Function = TypeVar("Function", bound=Callable[..., Any])


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
    """Returns the settings of a stage, a line each under the titles of their groups.

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
