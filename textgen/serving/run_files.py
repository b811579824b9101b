"""Reads what the page shows of a run: its curves and the samples of its training."""

import csv
import json
import math
from pathlib import Path
from typing import Any

from textgen.regular_files import read_regular

_MAX_BYTES = 1 << 24
_MAX_SAMPLES = 200


def read(run: Path) -> dict[str, Any]:
    """Returns `history`, columns of numbers by name with None for what was not measured, and the last `samples`."""
    return {"history": _history(run / "history.csv"), "samples": _samples(run / "samples.jsonl")}


def _history(path: Path) -> dict[str, list[float | None]]:
    rows = list(csv.DictReader(_text(path).splitlines()))
    return {name: [_number(row[name]) for row in rows] for name in (rows[0] if rows else ())}


def _samples(path: Path) -> list[dict[str, Any]]:
    samples = []
    for line in _text(path).split("\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            # A training that is going on may be in the middle of a line.
            continue
        if isinstance(value, dict):
            samples.append({name: value.get(name) for name in ("step", "prompt", "text")})
    return samples[-_MAX_SAMPLES:]


def _text(path: Path) -> str:
    try:
        return read_regular(path, max_bytes=_MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
