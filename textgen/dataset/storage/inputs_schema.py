"""Schema of `inputs.jsonl`, which names the input files of a dataset, one JSON object per line.

A repair reads the files that are named there, so nothing of a line is used before it is checked.
"""

import functools
from collections.abc import Iterator
from typing import Any

from textgen.config import COMPRESSIONS, FORMATS, SPLITS, PrepareConfig
from textgen.config.checks import text_encoding
from textgen.config.schema import ListOf, OrNull, Real, Record, Row, SchemaError, Text, Whole, shown
from textgen.config.strict_json import parse_json_lines
from textgen.errors import UserError

MAX_BYTES = 1 << 30
"""Maximum size of the file, which has about 200 bytes per input file."""

_MAX_LINE_BYTES = 1 << 20

_PATH = Text(max_length=1 << 17, is_path=True)
# A compressed file that is compressed again is rare; more layers would only take time.
_COMPRESSION = ListOf(Text(choices=COMPRESSIONS), at_most=4)


class _Encoding:
    """Python's own name of a text encoding."""

    def check(self, value: Any, name: str) -> str:
        text = Text(max_length=100).check(value, name)
        if not _is_encoding(text):
            raise SchemaError(f"{name} is {shown(text)}; it must be Python's own name of a text encoding")
        return text


_MEMBER = Row(
    {
        "archive": _PATH,
        "compression": _COMPRESSION,
        "archive_size": Whole(),
        "offset": Whole(),
        "size": Whole(),
        "packing": Text(choices=("", *COMPRESSIONS)),
        "checksum": Whole(at_least=-1, at_most=(1 << 32) - 1),
        "content_size": Whole(),
    }
)
_INPUT = Record(
    {
        "path": _PATH,
        "size": Whole(),
        "modified": Real(at_least=-1e12, at_most=1e12),
        "format": Text(choices=FORMATS),
        "compression": _COMPRESSION,
        "encoding": _Encoding(),
        "split": OrNull(Text(choices=SPLITS)),
        "member": OrNull(_MEMBER),
    }
)


def parse(content: bytes, config: PrepareConfig, *, files: int | None = None) -> Iterator[dict[str, Any]]:
    """Yields the checked values of each input file; `member` is a tuple of the fields of a place in an archive.

    Args:
        content: content of the file.
        config: settings of the dataset, which tell whether files belong to splits.
        files: number of input files that the manifest records; None for any.

    Raises:
        SchemaError: there are more or fewer files, one is named twice, or a line is not as declared.
    """
    paths: set[str] = set()
    rows = parse_json_lines(content, _INPUT, max_bytes=MAX_BYTES, max_line_bytes=_MAX_LINE_BYTES, lines=files)
    for number, values in enumerate(rows, 1):
        try:
            _check_together(values, config)
        except SchemaError as error:
            raise SchemaError(f"line {number:,}: {error}") from None
        if values["path"] in paths:
            raise SchemaError(
                f"line {number:,}: path is {shown(values['path'])}, which an earlier line names too; each file must "
                "be listed once"
            )
        paths.add(values["path"])
        yield values


def _check_together(values: dict[str, Any], config: PrepareConfig) -> None:
    split, member, path = values["split"], values["member"], values["path"]
    splits = ("train", *config.given_splits.split(",")) if config.given_splits else (None,)
    if split not in splits:
        raise SchemaError(f"split is {shown(split)}; in this dataset it must be {' or '.join(map(shown, splits))}")
    if member is None:
        return
    archive, compression, archive_size, offset, size, *_ = member
    if size != values["size"]:
        raise SchemaError(f"size is {values['size']:,}, and that in member is {size:,}; they must be equal")
    if not path.startswith(f"{archive}/"):
        raise SchemaError(f"path is {shown(path)}; it must begin with that of its archive, {shown(archive)}")
    # The offset is that in the decompressed archive where the whole of it is compressed.
    if not compression and offset + size > archive_size:
        raise SchemaError(
            f"member ends at byte {offset + size:,} of its archive; it must end at {archive_size:,} or before"
        )


@functools.cache
def _is_encoding(name: str) -> bool:
    try:
        return name != "auto" and text_encoding(name) == name
    except UserError:
        return False
