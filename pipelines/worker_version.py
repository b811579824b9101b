"""Checks that workers on other machines have the version of textgen that the launcher has."""

import importlib

from textgen.errors import require


def own_version() -> str:
    """Returns the version of this process."""
    # The package itself is a higher layer, which must not be imported by a statement.
    return str(importlib.import_module("textgen").__version__)


def require_same(launcher: str) -> None:
    """Checks the version of a worker.

    Args:
        launcher: version of the launcher.

    Raises:
        UserError: the worker has another one, so that its results may differ.
    """
    require(
        launcher == own_version(),
        f"a worker has textgen {own_version()}, and the launcher {launcher}. Install the launcher's version on all "
        "workers, or in their image.",
    )
