import inspect

import pytest

from textgen.config import FORMATS
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import Reader, ReadLimits, ReadOptions, SeparatorOptions, TableOptions, TextBatch


def test_every_format_has_a_reader():
    assert tuple(READERS) == FORMATS


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("method", ["check", "divide", "read"])
def test_every_reader_has_the_protocols_parameters(format, method):
    promised = inspect.signature(getattr(Reader, method)).parameters
    assert list(inspect.signature(getattr(READERS[format], method)).parameters) == list(promised)[1:]


def test_only_readers_of_tables_have_columns():
    assert [format for format in FORMATS if READERS[format].has_columns] == ["csv", "tsv", "jsonl", "json", "parquet"]


def test_text_is_read_as_utf8_with_replacements_by_default():
    assert ReadOptions() == (None, "replace", ReadLimits(), TableOptions(), None, None, SeparatorOptions())


def test_batches_do_not_share_lists():
    one, other = TextBatch(), TextBatch()
    one.texts.append(b"a")
    assert other == TextBatch([], [], 0, [])
