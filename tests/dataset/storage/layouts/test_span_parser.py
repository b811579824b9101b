import numpy as np
import pytest

from tests.dataset.block_contents import as_content, content_of, pack
from textgen.dataset.storage.layouts.span_parser import read_spans
from textgen.dataset.storage.records import RecordFormat
from textgen.errors import UserError

WRITTEN = RecordFormat(3, 1, 30)
SOUND = [[1, 2, 4, 5, 3], [2, 4, 5, 6]]


def content(*spans, pairs=None, dtype="<u2"):
    """A block of spans, each given as its numbers."""
    records = [(np.array(span, dtype).tobytes(), len(span) - 1 - span[0]) for span in spans]
    made = content_of(pack(records))
    return made if pairs is None else as_content(made.data, records=len(spans), pairs=pairs)


def test_spans_of_several_blocks_are_read():
    found = read_spans([content(*SOUND), content([1, 2, 29])], WRITTEN)
    spans = zip(found.starts, found.firsts, found.ends, strict=True)
    read = [(found.ids[start:end].tolist(), int(first - start)) for start, first, end in spans]
    assert read == [([2, 4, 5, 3], 1), ([4, 5, 6], 2), ([2, 29], 1)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (content([1, 4], pairs=1), "a record is no span, which has 3 or more numbers of 2 bytes"),
        (content_of(pack([(b"1234567", 1)])), "a record is no span"),
        (content([0, 2, 4], pairs=2), "a span has no context or no targets; it has one id or more of each"),
        (content([2, 2, 4], pairs=1), "a span has no context or no targets"),
        (content([65_535, 2, 4], pairs=1), "a span has no context or no targets"),
        (content(*SOUND, pairs=5), "it has 4 pairs; the manifest has 5"),
        (content(*SOUND, [1, 2, 30]), "a token id is 30; ids must be below the size of the vocabulary, 30"),
        (content([1, 30, 4]), "a token id is 30"),
        (content([1, 2, 65_535], *SOUND), "a token id is 65,535"),
    ],
)
def test_a_wrong_span_is_an_error_that_names_its_block(wrong, message):
    wrong = wrong._replace(location=wrong.location._replace(offset=77))
    for contents in ([wrong], [content(*SOUND), wrong, content(*SOUND)]):
        with pytest.raises(UserError, match=f"was written wrong after byte 77: {message}"):
            read_spans(contents, WRITTEN)


def test_the_header_and_the_framing_are_no_ids():
    long = [29] * 100
    found = read_spans([content([60, *long], [1, 2, 3])], RecordFormat(100, 1, 30))
    assert len(found.starts) == 2
