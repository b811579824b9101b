"""Finds the format of a file by the bytes that it starts with, and by its ending where they leave it open."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from textgen.corpus.compression import compression_of, compression_of_content, decompress_start
from textgen.corpus.encoding_choice import AUTO, FEW, choose_encoding
from textgen.corpus.encoding_detection import is_decoded_twice
from textgen.corpus.encodings import is_ascii_compatible
from textgen.corpus.formats import FORMAT_OF_ENDING
from textgen.corpus.signatures import STRUCTURED, FileKind, is_parquet, kind_of_bytes, kind_of_content, kind_of_ending
from textgen.errors import UserError

HEAD_BYTES = 1 << 16
"""Number of bytes that are read of each file."""

_LONG_HEAD_BYTES = 1 << 20
"""Number of bytes that are read of a file whose first compressed block is longer; a bz2 block has up to 900 kB."""

_MAX_COMPRESSIONS = 4
_HEADER_LINES = 20
_LONGEST_NAME = 40

NOTICES: Mapping[str, str] = {
    "jsonl": "looks like JSON Lines, but is read as one document; use --format jsonl to read a document per record",
    "json": "looks like JSON, but is read as one document; use --format json to read a document per record",
    "csv": "looks like a CSV table, but is read as one document; use --format csv with --text-field for one per row",
    "tsv": "looks like a TSV table, but is read as one document; use --format tsv with --text-field for one per row",
    "html": "is HTML, and is read with its tags; use --html strip to remove them",
    "xml": "is XML, and is read with its tags; use --html strip to remove them",
    "no lines": "holds JSON values that are not one per line, so it is read as --format json",
    "decoded twice": "seems to have been decoded in a wrong encoding before (\u201cÃ©\u201d for \u201cé\u201d); "
    "it is read as it is",
    "not compressed": "is named like a compressed file, but is not compressed; it is read as it is",
}
"""Notices about files that may have another format than it seems, by their names in `Detected.notices`."""


class Head(NamedTuple):
    """Start of a file.

    Attributes:
        content: its first bytes, decompressed.
        compression: names of its compressions, outermost first, by its content.
        is_whole: whether `content` is all of the file.
    """

    content: bytes
    compression: tuple[str, ...]
    is_whole: bool


class Detected(NamedTuple):
    """Format of a file.

    Attributes:
        format: name of its reader.
        notices: names of the `NOTICES` that apply.
        encoding: encoding of its text, by its Python name.
    """

    format: str
    notices: tuple[str, ...] = ()
    encoding: str = "utf-8"


class NotTextError(UserError):
    """A file that holds no text to read.

    Attributes:
        kind: its kind.
        reason: why it is not read, such as "not text (PDF)".
    """

    def __init__(self, path: str, kind: FileKind):
        self.kind, self.reason = kind, f"not text ({kind.name})"
        super().__init__(f"{path} is {self.reason}, so textgen can't read it. {kind.remedy}")


def read_head(path: str, read: Callable[[str, int], bytes]) -> Head:
    """Reads the start of a file, once.

    Args:
        path: the file.
        read: returns the first bytes of a file, at most as many as asked for; it is asked for `HEAD_BYTES`, and for
            more only where these hold no complete compressed block.

    Raises:
        UserError: the file is compressed more often than four times.
    """
    stored = read(path, HEAD_BYTES)
    head = head_of(path, stored, is_whole=len(stored) < HEAD_BYTES)
    if head.content or not head.compression or head.is_whole:
        return head
    stored = read(path, _LONG_HEAD_BYTES)
    return head_of(path, stored, is_whole=len(stored) < _LONG_HEAD_BYTES, max_bytes=_LONG_HEAD_BYTES)


def detect(path: str, head: Head, *, format: str, encoding: str, on_invalid: str = FEW) -> Detected:
    """Returns the format and the encoding of a file.

    The content decides whether a file is text, Parquet or something else, whatever its ending, and tells JSON and
    JSON Lines apart. Otherwise the format is the given one, or for "auto" that of the ending; a file with an unknown
    ending is one document.

    Args:
        path: path of the file, of which only the name matters.
        head: start of the file.
        format: a format, or "auto".
        encoding: encoding that is given for the file, by its Python name; or "auto".
        on_invalid: treatment of invalid bytes; see `ReadOptions`.

    Raises:
        NotTextError: the file holds no text.
        UserError: the file does not have the given format, or is Parquet and compressed again.
    """
    ending = _ending(path)
    if is_parquet(head.content) or (ending in (".parquet", ".pq") and not head.content):
        return _parquet(path, head, format, encoding)
    kind = kind_of_content(head.content)
    if kind is None or kind.name == "zip archive":
        # A zip archive may be a document of an Office program, whose name says so.
        kind = kind_of_ending(ending) or kind
    if kind and not (kind.name in STRUCTURED and format != "auto"):
        raise NotTextError(path, kind)
    _check_text(path, head, encoding)
    asked = FORMAT_OF_ENDING.get(ending, "document") if format == "auto" else format
    if asked == "parquet":
        raise UserError(
            f"{path} is no Parquet file: it does not start with the bytes PAR1. Use another --format, or download it "
            "again."
        )
    encoding = choose_encoding(path, head.content, is_whole=head.is_whole, encoding=encoding, on_invalid=on_invalid)
    text = head.content.decode(encoding, "replace").lstrip("\ufeff")
    notices: tuple[str, ...] = ("not compressed",) if compression_of(path) and not head.compression else ()
    if asked in ("json", "jsonl"):
        found = _json_format(text, head.is_whole)
        found = found if found in ("json", "jsonl") else asked
        notices += ("no lines",) if (asked, found) == ("jsonl", "json") else ()
        return Detected(found, notices, encoding)
    if format == "auto" and asked == "document":
        notices += tuple(filter(None, [_structure(text, head.is_whole)]))
    if is_decoded_twice(head.content):
        notices += ("decoded twice",)
    return Detected(asked, notices, encoding)


def head_of(path: str, content: bytes, *, is_whole: bool, max_bytes: int = HEAD_BYTES) -> Head:
    """Returns the decompressed start of a file.

    Args:
        path: the file, for errors.
        content: its first bytes as they are stored.
        is_whole: whether these are all of the file.
        max_bytes: maximum number of bytes to decompress of what is compressed again.

    Raises:
        UserError: the file is compressed more often than four times.
    """
    compression: tuple[str, ...] = ()
    while kind := compression_of_content(content):
        compression += (kind,)
        if len(compression) > _MAX_COMPRESSIONS:
            raise UserError(
                f"{path} is compressed at least {len(compression)} times over; at most {_MAX_COMPRESSIONS} "
                "compressions are read. Decompress it first."
            )
        content = decompress_start(content, kind, max_bytes=max_bytes)
        is_whole = is_whole and len(content) < max_bytes
    if compression:
        is_whole, content = is_whole and len(content) < HEAD_BYTES, content[:HEAD_BYTES]
    return Head(content, compression, is_whole)


def _ending(path: str) -> str:
    """Returns the last ending of a name that is no compression's, in lowercase; "a.csv.gz" → ".csv"."""
    name = PurePosixPath(path).name
    while compression_of(name):
        name = PurePosixPath(name).stem
    return PurePosixPath(name).suffix.lower()


def _parquet(path: str, head: Head, format: str, encoding: str) -> Detected:
    if format not in ("auto", "parquet"):
        raise UserError(
            f"{path} is a Parquet file by its first bytes, which can't be read as {format}. "
            "Use --format parquet or auto."
        )
    if head.compression:
        raise UserError(
            f"{path} is a compressed Parquet file; Parquet files are compressed inside and must not be compressed "
            "again. Decompress it first."
        )
    return Detected("parquet", encoding="utf-8" if encoding == AUTO else encoding)


def _check_text(path: str, head: Head, encoding: str) -> None:
    """Raises an error for bytes that are no text in the given encoding or in any usual one."""
    kind = kind_of_bytes(head.content) if encoding == AUTO or is_ascii_compatible(encoding) else None
    if kind and compression_of(path) and not head.compression:
        raise UserError(
            f"{path} can't be decompressed: it starts neither like a {compression_of(path)[0]} file nor like text. "
            "It is damaged or of another format. Download it again."
        )
    if kind:
        raise NotTextError(path, kind)


def _structure(text: str, is_whole: bool) -> str:
    """Returns the format that a text seems to have: jsonl, json, csv, tsv, html or xml; empty for prose."""
    start = text[:1000].lstrip().lower()
    if start.startswith(("<!doctype html", "<html")):
        return "html"
    if start.startswith("<?xml"):
        return "html" if "<html" in start else "xml"
    found = _json_format(text, is_whole)
    return "json" if found == "one object" else found or _table_format(text)


def _json_format(text: str, is_whole: bool) -> str:
    r"""Returns "jsonl" for JSON objects or arrays of one line each, "json" for others, or "" for other text.

    Returns "one object" for a text of one line that is an object, which both formats may hold.

    >>> _json_format('{"a": 1}\n{"a": 2}\n', True), _json_format('[{"a": 1}]', True), _json_format("[1] See", True)
    ('jsonl', 'json', '')
    """
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith(("{", "[")):
        return ""
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        inner = (first[1:] + rest).lstrip()[:1]
        return "json" if inner in ('"', "}") or (first[0] == "[" and inner in ("{", "[")) else ""
    following = rest.lstrip()[:1]
    if following or not is_whole:
        return "jsonl" if following in ("{", "[", "") else ""
    return "json" if first[0] == "[" else "one object"


def _table_format(text: str) -> str:
    r"""Returns "csv" or "tsv" for a table with a header, or "" for other text.

    >>> _table_format("id,title\n1,one\n2,two\n"), _table_format("Well, yes.\nNo, he said.\nOh, no.\n")
    ('csv', '')
    """
    lines = text.split("\n", _HEADER_LINES)[:-1]
    for delimiter, found in (("\t", "tsv"), (",", "csv"), (";", "csv")):
        try:
            rows = [row for row in csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=delimiter) if row]
        except csv.Error:
            continue
        if len(rows) > 2 and len(rows[0]) > 1 and {len(row) for row in rows[:-1]} == {len(rows[0])}:  # noqa: PLR2004
            names = rows[0]
            if len(set(names)) == len(names) and all(map(_is_name, names)):
                return found
    return ""


def _is_name(cell: str) -> bool:
    """Returns whether a cell may be the name of a column: short, of one or two words, without a stop."""
    words = cell.split()
    return 0 < len(words) <= 2 and len(cell) <= _LONGEST_NAME and cell[0].isalpha() and cell[-1] not in ".!?:"  # noqa: PLR2004
