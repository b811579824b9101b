"""Random contents of input files: texts, files of each format that hold them, and damage."""

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import sys
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from textgen.corpus.readers.base import TableOptions

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ALPHABETS = (
    "abcdefghij klm nop",
    "Straße, naïve – Ærø: “çédille” ",
    "привет мир, как дела ",
    "日本語のテキスト。漢字 ",
    "한국어 문장 ",
    "\u0627\u0644\u0633\u0644\u0627\u0645\u200c \u0639\u0644\u06cc",
    "e\u0301a\u0308 \U0001f469\u200d\U0001f467 \U0001f3fd\u00ad",
    "0123456789.,-+eE ",
    "\"',;|\t\\ab ",
    '{}[]:,"\\nul true',
    "\0\x01\x0b\x0c\x1a\x1b\x1c\x85\u2028\u2029\ufeff ",
    "<p>&amp;</p>#%~{}",
)
"""Characters of texts; a text has those of one or two of these."""

ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "ascii", "iso8859-1", "cp1252",
    "koi8-r", "cp1251", "shift_jis", "cp932", "euc_jp", "iso2022_jp", "gb18030", "gbk", "hz", "big5", "euc_kr",
    "iso2022_kr", "johab", "cp037", "cp864", "utf-7", "shift_jisx0213", "big5hkscs", "mac_roman", "cp949",
)  # fmt: skip
"""Encodings of files; some are not compatible with ASCII, and some have states."""

MARKS = (b"\0", b"\r", b"\n", b"\r\n", b'"', b'""', b"\\", b",", b";", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff",
         b"\x1a", b"\x1b$B", b"{", b"[", b"]", b"}", b"\n\n", b" ", b"\xed\xa0\x80", b"\xe2\x82", b"PAR1",
         b"\x85")  # fmt: skip
"""Bytes that mean something to a reader."""

_STARTS = (
    b"PAR1", b"%PDF-1.7\n", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"GIF89a",
    b"\x50\x2a\x4d\x18\x08\0\0\0", b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0", b"ARROW1\0\0", b"sep=;\n",
    b"<!doctype html>", b"<?xml ", b"\xff\xfe\0\0", b"[", b"{", b'"', b"\xef\xbb\xbf", b"SQLite format 3\0",
)  # fmt: skip


class Written(NamedTuple):
    """A valid file.

    Attributes:
        content: its bytes, not compressed.
        documents: the documents that a reader must find.
        text_field: the column or path that holds them; None for plain text.
        tables: settings with which they are read.
        header: number of bytes before the first row.
    """

    content: bytes
    documents: list[bytes]
    text_field: str | None = None
    tables: TableOptions = TableOptions()


def text(chance: random.Random, *, most: int = 40) -> str:
    """Returns a text without line ends."""
    characters = "".join(chance.choices(ALPHABETS, k=chance.choice((1, 1, 1, 2))))
    length = chance.choice((0, 1, 3, most // 4, most, most, most * 4))
    return "".join(chance.choices(characters, k=length))


def encodable(value: str, encoding: str) -> str:
    """Returns the characters of a text that an encoding has and gives back."""
    return value.encode(encoding, "ignore").decode(encoding, "ignore")


def texts(chance: random.Random, encoding: str) -> list[str]:
    """Returns texts without line ends."""
    count = chance.choice((0, 1, 2, 5, 20, 60))
    if chance.random() < 0.02:
        # Longer than what is read of a file to find out what it is.
        return [encodable(text(chance, most=2000), encoding) for _ in range(200)]
    return [encodable(text(chance), encoding) for _ in range(count)]


def write_document(chance: random.Random, encoding: str) -> Written:
    value = chance.choice(("\n", "\r\n", "\r", "\n\n")).join(texts(chance, encoding))
    return Written(value.encode(encoding), [encodable(value, encoding).encode()] if value else [])


def write_lines(chance: random.Random, encoding: str) -> Written:
    found = texts(chance, encoding)
    ends = [chance.choice(("\n", "\r\n", "\r"))] * len(found) if chance.random() < 0.7 else ["\n"] * len(found)
    value = "".join(line + end for line, end in zip(found, ends, strict=True))
    if found and found[-1] and chance.random() < 0.5:
        value = value.removesuffix("\n").removesuffix("\r")
    return Written(value.encode(encoding), [line.encode() for line in found])


def write_paragraphs(chance: random.Random, encoding: str) -> Written:
    end = chance.choice(("\n", "\r\n", "\r"))
    paragraphs = [end.join(filter(_is_visible, texts(chance, encoding))) for _ in range(chance.randrange(6))]
    paragraphs = list(filter(None, paragraphs))
    blank = chance.choice((end, end * 2, f"  {end}", f"\t{end} {end}"))
    value = chance.choice(("", end, blank)) + (end + blank).join(paragraphs) + chance.choice(("", end, end + blank))
    return Written(value.encode(encoding), [paragraph.encode() for paragraph in paragraphs])


def _is_visible(line: str) -> bool:
    return bool(line.encode().strip())


def write_table(chance: random.Random, encoding: str, *, usual: str) -> Written:
    """Writes a table of a random dialect."""
    found = [value.replace("\0", "") for value in texts(chance, encoding)]
    delimiter = chance.choice((usual, usual, usual, ",", ";", "\t", "|", "\x01", " "))
    end = chance.choice(("\n", "\r\n", "\r"))
    columns = chance.randrange(1, 5)
    names = ["id", "text", "title", "note", "x"][:columns] if columns > 1 else ["text"]
    names = names if chance.random() < 0.8 else [encodable(f"{name} é日", encoding) for name in names]
    place = names.index(next(name for name in names if name.startswith("text")))
    if chance.random() < 0.3:
        found = [end.join((value, value)) for value in found]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=chance.choice((0, 0, 1)))
    writer.writerow(names)
    for i, value in enumerate(found):
        row = [str(i)] + [encodable(text(chance, most=8).replace("\0", ""), encoding) for _ in names[1:]]
        writer.writerow(row[:place] + [value] + row[place + 1 :])
    skipped = chance.choice((0, 0, 0, 1, 3))
    content = "".join(f"a comment{end}" for _ in range(skipped)) + file.getvalue()
    options = TableOptions(
        delimiter="" if delimiter == usual and chance.random() < 0.8 else delimiter,
        quoting="csv" if delimiter == "\t" else chance.choice(("csv", "csv", "auto")),
        escape=chance.choice(("", "", None)),
        header=chance.choice(("first", "first", "auto")),
        skip_rows=skipped,
    )
    return Written(content.encode(encoding), [value.encode() for value in found], names[place], options)


def write_jsonl(chance: random.Random, encoding: str) -> Written:
    found = texts(chance, encoding)
    field, records = _records(chance, found)
    ascii = chance.random() < 0.5
    end = chance.choice(("\n", "\r\n", "\r", "\n\n"))
    content = "".join(encodable(json.dumps(record, ensure_ascii=ascii), encoding) + end for record in records)
    return Written(content.encode(encoding), [value.encode() for value in found], field)


def write_json(chance: random.Random, encoding: str) -> Written:
    found = texts(chance, encoding)
    field, records = _records(chance, found)
    how = {"ensure_ascii": chance.random() < 0.5, "indent": chance.choice((None, None, 0, 2))}
    kind = chance.randrange(4)
    if kind == 0 and found:
        content = chance.choice(("\n", " ", "")).join(json.dumps(record, **how) for record in records)
    elif kind == 1:
        content, field = json.dumps({"version": [1, 2], "data": records, "more": {"a": None}}, **how), f"data.{field}"
    elif kind == 2:
        content, field = json.dumps(found, **how), "text"
    else:
        content = json.dumps(records, **how)
    return Written(content.encode(encoding, "ignore"), [value.encode() for value in found], field)


def _records(chance: random.Random, found: list[str]) -> tuple[str, list[dict]]:
    others = [{}, {"id": 1}, {"a": {"b": [1, 2.5e300, None, "x"]}}, {"é": "\ud800"}]
    rest = [chance.choice(others) for _ in found]
    if chance.random() < 0.3:
        return "data.text", [{**other, "data": {"text": value}} for other, value in zip(rest, found, strict=True)]
    return "text", [{**other, "text": value} for other, value in zip(rest, found, strict=True)]


def write_parquet(chance: random.Random, encoding: str) -> Written:
    found = texts(chance, "utf-8")
    kind = chance.choice((pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())))
    column, field = pa.array(found, pa.string()).cast(kind), "text"
    if chance.random() < 0.2:
        column, field = pa.StructArray.from_arrays([column], ["text"]), "data.text"
    table = pa.table({"id": range(len(found)), field.partition(".")[0]: column})
    file = io.BytesIO()
    compression = chance.choice(("none", "snappy", "gzip", "zstd"))
    version = chance.choice(("1.0", "2.0"))
    size = chance.choice((1, 7, 1 << 20))
    pq.write_table(table, file, row_group_size=size, compression=compression, data_page_version=version)
    return Written(file.getvalue(), [value.encode() for value in found], field)


def deep_json(chance: random.Random) -> bytes:
    """Returns JSON that is nested to a great depth."""
    depth = chance.choice((10, 900, 5000, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"text":', b"}"), (b'[{"a":', b"}]")))
    end = closing * depth if chance.random() < 0.7 else b""
    return chance.choice((b"", b'{"text": "one"}\n', b'[{"text": "one"},')) + opening * depth + b'"x"' + end


def random_bytes(chance: random.Random) -> bytes:
    """Returns random bytes, some after the first bytes of a known kind of file."""
    return chance.choice((b"", *_STARTS)) + chance.randbytes(chance.choice((0, 1, 5, 100, 1000)))


def damaged(content: bytes, chance: random.Random, other: Callable[[], bytes]) -> bytes:
    """Returns content after one to four random changes.

    Args:
        content: the content.
        chance: source of randomness.
        other: returns another content, to be spliced with.
    """
    for _ in range(chance.choice((1, 1, 2, 4))):
        start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        kind = chance.randrange(10)
        if kind == 0:
            content = content[:start]
        elif kind == 1:
            content = content[:start] + content[end:]
        elif kind == 2 and content:
            flipped = bytearray(content)
            for _ in range(chance.choice((1, 3, 20))):
                flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            content = bytes(flipped)
        elif kind == 3:
            second = other()
            content = content[:start] + second[chance.randrange(len(second) + 1) :]
        elif kind == 4:
            content = content[:end] + content[start:end] * chance.choice((1, 3, 50)) + content[end:]
        elif kind == 5:
            content = content.replace(*chance.sample((b"\n", b"\r\n", b"\r", b'"', b",", b"\t"), 2), end - start)
        elif kind == 6:
            content = chance.choice(MARKS) + content
        elif kind == 7:
            content += chance.choice((*MARKS, b"\0" * 7, b"\0" * 512, b"garbage"))
        else:
            content = content[:start] + chance.choice(MARKS) * chance.choice((1, 1, 2, 40)) + content[start:]
    return content[: 4 << 20]


def compressed(content: bytes, kind: str, chance: random.Random) -> bytes:
    """Compresses a content as one stream or several."""
    pack = _COMPRESSORS[kind]
    if kind == "lzma" or chance.random() < 0.7:
        return pack(content)
    cut = chance.randrange(len(content) + 1)
    between = chance.choice((b"", b"\0" * 4)) if kind == "xz" else b""
    return pack(content[:cut]) + between + pack(content[cut:])


def bomb(chance: random.Random) -> bytes:
    """Returns a gzip file of a few kilobytes that holds megabytes."""
    line = chance.choice((b"\0", b"a", b"\n", b'"', b"a,", b"[", b'{"text": "', b" "))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = line * ((1 << 20) // len(line))
    start = chance.choice((b"", b'text\n"', b'{"text": "', b"id,text\n1,"))
    return packer.compress(start) + b"".join(packer.compress(block) for _ in range(48)) + packer.flush()


def _zstd(content: bytes) -> bytes:
    return zstd.compress(content, 1)


_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, 1, mtime=0),
    "bz2": lambda content: bz2.compress(content, 1),
    "xz": lambda content: lzma.compress(content, preset=0),
    "lzma": lambda content: lzma.compress(content, lzma.FORMAT_ALONE, preset=0),
    "zstd": _zstd,
}
COMPRESSIONS: Sequence[str] = tuple(_COMPRESSORS)
ENDINGS = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "lzma": ".lzma", "zstd": ".zst"}

WRITERS: dict[str, Callable[[random.Random, str], Written]] = {
    "document": write_document,
    "lines": write_lines,
    "paragraphs": write_paragraphs,
    "csv": lambda chance, encoding: write_table(chance, encoding, usual=","),
    "tsv": lambda chance, encoding: write_table(chance, encoding, usual="\t"),
    "jsonl": write_jsonl,
    "json": write_json,
    "parquet": write_parquet,
}
