import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.readers import csv_records
from textgen.corpus.readers.csv_records import Dialect, last_record_end
from textgen.corpus.readers.csv_scan import scan_records

DATA = st.lists(
    st.sampled_from(['"', '""', ",", '","', "\n", "\r", "\r\n", "a", "abcdefg", ";", '"\n', ',"']), max_size=30
)


@settings(max_examples=500, deadline=None)
@given(DATA, st.sampled_from([b",", b";"]), st.sampled_from([b"\n", b"\r"]))
def test_the_loop_finds_what_the_pattern_finds(pieces: list[str], delimiter: bytes, line_end: bytes) -> None:
    data = "".join(pieces).encode()
    found = scan_records(np.frombuffer(data, np.uint8), ord(delimiter), ord(line_end))
    assert found == last_record_end(data, Dialect(delimiter, line_end=line_end))


@pytest.mark.parametrize("dialect", [Dialect(), Dialect(b"\t", line_end=b"\r"), Dialect(escape=b"\\")])
def test_large_data_is_read_alike(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    row = b'1%b"two\n""lines"" and more"%b3%b' % (dialect.delimiter, dialect.delimiter, dialect.line_end)
    data = row * (csv_records._LARGE // len(row) + 2) + b'4,"open'
    large = last_record_end(data, dialect)
    monkeypatch.setattr(csv_records, "_LARGE", len(data) + 1)
    assert large == last_record_end(data, dialect) == (len(data) - len(b'4,"open'), False)
