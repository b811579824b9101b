"""Where the records of a CSV file end: at the line ends that are in no quoted cell.

A quotation mark opens a quoted cell only at a cell's start; elsewhere it is text, as in `5" disk`. In a quoted cell
two marks are one, and a single one closes the quotes. These are the rules of pyarrow's own parser, so that a file
parsed in ranges of whole records gives what it gives when parsed whole.
"""

import functools
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO


def ends_in_quotes(data: bytes, delimiter: str, *, begins_in_quotes: bool = False) -> bool:
    r"""Whether whole lines, the first of which begins a record or stands in quotes, end within a quoted cell.

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
    """Quoted cells in a row, up to the last mark or to the end of the data.

    The first mark is looked for before what must precede it, so that plain text is passed at the speed of memchr.
    """
    mark = re.escape(delimiter.encode())
    return re.compile(rb'"(?<=[%b\r\n]")[^"]*(?:"(?:"|%b")[^"]*)*(?P<closed>"|\Z)' % (mark, mark))


def read_record(file: BinaryIO, delimiter: str, *, most_bytes: int) -> bytes:
    """The record that the file is at, or the beginning of one that is longer than it may be."""
    lines = [file.readline(most_bytes)]
    left = most_bytes - len(lines[0])
    in_quotes = ends_in_quotes(lines[0], delimiter)
    while in_quotes and left > 0 and (line := file.readline(left)):
        lines.append(line)
        left -= len(line)
        in_quotes = ends_in_quotes(line, delimiter, begins_in_quotes=True)
    return b"".join(lines)


def read_record_blocks(file: BinaryIO, delimiter: str, *, block_bytes: int, end: float) -> Iterator[bytes]:
    """What is left of the file up to `end`, where a record ends, in blocks of whole records.

    A block is as long as asked for, and on to the end of its last record.
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
