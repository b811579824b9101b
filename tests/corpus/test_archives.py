import io
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.archives import open_content, read_members
from textgen.corpus.detection import HEAD_BYTES
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError

CONTENTS = {"b/two.txt": b"two\n", "a.txt": b"one\n" * 9000, "empty": b"", "c.bin": bytes(range(256)) * 9}
TAR_MODES = {"w": (), "w:gz": ("gzip",), "w:bz2": ("bz2",), "w:xz": ("xz",)}


def zipped(contents, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("folder/", b"")
        for name, content in contents:
            archive.writestr(name, content)
    return file.getvalue()


def tarred(contents, mode="w", format=tarfile.PAX_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=format) as archive:
        for name, content in contents:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "a.txt"
        archive.addfile(link)
    return file.getvalue()


def listed(content, kind, compression=(), start_bytes=HEAD_BYTES):
    file = InputFile("corpus", len(content), 0.0, "", compression)
    return list(read_members(file, kind, lambda _: io.BytesIO(content), start_bytes=start_bytes))


def opened(content, member, **options):
    # Each archive has its own time.
    file = InputFile("corpus/a", member.size, zlib.crc32(content), "lines", member=member)
    return open_content(file, lambda _: io.BytesIO(content), **options)


def read(content, member, **options):
    with opened(content, member, **options) as file:
        return file.read()


@pytest.mark.parametrize(
    ("content", "kind", "compression"),
    [(zipped(CONTENTS.items(), method), "zip", ()) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    + [(zipped(CONTENTS.items(), zipfile.ZIP_BZIP2), "zip", ())]
    + [(tarred(CONTENTS.items(), mode), "tar", compression) for mode, compression in TAR_MODES.items()]
    + [(tarred(CONTENTS.items(), format=tarfile.GNU_FORMAT), "tar", ())],
)
def test_the_files_of_an_archive_are_listed_and_read(content, kind, compression):
    found = listed(content, kind, compression, start_bytes=5)
    assert [(each.name, each.start, each.member.content_size) for each in found] == [
        (name, content[:5], len(content)) for name, content in CONTENTS.items()
    ]
    for block_bytes in (1 << 18, 7):
        for each in found:
            assert read(content, each.member, block_bytes=block_bytes) == CONTENTS[each.name]
    for each in reversed(found):
        assert read(content, each.member) == CONTENTS[each.name]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(
    st.lists(st.tuples(st.text("abc/.", min_size=1, max_size=5).filter(lambda name: name.strip("./")), st.binary())),
    st.sampled_from(["zip", "tar", "tar.gz"]),
)
@settings(max_examples=60, deadline=None)
def test_files_with_the_same_name_are_found_in_their_order(contents, kind):
    contents = [(f"x{name.replace('/', '-')}", content) for name, content in contents]
    content = tarred(contents, "w:gz" if kind == "tar.gz" else "w") if kind != "zip" else zipped(contents)
    found = listed(content, kind[:3], ("gzip",) if kind == "tar.gz" else ())
    assert [(each.name, read(content, each.member)) for each in found if each.name != "folder"] == contents


def test_a_compressed_archive_is_read_once_where_its_files_are_opened_in_order():
    contents = [(f"{i}.txt", b"%d\n" % i * 999) for i in range(50)]
    content = tarred(contents, "w:gz")
    found = listed(content, "tar", ("gzip",))
    times = []

    def open_file(path):
        times.append(path)
        return io.BytesIO(content)

    for each, (_, expected) in zip(found, contents, strict=True):
        member = each.member._replace(archive="read once")
        file = InputFile("a", member.size, 0.0, "lines", member=member)
        for _ in range(2):
            with open_content(file, open_file) as text:
                assert text.read() == expected
    assert len(times) == 1


@pytest.mark.parametrize("name", ["./a.txt", "/a.txt", "a.txt"])
def test_names_are_relative(name):
    assert [each.name for each in listed(tarred([(name, b"x")]), "tar")] == ["a.txt"]


def test_encrypted_files_have_a_fault():
    content = bytearray(zipped([("a.txt", b"secret")]))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.rindex(signature) + offset] |= 1
    (found,) = [each for each in listed(bytes(content), "zip") if each.name == "a.txt"]
    assert found.fault == "encrypted"


@pytest.mark.parametrize(
    ("content", "kind", "compression"),
    [
        (zipped(CONTENTS.items())[:-30], "zip", ()),
        (b"PK\3\4" + bytes(99), "zip", ()),
        (tarred(CONTENTS.items())[:3000], "tar", ()),
        (tarred(CONTENTS.items(), "w:gz")[:-40], "tar", ("gzip",)),
    ],
)
def test_a_damaged_archive_is_an_error(content, kind, compression):
    with pytest.raises(UserError, match=r"corpus can't be (read as a \w+ archive|decompressed): .*Download it again"):
        listed(content, kind, compression)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_file_in_a_zip_archive_is_an_error(method):
    content = bytearray(zipped([("a.txt", b"some text that is long enough")], method))
    (found,) = [each for each in listed(bytes(content), "zip") if each.name == "a.txt"]
    content[found.member.offset + 3] ^= 0xFF
    with pytest.raises(UserError, match=r"corpus/a (is damaged: it differs from its checksum|can't be decompressed)"):
        read(bytes(content), found.member)
    with pytest.raises(UserError, match=r"ends within one of its files|can't be decompressed"):
        read(bytes(content[: found.member.offset + 4]), found.member)
