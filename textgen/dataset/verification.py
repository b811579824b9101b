"""Whether a folder still holds what its manifest says."""

import hashlib
from pathlib import Path

from textgen.config import VOCABULARY_FILE
from textgen.dataset.manifest import FILE_NAME, Manifest, read_manifest
from textgen.dataset.shards import Shard

_READ_BYTES = 1 << 22


def verify(directory: str | Path) -> list[str]:
    """What is wrong with a dataset, a line each: files missing, cut, changed or extra. Empty when all is well.

    Raises:
        UserError: the folder is no dataset.
    """
    folder, manifest = Path(directory), read_manifest(directory)
    problems = [problem for shard in manifest.total.shards for problem in _shard_problems(folder, shard)]
    if not (folder / VOCABULARY_FILE).is_file():
        problems.append(f"{VOCABULARY_FILE}: missing")
    elif file_sha256(folder / VOCABULARY_FILE) != manifest.vocabulary_sha256:
        problems.append(f"{VOCABULARY_FILE}: changed: its SHA-256 differs from the manifest's")
    return problems + [f"{name}: extra: the manifest does not name it" for name in _extra(folder, manifest)]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            sha256.update(data)
    return sha256.hexdigest()


def _shard_problems(folder: Path, shard: Shard) -> list[str]:
    path, what = folder / shard.name, f"{shard.name} (unit {shard.unit})"
    if not path.is_file():
        return [f"{what}: missing"]
    size = path.stat().st_size
    if size < shard.bytes:
        return [f"{what}: cut: {size} of {shard.bytes} bytes"]
    if size > shard.bytes:
        return [f"{what}: changed: {size} bytes, {shard.bytes} expected"]
    if file_sha256(path) != shard.sha256:
        return [f"{what}: changed: its SHA-256 differs from the manifest's"]
    return []


def _extra(folder: Path, manifest: Manifest) -> list[str]:
    known = {shard.name for shard in manifest.total.shards} | {VOCABULARY_FILE, FILE_NAME}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)
