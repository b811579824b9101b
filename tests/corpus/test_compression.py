import bz2
import doctest
import functools
import gzip
import io
import lzma
import tracemalloc

import pyarrow as pa
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import COMPRESSIONS
from textgen.corpus import compression
from textgen.corpus.compression import compression_of, open_decompressed
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError

PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": functools.partial(lzma.compress, format=lzma.FORMAT_ALONE),
    ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
}
KINDS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".lzma": "lzma", ".zst": "zstd"}
ENDINGS = sorted(PACK)
CONTENT = b"a text that is long enough to pack\n" * 20


def input_file(path):
    return InputFile(path, 9, 0.0, "lines", compression_of(path))


def read(packed, ending, **options):
    with open_decompressed(input_file(f"a.txt{ending}"), lambda _: io.BytesIO(packed), **options) as file:
        return file.read()


@pytest.mark.parametrize(
    ("path", "packed"),
    [("a.gz", ("gzip",)), ("a.csv.GZ", ("gzip",)), ("gs://b/a.bz2", ("bz2",)), ("a.xz", ("xz",))]
    + [("a.txt.zst", ("zstd",)), ("a.gz.txt", ()), ("a.zip", ()), ("gz", ()), ("a", ())],
)
def test_a_compressed_file_is_recognized_by_its_ending(path, packed):
    assert compression_of(path) == packed


@pytest.mark.parametrize("ending", ENDINGS)
def test_decompression_restores_the_content(ending):
    assert read(PACK[ending](CONTENT), ending) == CONTENT
    assert read(PACK[ending](b""), ending) == b""


@given(st.lists(st.binary(max_size=50), max_size=4), st.sampled_from(ENDINGS), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_all_concatenated_streams_are_read(contents, ending, block_bytes):
    compressed = b"".join(map(PACK[ending], contents))
    assert read(compressed, ending, block_bytes=block_bytes) == b"".join(contents)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("before", [b"", CONTENT])
@pytest.mark.parametrize("cut", [1, 5, 0.5])
def test_a_truncated_file_is_an_error(ending, before, cut):
    packed = PACK[ending](CONTENT)
    rest = packed[: int(len(packed) * cut)] if cut < 1 else packed[:-cut]
    with pytest.raises(UserError, match=rf"a\.txt\{ending} can't be decompressed: .+ Download it again"):
        read((PACK[ending](before) if before else b"") + rest, ending)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("before", [b"", CONTENT])
def test_uncompressed_data_is_an_error_even_after_a_compressed_stream(ending, before):
    with pytest.raises(UserError, match=rf"It is damaged, truncated, or not a {KINDS[ending]} file"):
        read((PACK[ending](before) if before else b"") + b"plain text, not packed at all", ending)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_damaged_file_is_an_error(ending):
    packed = bytearray(PACK[ending](CONTENT))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(UserError, match="can't be decompressed"):
        read(bytes(packed), ending)


def test_zstandard_frames_to_skip_are_skipped():
    skipped = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    assert read(PACK[".zst"](CONTENT) + skipped + PACK[".zst"](CONTENT), ".zst") == CONTENT * 2


@pytest.mark.parametrize("block_bytes", [1, 5, 1 << 18])
def test_the_padding_of_xz_streams_is_skipped(block_bytes):
    packed = PACK[".xz"](b"one\n") + bytes(4) + PACK[".xz"](b"two\n") + bytes(8)
    assert read(packed, ".xz", block_bytes=block_bytes) == b"one\ntwo\n"
    with pytest.raises(UserError, match="11 zero bytes follow a stream; their number must be a multiple of 4"):
        read(packed + bytes(3), ".xz", block_bytes=block_bytes)


def test_zstandard_windows_may_be_long():
    parameter = zstd.CompressionParameter
    options = {parameter.window_log: 28, parameter.enable_long_distance_matching: 1, parameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(CONTENT) + packer.flush()
    assert packed[5] >> 3 == 28 - 10
    assert read(packed, ".zst") == CONTENT


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_is_decompressed_while_it_is_read(ending):
    packed = PACK[ending](bytes(32 << 20))
    file = open_decompressed(input_file(f"a{ending}"), lambda _: io.BytesIO(packed))
    tracemalloc.start()
    try:
        for _ in range(32):
            assert len(file.read(1 << 20)) == 1 << 20
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert file.read() == b""


def test_a_dictionary_beyond_the_limit_is_an_error():
    damaged = bytearray(lzma.compress(b"text", lzma.FORMAT_ALONE))
    damaged[1:5] = b"\xf0\xff\xff\xff"
    with pytest.raises(UserError, match="can't be decompressed: Memory usage limit exceeded"):
        read(bytes(damaged), ".lzma")


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(compression).attempted


def test_the_compressions_of_the_configuration_are_those_that_can_be_read():
    assert tuple(compression._DECOMPRESSORS) == COMPRESSIONS
