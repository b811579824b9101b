"""Losses of the n-gram baselines on the validation split, stored with a run for its curves."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from textgen.dataset.storage.manifest import Manifest
from textgen.errors import UserError
from textgen.files import write_atomically
from textgen.training import baselines

FILE_NAME = "baselines.json"

Validated = Mapping[str, Manifest]
"""Manifests by folder or URL of the datasets on whose validation split a run is validated."""

_MAX_PAIRS = 5_000_000
"""Largest training split whose n-grams are counted for the curves; it takes a few seconds."""

_MAX_BYTES = 1000


def read(run: Path) -> dict[str, float]:
    """Returns the stored losses in nats per target, by name; empty if there are none or the file is damaged."""
    path = run / FILE_NAME
    try:
        if path.stat().st_size > _MAX_BYTES:
            return {}
        values = json.loads(path.read_text(encoding="utf-8"))
        losses = {name: float(values[name]) for name in baselines.NAMES if name in values}
    except (OSError, ValueError, TypeError, OverflowError):
        return {}
    return {name: loss for name, loss in losses.items() if math.isfinite(loss)}


def read_or_make(run: Path, validated: Validated) -> dict[str, float]:
    """Returns the stored losses of a run; computes and stores them first if there are none.

    They are computed for one dataset of at most 5,000,000 training pairs with a validation split of its own.

    Args:
        run: folder of the run.
        validated: the datasets on whose validation split the run is validated.

    Returns:
        Losses in nats per target, by name in ascending order; empty if they are not computed.

    Raises:
        OSError: the file can't be written.
    """
    found = read(run)
    if found or len(validated) != 1:
        return found
    ((data, manifest),) = validated.items()
    if not manifest.counts("validation").pairs or manifest.counts("train").pairs > _MAX_PAIRS:
        return {}
    try:
        found = baselines.losses(data, manifest, split="validation")
    except UserError:
        # The dataset is damaged: training says so itself when it reads the same place.
        return {}
    write_atomically(run / FILE_NAME, f"{json.dumps(found, indent=1)}\n".encode())
    return found
