"""Protocol of the readers: a file range in, batches of texts out."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, NamedTuple, Protocol

from textgen.corpus.block_files import BLOCK_BYTES

OpenFile = Callable[[str], BinaryIO]
"""Opens a path for reading in binary mode; an argument, so that the caller's filesystem serves `gs://` URLs."""

CHUNK_BYTES = 1 << 20
"""Maximum size of a chunk, in bytes, so that memory does not grow with the size of a document."""


SAMPLE_BYTES = 1000
"""Maximum number of bytes that are kept of a row that is too large."""


class ReadLimits(NamedTuple):
    """Sizes of what readers hold in memory at once.

    The output depends on `chunk_bytes` where a long document has no white space, and on no other limit.

    Attributes:
        batch_texts: number of texts and rejected items at which a batch is complete; text operations are 6 to 10
            times slower on single texts than on batches.
        batch_bytes: number of bytes at which a batch is complete.
        chunk_bytes: maximum size of a chunk.
        block_bytes: number of bytes to read from a file at once.
    """

    batch_texts: int = 16_384
    batch_bytes: int = 1 << 20
    chunk_bytes: int = CHUNK_BYTES
    block_bytes: int = BLOCK_BYTES

    @property
    def short_bytes(self) -> int:
        """Maximum size of a text, in bytes of any encoding, for which its UTF-8 certainly fits into one chunk."""
        return self.chunk_bytes // 4


class Member(NamedTuple):
    """Place of a file in a zip or tar archive.

    Attributes:
        archive: path or URL of the archive.
        compression: names of the compressions of the whole archive, outermost first.
        archive_size: size of the archive, in bytes.
        offset: offset of the file in the archive, which is decompressed before if it is compressed as a whole.
        size: number of bytes from there.
        packing: name of the compression of these bytes; empty for none.
        checksum: CRC-32 of the file's content; -1 if the archive has none.
        content_size: size of the file's content, in bytes.
    """

    archive: str
    compression: tuple[str, ...]
    archive_size: int
    offset: int
    size: int
    packing: str
    checksum: int
    content_size: int


@dataclasses.dataclass(frozen=True)
class InputFile:
    """One file of the corpus, with all that a reader must know of it; decided once, when the inputs are listed.

    Attributes:
        path: path or URL.
        size: size in bytes.
        modified: time stamp in seconds, by which a changed file is detected.
        format: name of its reader.
        compression: names of its compressions, outermost first; empty for a file that is not compressed.
        encoding: encoding of its text, by its Python name.
        split: split of all its documents if the user has named files for splits; else None.
        member: place in an archive, whose time stamp is `modified`; None for a file that is in none. The path is then
            that of the archive and that in it.
    """

    path: str
    size: int
    modified: float
    format: str
    compression: tuple[str, ...] = ()
    encoding: str = "utf-8"
    split: str | None = None
    member: Member | None = None


class FileRange(NamedTuple):
    """Bytes [start, end) of one file, as it is stored."""

    file: InputFile
    start: int
    end: int


class TableOptions(NamedTuple):
    """Settings of readers of tables; see `textgen.config.tables` for their meaning.

    Attributes:
        delimiter: text between two cells; empty for that of the format.
        quoting: "csv", "none", or "auto" to decide by the format and the start of the file.
        escape: character after which a mark is text; empty for none, None for none unless the file has it.
        header: "first", "none", or "auto" for a first row that is checked.
        skip_rows: number of lines before the header.
        skip_blanks: whether spaces at the start of a cell are left out.
        join: a key of SEPARATORS.
        max_row_bytes: maximum size of a row.
    """

    delimiter: str = ""
    quoting: str = "auto"
    escape: str | None = None
    header: str = "auto"
    skip_rows: int = 0
    skip_blanks: bool = False
    join: str = "line"
    max_row_bytes: int = 64 << 20


SEPARATORS: Mapping[str, bytes | None] = {"line": b"\n", "paragraph": b"\n\n", "space": b" ", "none": None}
"""Bytes between several texts of one row; None if each is a document."""


class SeparatorOptions(NamedTuple):
    """Separator of the documents of a plain text file; all are empty for a file that is one document.

    Attributes:
        text: text that separates documents.
        is_anywhere: whether it does so within lines, and not only as a line of its own.
        pattern: regular expression that separates documents at the start of a line.
    """

    text: str = ""
    is_anywhere: bool = False
    pattern: str = ""


class ReadOptions(NamedTuple):
    """Settings of a reader.

    Attributes:
        text_field: name of the column, or path of the field such as `data.text`, that holds the documents.
        on_invalid: treatment of a document with bytes that are invalid in the encoding: "replace" or "replace-few",
            which readers do not tell apart: replace them by U+FFFD; "drop" the document; or "fail".
        limits: sizes of batches, chunks and blocks.
        tables: settings of readers of tables.
        split_field: column or path of the field that names the split of a document; None if there is none.
        group_field: column or path of the field whose equal values belong to one split; None if there is none.
        separator: separator of the documents of plain text.
    """

    text_field: str | None = None
    on_invalid: str = "replace"
    limits: ReadLimits = ReadLimits()
    tables: TableOptions = TableOptions()
    split_field: str | None = None
    group_field: str | None = None
    separator: SeparatorOptions = SeparatorOptions()


class Label(NamedTuple):
    """Split and group of a document, as its file or row gives them.

    Attributes:
        split: "train", "validation" or "test"; None if the input does not say.
        group: value of the field whose equal values belong to one split, as UTF-8; None without one.
    """

    split: str | None = None
    group: bytes | None = None


class Labelled(NamedTuple):
    """A document with its label.

    Attributes:
        text: the document, whole or as blocks that must be consumed before the next item.
        label: its label.
    """

    text: bytes | Iterator[bytes]
    label: Label


class Rejected(NamedTuple):
    """An input item that is not a document, with its reason.

    Attributes:
        reason: "malformed row", "missing field", "field without text", "row too large", "unclosed quote", "unknown
            split", "empty" or "invalid encoding".
        content: the bytes as read, at most the first CHUNK_BYTES.
        note: what is wrong with it or where it is, such as "line 7"; empty where the reason says all.
    """

    reason: str
    content: bytes
    note: str = ""


@dataclasses.dataclass
class TextBatch:
    """Consecutive texts of a file, as valid UTF-8.

    Attributes:
        texts: one UTF-8 string per document, or per chunk of a long document.
        continued: for each text, whether it is a further chunk of the document of the preceding text, which may be
            the last one of the preceding batch.
        replaced: number of documents in which invalid bytes were replaced by U+FFFD.
        rejected: input items among these texts that are not documents.
        labels: for each text, the label of its document; empty if the input gives none.
        characters: number of characters of the texts; those of a document in chunks are counted at its last chunk.
        replaced_characters: number of these that are U+FFFD in place of invalid bytes.
    """

    texts: list[bytes] = dataclasses.field(default_factory=list)
    continued: list[bool] = dataclasses.field(default_factory=list)
    replaced: int = 0
    rejected: list[Rejected] = dataclasses.field(default_factory=list)
    labels: list[Label] = dataclasses.field(default_factory=list)
    characters: int = dataclasses.field(default=0, compare=False)
    replaced_characters: int = dataclasses.field(default=0, compare=False)


class Reader(Protocol):
    """Reads the documents of one family of formats."""

    has_columns: bool
    """Whether a document is one named column or field of a row (`ReadOptions.text_field`)."""

    endings: tuple[str, ...]
    """File name endings that `--format auto` reads with this reader, such as `.csv`; none for plain text."""

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> str | None:
        """Checks that a file can be read with these options; reads only the file's start or its schema.

        Returns:
            What the file's content decided, as "read with …", to be printed; None for nothing.

        Raises:
            UserError: the file can't be read with these options.
        """
        ...

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns byte ranges [start, end) of about `unit_bytes` bytes that are read independently.

        Each document belongs to exactly one of the ranges.

        Raises:
            UserError: the file can't be read with these options.
        """
        ...

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the documents of the range, in batches that depend only on its content and the options.

        Raises:
            UserError: the file is damaged or has become shorter, or a document is invalid and `on_invalid` is "fail".
        """
        ...
