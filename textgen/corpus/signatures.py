"""Kinds of files that hold no text to read, recognized by the bytes that they start with or by their endings."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from google_crc32c import value as crc32c

from textgen.corpus.encoding_detection import wide_encoding

_EXTRACT = "Extract its files first."
_DECOMPRESS = "Decompress it first."
_AS_TEXT = "Save its text as a .txt file first."
_AS_CSV = "Save it as a .csv file first."
_AS_TABLE = "Save its texts as .jsonl, .csv or .parquet first."
_LEAVE_OUT = "Leave it out."
_PAGES = "Extract the texts of its pages first, for example with warcio, as .jsonl."
_READ_ANYWAY = "Save its text as a .txt file first, or use --format document to read the file as it is."


class FileKind(NamedTuple):
    """A kind of file that is not read.

    Attributes:
        name: its name, as in "not text (PDF)".
        remedy: what a user can do.
        endings: endings of file names; none that is also the code of a language, such as `.pt` or `.so`, by which
            the files of parallel corpora are named.
        patterns: regular expressions for the start of the content, after decompression; empty for a kind that is
            told by its ending alone.
    """

    name: str
    remedy: str
    endings: tuple[str, ...] = ()
    patterns: tuple[bytes, ...] = ()


_ZIP = rb"PK\x03\x04(?s:.{26})"
"""A zip archive, up to the name of its first member."""


def _office(folder: bytes) -> bytes:
    """Returns the pattern of an Office file whose content is in a folder, such as `word`."""
    return _ZIP + rb"(?:\[Content_Types\]\.xml(?s:.{0,8000}))?" + folder + rb"/\w+\.xml"


KINDS = (
    FileKind("PDF", _AS_TEXT, (".pdf",), (rb"%PDF-",)),
    FileKind("PostScript", _AS_TEXT, (".eps",), (rb"%!PS",)),
    FileKind("RTF", _AS_TEXT, (".rtf",), (rb"\{\\rtf",)),
    FileKind("Word", _AS_TEXT, (".doc", ".docx"), (_office(b"word"),)),
    FileKind("PowerPoint", _AS_TEXT, (".ppt", ".pptx"), (_office(b"ppt"),)),
    FileKind("Excel", _AS_CSV, (".xls", ".xlsx"), (_office(b"xl"),)),
    FileKind("Office", _AS_TEXT, (),
             (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _ZIP + rb"\[Content_Types\]\.xml")),
    FileKind("OpenDocument", _AS_TEXT, (".odt", ".odp"), (_ZIP + rb"mimetypeapplication/vnd\.oasis",)),
    FileKind("spreadsheet", _AS_CSV, (".ods",)),
    FileKind("e-book", _AS_TEXT, (".epub", ".mobi", ".azw3"),
             (_ZIP + rb"mimetypeapplication/epub", rb"(?s:.{60})BOOKMOBI")),
    FileKind("DjVu", _AS_TEXT, (".djvu",), (rb"AT&TFORM",)),
    FileKind("NumPy", _AS_TABLE, (".npy", ".npz"), (rb"\x93NUMPY", _ZIP + rb"[\w./-]+\.npy")),
    FileKind("PyTorch", _LEAVE_OUT, (".pth",), (_ZIP + rb"[\w.-]+/data\.pkl",)),
    FileKind("Java archive", _LEAVE_OUT, (".jar",), (_ZIP + rb"META-INF/",)),
    FileKind("zip archive", _EXTRACT, (".zip",), (rb"PK\x03\x04", rb"PK\x05\x06")),
    FileKind("tar archive", _EXTRACT, (".tar", ".tgz", ".tbz2", ".tbz", ".txz", ".tzst"), (rb"(?s:.{257})ustar",)),
    FileKind("7z archive", _EXTRACT, (".7z",), (rb"7z\xbc\xaf\x27\x1c",)),
    FileKind("RAR archive", _EXTRACT, (".rar",), (rb"Rar!\x1a\x07",)),
    FileKind("archive", _EXTRACT, (".cab", ".deb", ".rpm", ".cpio"),
             (rb"MSCF\0\0", rb"!<arch>\n", rb"\xed\xab\xee\xdb")),
    FileKind("lz4", _DECOMPRESS, (".lz4",), (rb"\x04\x22\x4d\x18",)),
    FileKind("lzip", _DECOMPRESS, (".lz",), (rb"LZIP[\0\x01]",)),
    FileKind("lzop", _DECOMPRESS, (".lzo",), (rb"\x89LZO\0",)),
    FileKind("compress", _DECOMPRESS, (".z",), (rb"\x1f\x9d",)),
    FileKind("snappy", _DECOMPRESS, (".sz", ".snappy"), (rb"\xff\x06\0\0sNaPpY",)),
    FileKind("PNG image", _LEAVE_OUT, (".png",), (rb"\x89PNG\r\n",)),
    FileKind("JPEG image", _LEAVE_OUT, (".jpg", ".jpeg"), (rb"\xff\xd8\xff",)),
    FileKind("GIF image", _LEAVE_OUT, (".gif",), (rb"GIF8[79]a",)),
    FileKind("WebP image", _LEAVE_OUT, (".webp",), (rb"RIFF(?s:.{4})WEBP",)),
    FileKind("TIFF image", _LEAVE_OUT, (".tif", ".tiff"), (rb"II\*\0", rb"MM\0\*")),
    FileKind("image", _LEAVE_OUT, (".bmp", ".ico", ".psd", ".heic", ".avif"),
             (rb"BM(?s:.{4})\0\0\0\0", rb"\0\0\x01\0[\x01-\x20]", rb"8BPS\0",
              rb"\0\0\0.ftyp(?:heic|heix|mif1|avif)")),
    FileKind("SVG image", _LEAVE_OUT, (".svg",), (rb"\s*(?:<\?xml(?s:.{0,400})|<!--(?s:.{0,400}))?<svg[\s>]",)),
    FileKind("font", _LEAVE_OUT, (".ttf", ".otf", ".woff", ".woff2", ".ttc", ".eot"),
             (rb"\0\x01\0\0\0[\x01-\x40]", rb"OTTO\0", rb"wOF[F2](?:\0|OTTO)", rb"ttcf\0")),
    FileKind("audio", _LEAVE_OUT, (".mp3", ".wav", ".ogg", ".flac", ".m4a", ".aac", ".opus", ".mid", ".aiff"),
             (rb"ID3[\x02-\x04]", rb"RIFF(?s:.{4})WAVE", rb"OggS\0", rb"fLaC\0", rb"MThd\0", rb"FORM(?s:.{4})AIF")),
    FileKind("video", _LEAVE_OUT, (".mp4", ".mkv", ".avi", ".mov", ".webm", ".flv", ".mpg", ".wmv"),
             (rb"\0\0(?s:.{2})ftyp", rb"\x1a\x45\xdf\xa3", rb"RIFF(?s:.{4})AVI ", rb"FLV\x01")),
    FileKind("SQLite", _AS_TABLE, (".db", ".sqlite", ".sqlite3"), (rb"SQLite format 3\0",)),
    FileKind("pickle", _AS_TABLE, (".pkl", ".pickle"), (rb"\x80[\x02-\x05][\x95\x7d\x5d\x28\x63\x58\x8c]",)),
    FileKind("HDF5", _AS_TABLE, (".h5", ".hdf5"), (rb"\x89HDF\r\n\x1a\n",)),
    FileKind("Arrow", _AS_TABLE, (".arrow", ".feather", ".ipc"),
             (rb"ARROW1\0\0", rb"FEA1\0", rb"\xff\xff\xff\xff(?s:.{2})\0\0")),
    FileKind("Avro", _AS_TABLE, (".avro",), (rb"Obj\x01",)),
    FileKind("ORC", _AS_TABLE, (".orc",), (rb"ORC[\0-\x08\x0e-\x1f]",)),
    FileKind("TFRecord", _AS_TABLE, (".tfrecord", ".tfrecords")),
    FileKind("executable", _LEAVE_OUT, (".exe", ".dll", ".dylib", ".class", ".pyc", ".wasm"),
             (rb"\x7fELF", rb"MZ(?=(?s:.{0,62})\0\0)", rb"\xfe\xed\xfa[\xce\xcf]", rb"[\xce\xcf]\xfa\xed\xfe",
          rb"\xca\xfe\xba\xbe\0", rb"\0asm\x01")),
    FileKind("notebook", "Convert it first, for example with: jupyter nbconvert --to markdown.", (".ipynb",)),
    FileKind("subtitles", _READ_ANYWAY, (".srt", ".vtt", ".ass", ".ssa")),
    FileKind("web archive", _PAGES, (".warc", ".wet", ".wat"), (rb"WARC/[01]\.\d\r?\n",)),
)  # fmt: skip
"""The kinds that are not read; the first one that fits is taken."""

STRUCTURED = ("notebook", "subtitles", "web archive")
"""Kinds whose files are text with a structure; they are read as they are where `--format` says so."""

_BINARY = FileKind("binary data", "Leave it out, or give its encoding with --encoding if it is text.")

_PATTERNS = tuple((kind, re.compile(b"|".join(kind.patterns))) for kind in KINDS if kind.patterns)
_OF_ENDING: Mapping[str, FileKind] = {ending: kind for kind in KINDS for ending in kind.endings}
_PARQUET = re.compile(rb"PAR[1E][\0-\x08\x0e-\x1f]|PAR1\Z")

_CONTROLS = bytes({*range(0x1C)} - {*b"\1\2\3\b\t\n\v\f\r\x1a\x1b"})
"""Control characters that text does not have, but for a rare one; some others separate columns or items in text."""

_MAX_CONTROLS_PERCENT = 3
"""Maximum percentage of control characters in text; random bytes have twice as many."""

_CHECKED_BYTES = 4096
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def kind_of_content(content: bytes) -> FileKind | None:
    """Returns the kind of a file that starts with some bytes; None for text and for Parquet.

    >>> kind_of_content(b"%PDF-1.7\\n").name, kind_of_content(b"A text about PDF"), kind_of_content(b"PAR1\\x15\\x04")
    ('PDF', None, None)
    """
    if is_parquet(content):
        return None
    for kind, pattern in _PATTERNS:
        if pattern.match(content):
            return kind
    if _is_tfrecord(content):
        return _OF_ENDING[".tfrecord"]
    return _OF_ENDING[".tar"] if _is_old_tar(content) else None


def kind_of_ending(ending: str) -> FileKind | None:
    """Returns the kind of a file whose name has an ending, such as `.pdf`; None if it may be text."""
    return _OF_ENDING.get(ending)


def is_parquet(content: bytes) -> bool:
    """Returns whether a file that starts with some bytes is a Parquet file."""
    return bool(_PARQUET.match(content))


def kind_of_bytes(content: bytes) -> FileKind | None:
    """Returns the kind "binary data" for bytes that are text in no usual encoding; None for text.

    >>> kind_of_bytes(bytes(range(256))).name
    'binary data'
    >>> kind_of_bytes("text".encode("utf-16-le")), kind_of_bytes(b"caf\\xe9")
    (None, None)
    """
    sample = content[:_CHECKED_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls < 2 or 100 * controls <= _MAX_CONTROLS_PERCENT * len(sample):  # noqa: PLR2004 - One may be a slip.
        return None
    return None if sample.startswith(_MARKS) or wide_encoding(sample) else _BINARY


def _is_tfrecord(content: bytes) -> bool:
    """Returns whether the first 12 bytes are the length of a record and its checksum."""
    length, checksum = content[:8], content[8:12]
    if len(checksum) < 4:  # noqa: PLR2004 - A checksum has 4 bytes.
        return False
    # https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    crc = crc32c(length)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF == int.from_bytes(checksum, "little")


def _is_old_tar(content: bytes) -> bool:
    """Returns whether the first 512 bytes are the header of a tar archive of the time before `ustar`."""
    header = content[:512]
    digits = header[148:156].strip(b" \0")
    if len(header) < 512 or not re.fullmatch(rb"[0-7]+", digits):  # noqa: PLR2004 - A header has 512 bytes.
        return False
    return sum(header) - sum(header[148:156]) + 8 * ord(" ") == int(digits, 8)
