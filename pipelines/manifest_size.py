"""Estimates the size of a dataset's manifest before any work begins, and refuses one that is too large to be read."""

from textgen.config import PrepareConfig
from textgen.console import say
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import MAX_BYTES
from textgen.dataset.storage.shards import BLOCK_PAIRS
from textgen.errors import UserError

_UNIT_BYTES = 900
"""Size of the report of a unit with one shard, in bytes; with three it is 1,200."""

_BLOCK_BYTES = 30
_BYTES_PER_TOKEN = 6
"""Bytes of English text per word."""

_REMEDY = (
    "Divide the input into datasets with the same vocabulary (--vocabulary), and train on all of them: "
    "`textgen train --data DIR --data DIR …`. --layout spans takes larger ones."
)


def require_readable_manifest(size: int, config: PrepareConfig) -> None:
    """Checks that the manifest of a corpus can have a size that is read; warns if it may not.

    Args:
        size: size of the corpus in bytes.
        config: the settings of the preparation.

    Raises:
        UserError: the reports of its units alone are too large.
    """
    units = size // LAYOUTS[config.layout].max_unit_bytes
    if units * _UNIT_BYTES > MAX_BYTES:
        raise too_large(units * _UNIT_BYTES)
    expected = expected_bytes(size, config)
    if expected > MAX_BYTES:
        say(
            f"The manifest of this dataset may have {_shown(expected)}, if all of the input is English text; it must "
            f"have at most {_shown(MAX_BYTES)}. {_REMEDY}"
        )


def expected_bytes(size: int, config: PrepareConfig) -> int:
    """Returns the size in bytes of the manifest of a corpus of English text that is cut into words.

    Args:
        size: size of the corpus in bytes.
        config: the settings of the preparation.
    """
    units = size // LAYOUTS[config.layout].max_unit_bytes
    return units * _UNIT_BYTES + size // _BYTES_PER_TOKEN // config.stride // BLOCK_PAIRS * _BLOCK_BYTES


def too_large(size: int) -> UserError:
    """Returns the error of a manifest of a size in bytes that is too large."""
    return UserError(
        f"the manifest of this dataset would have {_shown(size)}; it must have at most {_shown(MAX_BYTES)}. {_REMEDY}"
    )


def _shown(size: int) -> str:
    return f"{size / 1e9:,.2f} GB"
