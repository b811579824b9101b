"""Finds the ends of CSV records: the line ends outside quoted cells.

A quotation mark opens a quoted cell only at the start of a cell; elsewhere it is text, as in `5" disk`. Within a
quoted cell, two marks stand for one, and a single mark closes the cell. These are the rules of pyarrow's parser, so a
file parsed in ranges of whole records gives the same rows as the whole file.
"""

import functools
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO


def ends_in_quotes(data: bytes, delimiter: str, *, begins_in_quotes: bool = False) -> bool:
    r"""Returns whether the end of `data` lies within a quoted cell.

    `data` consists of whole lines; its start lies within a quoted cell if `begins_in_quotes`, else at a record start.

    >>> ends_in_quotes(b'1,"one\n', ","), ends_in_quotes(b'1,5" disk\n', ",")
    (True, False)
    """
    if b'"' not in data:
        return begins_in_quotes
    before = b'\n"' if begins_in_quotes else b"\n"
    last = deque(_quoted(delimiter).finditer(before + data), maxlen=1)
    return bool(last) and not last[0]["closed"]


@functools.cache
def _quoted(delimiter: str) -> re.Pattern[bytes]:
    """Returns a pattern for consecutive quoted cells, up to the last mark or the end of the data.

    The pattern begins with the mark and then checks the byte before it, so that text without marks is skipped at the
    speed of memchr.
    """
    mark = re.escape(delimiter.encode())
    return re.compile(rb'"(?<=[%b\r\n]")[^"]*(?:"(?:"|%b")[^"]*)*(?P<closed>"|\Z)' % (mark, mark))


def read_record(file: BinaryIO, delimiter: str, *, most_bytes: int) -> bytes:
    """Reads the record at the file's position, but at most `most_bytes` bytes of it."""
    lines = [file.readline(most_bytes)]
    left = most_bytes - len(lines[0])
    in_quotes = ends_in_quotes(lines[0], delimiter)
    while in_quotes and left > 0 and (line := file.readline(left)):
        lines.append(line)
        left -= len(line)
        in_quotes = ends_in_quotes(line, delimiter, begins_in_quotes=True)
    return b"".join(lines)


def read_record_blocks(file: BinaryIO, delimiter: str, *, block_bytes: int, end: float) -> Iterator[bytes]:
    """Yields the rest of the file, up to the end of a record at offset `end`, in blocks of whole records.

    A block has `block_bytes` bytes, plus the rest of its last record.
    """
    position = file.tell()
    while position < end and (block := file.read(int(min(block_bytes, end - position)))):
        if not block.endswith(b"\n"):
            block += file.readline()
        lines = [block]
        in_quotes = ends_in_quotes(block, delimiter)
        while in_quotes and (line := file.readline()):
            lines.append(line)
            in_quotes = ends_in_quotes(line, delimiter, begins_in_quotes=True)
        records = b"".join(lines)
        position += len(records)
        yield records
