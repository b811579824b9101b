"""Reads samples of the documents that a preparation dropped, if it kept them."""

import json
from collections.abc import Iterable
from typing import BinaryIO

from textgen.dataset.storage.manifest import Manifest, dropped_name
from textgen.errors import UserError
from textgen.folder import Folder

SAMPLES = 3
"""Number of samples per reason."""

_MAX_LINE_BYTES, _MAX_FILE_BYTES = 1 << 20, 1 << 24


def dropped_samples(directory: str, manifest: Manifest) -> dict[str, list[str]]:
    """Returns some dropped texts by reason; empty if none were kept.

    Files are read until each reason has enough samples; of each file at most 16 MB, and a text of more than a
    megabyte is passed over.

    Args:
        directory: folder of the dataset, local or a URL.
        manifest: its manifest.

    Raises:
        UserError: a file of dropped documents is missing or damaged.
        OSError: one cannot be read.
    """
    found: dict[str, list[str]] = {}
    folder = Folder(directory)
    wanted = {reason for reason, count in manifest.total.dropped.items() if count}
    for report in manifest.units:
        if not report.dropped_sha256 or not wanted & set(report.dropped):
            continue
        name = dropped_name(report.unit)
        try:
            with folder.open(name) as file:
                _collect(_lines(file), found, folder.path(name))
        except FileNotFoundError:
            raise _damaged(folder.path(name), "it is missing") from None
        wanted -= {reason for reason, texts in found.items() if len(texts) >= SAMPLES}
    return found


def _lines(file: BinaryIO) -> Iterable[bytes]:
    size, is_start = 0, True
    while size < _MAX_FILE_BYTES and (line := file.readline(_MAX_LINE_BYTES)):
        size += len(line)
        if is_start and line.endswith(b"\n"):
            yield line
        is_start = line.endswith(b"\n")


def _collect(lines: Iterable[bytes], found: dict[str, list[str]], path: str) -> None:
    for line in lines:
        try:
            values = json.loads(line)
            reason, text = values["reason"], values["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _damaged(path, "a line is no JSON object with a reason and a text") from None
        if not isinstance(reason, str) or not isinstance(text, str):
            raise _damaged(path, "a reason or a text is no string")
        texts = found.setdefault(reason, [])
        if len(texts) < SAMPLES and text not in texts:
            texts.append(text)


def _damaged(path: str, what: str) -> UserError:
    return UserError(f"{path} is damaged: {what}. `textgen verify` lists what is damaged, `textgen repair` mends it.")
