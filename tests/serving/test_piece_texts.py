import pytest
import tensorflow as tf

from tests.serving.conftest import Served
from textgen.serving.piece_texts import PieceTexts
from textgen.serving.queued_text import WrittenSoFar


@pytest.fixture
def texts(served: Served) -> PieceTexts:
    return PieceTexts(served.writer.generator)


def _written(served: Served, text: str, *, delivered: int = 0, known: bytes | None = None) -> WrittenSoFar:
    ids = served.writer.preprocessor.encode(tf.constant([text])).flat_values.numpy().tolist()
    return WrittenSoFar(prompt=b"a", ids=ids, delivered=delivered, text=known)


def test_what_was_delivered_is_not_part_of_the_text(texts: PieceTexts, served: Served):
    long = "abc " * 30 + "é"
    written = [_written(served, "abé"), _written(served, long, delivered=118), _written(served, "ab", delivered=2)]
    assert texts.as_one(written) == [["abé".encode()], ["c é".encode()], [b""]]
    assert texts.by_token(written) == [[b"a", b"b", "é".encode()], [b"c", b" ", "é".encode()], []]


def test_texts_that_are_known_are_not_found_again(texts: PieceTexts, served: Served):
    known, unknown = _written(served, "ab", known=b"known"), _written(served, "ab")
    assert texts.as_one([known, known]) == [[b"known"], [b"known"]]
    assert texts.as_one([known, unknown]) == [[b"ab"], [b"ab"]]
