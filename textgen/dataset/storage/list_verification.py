"""Checks the lists of a dataset (vocabulary, input files, files passed over) against the numbers of its manifest."""

from collections.abc import Callable, Mapping

from textgen.config import EOS, VOCABULARY_FILE
from textgen.config import vocabulary_rows as rows
from textgen.config.schema import SchemaError
from textgen.dataset.storage import inputs_schema, passed_over
from textgen.dataset.storage.manifest import INPUTS_FILE, PASSED_OVER_FILE, VERSION, Manifest
from textgen.errors import UserError
from textgen.folder import Folder


def list_fault(name: str, folder: Folder, manifest: Manifest) -> str:
    """Returns how the manifest contradicts a file that has the SHA-256 which it records; empty if it does not.

    Args:
        name: name of the file; one that is no list has no fault.
        folder: the dataset's folder.
        manifest: its manifest.

    Raises:
        OSError: the file cannot be read.
    """
    if name not in _CHECKS:
        return ""
    check, max_bytes = _CHECKS[name]
    try:
        check(folder.read(name, max_bytes=max_bytes), manifest)
    except (SchemaError, UserError) as error:
        return str(error).rstrip(".")
    return ""


def _check_vocabulary(content: bytes, manifest: Manifest) -> None:
    found = rows.parse_rows(content, rows=manifest.vocabulary_size - EOS - 1)
    sha256 = rows.tokens_sha256(found.tokens)
    if sha256 != manifest.tokens_sha256:
        raise SchemaError(
            f"its tokens have the SHA-256 {sha256[:16]}…; by tokens_sha256 it must be {manifest.tokens_sha256[:16]}…"
        )


def _check_inputs(content: bytes, manifest: Manifest) -> None:
    # An earlier version lists the files in another form, and does not count them.
    if manifest.version == VERSION:
        for _ in inputs_schema.parse(content, manifest.config, files=manifest.files):
            pass


def _check_passed_over(content: bytes, manifest: Manifest) -> None:
    found = passed_over.parse(content, count=sum(manifest.passed_over.values()))
    if passed_over.count_reasons(found) != manifest.passed_over:
        raise SchemaError("it has other numbers of files by reason than passed_over")


_CHECKS: Mapping[str, tuple[Callable[[bytes, Manifest], None], int]] = {
    VOCABULARY_FILE: (_check_vocabulary, rows.MAX_BYTES),
    INPUTS_FILE: (_check_inputs, inputs_schema.MAX_BYTES),
    PASSED_OVER_FILE: (_check_passed_over, passed_over.MAX_BYTES),
}
"""Check and maximum size of each list, by the name of its file."""
