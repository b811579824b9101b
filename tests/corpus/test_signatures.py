import bz2
import doctest
import io
import random
import struct
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet
import pytest

from textgen.corpus import signatures
from textgen.corpus.signatures import KINDS, is_parquet, kind_of_bytes, kind_of_content, kind_of_ending


def zipped(*names, content=b"x", method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def tarred(format):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"text"))
    return file.getvalue()


def old_tar():
    header = bytearray(tarred(tarfile.USTAR_FORMAT)[:512])
    header[257:512] = bytes(255)
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header)


SAMPLES = {
    "PDF": b"%PDF-1.7\n%\xe2\xe3",
    "RTF": rb"{\rtf1\ansi Text}",
    "Word": zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "Excel": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20),
    "OpenDocument": zipped("mimetype", content=b"application/vnd.oasis.opendocument.text", method=zipfile.ZIP_STORED),
    "e-book": zipped("mimetype", content=b"application/epub+zip", method=zipfile.ZIP_STORED),
    "zip archive": zipped("a.txt", "word/a.txt"),
    "tar archive": tarred(tarfile.PAX_FORMAT),
    "PNG image": b"\x89PNG\r\n\x1a\n" + bytes(8),
    "JPEG image": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "GIF image": b"GIF89a\1\0\1\0",
    "SVG image": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">',
    "font": b"\0\1\0\0\0\x0c\0\x80",
    "audio": b"RIFF\x24\0\0\0WAVEfmt ",
    "video": b"\0\0\0\x18ftypmp42",
    "SQLite": b"SQLite format 3\0\x10\0",
    "pickle": b"\x80\x04\x95\x0b\0\0\0",
    "NumPy": b"\x93NUMPY\1\0v\0",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "Arrow": b"ARROW1\0\0",
    "TFRecord": bytes.fromhex("0500000000000000eab2043e") + b"hello",
    "executable": b"\x7fELF\2\1\1\0",
    "web archive": b"WARC/1.0\r\nWARC-Type: warcinfo\r\n",
    "lz4": b"\x04\x22\x4d\x18\x64\x40",
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_kinds_are_told_by_their_first_bytes(name):
    assert kind_of_content(SAMPLES[name]).name == name


@pytest.mark.parametrize(
    "archive", [tarred(tarfile.USTAR_FORMAT), tarred(tarfile.GNU_FORMAT), old_tar()], ids=["ustar", "gnu", "old"]
)
def test_tar_archives_of_any_age_are_told(archive):
    assert kind_of_content(archive).name == "tar archive"


@pytest.mark.parametrize(
    "text",
    [b"", b"PK", b"BM is the name", b"MZ began the letter.\n" * 9, b"ORC armies", b"OTTO, said she", b"ID3 is a tree"]
    + [b"GIF images", b"RIFF raff", b"PAR1S", b"BZh9", b"Obj", b"II*", b"Rar!", b"%pdf", b"WARC/2", bytes(0)],
)
def test_text_that_begins_like_a_binary_file_is_text(text):
    assert kind_of_content(text) is None
    assert kind_of_bytes(text) is None


def test_parquet_is_told_by_its_first_bytes():
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": ["a"]}), file)
    assert is_parquet(file.getvalue()[:100])
    assert not is_parquet(b"PAR1S, said")


@pytest.mark.parametrize(
    "content",
    [random.Random(1).randbytes(4000), struct.pack("<500i", *range(500)), struct.pack("<99d", *range(99))]
    + [bytes(1000), bz2.compress(b"")[4:] * 9],
)
def test_binary_data_is_no_text(content):
    assert kind_of_bytes(content).name == "binary data"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text", ["one\ntwo, é", "これは日本語のテキストです。\n" * 9, "Это текст\t" * 999, "🐋 whale"]
)
def test_text_in_wide_encodings_is_text(text, encoding):
    assert kind_of_bytes(text.encode(encoding)) is None


@pytest.mark.parametrize(
    "content",
    [b"caf\xe9 au lait " * 9, b"\x1b[1mbold\x1b[0m\n" * 99, b"id\x01title\x01a longer text that goes on\n" * 9]
    + ["Москва слезам не верит".encode("koi8-r"), "表ソ".encode("shift_jis"), b"one\0two three " + b"four " * 99],
)
def test_text_in_other_encodings_and_with_rare_controls_is_text(content):
    assert kind_of_bytes(content) is None


def test_endings_tell_kinds_but_are_no_language_codes():
    assert kind_of_ending(".docx").name == "Word"
    assert kind_of_ending(".txt") is None
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(endings) == len(set(endings))
    assert not {".pt", ".so", ".ps", ".br", ".de", ".en", ".o"} & set(endings)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(signatures)
    assert result.attempted and not result.failed
