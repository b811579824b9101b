"""Random cases: a file, the settings with which it is read, and the sizes into which it is divided."""

import codecs
import random
from typing import NamedTuple

from tests.fuzzing import contents
from textgen.corpus.readers.base import ReadLimits, ReadOptions, TableOptions

_NAMES = {
    "document": (".txt", ".md", "", ".dat"),
    "lines": (".txt", ""),
    "paragraphs": (".txt", ""),
    "csv": (".csv", ".CSV", ".txt"),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "json": (".json", ".jsonl"),
    "parquet": (".parquet", ".pq", ".txt"),
}


class Case(NamedTuple):
    """A file and its settings.

    Attributes:
        path: name of the file.
        content: its bytes, as stored.
        format: a format, or "auto".
        encoding: the given encoding.
        options: settings of the reader.
        divisions: sizes of units, and limits, that must all give the same documents as the file as a whole. All
            limits have the same size of chunks, since a blank line that is longer than a chunk separates nothing.
        documents: the documents of a valid file; None for any other.
        is_checked: whether the start of the file is checked; it is sound where damage lies behind it.
    """

    path: str
    content: bytes
    format: str
    encoding: str
    options: ReadOptions
    divisions: tuple[tuple[int, ReadLimits], ...]
    documents: list[bytes] | None = None
    is_checked: bool = True


def make_case(seed: str) -> Case:
    """Returns the case of a seed."""
    chance = random.Random(seed)
    format = chance.choice(tuple(contents.WRITERS))
    encoding = "utf-8" if chance.random() < 0.6 else chance.choice(contents.ENCODINGS)
    written = contents.WRITERS[format](chance, encoding)
    content = written.content
    documents = written.documents if _is_faithful(written, format, encoding) else None
    if documents is None or chance.random() < 0.6:
        documents = None
        content = _spoilt(content, format, encoding, chance)
    content, ending, packed = _packed(content, chance, spoil=documents is None)
    documents = None if format == "parquet" and packed else documents
    options = ReadOptions(
        written.text_field,
        "replace" if documents is not None else chance.choice(("replace", "replace", "replace-few", "drop", "fail")),
        tables=written.tables,
    )
    given = format if documents is not None or chance.random() < 0.6 else "auto"
    if documents is None and chance.random() < 0.4:
        given, encoding, options = _other_settings(given, encoding, options, chance)
    return Case(
        path="a" + chance.choice(_NAMES[format]) + ending,
        content=content,
        format=given,
        encoding=encoding if encoding == "auto" else codecs.lookup(encoding).name,
        options=options,
        divisions=tuple(_divisions(len(content), chance)),
        documents=documents,
        is_checked=documents is not None or chance.random() < 0.6,
    )


def _is_faithful(written: contents.Written, format: str, encoding: str) -> bool:
    """Returns whether a file's encoding gives back the text that was written."""
    if format == "parquet":
        return True
    text = written.content.decode(encoding, "replace")
    decoded = codecs.iterdecode([written.content[:-1], written.content[-1:]], encoding, "replace")
    if encoding == "iso2022_kr" or text.startswith("\ufeff") or "\ufffd" in text:
        return False
    return text.encode(encoding, "replace") == written.content and "".join(decoded) == text


def _spoilt(content: bytes, format: str, encoding: str, chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.05:
        return contents.random_bytes(chance)
    if kind < 0.1:
        return contents.deep_json(chance)

    def other() -> bytes:
        return contents.WRITERS[chance.choice((format, *contents.WRITERS))](chance, encoding).content

    return contents.damaged(content, chance, other)


def _packed(content: bytes, chance: random.Random, *, spoil: bool) -> tuple[bytes, str, bool]:
    """Returns a content that may be compressed, the ending of its name, and whether it is compressed."""
    if spoil and chance.random() < 0.004:
        return contents.bomb(chance), ".gz", True
    if chance.random() < 0.75:
        ending = chance.choice(("", ".gz", ".zst")) if spoil and chance.random() < 0.03 else ""
        return content, ending, False
    ending = ""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        kind = chance.choice(contents.COMPRESSIONS)
        content = contents.compressed(content, kind, chance)
        ending += contents.ENDINGS[kind]
        if spoil and chance.random() < 0.3:
            content = contents.damaged(content, chance, lambda: contents.random_bytes(chance))
    return content, ending if chance.random() < 0.8 else "", True


def _other_settings(
    format: str, encoding: str, options: ReadOptions, chance: random.Random
) -> tuple[str, str, ReadOptions]:
    """Returns settings that have nothing to do with the file."""
    if chance.random() < 0.3:
        format = chance.choice(("auto", *contents.WRITERS))
    if chance.random() < 0.3:
        encoding = chance.choice(("auto", *contents.ENCODINGS))
    if chance.random() < 0.2:
        fields = {"split_field": chance.choice((None, "id", "title", "data.text", "2"))}
        fields["group_field"] = chance.choice((None, "id", "title", "text", "a.b.*", "1"))
        options = options._replace(**fields)
    if chance.random() < 0.4:
        field = chance.choice((None, "text", "1", "2", "1,2", "id,text", "*", "data.*", "data", "0", "\u00e9", ""))
        options = options._replace(text_field=field)
    if chance.random() < 0.8:
        tables = TableOptions(
            delimiter=chance.choice(("", "", ",", ";", "\t", "|", " ", "\x01", "a", "§", "日")),
            quoting=chance.choice(("auto", "csv", "none")),
            escape=chance.choice((None, "", "\\", "^", "a", "/")),
            header=chance.choice(("auto", "first", "none")),
            skip_rows=chance.choice((0, 0, 1, 5, 1000)),
            skip_blanks=chance.random() < 0.4,
            join=chance.choice(("line", "paragraph", "space", "none")),
            max_row_bytes=chance.choice((64 << 20, 1, 10, 100, 1000)),
        )
        if tables.delimiter != tables.escape:
            options = options._replace(tables=tables)
    return format, encoding, options


def _divisions(size: int, chance: random.Random) -> list[tuple[int, ReadLimits]]:
    # At most a few hundred units.
    least = max(1, size // 200)
    sizes = [least, least * chance.choice((2, 3, 7)), max(1, size // 2), max(1, size // 5), 1 << 30]
    least = max(1, size // 2000)
    chunk_bytes = chance.choice((ReadLimits().chunk_bytes, max(16, least * chance.choice((1, 16, 40, 1000)))))
    return [(unit_bytes, _limits(least, chunk_bytes, chance)) for unit_bytes in chance.sample(sizes, 3)]


def _limits(least: int, chunk_bytes: int, chance: random.Random) -> ReadLimits:
    if chance.random() < 0.2:
        return ReadLimits(chunk_bytes=chunk_bytes)
    return ReadLimits(
        batch_texts=chance.choice((1, 2, 5, 1000)),
        batch_bytes=least * chance.choice((1, 3, 20, 300)),
        chunk_bytes=chunk_bytes,
        # A byte order mark of 3 bytes is looked for in one block.
        block_bytes=max(3, least * chance.choice((1, 4, 7, 64, 4096))),
    )
