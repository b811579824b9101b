"""Files of any filesystem that Beam knows: local paths, `gs://`, `s3://`, `hdfs://`."""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata
from apache_beam.io.filesystems import FileSystems

from textgen.corpus.formats import format_of
from textgen.corpus.units import InputFile
from textgen.errors import UserError


def open_file(path: str) -> BinaryIO:
    """Opens a file for reading as it stands, without unpacking."""
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def find_inputs(patterns: Sequence[str], format: str) -> list[InputFile]:
    """The files that paths, globs and folders name, sorted by path, each once.

    Of a folder all files are taken, those in folders below it too, but for those whose names begin with a dot or an
    underscore. Empty files are left out.

    Raises:
        UserError: a pattern names no file.
    """
    found = {}
    for pattern in patterns:
        name = pattern.rstrip("/") or pattern
        files = _matches(name) or _hidden_removed(_matches(join(name, "**")))
        if not files:
            raise UserError(f"no file matches {pattern!r}. Check the path; quote a pattern with * in it.")
        found.update({file.path: file for file in files})
    return [
        InputFile(path, file.size_in_bytes, file.last_updated_in_seconds or 0.0, format_of(path, format))
        for path, file in sorted(found.items())
        if file.size_in_bytes
    ]


def _matches(pattern: str) -> list[FileMetadata]:
    try:
        matches = FileSystems.match([pattern])[0].metadata_list
    except BeamIOError:
        return []
    return [file for file in matches if not (is_local(file.path) and Path(file.path).is_dir())]


def _hidden_removed(files: list[FileMetadata]) -> list[FileMetadata]:
    return [file for file in files if not Path(file.path).name.startswith((".", "_"))]


def is_local(path: str) -> bool:
    """Whether the path is on a disk of this machine."""
    return FileSystems.get_scheme(path) is None


def join(directory: str, *names: str) -> str:
    """The path of a file in a directory."""
    return FileSystems.join(directory, *names)


def make_directory(path: str) -> None:
    """Makes a directory and those above it; object stores need none."""
    if not FileSystems.exists(path):
        FileSystems.mkdirs(path)


def read(path: str) -> bytes | None:
    """A file's content, or None where there is no such file."""
    if not FileSystems.exists(path):
        return None
    with open_file(path) as file:
        return file.read()


class Stamp(NamedTuple):
    """By what a file is known without reading it: its size in bytes, and when it was written, in seconds."""

    size: int
    modified: float


def stamp(path: str) -> Stamp | None:
    """A file's stamp, or None where there is no such file."""
    if not FileSystems.exists(path):
        return None
    # Not by `match`, to which a name with a bracket is a pattern.
    found = FileSystems.get_filesystem(path).metadata(path)
    return Stamp(found.size_in_bytes, found.last_updated_in_seconds or 0.0)


def size(path: str) -> int | None:
    """A file's size in bytes, or None where there is no such file."""
    found = stamp(path)
    return found.size if found else None


def list_files(pattern: str) -> list[tuple[str, int]]:
    """Path and size of every file that the pattern matches; none is no error."""
    try:
        return [(file.path, file.size_in_bytes) for file in FileSystems.match([pattern])[0].metadata_list]
    except BeamIOError:
        return []


def write(path: str, content: bytes, *, folder: str | None = None) -> None:
    """Writes a file whole or not at all: under a name of its own first, beside it or in `folder`, then renamed."""
    name = f"{uuid.uuid4().hex}.tmp"
    temporary = join(folder, name) if folder else f"{path}.{name}"
    with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(content)
    FileSystems.rename([temporary], [path])


def remove(path: str) -> None:
    """Removes a file, or a directory with all in it; none there is no error."""
    if FileSystems.exists(path):
        FileSystems.delete([path])


@contextlib.contextmanager
def scratch(directory: str) -> Iterator[Path]:
    """A local folder of its own, in `directory` if that is local, that is gone at the end."""
    folder = tempfile.mkdtemp(dir=directory if is_local(directory) else None)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(local: Path, path: str) -> None:
    """Moves a finished local file to its final name; whoever reads that name finds all of it or nothing."""
    if is_local(path):
        local.replace(path)
        return
    with local.open("rb") as source, FileSystems.create(path) as target:
        shutil.copyfileobj(source, target, 1 << 24)
