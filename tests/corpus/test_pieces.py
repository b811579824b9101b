import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus import pieces
from textgen.corpus.pieces import Batch, batches, valid_utf8


@given(st.text())
def test_valid_text_is_the_very_same_object(text):
    raw = text.encode()
    assert valid_utf8(raw) is raw


@pytest.mark.parametrize(
    ("raw", "repaired"),
    [
        (b"caf\xe9", "caf\ufffd"),
        (b"\x85", "\ufffd"),
        (b"\xe2\x80", "\ufffd"),
        (b"a\xff\xfeb", "a\ufffd\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_each_invalid_sequence_becomes_a_replacement_character(raw, repaired):
    assert valid_utf8(raw).decode() == repaired


@given(st.binary())
def test_what_was_repaired_is_valid_and_stays(raw):
    once = valid_utf8(raw)
    once.decode()
    assert valid_utf8(once) is once


def test_repaired_texts_are_counted():
    assert list(batches(iter([b"a", b"\xff", b"", b"b\xff"]))) == [
        Batch(texts=[b"a", b"\xef\xbf\xbd", b"", b"b\xef\xbf\xbd"], repaired=2)
    ]


def test_a_batch_is_closed_at_its_number_of_texts(monkeypatch):
    monkeypatch.setattr(pieces, "BATCH_TEXTS", 2)
    assert [batch.texts for batch in batches(iter([b"a", b"b", b"c"]))] == [[b"a", b"b"], [b"c"]]


def test_a_batch_is_closed_at_its_bytes(monkeypatch):
    monkeypatch.setattr(pieces, "BATCH_BYTES", 4)
    assert [batch.texts for batch in batches(iter([b"abc", b"d", b"efghij", b"", b"k"]))] == [
        [b"abc", b"d"],
        [b"efghij"],
        [b"", b"k"],
    ]


def test_no_texts_give_no_batch():
    assert list(batches(iter([]))) == []


@given(st.lists(st.binary(max_size=8)), st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_batches_hold_every_text_once_in_order(raw_texts, most_texts, most_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "BATCH_TEXTS", most_texts)
        patch.setattr(pieces, "BATCH_BYTES", most_bytes)
        made = list(batches(iter(raw_texts)))
    assert [text for batch in made for text in batch.texts] == [valid_utf8(raw) for raw in raw_texts]
    assert all(0 < len(batch.texts) <= most_texts for batch in made)
